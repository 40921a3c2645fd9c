//! `service syslogd`: where the box's own log goes.

use lanai_model::services::{Common, Facility, Port, RemoteLog, Syslogd, Transport};

use super::line::Line;
use super::table::Row;
use crate::lexer::Word;

#[derive(Default)]
pub(super) struct SyslogdDraft {
    remotes: Vec<RemoteLog>,
}

/// Lines of `service syslogd`.
pub(super) const ROWS: &[Row<SyslogdDraft>] = &[Row::own(
    "remote",
    "<name or address>[:<port>] [proto {udp|tcp}] [level <level>] [facility <name>[,<name>...]]",
    "Sends a copy of the box's own log to a syslog server, port 514 and UDP unless written.",
    remote,
)
.many()
.on_image()];

/// Severities from the worst (RFC 5424, 6.2.1), as HAProxy's `log` line names them.
const LEVELS: [(&str, u8); 8] = [
    ("emerg", 0),
    ("alert", 1),
    ("crit", 2),
    ("err", 3),
    ("warning", 4),
    ("notice", 5),
    ("info", 6),
    ("debug", 7),
];

/// Every message goes to each.
const MOST_REMOTES: usize = 16;

impl SyslogdDraft {
    pub(super) fn finish(self, common: Common) -> Syslogd {
        Syslogd {
            common,
            remotes: self.remotes,
        }
    }
}

fn remote(draft: &mut SyslogdDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the server")?;
    let (host, port) = line.host_port(word, SYSLOG_PORT)?;
    if draft.remotes.len() == MOST_REMOTES {
        return line.bad(word, "is one server too many, 16 at most");
    }
    let (mut transport, mut level, mut facilities) = (Transport::Udp, 7, Vec::new());
    line.options(&["proto", "level", "facility"], |line, name, word| {
        match name {
            "proto" => {
                let transports = [("udp", Transport::Udp), ("tcp", Transport::Tcp)];
                transport = line.one_of(word, &transports)?;
            }
            "level" => level = line.one_of(word, &LEVELS)?,
            _ => facilities = self::facilities(line, word)?,
        }
        Some(())
    })?;
    draft.remotes.push(RemoteLog {
        host,
        port,
        transport,
        level,
        facilities,
        origin: line.origin.clone(),
    });
    Some(())
}

/// RFC 5426, 3.3.
const SYSLOG_PORT: Port = Port::new(514).expect("not zero");

fn facilities(line: &mut Line<'_>, word: &Word) -> Option<Vec<Facility>> {
    let text = word.text();
    let mut facilities = Vec::new();
    for name in text.split(',') {
        match Facility::named(name) {
            Some(facility) if !facilities.contains(&facility) => facilities.push(facility),
            Some(_) => return line.bad(word, "names a facility twice"),
            None => {
                let problem = format!(
                    "is no list of facilities; there are: {}",
                    Facility::NAMES.join(", ")
                );
                return line.bad(word, &problem);
            }
        }
    }
    Some(facilities)
}
