//! The web UI, kept up whatever the network looks like.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use lanai_control::Control;
use lanai_webui::{WebServer, WebSettings};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use super::Arguments;
use crate::child::{Estate, Link};

/// How long the UI waits for the first configuration: its address may come with it, and its first
/// certificate names the box's addresses.
const BOOT_LIMIT: Duration = Duration::from_secs(15);
/// Pause before the next try when the UI cannot listen, for example for want of its address.
const PAUSE: Duration = Duration::from_secs(2);
/// Addresses of the box that a certificate names.
const ADDRESSES: usize = 16;

/// A place where the UI answers. Dropping it ends that, after what is under way.
type Open = oneshot::Sender<()>;

/// Never ends. A former control process may have left its sockets: then nobody who connected
/// meanwhile was refused.
///
/// The UI moves when the configuration says so: first it answers at the new place, then no longer at the old
/// one, which goes on while the change is on trial.
pub(super) async fn serve(
    arguments: &Arguments,
    control: &Control,
    mut booted: watch::Receiver<bool>,
    link: &Link,
    estate: Estate,
) {
    let ready = booted.wait_for(|booted| *booted);
    // Without a configuration the UI is what a person needs to write one.
    let _ = tokio::time::timeout(BOOT_LIMIT, ready).await;
    let mut place = control.watch_ui();
    let mut open: BTreeMap<SocketAddr, Open> = BTreeMap::new();
    for (name, socket) in estate.listeners {
        let address = name.strip_prefix(NAME).and_then(|name| name.parse().ok());
        if let Some(address) = address
            && let Ok(started) = start(arguments, control, link, address, Some(socket)).await
        {
            open.insert(address, started);
        }
    }
    let mut complaint = String::new();
    loop {
        let (wanted, keep) = place.now().await;
        let wanted = wanted.unwrap_or(arguments.ui);
        if let Entry::Vacant(free) = open.entry(wanted) {
            match start(arguments, control, link, wanted, None).await {
                Ok(started) => {
                    free.insert(started);
                }
                // Said once, not every two seconds.
                Err(text) if text != complaint => {
                    tracing::error!("{text}; it is tried again");
                    complaint = text;
                }
                Err(_) => {}
            }
        }
        let steady = open.contains_key(&wanted) && !keep;
        if steady {
            open.retain(|address, _| *address == wanted);
        }
        link.retain(open.keys().map(name).collect()).await;
        tokio::select! {
            () = place.changed() => {}
            () = tokio::time::sleep(PAUSE), if !steady => {}
        }
    }
}

/// What the parent knows the UI's sockets by.
const NAME: &str = "ui ";

fn name(address: &SocketAddr) -> String {
    format!("{NAME}{address}")
}

/// Answers at a place, on a socket that was left, or on one of its own.
async fn start(
    arguments: &Arguments,
    control: &Control,
    link: &Link,
    address: SocketAddr,
    left: Option<OwnedFd>,
) -> Result<Open, String> {
    let settings = WebSettings {
        listen: address,
        state_dir: arguments.state.clone(),
        box_name: box_name(),
        names: Vec::new(),
        addresses: addresses(control).await,
    };
    let failed = |error: std::io::Error| format!("the web UI cannot listen on {address}: {error}");
    let socket = match left {
        Some(left) => socket2::Socket::from(left),
        None => listen(address).map_err(failed)?,
    };
    let listener = listening(socket).map_err(failed)?;
    let server = WebServer::on(listener, settings, control.clone());
    let server = server.map_err(|error| crate::chain(&error))?;
    let copy = server.socket().try_clone_to_owned();
    let kept = match copy.map_err(|error| error.to_string()) {
        Ok(copy) => link.hold(vec![(name(&address), Arc::new(copy))]).await,
        Err(error) => Err(error),
    };
    if let Err(why) = kept {
        tracing::warn!("the web UI's socket is not kept: {why}");
    }
    tracing::info!("the web UI is at https://{}", server.address());
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(server.run(async move {
        // Nothing is ever sent: the end of the sender says it.
        let _ = stopped.await;
    }));
    Ok(stop)
}

/// A socket for a place that the box need not have yet, and beside another one of ours that is at the same
/// port of every address.
fn listen(address: SocketAddr) -> std::io::Result<socket2::Socket> {
    let domain = socket2::Domain::for_address(address);
    let kind = socket2::Type::STREAM.cloexec();
    let socket = socket2::Socket::new(domain, kind, Some(socket2::Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    match address {
        SocketAddr::V4(_) => socket.set_freebind_v4(true)?,
        SocketAddr::V6(_) => socket.set_freebind_v6(true)?,
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// The box's host name.
pub(super) fn box_name() -> String {
    let host = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    host.unwrap_or_else(|| "lanai".to_owned())
}

fn listening(socket: socket2::Socket) -> std::io::Result<TcpListener> {
    // For one that is left: what comes later may join it.
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
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
