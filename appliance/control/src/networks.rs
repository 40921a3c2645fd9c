//! Which interfaces the running configuration sets up, for whoever takes care of the others.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::control::Control;
use crate::inner::{Inner, Running};
use crate::trial::Window;

/// Follows the running configuration.
pub struct Networks(watch::Receiver<Arc<Running>>);

/// How an interface gets its addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addressing {
    /// `ip address` lines.
    pub addresses: Vec<IpNet>,
    /// `ip autoconfig`: a DHCP server gives one.
    pub autoconfig: bool,
}

impl Control {
    /// What the configuration that is in effect says of the box's interfaces. Waits for the first
    /// boot, a while: before it nothing is in effect.
    pub async fn watch_networks(&self) -> Networks {
        // Who waited in vain takes the box for what it is: not configured.
        let _ = self.inner.after_boot().await;
        Networks(self.inner.watch_running())
    }
}

impl Networks {
    /// The interfaces that are set up, by name.
    pub fn now(&mut self) -> BTreeMap<String, Addressing> {
        let running = Arc::clone(&self.0.borrow_and_update());
        let active = running.model.services.active_networks();
        active
            .map(|network| {
                let addressing = Addressing {
                    addresses: network.addresses.iter().map(|one| one.net).collect(),
                    autoconfig: network.autoconfig.is_some(),
                };
                (network.interface.to_string(), addressing)
            })
            .collect()
    }

    /// Waits until another configuration is in effect than [`Networks::now`] told of.
    pub async fn changed(&mut self) {
        // Its sender lives as long as control itself.
        if self.0.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

/// How long the web UI waits for a change that is under way: it must be there also if that hangs.
const PATIENCE: Duration = Duration::from_secs(2);

/// Follows where the web UI is to listen.
pub struct UiPlace {
    inner: Arc<Inner>,
    running: watch::Receiver<Arc<Running>>,
    windows: watch::Receiver<Option<Arc<Window>>>,
}

impl Control {
    /// Where the web UI is to listen by the configuration that is in effect, now and later.
    pub fn watch_ui(&self) -> UiPlace {
        UiPlace {
            inner: Arc::clone(&self.inner),
            running: self.inner.watch_running(),
            windows: self.inner.windows(),
        }
    }
}

impl UiPlace {
    /// The place, if anybody said one, and whether the one before is to answer as well: while a change is
    /// on trial, or under way.
    pub async fn now(&mut self) -> (Option<SocketAddr>, bool) {
        // What is only being tried may be taken back in a moment.
        let settled = tokio::time::timeout(PATIENCE, self.inner.settled()).await;
        let on_trial = self.windows.borrow_and_update().is_some();
        let running = Arc::clone(&self.running.borrow_and_update());
        let place = running.model.ui_listen().or(self.inner.settings.ui);
        (place, on_trial || settled.is_err())
    }

    /// Waits until it may be another one.
    pub async fn changed(&mut self) {
        // Their senders live as long as control itself.
        let changed = tokio::select! {
            changed = self.running.changed() => changed,
            changed = self.windows.changed() => changed,
        };
        if changed.is_err() {
            std::future::pending().await
        }
    }
}
