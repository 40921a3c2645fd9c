//! One interface's address, put into the Services text.

use std::net::IpAddr;

use ipnet::IpNet;
use lanai_language::tree::{Dialect, Line, TokenKind, Tree, parse_as};

/// What somebody typed, understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    interface: String,
    /// `None`: from a DHCP server.
    fixed: Option<(IpNet, Option<IpAddr>)>,
}

impl Wanted {
    /// Reads three answers; or says what is wrong with one.
    pub(super) fn typed(interface: &str, net: &str, gateway: &str) -> Result<Wanted, String> {
        let fine = |c: char| c.is_ascii_graphic() && !"/\"'\\#".contains(c);
        if interface.is_empty() || interface.len() > 15 || !interface.chars().all(fine) {
            return Err(format!(
                "'{interface}' is no name of an interface, such as eth0."
            ));
        }
        let interface = interface.to_owned();
        if net == "dhcp" {
            return Ok(Wanted {
                interface,
                fixed: None,
            });
        }
        let net: IpNet = net.parse().map_err(|_| {
            format!("'{net}' is no address with its prefix length, such as 192.0.2.10/24.")
        })?;
        let gateway = match gateway {
            "" => None,
            typed => Some(typed.parse::<IpAddr>().map_err(|_| {
                format!("'{typed}' is no address of a gateway, such as 192.0.2.1.")
            })?),
        };
        if let Some(gateway) = gateway
            && !net.contains(&gateway)
        {
            return Err(format!(
                "The gateway {gateway} is not on the network {}.",
                net.trunc()
            ));
        }
        Ok(Wanted {
            interface,
            fixed: Some((net, gateway)),
        })
    }

    fn block(&self) -> String {
        let mut text = format!("service network {}\n", self.interface);
        match &self.fixed {
            None => text.push_str("    ip autoconfig\n"),
            Some((net, gateway)) => {
                text.push_str(&format!("    ip address {net}\n"));
                if let Some(gateway) = gateway {
                    text.push_str(&format!("    ip route default {gateway}\n"));
                }
            }
        }
        text
    }
}

/// The text in which the interface has just this address: lines about its addresses and routes are
/// taken out of its block, and everything else stays as it was written.
pub(super) fn set(text: &[u8], wanted: &Wanted) -> Vec<u8> {
    let tree = parse_as(text, Dialect::Services);
    let block = wanted.block();
    let (head, settings) = block.split_once('\n').unwrap_or((&block, ""));
    let mut out = Vec::with_capacity(text.len() + block.len());
    let mut done = false;
    for section in tree.sections() {
        let lines = tree.lines(section);
        let ours = lines
            .first()
            .is_some_and(|first| names(&tree, first, &wanted.interface));
        for (number, line) in lines.iter().enumerate() {
            if ours && number > 0 && is_addressing(&tree, line) {
                continue;
            }
            for token in tree.tokens(line) {
                out.extend_from_slice(tree.bytes(token.range.clone()));
            }
            if ours && number == 0 && !done {
                end_line(&mut out);
                out.extend_from_slice(settings.as_bytes());
                done = true;
            }
        }
    }
    if !done {
        end_line(&mut out);
        out.extend_from_slice(head.as_bytes());
        out.push(b'\n');
        out.extend_from_slice(settings.as_bytes());
    }
    out
}

fn end_line(out: &mut Vec<u8>) {
    if !out.is_empty() && !out.ends_with(b"\n") {
        out.push(b'\n');
    }
}

/// Whether the line starts the block of this interface.
fn names(tree: &Tree, line: &Line, interface: &str) -> bool {
    let words: Vec<String> = words(tree, line).take(3).collect();
    words == ["service", "network", interface]
}

/// Whether the line is one that [`Wanted`] speaks of.
fn is_addressing(tree: &Tree, line: &Line) -> bool {
    let words: Vec<String> = words(tree, line).take(3).collect();
    match words
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["ip", "address" | "autoconfig", ..] => true,
        ["ip", "route", to, ..] => *to == "default" || *to == "0.0.0.0/0" || *to == "::/0",
        _ => false,
    }
}

/// The words of a line, without quotes around them.
fn words<'a>(tree: &'a Tree, line: &'a Line) -> impl Iterator<Item = String> + 'a {
    let words = tree
        .tokens(line)
        .iter()
        .filter(|token| token.kind == TokenKind::Word);
    words.map(|token| {
        let text = String::from_utf8_lossy(tree.bytes(token.range.clone())).into_owned();
        text.trim_matches(['"', '\'']).to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_in(text: &str, net: &str, gateway: &str) -> String {
        let wanted = Wanted::typed("eth0", net, gateway).unwrap();
        String::from_utf8(set(text.as_bytes(), &wanted)).unwrap()
    }

    #[test]
    fn a_new_block_comes_last() {
        let text = set_in("", "192.0.2.10/24", "192.0.2.1");
        assert_eq!(
            text,
            "service network eth0\n    ip address 192.0.2.10/24\n    ip route default 192.0.2.1\n"
        );
        assert_eq!(set_in(&text, "192.0.2.10/24", "192.0.2.1"), text, "again");
        let after = set_in("# mine\nservice network eth1", "dhcp", "");
        assert_eq!(
            after,
            "# mine\nservice network eth1\nservice network eth0\n    ip autoconfig\n"
        );
    }

    #[test]
    fn what_is_not_about_addresses_stays_as_written() {
        let text = "service network \"eth0\"   # outside\n\tmtu 9000\n\tip address 10.0.0.1/8\n\
                    \tip route default 10.0.0.2\n\tip route 10.9.0.0/16 10.0.0.9\n# next\n\
                    service network eth1\n\tip address 10.0.0.1/8\n";
        assert_eq!(
            set_in(text, "192.0.2.10/24", ""),
            "service network \"eth0\"   # outside\n    ip address 192.0.2.10/24\n\tmtu 9000\n\
             \tip route 10.9.0.0/16 10.0.0.9\n# next\n\
             service network eth1\n\tip address 10.0.0.1/8\n"
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (interface, net, gateway, said) in [
            ("", "dhcp", "", "no name"),
            ("eth 0", "dhcp", "", "no name"),
            ("eth0", "192.0.2.10", "", "prefix length"),
            ("eth0", "192.0.2.10/24", "x", "gateway"),
            (
                "eth0",
                "192.0.2.10/24",
                "198.51.100.1",
                "not on the network 192.0.2.0/24",
            ),
        ] {
            let wrong = Wanted::typed(interface, net, gateway).unwrap_err();
            assert!(wrong.contains(said), "{wrong}");
        }
    }
}
