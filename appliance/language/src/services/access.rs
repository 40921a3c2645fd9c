//! `service sshd`, `service snmpd` and `service wui`: how the box is reached by those who run it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lanai_diagnostics::Span;
use lanai_model::Origin;
use lanai_model::services::{AllowedNetwork, Common, Port, Snmpd, SshKey, Sshd, Wui};

use super::line::Line;
use super::table::Row;
use crate::lexer::Word;

const NO_SNMPD: &str = "nothing here answers SNMP: 'lanai show stat' and the stats socket have the figures. On a Debian \
     machine snmpd does; the firewall lets in to it whom the block names";

/// Keys, networks and addresses of one block: each new one is compared with the others.
const MOST: usize = 1000;

/// Addresses that the image's sshd takes (dropbear: DROPBEAR_MAX_PORTS).
const MOST_LISTEN: usize = 10;

#[derive(Default)]
pub(super) struct SshdDraft {
    pub(super) listen: Vec<(SocketAddr, Origin, Span)>,
    pub(super) keys: Vec<SshKey>,
    pub(super) allow: Vec<AllowedNetwork>,
}

/// Lines of `service sshd`.
pub(super) const SSHD: &[Row<SshdDraft>] = &[
    Row::own(
        "listen",
        "<address>[:<port>]",
        "Listens on this address of the box, port 22 unless written; without such a line on all.",
        sshd_listen,
    )
    .many()
    .on_image(),
    Row::own(
        "allow",
        "<network>",
        "Lets this network in and no other; without such a line everybody who has a key.",
        sshd_allow,
    )
    .many(),
    Row::own(
        "key",
        "<type> <key in base64> [<comment> ...]",
        "Lets the holder of this public key log in; passwords are never asked for.",
        key,
    )
    .many()
    .on_image(),
];

impl SshdDraft {
    pub(super) fn finish(self, common: Common) -> Sshd {
        let listen = self.listen.into_iter();
        Sshd {
            common,
            listen: listen
                .map(|(address, origin, _)| (address, origin))
                .collect(),
            allow: self.allow,
            keys: self.keys,
        }
    }
}

fn sshd_listen(draft: &mut SshdDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the address")?;
    let address = line.listen(word, 22)?;
    if draft.listen.len() == MOST_LISTEN {
        return line.bad(word, "is one address too many, 10 at most");
    }
    if draft.listen.iter().any(|(other, ..)| *other == address) {
        return line.bad(word, "is given twice");
    }
    draft.listen.push((address, line.origin.clone(), word.span));
    Some(())
}

fn sshd_allow(draft: &mut SshdDraft, line: &mut Line<'_>) -> Option<()> {
    allow(&mut draft.allow, line)
}

/// A network that is let in, once.
fn allow(allowed: &mut Vec<AllowedNetwork>, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the network")?;
    let net = line.network(word)?;
    if allowed.len() == MOST {
        return line.bad(word, "is one network too many, 1000 at most");
    }
    if allowed.iter().any(|other| other.net == net) {
        return line.bad(word, "is given twice");
    }
    let origin = line.origin.clone();
    allowed.push(AllowedNetwork { net, origin });
    Some(())
}

/// Kinds of keys that sshd takes today; `ssh-dss` it does not.
const KEY_KINDS: [(&str, ()); 7] = [
    ("ssh-ed25519", ()),
    ("ecdsa-sha2-nistp256", ()),
    ("ecdsa-sha2-nistp384", ()),
    ("ecdsa-sha2-nistp521", ()),
    ("ssh-rsa", ()),
    ("sk-ssh-ed25519@openssh.com", ()),
    ("sk-ecdsa-sha2-nistp256@openssh.com", ()),
];

fn key(draft: &mut SshdDraft, line: &mut Line<'_>) -> Option<()> {
    let kind = line.require("the type of the key")?;
    line.one_of(kind, &KEY_KINDS)?;
    let word = line.require("the key")?;
    if !is_key_of(&kind.value, &word.value) {
        let problem = "is not the key of this type: copy the whole line of the .pub file";
        return line.bad(word, problem);
    }
    let key: Arc<str> = word.text().into();
    if draft.keys.len() == MOST {
        return line.bad(word, "is one key too many, 1000 at most");
    }
    if draft.keys.iter().any(|other| other.key == key) {
        return line.bad(word, "is given twice");
    }
    let mut comment = Vec::new();
    while let Some(word) = line.take() {
        let text = word.text();
        if text.chars().any(char::is_control) {
            return line.bad(word, "has a character that is none to read");
        }
        comment.push(text);
    }
    draft.keys.push(SshKey {
        kind: kind.text().into(),
        key,
        comment: comment.join(" ").into(),
        origin: line.origin.clone(),
    });
    Some(())
}

