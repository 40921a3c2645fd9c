//! The two texts against one another.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use lanai_diagnostics::{Diagnostic, SourceMap, Span};
use lanai_model::Origin;
use lanai_model::layer7::{Bind, Config, ListenAddress};
use lanai_model::services::{Network, Services, TABLE_MAIN, Via};

use crate::codes;
use crate::lexer::{self, Word};
use crate::lints::silence;
use crate::tree::Dialect;

/// Warnings about what each text is right about alone.
///
/// `sources` are the texts both were read from: the model knows lines, and a message shows words.
pub fn check(services: &Services, config: &Config, sources: &SourceMap) -> Vec<Diagnostic> {
    let networks: HashMap<&str, &Network> = services
        .active_networks()
        .map(|network| (network.interface.as_ref(), network))
        .collect();
    let mut told = HashSet::new();
    let mut found = Vec::new();
    for bind in config.proxies.iter().flat_map(|proxy| &proxy.binds) {
        let Some(interface) = bind.interface.as_deref() else {
            continue;
        };
        // Loopback needs no configuration, and its clients are on this box.
        if interface == "lo" {
            continue;
        }
        let place = place(&bind.origin, interface, sources);
        let warning = match networks.get(interface) {
            None => Some(not_configured(interface, services, place)),
            Some(network) => no_route(bind, network, place),
        };
        // A bind line of several addresses says it once.
        if let Some(warning) = warning
            && told.insert((place, warning.message.clone()))
        {
            found.push(warning);
        }
        if found.len() >= MOST_WARNINGS {
            break;
        }
    }
    addresses(services, config, sources, &mut found);
    silence::quieten(&mut found, sources, Dialect::Layer7);
    found
}

/// Warnings of one check; more would not be read.
const MOST_WARNINGS: usize = 1000;

fn not_configured(interface: &str, services: &Services, place: Span) -> Diagnostic {
    let message = format!("interface '{interface}' is not configured in the Services tab");
    let warning = Diagnostic::warning(codes::INTERFACE_NOT_CONFIGURED, place, message);
    let known = services.active_networks().map(|n| n.interface.as_ref());
    let warning = match crate::suggest::nearest(interface, known) {
        Some(near) => warning.with_fix(place, near, crate::suggest::did_you_mean(near)),
        None => warning,
    };
    warning.with_help(format!("add a block 'service network {interface}'"))
}

/// Replies of such a bind leave by its interface whatever other routes say, and without a route
/// there the kernel takes every client for a neighbour: it asks for its hardware address, gets no
/// answer, and the connection stalls.
fn no_route(bind: &Bind, network: &Network, place: Span) -> Option<Diagnostic> {
    let ListenAddress::Inet(address) = bind.address else {
        return None;
    };
    let interface = &network.interface;
    let same = |other: IpAddr| other.is_ipv4() == address.is_ipv4();
    let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
    let mut routes = network.routes.iter().filter(|route| {
        same(route.destination.addr()) && route.table == TABLE_MAIN && route.via != Via::Blackhole
    });
    if routes
        .clone()
        .any(|route| route.destination.prefix_len() == 0)
    {
        return None;
    }
    let reach = match routes.next() {
        Some(_) => "only clients of its routes' networks get answers",
        None => "only clients of its own networks get answers",
    };
    let message = format!("interface '{interface}' has no default route for {family}: {reach}");
    let example = match address.is_ipv4() {
        true => "ip route default 192.0.2.1 metric 1",
        false => "ip route default 2001:db8::1 metric 2048",
    };
    let help = format!(
        "replies leave by '{interface}' alone, and the kernel takes clients without a route for \
         neighbours; add a default route to its block, such as '{example}'"
    );
    Some(Diagnostic::warning(codes::NO_ROUTE_TO_CLIENTS, place, message).with_help(help))
}

