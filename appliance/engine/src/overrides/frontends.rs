//! Changes of frontends and of the process.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use lanai_model::layer7::ListenAddress;
use rustix::io::Errno;
use rustix::net::{Shutdown, listen, shutdown};
use socket2::SockRef;

use super::operator::{Operator, Outcome, is_named};
use super::{FrontendOverrides, journal};
use crate::listen::{ListenKey, Listening, set_transparent, share_port};
use crate::service::syslog::WARNING;
use crate::shared::Shared;
use crate::state::{FrontendState, Live, LiveFrontend};
use crate::worker::Command;

impl FrontendState {
    pub(crate) fn overrides(&self) -> MutexGuard<'_, FrontendOverrides> {
        self.overrides
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the workers see what the overrides come to. A paused frontend takes nobody.
    pub(super) fn publish(&self, overrides: &FrontendOverrides) {
        let configured = overrides.configured.flatten();
        let limit = match (overrides.paused, overrides.maxconn.or(configured)) {
            (true, _) => 0,
            (false, limit) => limit.unwrap_or(u32::MAX),
        };
        self.limit.store(limit, Ordering::SeqCst);
    }
}

impl Operator {
    /// `disable frontend F`
    pub(crate) fn pause(&self, word: Option<&&str>) -> Outcome {
        self.with_frontend(word, |_, frontend| {
            let mut overrides = frontend.state.overrides();
            if overrides.paused {
                return Err("All sockets are already disabled.\n".to_owned());
            }
            overrides.paused = true;
            self.publish(frontend, &mut overrides);
            if self.is_in_charge() {
                close_doors(&frontend.state, &self.sockets.load());
            }
            Ok("Paused")
        })
    }

    /// `enable frontend F`
    pub(crate) fn resume(&self, word: Option<&&str>) -> Outcome {
        self.with_frontend(word, |_, frontend| {
            let mut overrides = frontend.state.overrides();
            if !overrides.paused {
                return Err("All sockets are already enabled.\n".to_owned());
            }
            if self.is_in_charge()
                && let Err(error) = open_doors(&frontend.state, &self.sockets.load())
            {
                tracing::error!(frontend = %frontend.conf.name, %error, "cannot listen again");
                let text = "Failed to resume frontend, check logs for precise cause (port \
                            conflict?).\n";
                return Err(text.to_owned());
            }
            overrides.paused = false;
            self.publish(frontend, &mut overrides);
            Ok("Resumed")
        })
    }

    /// `set maxconn frontend F N`
    pub(crate) fn set_frontend_maxconn(
        &self,
        word: Option<&&str>,
        limit: impl FnOnce() -> Result<u32, String>,
    ) -> Outcome {
        self.with_frontend(word, |_, frontend| {
            let limit = limit()?;
            let mut overrides = frontend.state.overrides();
            let configured = frontend.conf.maxconn;
            overrides.maxconn = Some(limit).filter(|limit| Some(*limit) != configured);
            self.publish(frontend, &mut overrides);
            Ok("")
        })
    }

    /// The configuration's limit of a frontend counts again.
    pub(super) fn reset_frontend_maxconn(&self, word: Option<&&str>) -> Outcome {
        self.with_frontend(word, |_, frontend| {
            let mut overrides = frontend.state.overrides();
            overrides.maxconn = None;
            self.publish(frontend, &mut overrides);
            Ok("")
        })
    }

    /// `set maxconn global N`; 0 is what it was at the start.
    pub(crate) fn set_global_maxconn(&self, limit: u32) -> Outcome {
        let most = self.shared.hard_maxconn;
        if limit > most {
            return Err("Value out of range.\n".to_owned());
        }
        let limit = if limit == 0 { most } else { limit };
        self.shared.maxconn.store(limit, Ordering::SeqCst);
        self.shared.tell(|| Command::AcceptAgain);
        let set = Some(limit).filter(|limit| *limit != most);
        journal::tell_global_maxconn(set, self.shared.journal.as_ref());
        Ok(String::new())
    }