/// Whether a key starts with the name of its kind, as a length and bytes (RFC 4253, 6.6).
fn is_key_of(kind: &[u8], key: &[u8]) -> bool {
    let Ok(bytes) = STANDARD.decode(key) else {
        return false;
    };
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return false;
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    rest.get(..length) == Some(kind) && rest.len() > length
}

#[derive(Default)]
pub(super) struct SnmpdDraft {
    network: Option<AllowedNetwork>,
    community: Option<Arc<str>>,
    pub(super) listen: Option<(IpAddr, Span)>,
    port: Option<Port>,
}

/// Lines of `service snmpd`.
pub(super) const SNMPD: &[Row<SnmpdDraft>] = &[
    Row::aloha(
        "network",
        "<network>",
        "Says who may ask; everybody if it is not written.",
        network,
    )
    .ignored(NO_SNMPD),
    Row::aloha(
        "community",
        "<word>",
        "Sets what they must say; 'public' if it is not written.",
        community,
    )
    .ignored(NO_SNMPD),
    Row::aloha(
        "listen",
        "<address>",
        "Listens on this address of the box; on all if it is not written.",
        snmpd_listen,
    )
    .ignored(NO_SNMPD),
    Row::aloha(
        "port",
        "<number>",
        "Listens on this port; 161 if it is not written.",
        port,
    )
    .ignored(NO_SNMPD),
];

impl SnmpdDraft {
    pub(super) fn finish(self, common: Common) -> Snmpd {
        Snmpd {
            common,
            network: self.network,
            community: self.community.unwrap_or_else(|| "public".into()),
            listen: self
                .listen
                .map_or(Ipv4Addr::UNSPECIFIED.into(), |(address, _)| address),
            port: self.port.unwrap_or(SNMP_PORT),
        }
    }
}

/// RFC 3417, 3.1.
const SNMP_PORT: Port = Port::new(161).expect("not zero");

fn network(draft: &mut SnmpdDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the network")?;
    let net = line.network(word)?;
    let origin = line.origin.clone();
    draft.network = Some(AllowedNetwork { net, origin });
    Some(())
}

fn community(draft: &mut SnmpdDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the word")?;
    let text = word.text();
    // It becomes a word of another program's configuration.
    if !(1..=32).contains(&text.len()) || !text.bytes().all(is_plain) {
        return line.bad(
            word,
            "is no community: 1 to 32 letters, digits and . _ - + @",
        );
    }
    draft.community = Some(text.into());
    Some(())
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte)
}

fn snmpd_listen(draft: &mut SnmpdDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the address")?;
    draft.listen = Some((line.ip(word)?, word.span));
    Some(())
}

fn port(draft: &mut SnmpdDraft, line: &mut Line<'_>) -> Option<()> {
    let word: &Word = line.require("the port")?;
    draft.port = Some(line.port(word)?);
    Some(())
}

#[derive(Default)]
pub(super) struct WuiDraft {
    pub(super) listen: Option<(SocketAddr, Origin, Span)>,
    allow: Vec<AllowedNetwork>,
}

/// Lines of `service wui`.
pub(super) const WUI: &[Row<WuiDraft>] = &[
    Row::own(
        "listen",
        "<address>[:<port>]",
        "Serves the web UI on this address of the box, port 4444 unless written.",
        wui_listen,
    ),
    Row::own(
        "allow",
        "<network>",
        "Lets this network use the web UI; without such a line everybody who has a password.",
        wui_allow,
    )
    .many(),
];

impl WuiDraft {
    pub(super) fn finish(self, common: Common) -> Wui {
        Wui {
            common,
            listen: self.listen.map(|(address, origin, _)| (address, origin)),
            allow: self.allow,
        }
    }
}

fn wui_listen(draft: &mut WuiDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the address")?;
    let address = line.listen(word, 4444)?;
    // The process of the UI has no right to them: it is the one that strangers speak to.
    if address.port() < 1024 {
        return line.bad(word, "has a port below 1024, which the web UI cannot have");
    }
    draft.listen = Some((address, line.origin.clone(), word.span));
    Some(())
}

fn wui_allow(draft: &mut WuiDraft, line: &mut Line<'_>) -> Option<()> {
    allow(&mut draft.allow, line)
}
