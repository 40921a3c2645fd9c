//! One `udhcpc` for each interface, and what became of its leases.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use lanai_kernel::Lease;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};

use super::{Configured, DhcpError, USER};
use crate::appliance;
use crate::rights;
use crate::settings::User;

/// What udhcpc calls with each lease: it prints what counts of it, line by line.
const SCRIPT: &str = "/usr/lib/lanai/lease";

/// Bytes of one lease's lines at most: somebody on the network made them.
const LEASE_LIMIT: u64 = 2_000;

/// Name servers at most (resolv.conf(5): MAXNS).
const SERVERS: usize = 3;

/// Pause before udhcpc is started again when it ended.
const PAUSE: Duration = Duration::from_secs(5);

/// Becomes udhcpc on `interface`: another user, with the rights to send and receive and no others.
pub(super) fn speak(interface: &str) -> Result<(), DhcpError> {
    let user = rights::identity(&User::Name(USER.to_owned()), "DHCP")?;
    rights::become_user_and_start(user, rights::DHCP_CLIENT)?;
    // In the foreground; it goes on asking every ten seconds after six quick tries.
    let error = std::process::Command::new("udhcpc")
        .args([
            "-f", "-t", "6", "-T", "2", "-A", "10", "-s", SCRIPT, "-i", interface,
        ])
        .exec();
    Err(DhcpError::Program(error))
}

/// The clients that are at work, by interface.
#[derive(Default)]
pub(super) struct Running(BTreeMap<String, At>);

/// One client at work.
struct At {
    /// Ends it; with the addresses that stay.
    stop: oneshot::Sender<Vec<IpNet>>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Starts and ends clients, so that just `wanted` have one.
    pub(super) async fn become_so(&mut self, wanted: &[String], configured: &Configured) {
        let others: Vec<String> = self.0.keys().cloned().collect();
        for name in others.into_iter().filter(|name| !wanted.contains(name)) {
            let Some(at) = self.0.remove(&name) else {
                continue;
            };
            let stays = configured.get(&name).map(|how| how.addresses.clone());
            tracing::info!("no more DHCP on {name}");
            // A task that is gone has nothing to end.
            let _ = at.stop.send(stays.unwrap_or_default());
            let _ = at.task.await;
        }
        for name in wanted {
            if !self.0.contains_key(name) {
                tracing::info!("DHCP on {name}");
                let (stop, stopped) = oneshot::channel();
                let task = tokio::spawn(attend(name.clone(), stopped));
                self.0.insert(name.clone(), At { stop, task });
            }
        }
    }
}

/// Keeps a client on an interface and its lease in use, until told to stop.
async fn attend(interface: String, mut stopped: oneshot::Receiver<Vec<IpNet>>) {
    let (told, mut leases) = watch::channel(None);
    let talk = talk(&interface, told);
    tokio::pin!(talk);
    let mut current: Option<Offer> = None;
    loop {
        tokio::select! {
            stays = &mut stopped => {
                let stays = stays.unwrap_or_default();
                if let Some(offer) = current {
                    put_away(&offer, &stays).await;
                    resolver(&[]);
                }
                return;
            }
            () = &mut talk => {}
            Ok(()) = leases.changed() => {
                let next: Option<Offer> = leases.borrow_and_update().clone();
                if next == current {
                    continue;
                }
                if let Some(old) = current.take_if(|old| next.as_ref().map(|next| &next.lease) != Some(&old.lease)) {
                    put_away(&old, &[]).await;
                }
                if let Some(next) = &next {
                    put_to_use(next).await;
                }
                current = next;
            }
        }
    }
}

async fn put_to_use(offer: &Offer) {
    let Lease {
        interface,
        net,
        router,
    } = &offer.lease;
    match lanai_kernel::use_lease(&offer.lease).await {
        Ok(()) => tracing::info!(%net, router = ?router, "leased on {interface}"),
        Err(error) => tracing::error!("the lease of {net} on {interface} is of no use: {error}"),
    }
    resolver(&offer.servers);
}

async fn put_away(offer: &Offer, stays: &[IpNet]) {
    if let Err(error) = lanai_kernel::drop_lease(&offer.lease, stays).await {
        tracing::warn!("{}: {error}", offer.lease.interface);
    }
}

