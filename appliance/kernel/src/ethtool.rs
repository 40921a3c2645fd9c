//! Speed, duplex and autonegotiation of links (`linux/ethtool_netlink.h`, over generic netlink).

use std::io;

use lanai_network::LinkMode;
use libc::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST};
use netlink_sys::protocols::NETLINK_GENERIC;

use crate::netlink::{Failure, Line, Received, aligned};
use crate::nft::attributes::{self, Attributes};

/// The modes of all links whose drivers tell one, by index. Empty on a kernel before 5.6, or without
/// ethtool's netlink.
pub(crate) async fn modes() -> Result<Vec<(u32, LinkMode)>, Failure> {
    let mut ethtool = match Ethtool::open().await {
        Ok(ethtool) => ethtool,
        Err(failure) if is_missing(&failure) => return Ok(Vec::new()),
        Err(failure) => return Err(failure),
    };
    let header = Attributes::default().bytes(HEADER_FLAGS, &COMPACT.to_ne_bytes());
    let question = Attributes::default().nested(LINKMODES_HEADER, header);
    for _ in 0..ATTEMPTS {
        let mut modes = Vec::new();
        let asked = ethtool.ask(LINKMODES_GET, NLM_F_DUMP, &question, |found| {
            modes.extend(mode(found))
        });
        match asked.await {
            Ok(()) => return Ok(modes),
            Err(Failure::Unsteady) => {}
            // Drivers that cannot tell are passed over; this is of the command itself.
            Err(failure) if is_missing(&failure) => return Ok(Vec::new()),
            Err(failure) => return Err(failure),
        }
    }
    Err(Failure::Unsteady)
}

/// Sets the mode of a link.
pub(crate) async fn set(index: u32, mode: &LinkMode) -> Result<(), Failure> {
    let mut ethtool = Ethtool::open().await?;
    ethtool
        .ask(LINKMODES_SET, NLM_F_ACK, &of_mode(index, mode), |_| {})
        .await
}

fn of_mode(index: u32, mode: &LinkMode) -> Attributes {
    let header = Attributes::default().bytes(HEADER_INDEX, &index.to_ne_bytes());
    let mut all = Attributes::default()
        .nested(LINKMODES_HEADER, header)
        .bytes(LINKMODES_AUTONEG, &[u8::from(mode.autonegotiation)]);
    // Where both ends agree on it, what they agree on is theirs.
    if !mode.autonegotiation {
        if let Some(speed) = mode.speed {
            all = all.bytes(LINKMODES_SPEED, &speed.to_ne_bytes());
        }
        if let Some(full) = mode.full_duplex {
            all = all.bytes(LINKMODES_DUPLEX, &[u8::from(full)]);
        }
    }
    all
}

