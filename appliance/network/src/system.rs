//! What the box is beside its network, where Lanai is the whole system, as on its own image: its name,
//! whom it asks for names and for the time, where its log goes, and who gets a shell.
//!
//! `kernel` writes it down for the programs that do it. A value of it may come from a process in strange
//! hands: [`unfit`] says what a file must not hold.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use lanai_model::Origin;
use lanai_model::services::{Facility, Services, Transport};
use serde::{Deserialize, Serialize};

use crate::step::Detail;

/// One respect in which the box is something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Its name.
    Name,
    /// Whom it asks for names.
    Resolver,
    /// Whom it asks for the time.
    Time,
    /// Who gets a copy of its log.
    Log,
    /// Who gets a shell over the network.
    Shell,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Name,
        Self::Resolver,
        Self::Time,
        Self::Log,
        Self::Shell,
    ];

    /// What is done when no line says anything of it any more.
    pub(crate) fn without(self) -> &'static str {
        match self {
            Self::Name => "give the box the name that the image has",
            Self::Resolver => "ask for names whom DHCP says",
            Self::Time => "ask nobody for the time",
            Self::Log => "send the log nowhere",
            Self::Shell => "stop sshd",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the host name",
            Self::Resolver => "the resolver",
            Self::Time => "the clock",
            Self::Log => "the machine's own log",
            Self::Shell => "sshd",
        })
    }
}

/// What the box is in one respect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Its name.
    Name(String),
    /// Whom it asks for names; without servers those that DHCP says.
    Resolver {
        /// Added to names without a dot.
        domain: Option<String>,
        /// In this order.
        servers: Vec<IpAddr>,
    },
    /// Whom it asks for the time.
    Time(Vec<TimeServer>),
    /// Who gets a copy of its log.
    Log(Vec<LogServer>),
    /// Who gets a shell over the network.
    Shell {
        /// Where it listens; everywhere if empty.
        listen: Vec<SocketAddr>,
        /// Who may log in.
        keys: Vec<Key>,
    },
}

/// A time server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeServer {
    /// Host name or address.
    pub host: String,
    /// Followed rather than others that are as good.
    pub prefer: bool,
}

/// A syslog server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogServer {
    /// Host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Over TCP, not UDP.
    pub tcp: bool,
    /// This severity and worse (RFC 5424, 6.2.1).
    pub level: u8,
    /// Numbers of facilities; all if empty.
    pub facilities: Vec<u8>,
}

/// A public key (sshd(8), `authorized_keys`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its type.
    pub kind: String,
    /// In base64.
    pub key: String,
    /// Whose it is, for people.
    pub comment: String,
}

/// What the box is to be in one respect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedSetting {
    /// What.
    pub setting: Setting,
    /// The line, or the block, that asks for it.
    pub origin: Origin,
    /// Its lines, where there are several.
    pub details: Vec<Detail>,
}

/// What the box is beside its network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedSystem {
    /// What was set, and not taken back; one of each part.
    pub settings: Vec<Setting>,
    /// What is not as it was set.
    pub altered: Vec<Part>,
}

impl Setting {
    /// Of which part it is.
    pub fn part(&self) -> Part {
        match self {
            Self::Name(_) => Part::Name,
            Self::Resolver { .. } => Part::Resolver,
            Self::Time(_) => Part::Time,
            Self::Log(_) => Part::Log,
            Self::Shell { .. } => Part::Shell,
        }
    }
}

/// As what a step does.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |hosts: Vec<String>| hosts.join(", ");
        match self {
            Self::Name(name) => write!(f, "name the box {name}"),
            Self::Resolver { domain, servers } => {
                match servers.as_slice() {
                    [] => f.write_str("ask for names whom DHCP says")?,
                    servers => {
                        let servers = servers.iter().map(ToString::to_string).collect();
                        write!(f, "ask {} for names", list(servers))?;
                    }
                }
                match domain {
                    Some(domain) => write!(f, ", those without a dot in {domain}"),
                    None => Ok(()),
                }
            }
            Self::Time(servers) => {
                let hosts = servers.iter().map(|it| it.host.clone()).collect();
                write!(f, "ask {} for the time", list(hosts))
            }
            Self::Log(servers) => {
                let hosts = servers.iter().map(|it| it.host.clone()).collect();
                write!(f, "send the log to {}", list(hosts))
            }
            Self::Shell { listen, keys } => {
                let listen = match listen.as_slice() {
                    [] => "port 22".to_owned(),
                    listen => list(listen.iter().map(ToString::to_string).collect()),
                };
                let holders = match keys.len() {
                    1 => "1 key".to_owned(),
                    count => format!("{count} keys"),
                };
                write!(f, "run sshd on {listen} for {holders}")
            }
        }
    }
}

