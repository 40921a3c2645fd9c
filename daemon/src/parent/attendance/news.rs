//! What control is told of its own accord: that the network has changed, that a change was taken back.

use std::sync::Arc;
use std::time::Duration;

use lanai_kernel::Monitor;
use tokio::net::UnixStream;
use tokio::sync::{broadcast, watch};

use super::Attendance;
use crate::wire::frame;
use crate::wire::parent::{Event, Reply};

/// Changes of the network are told together that come within this time.
const MONITOR_REST: Duration = Duration::from_millis(50);
/// Pause before changes are listened for again, after that failed.
const MONITOR_PAUSE: Duration = Duration::from_secs(5);

/// A task that ends with its connection.
pub(super) struct Abort(pub(super) tokio::task::JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) async fn push(
    out: Arc<tokio::sync::Mutex<UnixStream>>,
    mut events: broadcast::Receiver<Event>,
    mut changes: watch::Receiver<()>,
) {
    // What happened while nobody attended is unknown.
    changes.mark_changed();
    loop {
        let event = tokio::select! {
            event = events.recv() => match event {
                Ok(event) => event,
                Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return,
            },
            changed = changes.changed() => match changed {
                Ok(()) => Event::NetworkChanged,
                Err(_) => return,
            },
        };
        let written = frame::write(&mut *out.lock().await, &Reply::Event(event)).await;
        if written.is_err() {
            return;
        }
    }
}

impl Attendance {
    /// Tells control whenever the network has changed. Never ends.
    pub(in crate::parent) async fn watch_network(&self) {
        let mut complaint = String::new();
        loop {
            let failed = match Monitor::open() {
                Ok(monitor) => self.listen(monitor).await,
                Err(error) => crate::chain(&error),
            };
            if failed != complaint {
                tracing::error!(
                    "changes of the network are not heard: {failed}; it is tried again"
                );
                complaint = failed;
            }
            tokio::time::sleep(MONITOR_PAUSE).await;
            // Whatever was missed meanwhile.
            self.changes.send_replace(());
        }
    }

    async fn listen(&self, mut monitor: Monitor) -> String {
        loop {
            if let Err(error) = monitor.changed().await {
                return error.to_string();
            }
            // A change seldom comes alone, and half of one is no state to plan from.
            tokio::time::sleep(MONITOR_REST).await;
            self.changes.send_replace(());
        }
    }
}
