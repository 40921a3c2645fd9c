//! A client's address as text.

use std::io::Write;
use std::net::IpAddr;

/// An IP address as text, in place. It is made once for a connection: making it costs more than all else
/// that a request's head is changed by.
#[derive(Debug)]
pub(super) struct AddressText {
    length: u8,
    /// The longest text of an IPv6 address has 45 bytes.
    bytes: [u8; 45],
}

impl Default for AddressText {
    fn default() -> Self {
        Self {
            length: 0,
            bytes: [0; 45],
        }
    }
}

impl AddressText {
    /// The text of `ip`, the same each time.
    pub(super) fn of(&mut self, ip: IpAddr) -> &[u8] {
        if self.length == 0 {
            let mut left = &mut self.bytes[..];
            // There is room for all of it.
            let _ = write!(left, "{ip}");
            let unused = left.len();
            self.length = u8::try_from(self.bytes.len() - unused).unwrap_or(0);
        }
        self.text()
    }

    fn text(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_everybody_does() {
        for text in [
            "0.9.10.99",
            "2001:db8::1",
            "1111:2222:3333:4444:5555:6666:7777:8888",
            "::ffff:100.255.100.255",
        ] {
            let ip: IpAddr = text.parse().expect("an address");
            let mut written = AddressText::default();
            assert_eq!(written.of(ip), text.as_bytes());
            assert_eq!(written.of(ip), text.as_bytes(), "asked again");
        }
    }
}
