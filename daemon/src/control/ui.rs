//! The web UI, kept up whatever the network looks like.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use lanai_control::Control;
use lanai_webui::{WebServer, WebSettings};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Arguments;
use crate::child::{Estate, Link};

/// How long the UI waits for the first configuration: its address may come with it, and its first
/// certificate names the box's addresses.
const BOOT_LIMIT: Duration = Duration::from_secs(15);
/// Pause before the next try when the UI cannot listen, for example for want of its address.
const PAUSE: Duration = Duration::from_secs(2);
/// Addresses of the box that a certificate names.
const ADDRESSES: usize = 16;

/// Never ends. A former control process may have left its socket: then nobody who connected
/// meanwhile was refused.
pub(super) async fn serve(
    arguments: &Arguments,
    control: &Control,
    mut booted: watch::Receiver<bool>,
    link: &Link,
    estate: Estate,
) {
    let name = format!("ui {}", arguments.ui);
    let mut left = estate.listeners.into_iter();
    let mut left = left.find_map(|(left, socket)| (left == name).then_some(socket));
    let ready = booted.wait_for(|booted| *booted);
    // Without a configuration the UI is what a person needs to write one.
    let _ = tokio::time::timeout(BOOT_LIMIT, ready).await;
    let box_name = box_name();
    let mut complaint = String::new();
    loop {
        let settings = WebSettings {
            listen: arguments.ui,
            state_dir: arguments.state.clone(),
            box_name: box_name.clone(),
            names: Vec::new(),
            addresses: addresses(control).await,
        };
        let server = match left.take().map(listening) {
            Some(Ok(listener)) => WebServer::on(listener, settings, control.clone()),
            Some(Err(_)) | None => WebServer::bind(settings, control.clone()).await,
        };
        match server {
            Ok(server) => {
                match server.socket().try_clone_to_owned() {
                    Ok(copy) => link.hold(vec![(name.clone(), Arc::new(copy))]).await,
                    Err(error) => tracing::warn!(%error, "the web UI's socket is not kept"),
                }
                link.retain(vec![name.clone()]).await;
                tracing::info!("the web UI is at https://{}", server.address());
                server.run(std::future::pending()).await;
            }
            Err(error) => {
                let text = crate::chain(&error);
                // Said once, not every two seconds.
                if text != complaint {
                    tracing::error!("{text}; it is tried again");
                    complaint = text;
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The box's host name.
pub(super) fn box_name() -> String {
    let host = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    host.unwrap_or_else(|| "lanai".to_owned())
}

fn listening(socket: OwnedFd) -> std::io::Result<TcpListener> {
    let socket = std::net::TcpListener::from(socket);
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket)
}

/// The addresses under which others can reach the box, IPv4 first.
pub(super) async fn addresses(control: &Control) -> Vec<IpAddr> {
    let network = control
        .status()
        .await
        .ok()
        .and_then(|status| status.network.ok());
    let Some(network) = network else {
        return Vec::new();
    };
    let all = network.addresses.iter().map(|one| one.address.net.addr());
    let link_local = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    let mut reachable: Vec<IpAddr> = all
        .filter(|ip| !ip.is_loopback() && !link_local(ip))
        .collect();
    reachable.sort_by_key(IpAddr::is_ipv6);
    reachable.truncate(ADDRESSES);
    reachable
}
