//! `service system`: the box's name, whom it asks for names, its clock.

use std::net::IpAddr;

use lanai_model::Origin;
use lanai_model::services::{Common, Named, Rtc, System};

use super::line::{Line, is_host_name};
use super::table::Row;

#[derive(Default)]
pub(super) struct SystemDraft {
    hostname: Option<Named>,
    dns_domain: Option<Named>,
    dns_servers: Vec<(IpAddr, Origin)>,
    rtc: Rtc,
    timezone: Option<Named>,
}

/// Lines of `service system`.
pub(super) const ROWS: &[Row<SystemDraft>] = &[
    Row::aloha("hostname", "<name>", "Names the box.", hostname).on_image(),
    Row::aloha(
        "dns_domain",
        "<domain>",
        "Is added to names without a dot when they are looked up.",
        dns_domain,
    )
    .on_image(),
    Row::aloha(
        "dns_servers",
        "<address> [<address> [<address>]]",
        "Lists the servers that are asked for names, in this order.",
        dns_servers,
    )
    .on_image(),
    Row::aloha(
        "rtc",
        "{utc|local}",
        "Says what the hardware clock counts: UTC. 'local' is kept and ignored.",
        rtc,
    )
    .on_image(),
    Row::own(
        "timezone",
        "<name>",
        "Sets the time zone that people are shown, by its name in the time zone database.",
        timezone,
    )
    .ignored("the image has no time zone database: its log and its web UI have UTC"),
];

impl SystemDraft {
    pub(super) fn finish(self, common: Common) -> System {
        System {
            common,
            hostname: self.hostname,
            dns_domain: self.dns_domain,
            dns_servers: self.dns_servers,
            rtc: self.rtc,
            timezone: self.timezone,
        }
    }
}

fn hostname(draft: &mut SystemDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the name")?;
    let text = word.text();
    // The kernel keeps 64 bytes (`__NEW_UTS_LEN`).
    if !is_host_name(&text) || text.len() > 64 {
        let problem = "cannot be the name of a host: letters, digits and '-', in parts joined by \
                       dots, 64 characters at most";
        return line.bad(word, problem);
    }
    draft.hostname = Some(named(&text, line));
    Some(())
}

fn dns_domain(draft: &mut SystemDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the domain")?;
    let text = word.text();
    if !is_host_name(&text) {
        return line.bad(word, "cannot be a domain");
    }
    draft.dns_domain = Some(named(&text, line));
    Some(())
}

fn dns_servers(draft: &mut SystemDraft, line: &mut Line<'_>) -> Option<()> {
    for word in line.rest("the address")? {
        let address = line.ip(word)?;
        if draft.dns_servers.iter().any(|(other, _)| *other == address) {
            return line.bad(word, "is listed twice");
        }
        // MAXNS of the C library's resolver.
        if draft.dns_servers.len() == 3 {
            return line.bad(word, "would never be asked: three servers are, at most");
        }
        let origin = line.origin.clone();
        draft.dns_servers.push((address, origin));
    }
    Some(())
}

fn rtc(draft: &mut SystemDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("'utc' or 'local'")?;
    draft.rtc = line.one_of(word, &[("utc", Rtc::Utc), ("local", Rtc::Local)])?;
    if draft.rtc == Rtc::Local {
        line.ignored(
            "the hardware clock is taken to count UTC when the box starts: set it to UTC, in the firmware too",
        );
    }
    Some(())
}

fn timezone(draft: &mut SystemDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the name")?;
    let text = word.text();
    // Names of the database are paths of plain parts (tz, "Theory and pragmatics").
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['-', '.'])
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
    };
    if text.len() > 64 || !text.split('/').all(part) {
        return line.bad(
            word,
            "is not the name of a time zone, such as Europe/Paris or UTC",
        );
    }
    draft.timezone = Some(named(&text, line));
    Some(())
}

fn named(text: &str, line: &Line<'_>) -> Named {
    Named {
        name: text.into(),
        origin: line.origin.clone(),
    }
}
