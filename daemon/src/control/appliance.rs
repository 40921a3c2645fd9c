//! What the box's own processes ask: which interfaces are set up, and what the console shows.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use lanai_control::Control;
use serde::Serialize;

use super::ui;
use crate::appliance::Storage;
use crate::appliance::console::Shown;
use crate::appliance::dhcp::{Configured, LOOK_MS, Watched};
use crate::wire::shell::Reply;

/// The interfaces that are set up, as soon as they are others than `seen`, or after a while.
pub(super) async fn networks(control: &Control, seen: Option<Configured>) -> Reply {
    let mut networks = control.watch_networks().await;
    let mut configured = networks.now();
    let other = async {
        while seen.as_ref() == Some(&configured) {
            networks.changed().await;
            configured = networks.now();
        }
    };
    // After a while the answer is the same as before.
    let _ = tokio::time::timeout(Duration::from_millis(LOOK_MS), other).await;
    json(&Watched { configured })
}

/// What the console shows: where the UI is, how to know it, and how to get in.
pub(super) async fn console(control: &Control, ui: SocketAddr, state: &Path) -> Reply {
    let ui = control.watch_ui().now().await.0.unwrap_or(ui);
    let addresses = match ui.ip() {
        ip if ip.is_unspecified() => ui::addresses(control).await,
        ip => vec![ip],
    };
    let link = |ip: IpAddr| format!("https://{}/", SocketAddr::new(ip, ui.port()));
    let status = control.status().await.ok();
    let mut shown = Shown {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        name: ui::box_name(),
        links: addresses.into_iter().map(link).collect(),
        // There is none before the UI was started for the first time.
        fingerprint: lanai_webui::certificate_fingerprint(state).ok(),
        login: None,
        interfaces: Vec::new(),
        storage: match Storage::found() {
            Storage::Disk(device) => Some(device),
            Storage::Memory(_) | Storage::Usual => None,
        },
        notices: Vec::new(),
    };
    match control.one_time_password().await {
        Ok(login) => shown.login = login.map(|one| (one.user, one.password)),
        Err(error) => shown.notices.push(crate::chain(&error)),
    }
    if let Some(status) = status {
        shown.notices.extend(status.notices);
        if let Ok(network) = status.network {
            let links = network.links.iter().filter(|link| !link.loopback);
            shown.interfaces = links
                .map(|link| {
                    let all = network.addresses.iter();
                    let mine = all.filter(|one| one.address.interface == link.name);
                    let mut nets: Vec<String> =
                        mine.map(|one| one.address.net.to_string()).collect();
                    if !link.carrier {
                        nets.push("no link".to_owned());
                    }
                    (link.name.to_string(), nets)
                })
                .collect();
        }
    }
    json(&shown)
}

fn json(value: &impl Serialize) -> Reply {
    match serde_json::to_string(value) {
        Ok(text) => Reply { done: true, text },
        Err(error) => Reply {
            done: false,
            text: error.to_string(),
        },
    }
}