    /// Finds a frontend and changes it; the change says how the log calls it, if at all.
    fn with_frontend(
        &self,
        word: Option<&&str>,
        change: impl FnOnce(&Live, &LiveFrontend) -> Result<&'static str, String>,
    ) -> Outcome {
        let word = word.ok_or("A frontend name is expected.\n")?;
        let live = self.shared.live.load_full();
        let frontend = live
            .frontends
            .iter()
            .find(|f| is_named(word, &f.conf.name, f.conf.id))
            .ok_or("No such frontend.\n")?;
        let done = change(&live, frontend)?;
        if !done.is_empty() {
            // A `listen` has two halves of one name.
            let name = &frontend.conf.name;
            let kind = if live.backends.iter().any(|b| b.conf.name == *name) {
                "proxy"
            } else {
                "frontend"
            };
            let message = format!("{done} {kind} {name}.");
            tracing::info!("{message}");
            let log = &self.shared.log;
            log.send(&frontend.log, WARNING, message.into_bytes());
        }
        self.shared.tell(|| Command::AcceptAgain);
        Ok(String::new())
    }

    fn publish(&self, frontend: &LiveFrontend, overrides: &mut FrontendOverrides) {
        frontend.state.publish(overrides);
        let journal = self.shared.journal.as_ref();
        journal::tell_frontend(&frontend.conf.name, overrides, journal);
    }
}

/// Makes the kernel refuse connections to a frontend, whoever else holds its sockets. The ports stay
/// ours. (A UNIX socket cannot be opened again: there, connections wait.)
pub(super) fn close_doors(frontend: &Arc<FrontendState>, sockets: &[Arc<Listening>]) {
    for listening in sockets {
        let socket = &*listening.socket;
        if Arc::ptr_eq(&listening.frontend, frontend)
            && !matches!(listening.key.address, ListenAddress::Unix(_))
            // One that does not listen any more is shut already. To shut it again would fail and all the
            // same end the receiving side of every connection that it ever accepts (inet_shutdown).
            && SockRef::from(socket).is_listener().unwrap_or(false)
        {
            // Whoever else holds it may have shut it just now.
            let _ = shutdown(socket, Shutdown::Read);
        }
    }
}

/// Has the kernel take connections to a frontend, as many as its configuration says may wait, and to
/// whom it says; may be called again (listen(2)).
pub(super) fn open_doors(
    frontend: &Arc<FrontendState>,
    sockets: &[Arc<Listening>],
) -> io::Result<()> {
    for listening in sockets {
        if Arc::ptr_eq(&listening.frontend, frontend) {
            if matches!(listening.key.address, ListenAddress::Inet(_)) {
                set_transparent(&listening.socket, listening.transparent)?;
            }
            match listen(&*listening.socket, listening.backlog) {
                // Another frontend has all addresses of that port, or for another interface.
                Err(Errno::ADDRINUSE) => listen_beside(listening, sockets)?,
                other => other?,
            }
        }
    }
    Ok(())
}

/// Opens a socket that shares its port with others of these; see [`share_port`].
fn listen_beside(listening: &Listening, sockets: &[Arc<Listening>]) -> io::Result<()> {
    let port = |key: &ListenKey| match &key.address {
        ListenAddress::Inet(address) => Some(address.port()),
        ListenAddress::Unix(_) | ListenAddress::Fd(_) => None,
    };
    let beside = || {
        let all = sockets
            .iter()
            .filter(|it| port(&it.key) == port(&listening.key));
        all.map(|it| &it.socket)
    };
    for socket in beside() {
        share_port(socket, true)?;
    }
    let outcome = listen(&*listening.socket, listening.backlog);
    for socket in beside() {
        share_port(socket, false)?;
    }
    Ok(outcome?)
}

impl Shared {
    /// Concurrent client connections at most, now.
    pub(crate) fn maxconn(&self) -> u32 {
        self.maxconn.load(Ordering::Relaxed)
    }
}