/// What of a setting must not get into a file: it would be another line there, or another word.
pub fn unfit(setting: &Setting) -> Option<&str> {
    let host = |text: &str| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
        !text.is_empty() && text.len() <= 253 && !text.starts_with('-') && text.bytes().all(good)
    };
    match setting {
        Setting::Name(name) => (!host(name) || name.len() > 64).then_some(name),
        Setting::Resolver { domain, servers } => match domain {
            Some(domain) if !host(domain) => Some(domain),
            _ => (servers.len() > 3).then_some("more than three name servers"),
        },
        Setting::Time(servers) => {
            let wrong = servers.iter().find(|it| !host(&it.host));
            wrong.map(|it| it.host.as_str())
        }
        Setting::Log(servers) => {
            if let Some(wrong) = servers.iter().find(|it| !host(&it.host)) {
                return Some(&wrong.host);
            }
            let numbers = |it: &&LogServer| {
                it.level > 7 || it.port == 0 || it.facilities.iter().any(|number| *number > 23)
            };
            let wrong = servers.iter().find(numbers);
            wrong.map(|_| "a level, port or facility that there is none of")
        }
        Setting::Shell { keys, .. } => {
            let good = |key: &&Key| {
                let kind = |byte: u8| byte.is_ascii_alphanumeric() || b".-@".contains(&byte);
                let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
                !key.kind.is_empty()
                    && key.kind.bytes().all(kind)
                    && !key.key.is_empty()
                    && key.key.bytes().all(base64)
                    && !key.comment.chars().any(char::is_control)
            };
            let wrong = keys.iter().find(|key| !good(key));
            wrong.map(|_| "a key that is none")
        }
    }
}

/// What the text asks for.
pub(crate) fn wanted(services: &Services) -> Vec<WantedSetting> {
    let one = |setting, origin: &Origin, details| WantedSetting {
        setting,
        origin: origin.clone(),
        details,
    };
    let mut wanted = Vec::new();
    if let Some(system) = services.system.as_ref().filter(|it| it.common.autostart) {
        if let Some(name) = &system.hostname {
            let setting = Setting::Name(name.name.to_string());
            wanted.push(one(setting, &name.origin, Vec::new()));
        }
        let servers = system.dns_servers.iter();
        let lines = servers.clone().map(|(_, origin)| origin);
        let domain = system.dns_domain.as_ref();
        let mut lines = lines.chain(domain.map(|domain| &domain.origin));
        if let Some(first) = lines.next() {
            let setting = Setting::Resolver {
                domain: domain.map(|domain| domain.name.to_string()),
                servers: servers.map(|(address, _)| *address).collect(),
            };
            wanted.push(one(setting, first, Vec::new()));
        }
    }
    if let Some(ntpd) = services.ntpd.as_ref().filter(|it| it.common.autostart)
        && !ntpd.servers.is_empty()
    {
        let servers = ntpd.servers.iter();
        let details = servers.clone().map(|it| Detail {
            what: format!("ask {}", it.host),
            origin: Some(it.origin.clone()),
        });
        let details = details.collect();
        let servers = servers.map(|it| TimeServer {
            host: it.host.to_string(),
            prefer: it.prefer,
        });
        let setting = Setting::Time(servers.collect());
        wanted.push(one(setting, &ntpd.common.origin, details));
    }
    wanted.extend(log(services));
    wanted.extend(shell(services));
    wanted
}

fn log(services: &Services) -> Option<WantedSetting> {
    let block = services
        .syslogd
        .as_ref()
        .filter(|it| it.common.autostart && !it.remotes.is_empty())?;
    let remotes = block.remotes.iter();
    let details = remotes.clone().map(|it| Detail {
        what: format!("to {} port {}", it.host, it.port),
        origin: Some(it.origin.clone()),
    });
    let details = details.collect();
    let servers = remotes.map(|it| LogServer {
        host: it.host.to_string(),
        port: it.port.get(),
        tcp: it.transport == Transport::Tcp,
        level: it.level,
        facilities: it
            .facilities
            .iter()
            .map(|one: &Facility| one.number())
            .collect(),
    });
    Some(WantedSetting {
        setting: Setting::Log(servers.collect()),
        origin: block.common.origin.clone(),
        details,
    })
}

/// Without a key nobody could log in, so nobody is asked to.
fn shell(services: &Services) -> Option<WantedSetting> {
    let block = services
        .sshd
        .as_ref()
        .filter(|it| it.common.autostart && !it.keys.is_empty())?;
    let details = block.keys.iter().map(|key| Detail {
        what: format!("for the {} key of {}", key.kind, named(&key.comment)),
        origin: Some(key.origin.clone()),
    });
    let keys = block.keys.iter().map(|key| Key {
        kind: key.kind.to_string(),
        key: key.key.to_string(),
        comment: key.comment.to_string(),
    });
    Some(WantedSetting {
        setting: Setting::Shell {
            listen: block.listen.iter().map(|(address, _)| *address).collect(),
            keys: keys.collect(),
        },
        origin: block.common.origin.clone(),
        details: details.collect(),
    })
}

fn named(comment: &str) -> &str {
    match comment {
        "" => "somebody without a name",
        comment => comment,
    }
}
