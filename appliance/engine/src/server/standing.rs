//! Whether a backend has a server.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::server_freed;
use crate::service::syslog::EMERG;
use crate::shared::Shared;
use crate::state::{LiveBackend, LiveServer};

/// One of the servers may get traffic now, or may not any more: notes since when any may, tells the
/// log when none is left, and lets waiting requests go on.
pub(crate) fn standing_changed(backend: &Arc<LiveBackend>, shared: &Shared) {
    let up = backend.servers.iter().any(LiveServer::may_serve);
    let mut changed = backend
        .state
        .changed
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if changed.0 != up {
        *changed = (up, Instant::now());
        if !up {
            backend.state.downs.fetch_add(1, Ordering::Relaxed);
            let message = format!("backend {} has no server available!", backend.conf.name);
            tracing::error!("{message}");
            shared.log.send(&backend.log, EMERG, message.into_bytes());
        }
    }
    drop(changed);
    server_freed(backend);
}