/// They are used unless the configuration has others.
fn resolver(servers: &[Ipv4Addr]) {
    let Some(system) = appliance::system() else {
        return;
    };
    if let Err(error) = system.lease_resolvers(servers) {
        tracing::warn!("the name servers are not noted: {error}");
    }
}

/// Runs udhcpc, again and again, and tells of its leases.
async fn talk(interface: &str, told: watch::Sender<Option<Offer>>) {
    loop {
        if let Err(error) = lanai_kernel::link_up(&interface.into()).await {
            tracing::warn!("{interface} stays down: {error}");
        }
        match start(interface) {
            Ok(mut child) => {
                if let Some(output) = child.stdout.take() {
                    let mut lines = BufReader::new(output);
                    while let Some(offer) = next_lease(interface, &mut lines).await {
                        told.send_replace(offer);
                    }
                }
                // It ended, or says what it never does: another one begins anew.
                let _ = child.kill().await;
            }
            Err(error) => tracing::error!("cannot start the DHCP client: {error}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn start(interface: &str) -> std::io::Result<Child> {
    let this = std::env::current_exe()?;
    Command::new(this)
        .args(["dhcp", "--client", interface])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// A lease, and the name servers that came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    lease: Lease,
    servers: Vec<Ipv4Addr>,
}

/// What the script says next: a lease, or that there is none any more. `None` at the end, and for
/// what the script never says.
async fn next_lease(
    interface: &str,
    lines: &mut BufReader<impl AsyncRead + Unpin>,
) -> Option<Option<Offer>> {
    let (mut net, mut routers, mut servers) = (None, Vec::new(), Vec::new());
    let mut limited = lines.take(LEASE_LIMIT);
    loop {
        let mut line = String::new();
        if limited.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let mut words = line.split_whitespace();
        match words.next()? {
            "none" => return Some(None),
            "address" => net = usable(words.next()?),
            "router" => routers.extend(words.filter_map(|word| word.parse::<Ipv4Addr>().ok())),
            "server" => servers.extend(words.filter_map(|word| word.parse::<Ipv4Addr>().ok())),
            "end" => break,
            _ => return None,
        }
    }
    servers.truncate(SERVERS);
    let offer = net.map(|net| Offer {
        lease: Lease {
            interface: interface.into(),
            net,
            router: routers.first().copied(),
        },
        servers,
    });
    Some(offer)
}

/// An address that a host may have.
fn usable(text: &str) -> Option<Ipv4Net> {
    let net: Ipv4Net = text.parse().ok()?;
    let ip = net.addr();
    let fine =
        !ip.is_unspecified() && !ip.is_loopback() && !ip.is_multicast() && !ip.is_broadcast();
    (fine && net.prefix_len() > 0).then_some(net)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &str) -> Vec<Option<Offer>> {
        let mut lines = BufReader::new(text.as_bytes());
        let mut all = Vec::new();
        while let Some(one) = next_lease("eth0", &mut lines).await {
            all.push(one);
        }
        all
    }

    #[tokio::test]
    async fn leases_are_read_one_by_one() {
        let text = "none\naddress 10.0.2.15/24\nrouter 10.0.2.2 10.0.2.9\nserver 10.0.2.3\nend\n\
                    none\naddress 192.0.2.1/32\nrouter\nserver a 1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4\nend\n";
        let all = read(text).await;
        assert_eq!(all.len(), 4);
        let first = all[1].as_ref().unwrap();
        assert_eq!(first.lease.net.to_string(), "10.0.2.15/24");
        assert_eq!(first.lease.router, Some(Ipv4Addr::new(10, 0, 2, 2)));
        let second = all[3].as_ref().unwrap();
        assert_eq!((second.lease.router, second.servers.len()), (None, SERVERS));
    }

    #[tokio::test]
    async fn nonsense_from_the_network_is_no_lease() {
        for address in [
            "127.0.0.1/8",
            "0.0.0.0/0",
            "224.0.0.1/4",
            "10.0.0.1",
            "10.0.0.1/33",
            "x",
        ] {
            let all = read(&format!("address {address}\nend\n")).await;
            assert_eq!(all, [None], "{address}");
        }
        assert!(read("hello\n").await.is_empty());
        assert!(
            read(&"server 1.1.1.1\n".repeat(1000)).await.is_empty(),
            "without end"
        );
        assert!(
            read(&"x".repeat(100_000)).await.is_empty(),
            "a line without end"
        );
    }
}