/// Binds to addresses that no block gives to this box. Where a block has none, its addresses come from
/// elsewhere, and which they are is not known here.
fn addresses(
    services: &Services,
    config: &Config,
    sources: &SourceMap,
    found: &mut Vec<Diagnostic>,
) {
    let networks = services.active_networks();
    let mut own: HashSet<IpAddr> = HashSet::new();
    for network in networks.filter(|network| network.interface.as_ref() != "lo") {
        if network.addresses.is_empty() {
            return;
        }
        let virtual_ones = network.vrrp.iter().flat_map(|router| &router.addresses);
        let all = network.addresses.iter().chain(virtual_ones);
        own.extend(all.map(|address| address.net.addr()));
    }
    if own.is_empty() {
        return;
    }
    let is_foreign = |ip: IpAddr| !ip.is_unspecified() && !ip.is_loopback() && !own.contains(&ip);
    sources_of_servers(config, sources, &is_foreign, found);
    let mut told = HashSet::new();
    for bind in config.proxies.iter().flat_map(|proxy| &proxy.binds) {
        let ListenAddress::Inet(address) = bind.address else {
            continue;
        };
        let ip = address.ip();
        if !is_foreign(ip) || services.comes_and_goes(address) {
            continue;
        }
        let words = words(&bind.origin, sources);
        if words.iter().any(|word| word.is("transparent")) || found.len() >= MOST_WARNINGS {
            continue;
        }
        let place = words.get(1).map_or_else(Span::default, |word| word.span);
        if !told.insert((place, ip)) {
            continue;
        }
        let message = format!("address {ip} is given to no interface in the Services tab");
        let warning = Diagnostic::warning(codes::ADDRESS_NOT_CONFIGURED, place, message);
        found.push(warning.with_help(
            "add 'ip address' to an interface's block; 'standby' to 'service haproxy' if the address comes \
             and goes; or 'transparent' to this line if it is not this box's own",
        ));
    }
}

/// `source` of servers at addresses that no block gives to this box; `usesrc` binds to others' addresses.
fn sources_of_servers(
    config: &Config,
    sources: &SourceMap,
    is_foreign: &dyn Fn(IpAddr) -> bool,
    found: &mut Vec<Diagnostic>,
) {
    for server in config.proxies.iter().flat_map(|proxy| &proxy.servers) {
        if found.len() >= MOST_WARNINGS {
            return;
        }
        let words = words(&server.origin, sources);
        // After the server's name and address.
        let mut options = words.iter().skip(3);
        if words.iter().any(|word| word.is("usesrc")) || !options.any(|word| word.is("source")) {
            continue;
        }
        let Some(word) = options.next() else {
            continue;
        };
        let Some(ip) = source_ip(&word.text()).filter(|ip| is_foreign(*ip)) else {
            continue;
        };
        let message = format!("address {ip} is given to no interface in the Services tab");
        let warning = Diagnostic::warning(codes::ADDRESS_NOT_CONFIGURED, word.span, message);
        found.push(warning.with_help(
            "connections to this server fail unless the address is this box's: add 'ip address' to an \
             interface's block",
        ));
    }
}

/// The address of `ADDRESS[:PORT[-PORT]]`; `None` for a name.
fn source_ip(text: &str) -> Option<IpAddr> {
    let bare = |text: &str| {
        let inner = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        inner.unwrap_or(text).parse().ok()
    };
    bare(text).or_else(|| bare(text.rsplit_once(':')?.0))
}

/// The words of a line, as written.
fn words(origin: &Origin, sources: &SourceMap) -> Vec<Word> {
    let file = sources.find(&origin.file);
    let span = file.and_then(|file| sources.line_span(file, origin.line));
    let Some(span) = span else {
        return Vec::new();
    };
    let start = usize::try_from(span.start).unwrap_or(usize::MAX);
    lexer::words(sources.slice(span), span.file, start, None).unwrap_or_default()
}

/// The words `interface NAME` of a line, else the line.
fn place(origin: &Origin, interface: &str, sources: &SourceMap) -> Span {
    let Some(file) = sources.find(&origin.file) else {
        return Span::default();
    };
    let Some(line) = sources.line_span(file, origin.line) else {
        return Span::new(file, 0, 0);
    };
    let start = usize::try_from(line.start).unwrap_or(usize::MAX);
    let words = lexer::words(sources.slice(line), file, start, None).unwrap_or_default();
    let mut pairs = words.iter().zip(words.iter().skip(1));
    let found = pairs.find(|(keyword, _)| keyword.is("interface"));
    match found {
        Some((_, value)) if value.is(interface) => value.span,
        Some((keyword, value)) => keyword.span.to(value.span),
        None => line,
    }
}

#[cfg(test)]
mod tests;
