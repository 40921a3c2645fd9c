//! Netlink attributes (`linux/netlink.h`), written and read.

use crate::netlink::aligned;

/// Attributes under construction.
#[derive(Default)]
pub(crate) struct Attributes(Vec<u8>);

impl Attributes {
    pub(crate) fn bytes(mut self, kind: u16, value: &[u8]) -> Self {
        self.push(kind, value);
        self
    }

    /// Zero at the end, as the kernel reads names.
    pub(crate) fn name(self, kind: u16, name: &str) -> Self {
        let mut value = name.as_bytes().to_vec();
        value.push(0);
        self.bytes(kind, &value)
    }

    /// nftables has its numbers in the network's byte order.
    pub(crate) fn number(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_be_bytes())
    }

    pub(crate) fn nested(self, kind: u16, inside: Self) -> Self {
        self.bytes(kind | NLA_F_NESTED, &inside.0)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn push(&mut self, kind: u16, value: &[u8]) {
        // Nothing of ours comes near 64 KiB: names have 15 to 127 bytes, a rule a few hundred.
        let length = u16::try_from(HEADER + value.len()).unwrap_or(u16::MAX);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(aligned(self.0.len()), 0);
    }
}

/// Attributes that were received; reading ends at the first that is cut short.
#[derive(Clone, Copy)]
pub(crate) struct Received<'a>(pub(crate) &'a [u8]);

impl<'a> Received<'a> {
    pub(crate) fn get(self, kind: u16) -> Option<&'a [u8]> {
        self.into_iter()
            .find_map(|(other, value)| (other == kind).then_some(value))
    }

    pub(crate) fn number(self, kind: u16) -> Option<u32> {
        let bytes = self.get(kind)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    }

    pub(crate) fn name(self, kind: u16) -> Option<&'a str> {
        let bytes = self.get(kind)?.split(|byte| *byte == 0).next()?;
        std::str::from_utf8(bytes).ok()
    }

    pub(crate) fn nested(self, kind: u16) -> Option<Self> {
        self.get(kind).map(Received)
    }

    /// Whether it has attributes of these kinds and of no other.
    pub(crate) fn only(self, kinds: &[u16]) -> bool {
        self.into_iter().all(|(kind, _)| kinds.contains(&kind))
    }
}

impl<'a> Iterator for Received<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = u16::from_ne_bytes(self.0.get(..2)?.try_into().ok()?);
        let kind = u16::from_ne_bytes(self.0.get(2..HEADER)?.try_into().ok()?);
        let value = self.0.get(HEADER..usize::from(length))?;
        self.0 = self
            .0
            .get(aligned(usize::from(length))..)
            .unwrap_or_default();
        Some((kind & NLA_TYPE_MASK, value))
    }
}

const HEADER: usize = 4;
const NLA_F_NESTED: u16 = 0x8000;
const NLA_TYPE_MASK: u16 = 0x3fff;