/// Index and mode of a link in an answer.
fn mode(received: &Received<'_>) -> Option<(u32, LinkMode)> {
    let all = attributes::Received(received.body.get(GENLMSGHDR..)?);
    let number = |value: &[u8]| Some(u32::from_ne_bytes(value.try_into().ok()?));
    let index = number(all.nested(LINKMODES_HEADER)?.get(HEADER_INDEX)?)?;
    let byte = |kind| all.get(kind).and_then(|value| value.first().copied());
    let speed = all.get(LINKMODES_SPEED).and_then(number);
    // The mask of a compact bit set: what the driver could be set to.
    let supported = all
        .nested(LINKMODES_OURS)
        .and_then(|ours| ours.get(BITSET_MASK));
    Some((
        index,
        LinkMode {
            autonegotiation: byte(LINKMODES_AUTONEG)? == 1,
            speed: speed.filter(|speed| *speed != UNKNOWN),
            full_duplex: match byte(LINKMODES_DUPLEX) {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
            settable: supported.is_some_and(|bits| bits.iter().any(|byte| *byte != 0)),
        },
    ))
}

struct Ethtool {
    line: Line,
    /// The number that this kernel gave the family.
    family: u16,
}

impl Ethtool {
    async fn open() -> Result<Self, Failure> {
        let line = Line::open(NETLINK_GENERIC)?;
        let mut ethtool = Self {
            line,
            family: GENL_ID_CTRL,
        };
        let name = Attributes::default().name(CTRL_FAMILY_NAME, "ethtool");
        let mut family = None;
        let asked = ethtool.ask(CTRL_GETFAMILY, NLM_F_ACK, &name, |received| {
            let all = attributes::Received(received.body.get(GENLMSGHDR..).unwrap_or_default());
            let id = all
                .get(CTRL_FAMILY_ID)
                .and_then(|value| value.try_into().ok());
            family = family.or(id.map(u16::from_ne_bytes));
        });
        asked.await?;
        let missing = || Failure::from(io::Error::from_raw_os_error(libc::ENOENT));
        ethtool.family = family.ok_or_else(missing)?;
        Ok(ethtool)
    }

    async fn ask(
        &mut self,
        command: u8,
        flags: i32,
        attributes: &Attributes,
        each: impl FnMut(&Received<'_>),
    ) -> Result<(), Failure> {
        let sequence = self.line.next();
        let flags = u16::try_from(NLM_F_REQUEST | flags).unwrap_or_default();
        let bytes = message(self.family, flags, sequence, command, attributes);
        self.line.send(&bytes).await?;
        self.line.answers(sequence, each).await
    }
}

/// `struct nlmsghdr`, `struct genlmsghdr`, attributes.
fn message(family: u16, flags: u16, sequence: u32, command: u8, all: &Attributes) -> Vec<u8> {
    let body = all.as_bytes();
    let length = u32::try_from(16 + GENLMSGHDR + body.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(family.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend([command, 1, 0, 0]);
    bytes.extend(body);
    bytes.resize(aligned(bytes.len()), 0);
    bytes
}

fn is_missing(failure: &Failure) -> bool {
    let missing = [libc::ENOENT, libc::EOPNOTSUPP, libc::EPROTONOSUPPORT];
    matches!(failure, Failure::Refused { errno, .. } if missing.contains(errno))
}

const ATTEMPTS: u32 = 100;

/// `struct genlmsghdr`.
const GENLMSGHDR: usize = 4;

/// `linux/genetlink.h`.
const GENL_ID_CTRL: u16 = 0x10;
const CTRL_GETFAMILY: u8 = 3;
const CTRL_FAMILY_ID: u16 = 1;
const CTRL_FAMILY_NAME: u16 = 2;

/// `linux/ethtool_netlink.h`.
const LINKMODES_GET: u8 = 4;
const LINKMODES_SET: u8 = 5;
const LINKMODES_HEADER: u16 = 1;
const LINKMODES_AUTONEG: u16 = 2;
const LINKMODES_OURS: u16 = 3;
const LINKMODES_SPEED: u16 = 5;
const LINKMODES_DUPLEX: u16 = 6;
const HEADER_INDEX: u16 = 1;
const HEADER_FLAGS: u16 = 3;
const BITSET_MASK: u16 = 5;
/// `ETHTOOL_FLAG_COMPACT_BITSETS`.
const COMPACT: u32 = 1;
/// `SPEED_UNKNOWN`.
const UNKNOWN: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::Messages;

    /// `ethtool -s eth0 autoneg off speed 1000 duplex full` as ethtool 6.1 sends it, seen with strace,
    /// but for the name in place of the index.
    #[test]
    fn a_mode_is_set_as_ethtool_sets_it() {
        let mode = LinkMode {
            autonegotiation: false,
            speed: Some(1000),
            full_duplex: Some(true),
            settable: true,
        };
        let bytes = message(0x15, 5, 7, LINKMODES_SET, &of_mode(2, &mode));
        let wanted: [u8; 56] = [
            56, 0, 0, 0, 0x15, 0, 5, 0, 7, 0, 0, 0, 0, 0, 0, 0, // nlmsghdr
            5, 1, 0, 0, // ETHTOOL_MSG_LINKMODES_SET
            12, 0, 1, 0x80, 8, 0, 1, 0, 2, 0, 0, 0, // header: device 2
            5, 0, 2, 0, 0, 0, 0, 0, // autonegotiation off
            8, 0, 5, 0, 0xe8, 3, 0, 0, // 1000 Mbit/s
            5, 0, 6, 0, 1, 0, 0, 0, // full duplex
        ];
        assert_eq!(bytes, wanted);
        let agreed = LinkMode {
            autonegotiation: true,
            ..mode
        };
        let bytes = message(0x15, 5, 7, LINKMODES_SET, &of_mode(2, &agreed));
        assert_eq!(bytes.len(), 40);
        assert_eq!(bytes.get(32..37), Some(&[5, 0, 2, 0, 1][..]));
    }

    #[test]
    fn a_mode_is_read_and_one_that_cannot_be_set_is_told() {
        let bits = |mask: [u8; 4]| {
            Attributes::default()
                .bytes(2, &32_u32.to_ne_bytes())
                .bytes(4, &[0; 4])
                .bytes(BITSET_MASK, &mask)
        };
        let answer = |mask, speed: u32, duplex: u8| {
            let header = Attributes::default().bytes(HEADER_INDEX, &3_u32.to_ne_bytes());
            let all = Attributes::default()
                .nested(LINKMODES_HEADER, header)
                .bytes(LINKMODES_AUTONEG, &[1])
                .nested(LINKMODES_OURS, bits(mask))
                .bytes(LINKMODES_SPEED, &speed.to_ne_bytes())
                .bytes(LINKMODES_DUPLEX, &[duplex]);
            let bytes = message(0x15, 0, 1, LINKMODES_GET, &all);
            let mut messages = Messages(&bytes);
            mode(&messages.next().unwrap()).unwrap()
        };
        let known = LinkMode {
            autonegotiation: true,
            speed: Some(1000),
            full_duplex: Some(true),
            settable: true,
        };
        assert_eq!(answer([0, 2, 0, 0], 1000, 1), (3, known));
        let unknown = LinkMode {
            autonegotiation: true,
            speed: None,
            full_duplex: None,
            settable: false,
        };
        assert_eq!(answer([0; 4], u32::MAX, 255), (3, unknown));
    }
}
