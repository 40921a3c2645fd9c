//! Which interfaces the running configuration sets up, for whoever takes care of the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::control::Control;
use crate::inner::Running;

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
