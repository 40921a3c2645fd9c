//! Changes of servers.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use lanai_traffic::condition::{Admin, Checks, Condition, Operation};

use super::operator::{Batch, Operator, Outcome, Place};
use super::{apply_targets, journal};
use crate::server::{refresh, standing_changed};
use crate::service::Request;
use crate::service::syslog::{ALERT, NOTICE};
use crate::state::{LiveBackend, ServerHealth, ServerState, Target};
use crate::worker::Command;

/// Makes the road of a request see what a server's health and overrides come to.
pub(crate) fn publish(state: &ServerState, health: &ServerHealth) {
    let overrides = &health.overrides;
    let configured = overrides.configured.as_ref();
    let weight = overrides
        .weight
        .unwrap_or_else(|| configured.map_or(1, |c| c.weight));
    let maxconn = match overrides.maxconn {
        Some(0) => None,
        Some(limit) => Some(limit),
        None => configured.and_then(|c| c.maxconn),
    };
    state.weight.store(weight, Ordering::Relaxed);
    state
        .limit
        .store(maxconn.unwrap_or(u32::MAX), Ordering::SeqCst);
    let serves = health.condition.serves() && weight > 0;
    state.serves.store(serves, Ordering::SeqCst);
}

impl Operator {
    /// `set server B/S state ready|drain|maint`
    pub(crate) fn set_admin(&self, place: &Place, admin: Admin) {
        let before = self.change(place, |health| {
            health.change(|condition| {
                let before = condition.admin();
                condition.set_admin(admin);
                before
            })
        });
        if admin == Admin::Maint && before != Admin::Maint {
            // As with HAProxy, what is open to a server in maintenance is not kept.
            place.state().place.fetch_add(1, Ordering::SeqCst);
            self.renew_places(place);
        }
    }

    /// `set server B/S health up|stopping|down`
    pub(crate) fn force(&self, place: &Place, operation: Operation) {
        self.change(place, |health| health.change(|c| c.force(operation)));
    }

    /// Whether checks of the server run or could run.
    pub(crate) fn is_checked(&self, place: &Place) -> bool {
        place.state().health().condition.checks() == Checks::On
    }

    /// `enable|disable health B/S`. False when there are no checks to enable.
    pub(crate) fn set_checks(&self, place: &Place, on: bool) -> bool {
        // Disabling what there is not is no mistake to HAProxy.
        self.change(place, |health| health.change(|c| c.set_checks(on)) || !on)
    }

    /// `set weight B/S N`
    pub(crate) fn set_weight(&self, place: &Place, weight: u16) {
        let configured = place.conf().map_or(1, |conf| conf.weight);
        self.override_weight(place, Some(weight).filter(|weight| *weight != configured));
    }

    /// The configuration's weight counts again.
    pub(super) fn reset_weight(&self, place: &Place) {
        self.override_weight(place, None);
    }

    fn override_weight(&self, place: &Place, weight: Option<u16>) {
        self.change(place, |health| health.overrides.weight = weight);
        if self.batch().is_none() {
            refresh(&place.backend);
        }
    }

    /// `set maxconn server B/S N`; 0 is no limit.
    pub(crate) fn set_server_maxconn(&self, place: &Place, limit: u32) {
        let configured = place.conf().and_then(|conf| conf.maxconn).unwrap_or(0);
        self.change(place, |health| {
            health.overrides.maxconn = Some(limit).filter(|limit| *limit != configured);
        });
    }

    /// The configuration's limit counts again.
    pub(super) fn reset_server_maxconn(&self, place: &Place) {
        self.change(place, |health| health.overrides.maxconn = None);
    }

    /// `set server B/S addr IP [port PORT]`
    pub(crate) fn set_address(&self, place: &Place, ip: IpAddr, port: Option<u16>) -> Outcome {
        let server = place.server();
        let Target::Inet(old_ip, old_port) = &server.target else {
            let text = "Update for the current server address family is only supported through \
                        configuration file.\n";
            return Err(text.to_owned());
        };
        let mut said = if ip == *old_ip {
            "no need to change the addr".to_owned()
        } else {
            format!("IP changed from '{old_ip}' to '{ip}'")
        };
        if let Some(port) = port {
            let old = old_port.map_or_else(|| "+0".to_owned(), |port| port.to_string());
            said += &if *old_port == Some(port) {
                ", no need to change the port".to_owned()
            } else {
                format!(", port changed from '{old}' to '{port}'")
            };
        }
        let wanted = (ip, port.or(*old_port));
        let as_configured = server.configured == Target::Inet(wanted.0, wanted.1);
        self.override_address(place, Some(wanted).filter(|_| !as_configured));
        Ok(format!("{said} by 'stats socket command'\n"))
    }

    /// The server is where the configuration says.
    pub(super) fn reset_address(&self, place: &Place) {
        self.override_address(place, None);
    }

    fn override_address(&self, place: &Place, address: Option<(IpAddr, Option<u16>)>) {
        self.change(place, |health| health.overrides.address = address);
        self.renew_places(place);
        match &mut *self.batch() {
            Some(batch) => batch.addresses = true,
            None => self.check_anew(),
        }
    }

    /// New connections lead to where the servers are now, and those to where one was are closed once
    /// they are idle.
    fn renew_places(&self, place: &Place) {
        let moved = place.state().clone();
        match &mut *self.batch() {
            Some(batch) => batch.moved.push(moved),
            None => self.renew(&[moved]),
        }
    }

