//! `source` of a proxy and of a server (HAProxy manual, sections 4.2 and 5.2).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

use lanai_model::layer7::{Shown, Source, SourcePorts};

use super::args::Args;
use super::draft::ProxyDraft;
use super::table::Readers;
use crate::codes;
use crate::lexer::Word;
use crate::value::{is_header_name, is_interface_name, shown, source_address};

pub(super) const READERS: Readers<ProxyDraft> = &[("source", |draft, args| {
    if let Some(source) = source(args, false) {
        draft.settings.source = Some(source);
    }
    args.end_of_line();
})];

/// Takes the address, with a range of ports where there may be `ranges`, and the words that belong to it.
pub(super) fn source(args: &mut Args<'_>, ranges: bool) -> Option<Arc<Source>> {
    let expected = match ranges {
        true => "<addr>[:<port>[-<port>]], and optionally 'usesrc' <addr>, and 'interface' <name>",
        false => "<addr>[:<port>], and optionally 'usesrc' <addr>, and 'interface' <name>",
    };
    let word = args.require(expected)?;
    let found = source_address(&word.value, ranges);
    let found = found.map_err(|error| args.bad_address(word, error)).ok();
    let mut all_read = found.is_some();
    let (mut seen, mut interface) = (None, None);
    loop {
        if args.take_if("usesrc").is_some() {
            seen = args
                .require("<addr>, 'client', 'clientip' or 'hdr_ip(name,#)' after 'usesrc'")
                .and_then(|word| usesrc(word, args));
            all_read &= seen.is_some();
        } else if args.take_if("interface").is_some() {
            interface = args
                .require("an interface's name after 'interface'")
                .and_then(|word| name_of_interface(word, args));
            all_read &= interface.is_some();
        } else {
            break;
        }
    }
    let (address, ports) = found.filter(|_| all_read)?;
    Some(Arc::new(Source {
        address,
        ports,
        shown: seen,
        interface,
        origin: args.origin.clone(),
    }))
}

fn usesrc(word: &Word, args: &mut Args<'_>) -> Option<Shown> {
    let text = word.text();
    match text.as_ref() {
        "client" => return Some(Shown::Client),
        "clientip" => return Some(Shown::ClientIp),
        _ => {}
    }
    if let Some(inside) = text.strip_prefix("hdr_ip(") {
        return header(word, inside.strip_suffix(')'), args);
    }
    let address = source_address(&word.value, false);
    let (ip, ports) = address
        .map_err(|error| args.bad_address(word, error))
        .ok()?;
    let ip = ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let port = match ports {
        Some(SourcePorts::One(port)) => port.get(),
        _ => 0,
    };
    Some(Shown::Address(SocketAddr::new(ip, port)))
}

/// `NAME[,OCCURRENCE]`; the last one unless it says so.
fn header(word: &Word, inside: Option<&str>, args: &mut Args<'_>) -> Option<Shown> {
    let (name, occurrence) = match inside.map(|inside| inside.split_once(',')) {
        None => ("", None),
        Some(None) => (inside.unwrap_or_default(), Some(-1)),
        Some(Some((name, number))) => (name, number.trim().parse().ok()),
    };
    let good = |n: &i32| OCCURRENCES.contains(n) && *n != 0;
    let (name, occurrence) = (name.trim(), occurrence.filter(good));
    match occurrence {
        Some(occurrence) if is_header_name(name) => Some(Shown::Header {
            name: name.into(),
            occurrence,
        }),
        _ => {
            let message = format!(
                "'usesrc' : '{}' is no 'hdr_ip(name,#)' with a header's name and a number, {} or more \
                 and not 0",
                shown(&word.value),
                OCCURRENCES.start()
            );
            args.alert(codes::BAD_WORD, word.span, message);
            None
        }
    }
}

fn name_of_interface(word: &Word, args: &mut Args<'_>) -> Option<Arc<str>> {
    let text = word.text();
    if is_interface_name(&text) {
        return Some(Arc::from(text));
    }
    let message = format!(
        "'interface' : '{}' is no name of an interface",
        shown(&word.value)
    );
    args.alert(codes::BAD_WORD, word.span, message);
    None
}

/// HAProxy looks back over ten values at most.
const OCCURRENCES: RangeInclusive<i32> = -10..=i32::MAX;
