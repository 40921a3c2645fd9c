//! What stands in front of an address: `ipv6@`, `udp@`, `stream+`.

use std::ops::Range;

use super::{AddressError, unsupported, wrong};
use crate::value::shown;

/// What an address is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// IPv4 or IPv6, or a name.
    Any,
    V4,
    V6,
    /// A path.
    Unix,
    /// A name of Linux' abstract sockets.
    Abstract,
    /// An open socket.
    Fd,
    /// One that other sockets come over.
    SocketPair,
    /// A ring section.
    Ring,
    /// A backend whose servers connect to us.
    Reverse,
}

/// How bytes are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Stream,
    Multipath,
    Quic,
    Datagram,
}

/// What a keyword may be reached over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// TCP alone.
    Tcp,
    /// TCP, and sockets of streams.
    Streams,
    /// These, and QUIC.
    StreamsAndQuic,
    /// UDP, and sockets of datagrams.
    Datagrams,
    /// Streams and datagrams, and not QUIC.
    Both,
    /// All of them.
    Any,
}

/// All that stands in front of an address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scheme<'a> {
    pub(super) family: Family,
    /// `None` is what the keyword is for.
    pub(super) transport: Option<Transport>,
    /// It, as written.
    pub(super) written: &'a [u8],
    /// The address behind it.
    pub(super) rest: &'a [u8],
}

/// Transports that are named by themselves; what follows may name another, which then counts.
const TRANSPORTS: &[(&[u8], Transport)] = &[
    (b"stream+", Transport::Stream),
    (b"dgram+", Transport::Datagram),
    (b"quic+", Transport::Quic),
];

const FAMILIES: &[(&[u8], Family, Option<Transport>)] = &[
    (b"ip@", Family::Any, None),
    (b"ipv4@", Family::V4, None),
    (b"ipv6@", Family::V6, None),
    (b"tcp@", Family::Any, Some(Transport::Stream)),
    (b"tcp4@", Family::V4, Some(Transport::Stream)),
    (b"tcp6@", Family::V6, Some(Transport::Stream)),
    (b"mptcp@", Family::Any, Some(Transport::Multipath)),
    (b"mptcp4@", Family::V4, Some(Transport::Multipath)),
    (b"mptcp6@", Family::V6, Some(Transport::Multipath)),
    (b"quic4@", Family::V4, Some(Transport::Quic)),
    (b"quic6@", Family::V6, Some(Transport::Quic)),
    (b"udp@", Family::Any, Some(Transport::Datagram)),
    (b"udp4@", Family::V4, Some(Transport::Datagram)),
    (b"udp6@", Family::V6, Some(Transport::Datagram)),
    (b"unix@", Family::Unix, None),
    (b"uxst@", Family::Unix, Some(Transport::Stream)),
    (b"uxdg@", Family::Unix, Some(Transport::Datagram)),
    (b"abns@", Family::Abstract, None),
    (b"abnsz@", Family::Abstract, None),
    (b"fd@", Family::Fd, None),
    (b"sockpair@", Family::SocketPair, None),
    (b"ring@", Family::Ring, None),
    (b"rhttp@", Family::Reverse, None),
];

/// Takes off what stands in front of an address.
pub(super) fn scheme(value: &[u8]) -> Scheme<'_> {
    let (mut transport, mut rest) = (None, value);
    let named = TRANSPORTS
        .iter()
        .find_map(|(prefix, named)| Some((*named, rest.strip_prefix(*prefix)?)));
    if let Some((named, after)) = named {
        (transport, rest) = (Some(named), after);
    }
    let named = FAMILIES
        .iter()
        .find_map(|(prefix, family, over)| Some((*family, *over, rest.strip_prefix(*prefix)?)));
    let family = match named {
        Some((family, over, after)) => {
            transport = over.or(transport);
            rest = after;
            family
        }
        None if rest.starts_with(b"/") => Family::Unix,
        None => Family::Any,
    };
    let written = value.len() - rest.len();
    Scheme {
        family,
        transport,
        written: value.get(..written).unwrap_or_default(),
        rest,
    }
}

impl Scheme<'_> {
    /// Refuses what the keyword cannot be reached over in HAProxy either.
    pub(super) fn suits(
        &self,
        over: Over,
        value: &[u8],
        at: &Range<usize>,
    ) -> Result<(), AddressError> {
        let (refused, help) = match (over, self.transport) {
            (Over::Tcp, Some(Transport::Multipath)) => ("MPTCP", "write it without 'mptcp'"),
            (Over::Tcp | Over::Streams | Over::StreamsAndQuic, Some(Transport::Datagram)) => (
                "dgram",
                "leave the prefix out: it is reached over TCP, or over a socket of streams",
            ),
            (Over::Datagrams, Some(Transport::Stream | Transport::Multipath | Transport::Quic)) => {
                (
                    "stream",
                    "leave the prefix out: it takes UDP, or datagrams of a UNIX socket",
                )
            }
            (Over::Tcp | Over::Streams | Over::Both, Some(Transport::Quic)) => {
                ("QUIC", "write it without 'quic'")
            }
            _ => return Ok(()),
        };
        let message = format!(
            "{refused}-type address not acceptable in '{}'",
            shown(value)
        );
        Err(AddressError {
            help: Some(help),
            ..wrong(message, at.clone())
        })
    }

    /// Refuses transports that are not run here: all but `run`, which is what is meant where none is
    /// named.
    pub(super) fn is_carried_by(
        &self,
        run: Transport,
        at: &Range<usize>,
    ) -> Result<(), AddressError> {
        match self.transport {
            Some(transport) if transport != run => Err(self.not_run(at)),
            _ => Ok(()),
        }
    }

    /// It is right, and this version cannot run it.
    pub(super) fn not_run(&self, at: &Range<usize>) -> AddressError {
        unsupported(&shown(self.written), at.clone())
    }
}