    fn renew(&self, moved: &[Arc<ServerState>]) {
        let live = apply_targets(self.shared.live.load_full());
        self.shared.live.store(live);
        for server in moved {
            self.shared.tell(|| Command::CloseIdle(server.clone()));
        }
    }

    /// Checks go to where the servers are now.
    fn check_anew(&self) {
        let live = self.shared.live.load_full();
        // The thread lives as long as the engine.
        let _ = self.service.send(Request::Check(live));
    }

    /// What was put off while many changes were made.
    pub(super) fn catch_up(&self, batch: Batch) {
        for backend in &batch.backends {
            refresh(backend);
            standing_changed(backend, &self.shared);
        }
        if !batch.moved.is_empty() {
            self.renew(&batch.moved);
        }
        if batch.addresses {
            self.check_anew();
        }
    }

    /// `shutdown sessions server B/S`
    pub(crate) fn shutdown_sessions(&self, place: &Place) {
        let state = place.state();
        state.shutdowns.fetch_add(1, Ordering::SeqCst);
        self.shared.tell(|| Command::ShutDown(state.uid));
    }

    /// Changes a server, makes that count, tells the owner and the log.
    fn change<R>(&self, place: &Place, change: impl FnOnce(&mut ServerHealth) -> R) -> R {
        let name = place.name();
        let mut health = place.state().health();
        let before = health.condition;
        let outcome = change(&mut health);
        let after = health.condition;
        publish(place.state(), &health);
        journal::tell_server(&name, &mut health, self.shared.journal.as_ref());
        drop(health);
        if before != after {
            self.announce(place, &name, before, after);
        }
        match &mut *self.batch() {
            Some(batch) => {
                let known = |known: &Arc<LiveBackend>| Arc::ptr_eq(known, &place.backend);
                if !batch.backends.iter().any(known) {
                    batch.backends.push(place.backend.clone());
                }
            }
            None => standing_changed(&place.backend, &self.shared),
        }
        outcome
    }

    fn announce(&self, place: &Place, name: &str, before: Condition, after: Condition) {
        for (level, words) in announcements(before, after) {
            let servers = &place.backend.servers;
            let active = servers.iter().filter(|s| s.may_serve()).count();
            let sessions = place.state().activity.current();
            let rest = match words.1 {
                Rest::Nothing => String::new(),
                Rest::Online => format!(
                    " {active} active and 0 backup servers online. 0 sessions requeued, 0 total in \
                     queue."
                ),
                Rest::Left => format!(
                    " {active} active and 0 backup servers left. {sessions} sessions active, 0 \
                     requeued, 0 remaining in queue."
                ),
            };
            let message = format!("Server {name} {}{rest}", words.0);
            tracing::info!("{message}");
            let log = &place.backend.log;
            self.shared.log.send(log, level, message.into_bytes());
        }
    }
}

/// How a line ends.
#[derive(Clone, Copy)]
enum Rest {
    Nothing,
    Online,
    Left,
}

/// HAProxy's lines about a change by command, with their levels.
fn announcements(before: Condition, after: Condition) -> Vec<(u8, (&'static str, Rest))> {
    let counted = match after.operation() {
        Operation::Stopped => Rest::Left,
        Operation::Running | Operation::Stopping => Rest::Online,
    };
    let remains = (NOTICE, ("remains in forced drain mode.", Rest::Nothing));
    let mut lines = Vec::new();
    match (before.admin(), after.admin()) {
        (Admin::Maint, Admin::Maint) => {}
        (_, Admin::Maint) if before.operation() == Operation::Stopped => {
            let words = "was DOWN and now enters maintenance.";
            lines.push((NOTICE, (words, Rest::Nothing)));
        }
        (_, Admin::Maint) => {
            lines.push((NOTICE, ("is going DOWN for maintenance.", Rest::Left)));
        }
        (Admin::Maint, Admin::Ready) => {
            let words = "is UP/READY (leaving forced maintenance).";
            lines.push((NOTICE, (words, Rest::Nothing)));
        }
        (Admin::Maint, Admin::Drain) => {
            let words = "is UP/DRAIN (leaving forced maintenance).";
            lines.extend([(NOTICE, (words, Rest::Nothing)), remains]);
        }
        (Admin::Ready, Admin::Drain) => {
            lines.push((NOTICE, ("enters drain state.", counted)));
        }
        (Admin::Drain, Admin::Ready) => {
            let words = match after.operation() {
                Operation::Stopped => "is DOWN (leaving forced drain).",
                Operation::Running | Operation::Stopping => "is UP (leaving forced drain).",
            };
            lines.push((NOTICE, (words, Rest::Nothing)));
        }
        (Admin::Ready, Admin::Ready) | (Admin::Drain, Admin::Drain) => {
            if before.operation() != after.operation() {
                let (level, words) = match after.operation() {
                    Operation::Stopped => (ALERT, "is DOWN, changed from CLI."),
                    Operation::Running => (NOTICE, "is UP, changed from CLI."),
                    Operation::Stopping => (NOTICE, "is stopping, changed from CLI."),
                };
                lines.push((level, (words, counted)));
                if after.admin() == Admin::Drain {
                    lines.push(remains);
                }
            }
        }
    }
    lines
}
