//! The service thread itself.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lanai_model::layer7::AccessLevel;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;

use super::checks::Checks;
use super::syslog::{self, Line};
use crate::read::StatusSource;
use crate::runtime_api;
use crate::shared::Shared;
use crate::state::Live;

/// What the engine asks of the service thread.
pub(crate) enum Request {
    /// Check the servers of this configuration, and no others.
    Check(Arc<Live>),
    /// Serve the runtime API on these sockets, and no others. Its connections go on.
    Api(Vec<ApiSocket>),
    /// Show a sign of life.
    Beat,
}

/// A socket of the runtime API.
#[derive(Clone, Debug)]
pub(crate) struct ApiSocket {
    /// The name under which it is used again and handed to a new engine; none for a descriptor that
    /// was inherited by number.
    pub(crate) name: Option<String>,
    pub(crate) fd: Arc<OwnedFd>,
    pub(crate) level: AccessLevel,
    pub(crate) timeout: Duration,
}

/// The thread; it ends when this is dropped.
pub(crate) struct Service {
    requests: UnboundedSender<Request>,
}

impl Service {
    /// Starts the thread.
    pub(crate) fn start(
        shared: Arc<Shared>,
        (requests, inbox): (UnboundedSender<Request>, UnboundedReceiver<Request>),
        lines: tokio::sync::mpsc::Receiver<Line>,
        tag: String,
        source: StatusSource,
    ) -> io::Result<Self> {
        std::thread::Builder::new()
            .name("service".to_owned())
            .spawn(move || {
                let mut builder = tokio::runtime::Builder::new_current_thread();
                shared.beats.service.attend(&mut builder);
                let runtime = builder
                    .enable_all()
                    .build_local(tokio::runtime::LocalOptions::default());
                match runtime {
                    Ok(runtime) => runtime.block_on(run(shared, inbox, lines, tag, source)),
                    Err(error) => {
                        tracing::error!(%error, "no checks, no logs: the service thread cannot run")
                    }
                }
            })?;
        Ok(Self { requests })
    }

    pub(crate) fn ask(&self, request: Request) {
        // The thread lives as long as this.
        let _ = self.requests.send(request);
    }
}

async fn run(
    shared: Arc<Shared>,
    mut inbox: UnboundedReceiver<Request>,
    lines: tokio::sync::mpsc::Receiver<Line>,
    tag: String,
    source: StatusSource,
) {
    tokio::task::spawn_local(syslog::run(lines, tag));
    let source: Rc<dyn runtime_api::Source> = Rc::new(source);
    let mut checks = Checks::default();
    let mut api: Vec<JoinHandle<()>> = Vec::new();
    let mut places: HashMap<Option<String>, Arc<Semaphore>> = HashMap::new();
    while let Some(request) = inbox.recv().await {
        match request {
            Request::Beat => shared.beats.service.turn(),
            Request::Check(live) => checks.follow(&live, &shared),
            Request::Api(sockets) => {
                api.drain(..).for_each(|task| task.abort());
                for socket in sockets {
                    match socket.fd.try_clone() {
                        Ok(fd) => {
                            // Connections outlive a change, and so does their number.
                            let places = places.entry(socket.name).or_insert_with(|| {
                                Arc::new(Semaphore::new(runtime_api::CONNECTIONS))
                            });
                            api.push(tokio::task::spawn_local(runtime_api::serve(
                                fd,
                                source.clone(),
                                socket.level,
                                socket.timeout,
                                places.clone(),
                            )));
                        }
                        Err(error) => tracing::error!(%error, "a stats socket is not served"),
                    }
                }
            }
        }
    }
}
