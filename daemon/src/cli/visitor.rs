//! Where whoever runs a command comes from: sshd(8) leaves it in `SSH_CONNECTION`.

use std::io::Read;
use std::net::IpAddr;
use std::path::PathBuf;

use lanai_network::Visitor;

const VARIABLE: &str = "SSH_CONNECTION";

/// Processes looked at on the way up: a shell or two, `sudo`, a terminal multiplexer.
const ANCESTORS: usize = 16;

/// Bytes of an environment that are read; Linux gives a process at most 2 MiB of it.
const ENVIRONMENT: u64 = 1 << 21;

/// The connection of the shell that a command was typed in. `sudo` takes the variable away, so the
/// processes that led here are asked for it, too.
pub(super) fn visitor() -> Option<Visitor> {
    let own = std::env::var(VARIABLE).ok();
    if let Some(own) = own.as_deref().and_then(parse) {
        return Some(own);
    }
    let mut pid = std::os::unix::process::parent_id();
    for _ in 0..ANCESTORS {
        if pid <= 1 {
            return None;
        }
        if let Some(found) = of(pid) {
            return Some(found);
        }
        pid = parent(pid)?;
    }
    None
}

fn of(pid: u32) -> Option<Visitor> {
    let file = std::fs::File::open(process(pid).join("environ")).ok()?;
    let mut bytes = Vec::new();
    file.take(ENVIRONMENT).read_to_end(&mut bytes).ok()?;
    let mut variables = bytes.split(|byte| *byte == 0);
    let value = variables.find_map(|variable| {
        let rest = variable.strip_prefix(VARIABLE.as_bytes())?;
        rest.strip_prefix(b"=")
    })?;
    parse(std::str::from_utf8(value).ok()?)
}

fn parent(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(process(pid).join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    line.trim().parse().ok()
}

fn process(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}"))
}

/// "client address, client port, server address, server port" (ssh(1)).
fn parse(text: &str) -> Option<Visitor> {
    let mut words = text.split(' ');
    let (peer, _, local, port) = (words.next()?, words.next()?, words.next()?, words.next()?);
    // Of a link-local address only the interface is left out, which the peer's own name for ours is.
    let address = |word: &str| -> Option<IpAddr> {
        let word = word.split('%').next()?;
        word.parse().ok().map(|ip: IpAddr| ip.to_canonical())
    };
    Some(Visitor {
        peer: address(peer)?,
        local: address(local)?,
        port: port.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sshd_says_is_understood() {
        let seen = parse("203.0.113.7 50112 192.0.2.1 22").unwrap();
        assert_eq!(seen.peer.to_string(), "203.0.113.7");
        assert_eq!(
            (seen.local.to_string(), seen.port),
            ("192.0.2.1".into(), 22)
        );
        let seen = parse("fe80::1%eth0 50112 ::ffff:192.0.2.1 2222").unwrap();
        assert_eq!(seen.peer.to_string(), "fe80::1");
        assert_eq!(seen.local.to_string(), "192.0.2.1");
        for bad in [
            "",
            "UNKNOWN 65535 UNKNOWN 65535",
            "1.2.3.4 5",
            "1.2.3.4 5 1.2.3.4 99999",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
