//! Trying ports, as a port scanner does.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, connect, socket};

use crate::lab::Lab;

/// Connections that are under way at the same time.
const AT_ONCE: usize = 9000;

/// How long an answer from the next host may take.
const PATIENCE: Duration = Duration::from_millis(80);

/// Tries to connect from a host to these TCP ports of an address, and gives those that answered:
/// with a connection or with a refusal.
#[track_caller]
#[must_use]
pub fn knock(
    lab: &Lab,
    role: &str,
    address: IpAddr,
    ports: RangeInclusive<u16>,
) -> Vec<SocketAddr> {
    // As a limit of open files it is low.
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let wanted = u64::try_from(AT_ONCE).unwrap() + 200;
    if soft < wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted.min(hard), hard).unwrap();
    }
    lab.inside(role, move || {
        let all: Vec<u16> = ports.collect();
        let mut answered = Vec::new();
        for some in all.chunks(AT_ONCE) {
            answered.extend(batch(address, some));
        }
        answered
    })
}

fn batch(address: IpAddr, ports: &[u16]) -> Vec<SocketAddr> {
    let mut answered = Vec::new();
    let mut waiting: Vec<(SocketAddr, OwnedFd)> = Vec::new();
    for port in ports {
        let to = SocketAddr::new(address, *port);
        let family = if address.is_ipv4() {
            AddressFamily::Inet
        } else {
            AddressFamily::Inet6
        };
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket = socket(family, SockType::Stream, flags, None).unwrap();
        match connect(
            std::os::fd::AsRawFd::as_raw_fd(&socket),
            &SockaddrStorage::from(to),
        ) {
            Err(nix::errno::Errno::EINPROGRESS) => waiting.push((to, socket)),
            Ok(()) | Err(nix::errno::Errno::ECONNREFUSED) => answered.push(to),
            Err(error) => panic!("{to}: {error}"),
        }
    }
    let end = Instant::now() + PATIENCE;
    while !waiting.is_empty() {
        let Some(left) = end.checked_duration_since(Instant::now()) else {
            break;
        };
        let mut polled: Vec<PollFd<'_>> = waiting
            .iter()
            .map(|(_, socket)| PollFd::new(socket.as_fd(), PollFlags::POLLOUT))
            .collect();
        let left = u16::try_from(left.as_millis().max(1)).unwrap();
        poll(&mut polled, PollTimeout::from(left)).unwrap();
        let ready: Vec<bool> = polled
            .iter()
            .map(|it| it.revents().is_some_and(|events| !events.is_empty()))
            .collect();
        let mut ready = ready.into_iter();
        waiting.retain(|(to, _)| {
            let answers = ready.next().unwrap();
            if answers {
                answered.push(*to);
            }
            !answers
        });
    }
    answered
}
