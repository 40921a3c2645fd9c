//! Blocks about programs of the box.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;

use super::{AllowedNetwork, Common, Named};
use crate::Origin;

/// A TCP or UDP port that can be listened on or connected to.
pub type Port = NonZeroU16;

/// `service system`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// Autostart and origin.
    pub common: Common,
    /// The box's name (RFC 1123: labels of letters, digits and `-`; 64 bytes at most).
    pub hostname: Option<Named>,
    /// Added to names without a dot when they are looked up.
    pub dns_domain: Option<Named>,
    /// Servers asked for names, in this order; three at most, as many as are ever asked.
    pub dns_servers: Vec<(IpAddr, Origin)>,
    /// What the hardware clock counts.
    pub rtc: Rtc,
    /// Name from the time zone database, such as `Europe/Paris`.
    pub timezone: Option<Named>,
}

/// What a hardware clock counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rtc {
    /// UTC.
    #[default]
    Utc,
    /// The time zone's own time.
    Local,
}

/// `service ntpd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ntpd {
    /// Autostart and origin.
    pub common: Common,
    /// `server` lines, in order; names and addresses are unique.
    pub servers: Vec<NtpServer>,
}

/// One `server` of `service ntpd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtpServer {
    /// Host name or address.
    pub host: Arc<str>,
    /// Followed rather than others that are as good.
    pub prefer: bool,
    /// The line.
    pub origin: Origin,
}

/// `service syslogd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syslogd {
    /// Autostart and origin.
    pub common: Common,
    /// `remote` lines: who gets a copy of the box's own log.
    pub remotes: Vec<RemoteLog>,
}

/// One `remote` of `service syslogd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteLog {
    /// Host name or address.
    pub host: Arc<str>,
    /// 514 unless written.
    pub port: Port,
    /// UDP unless written.
    pub transport: Transport,
    /// Messages of this severity and worse (RFC 5424, 6.2.1: 0 emergency to 7 debug).
    pub level: u8,
    /// Only messages of these; empty for all.
    pub facilities: Vec<Facility>,
    /// The line.
    pub origin: Origin,
}

/// Carrier of log messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// A datagram each (RFC 5426).
    #[default]
    Udp,
    /// Octet counted over a connection (RFC 6587).
    Tcp,
}

/// Who a log message is from (RFC 5424, 6.2.1), 0 to 23.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Facility(u8);

impl Facility {
    /// Names in the order of their numbers, as HAProxy's `log` line has them.
    pub const NAMES: [&'static str; 24] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2",
        "ftp", "ntp", "audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4",
        "local5", "local6", "local7",
    ];

    /// The facility of this name.
    pub fn named(name: &str) -> Option<Self> {
        let at = Self::NAMES.iter().position(|known| *known == name)?;
        u8::try_from(at).ok().map(Self)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }
}

/// `service sshd`. Logging in takes a key; passwords are never asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sshd {
    /// Autostart and origin.
    pub common: Common,
    /// `listen` lines; empty for every address of the box, port 22.
    pub listen: Vec<(SocketAddr, Origin)>,
    /// `allow` lines; empty for everybody.
    pub allow: Vec<AllowedNetwork>,
    /// `key` lines: who may log in; unique.
    pub keys: Vec<SshKey>,
}

/// A public key (`authorized_keys` of sshd(8), without options).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshKey {
    /// Such as `ssh-ed25519`.
    pub kind: Arc<str>,
    /// The key in base64.
    pub key: Arc<str>,
    /// Whose it is, for people; may be empty.
    pub comment: Arc<str>,
    /// The line.
    pub origin: Origin,
}

/// `service snmpd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snmpd {
    /// Autostart and origin.
    pub common: Common,
    /// Who may ask; `None` for everybody.
    pub network: Option<AllowedNetwork>,
    /// What they must say; `public` unless written.
    pub community: Arc<str>,
    /// `0.0.0.0` unless written.
    pub listen: IpAddr,
    /// 161 unless written.
    pub port: Port,
}

/// `service vrrp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vrrp {
    /// Autostart and origin.
    pub common: Common,
    /// `group` lines: interfaces that are master together; each in one group at most.
    pub groups: Vec<Vec<Named>>,
    /// Services whose failure lowers the priority.
    pub track_svc: Vec<Named>,
    /// Services of management whose failure lowers the priority.
    pub track_mgt: Vec<Named>,
}

/// `service haproxy`: the proxy engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Haproxy {
    /// Autostart and origin.
    pub common: Common,
    /// `standby` lines: listeners that start though the box does not have their address.
    pub standby: Vec<Standby>,
}

/// One `standby` of `service haproxy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standby {
    /// The address.
    pub address: IpAddr,
    /// Of this port only.
    pub port: Option<Port>,
    /// The line.
    pub origin: Origin,
}

/// `service wui`: the web UI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wui {
    /// Autostart and origin.
    pub common: Common,
    /// `listen` line; `None` leaves it to `lanai.toml`.
    pub listen: Option<(SocketAddr, Origin)>,
    /// `allow` lines; empty for everybody.
    pub allow: Vec<AllowedNetwork>,
}
