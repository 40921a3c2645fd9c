//! Kinds of services.

use lanai_diagnostics::Diagnostic;

use super::table::{AUTOSTART, DirectiveInfo, Row, Source};
use super::{access, firewall, haproxy, network, ntpd, settings, sysctl, syslogd, system, vrrp};
use crate::codes;
use crate::lexer::Word;
use crate::outcome::Sink;
use crate::value::{shown, suggest};

/// A kind of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `service network IFACE`
    Network,
    /// `service system`
    System,
    /// `service ntpd`
    Ntpd,
    /// `service syslogd`
    Syslogd,
    /// `service sshd`
    Sshd,
    /// `service snmpd`
    Snmpd,
    /// `service vrrp`
    Vrrp,
    /// `service haproxy`
    Haproxy,
    /// `service wui`
    Wui,
    /// `service firewall`
    Firewall,
    /// `service flows`
    Flows,
    /// `service sysctl`
    Sysctl,
}

/// All kinds.
pub const KINDS: [Kind; 12] = [
    Kind::Network,
    Kind::System,
    Kind::Ntpd,
    Kind::Syslogd,
    Kind::Sshd,
    Kind::Snmpd,
    Kind::Vrrp,
    Kind::Haproxy,
    Kind::Wui,
    Kind::Firewall,
    Kind::Flows,
    Kind::Sysctl,
];

impl Kind {
    /// The word after `service`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::System => "system",
            Self::Ntpd => "ntpd",
            Self::Syslogd => "syslogd",
            Self::Sshd => "sshd",
            Self::Snmpd => "snmpd",
            Self::Vrrp => "vrrp",
            Self::Haproxy => "haproxy",
            Self::Wui => "wui",
            Self::Firewall => "firewall",
            Self::Flows => "flows",
            Self::Sysctl => "sysctl",
        }
    }

    /// What follows the kind.
    pub const fn argument(self) -> &'static str {
        match self {
            Self::Network => "<interface>",
            _ => "",
        }
    }

    /// One sentence.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Network => {
                "One network interface: what it is made of, its addresses, routes and rules."
            }
            Self::System => "The box's name, whom it asks for names, and its clock.",
            Self::Ntpd => "Where the time comes from.",
            Self::Syslogd => "Where the box's own log goes.",
            Self::Sshd => "The shell over the network; logging in takes a key.",
            Self::Snmpd => "Monitoring over SNMP.",
            Self::Vrrp => "What the interfaces' virtual routers have in common.",
            Self::Haproxy => "The proxy engine of the LB Layer7 tab.",
            Self::Wui => "The web UI.",
            Self::Firewall => {
                "What may reach the box itself; the block switches the filter on, 'no autostart' off."
            }
            Self::Flows => {
                "What may pass through the box from one network into another: without a flow, nothing."
            }
            Self::Sysctl => "Kernel settings.",
        }
    }

    /// Who made it.
    pub const fn source(self) -> Source {
        match self {
            Self::Firewall | Self::Flows | Self::Sysctl => Source::Own,
            _ => Source::Aloha,
        }
    }
}

/// ALOHA's services that are not here; why, and what instead.
const MISSING: &[(&str, &str)] = &[
    (
        "bird",
        "there is no routing daemon; routes are 'ip route' lines",
    ),
    ("csyncd", "configurations are not copied between boxes"),
    (
        "dataplaneapi",
        "there is no Data Plane API; use 'lanai apply' or the web UI",
    ),
    ("flowmgr", "flows are lines of 'service flows'"),
    ("gslb", "there is no name server for global balancing"),
    (
        "ipvsd",
        "there is no load balancing in the kernel; the LB Layer7 tab balances TCP too",
    ),
    (
        "nslcd",
        "users are those of the web UI ('lanai user'), not of a directory",
    ),
    (
        "pam",
        "users are those of the web UI ('lanai user'), not of a directory",
    ),
    ("rhi", "routes are not announced"),
];

/// The kind that a word names; else it is reported.
pub(super) fn find(word: &Word, sink: &mut Sink) -> Option<Kind> {
    if let Some(kind) = KINDS.into_iter().find(|kind| word.is(kind.name())) {
        return Some(kind);
    }
    if let Some((name, why)) = MISSING.iter().find(|(name, _)| word.is(name)) {
        let message = format!("service '{name}' is not supported");
        let fault = Diagnostic::alert(codes::SERVICE_NOT_SUPPORTED, word.span, message);
        sink.push(fault.with_help(*why));
        return None;
    }
    let names = KINDS.map(Kind::name);
    let message = format!("unknown service '{}'", shown(&word.value));
    let fault = Diagnostic::alert(codes::UNKNOWN_SERVICE_WORD, word.span, message);
    let fault = suggest(fault, word, names);
    sink.push(fault.with_help(format!("known services: {}", names.join(", "))));
    None
}

/// Lines that a block of this kind may have.
pub fn directives(kind: Kind) -> Vec<DirectiveInfo> {
    let mut all: Vec<DirectiveInfo> = match kind {
        Kind::Network => infos(network::ROWS),
        Kind::System => infos(system::ROWS),
        Kind::Ntpd => infos(ntpd::ROWS),
        Kind::Syslogd => infos(syslogd::ROWS),
        Kind::Sshd => infos(access::SSHD),
        Kind::Snmpd => infos(access::SNMPD),
        Kind::Vrrp => infos(vrrp::ROWS),
        Kind::Haproxy => infos(haproxy::ROWS),
        Kind::Wui => infos(access::WUI),
        Kind::Firewall => infos(firewall::FIREWALL),
        Kind::Flows => infos(firewall::FLOWS),
        Kind::Sysctl => vec![sysctl::SETTING],
    };
    all.extend(AUTOSTART);
    all
}

fn infos<T>(rows: &'static [Row<T>]) -> Vec<DirectiveInfo> {
    rows.iter().map(|row| row.info).collect()
}

/// Services of ALOHA's that are not here; why, and what instead.
pub fn missing() -> impl Iterator<Item = (&'static str, &'static str)> {
    MISSING.iter().copied()
}

/// Kernel settings that are known by name: what each takes, or why it is refused.
pub fn kernel_settings() -> impl Iterator<Item = (&'static str, String)> {
    settings::listed()
}
