//! `ip route` and `ip rule`.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use lanai_diagnostics::Span;
use lanai_model::services::{Mark, Route, Rule, TABLE_MAIN, TABLE_TRANSPARENT, Via};

use super::line::Line;
use super::network::NetworkDraft;
use crate::lexer::Word;

/// An `ip route` line.
pub(super) struct RouteDraft {
    pub(super) route: Route,
    /// The line's words.
    pub(super) span: Span,
    /// The word after the destination.
    pub(super) via: Span,
}

/// An `ip rule` line.
pub(super) struct RuleDraft {
    pub(super) rule: Rule,
    /// The line's words.
    pub(super) span: Span,
    /// The interface it names.
    pub(super) iif: Option<Span>,
    /// The table's number.
    pub(super) table: Span,
    /// The priority.
    pub(super) priority: Option<Span>,
}

/// The mark of transparent mode.
const OWN_MARK: u32 = 1;

pub(super) fn route(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let to = line.require("the destination")?;
    let via_word = line.require("the gateway")?;
    let via = match via_word.text().as_ref() {
        "dev" => Some(Via::Link),
        "blackhole" => Some(Via::Blackhole),
        text => match text.parse() {
            Ok(gateway) => Some(Via::Gateway(gateway)),
            Err(_) => line.bad(via_word, "is not the address of a gateway"),
        },
    };
    let (mut metric, mut table) = (None, TABLE_MAIN);
    let options = line.options(&["metric", "table"], |line, name, word| {
        match name {
            "metric" => metric = Some(line.number(word, "a metric", 0..=u32::MAX)?),
            _ => table = self::table(line, word)?,
        }
        Some(())
    });
    let destination = match (to.is("default"), via.and_then(Via::gateway)) {
        (true, Some(IpAddr::V6(_))) => Some(IpNet::V6(Ipv6Net::default())),
        (true, _) => Some(IpNet::V4(Ipv4Net::default())),
        (false, _) => line.network_or(to, &["default"]),
    };
    let (destination, via) = (destination?, via?);
    options?;
    if let Some(gateway) = via.gateway()
        && gateway.is_ipv4() != destination.addr().is_ipv4()
    {
        let problem = format!("and destination {destination} differ in family");
        return line.bad(via_word, &problem);
    }
    if via == Via::Link && draft.is_loopback() {
        return line.bad(via_word, "leads nowhere from 'lo'");
    }
    let (route, span) = (
        Route {
            destination,
            via,
            metric,
            table,
            origin: line.origin.clone(),
        },
        line.span(),
    );
    let via = via_word.span;
    draft.routes.push(RouteDraft { route, span, via });
    Some(())
}

/// A routing table that may be written.
fn table(line: &mut Line<'_>, word: &Word) -> Option<u32> {
    if word.is("main") {
        return Some(TABLE_MAIN);
    }
    match line.number(word, "a routing table", 1..=u32::MAX)? {
        255 => line.bad(word, "is the kernel's own routing table of local addresses"),
        TABLE_TRANSPARENT => line.bad(word, "is the routing table of transparent mode"),
        table => Some(table),
    }
}

pub(super) fn rule(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let (mut from, mut to, mut iif, mut fwmark) = (None, None, None, None);
    let (mut table, mut priority) = (None, None);
    let first = line.peek();
    let names = ["from", "to", "iif", "fwmark", "table", "priority"];
    line.options(&names, |line, name, word| {
        match name {
            "from" => from = Some((line.network(word)?, word.span)),
            "to" => to = Some((line.network(word)?, word)),
            "iif" => iif = Some((line.interface(word)?, word.span)),
            "fwmark" => fwmark = Some(mark(line, word)?),
            "table" => table = Some((self::table(line, word)?, word.span)),
            _ => priority = Some((self::priority(line, word)?, word.span)),
        }
        Some(())
    })?;
    let Some((table, table_span)) = table else {
        line.require("the table, 'table <number>',")?;
        return None;
    };
    if let (Some((from, _)), Some((to, word))) = (&from, &to)
        && from.addr().is_ipv4() != to.addr().is_ipv4()
    {
        return line.bad(word, "and the network after 'from' differ in family");
    }
    if from.is_none() && to.is_none() && iif.is_none() && fwmark.is_none() {
        let word = first?;
        let problem = "is for every packet: say for which, with 'from', 'to', 'iif' or 'fwmark'";
        return line.bad(word, problem);
    }
    let (iif, iif_span) = iif.unzip();
    let (priority, priority_span) = priority.unzip();
    draft.rules.push(RuleDraft {
        rule: Rule {
            from: from.map(|(net, _)| net),
            to: to.map(|(net, _)| net),
            iif,
            fwmark,
            table,
            priority,
            origin: line.origin.clone(),
        },
        span: line.span(),
        iif: iif_span,
        table: table_span,
        priority: priority_span,
    });
    Some(())
}

fn priority(line: &mut Line<'_>, word: &Word) -> Option<u32> {
    line.number(word, "a priority of ours", Rule::PRIORITIES)
}

/// `MARK[/MASK]`, decimal or hexadecimal.
fn mark(line: &mut Line<'_>, word: &Word) -> Option<Mark> {
    let text = word.text();
    let (value, mask) = match text.split_once('/') {
        Some((value, mask)) => (bits(value), bits(mask)),
        // All bits but that of transparent mode.
        None => (bits(&text), Some(!OWN_MARK)),
    };
    let (Some(value), Some(mask)) = (value, mask) else {
        return line.bad(word, "is not a mark, such as 0x10 or 0x10/0xf0");
    };
    if (value | mask) & OWN_MARK != 0 {
        return line.bad(word, "uses the lowest bit, which is transparent mode's");
    }
    if value & !mask != 0 {
        return line.bad(
            word,
            "has bits set outside its mask, so that nothing matches it",
        );
    }
    if mask == 0 {
        return line.bad(word, "matches every packet");
    }
    Some(Mark { value, mask })
}

fn bits(text: &str) -> Option<u32> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
            u32::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}
