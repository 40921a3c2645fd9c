//! The two texts against one another.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use lanai_diagnostics::{Diagnostic, SourceMap, Span};
use lanai_model::Origin;
use lanai_model::layer7::{Bind, Config, ListenAddress};
use lanai_model::services::{LinkKind, Network, Services, TABLE_MAIN, Via};

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
    interfaces_of_sources(services, config, sources, &mut found);
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

/// Binds, sockets and `source` lines at addresses that no block gives to this box. Where a block has none, or
/// asks DHCP, its addresses come from elsewhere, and which they are is not known here.
fn addresses(
    services: &Services,
    config: &Config,
    sources: &SourceMap,
    found: &mut Vec<Diagnostic>,
) {
    let Some(own) = own_addresses(services) else {
        return;
    };
    let is_foreign = |ip: IpAddr| !ip.is_unspecified() && !ip.is_loopback() && !own.contains(&ip);
    addresses_of_sources(config, sources, &is_foreign, found);
    let mut told = HashSet::new();
    let binds = config.proxies.iter().flat_map(|proxy| &proxy.binds);
    let binds = binds.map(|bind| (&bind.address, &bind.origin, 1));
    let sockets = config.global.stats_sockets.iter();
    let sockets = sockets.map(|socket| (&socket.address, &socket.origin, 2));
    for (address, origin, at) in binds.chain(sockets) {
        let ListenAddress::Inet(address) = *address else {
            continue;
        };
        let ip = address.ip();
        if !is_foreign(ip) || services.comes_and_goes(address) {
            continue;
        }
        let words = words(origin, sources);
        if words.iter().any(|word| word.is("transparent")) || found.len() >= MOST_WARNINGS {
            continue;
        }
        let place = words.get(at).map_or_else(Span::default, |word| word.span);
        if !told.insert((place, ip)) {
            continue;
        }
        let help = match at {
            1 => {
                "add 'ip address' to an interface's block; 'standby' to 'service haproxy' if the address \
                 comes and goes; or 'transparent' to this line if it is not this box's own"
            }
            _ => "add 'ip address' to an interface's block, or name an address that is there",
        };
        found.push(not_given(ip, place).with_help(help));
    }
}

/// All addresses that the text gives to this box; `None` if it may have others.
fn own_addresses(services: &Services) -> Option<HashSet<IpAddr>> {
    let members: HashSet<&str> = services
        .active_networks()
        .flat_map(|network| match &network.link.kind {
            LinkKind::Bond(bond) => bond.members.as_slice(),
            LinkKind::Bridge(bridge) => bridge.ports.as_slice(),
            _ => &[],
        })
        .map(|member| member.interface.as_ref())
        .collect();
    let mut own = HashSet::new();
    let mut any = false;
    for network in services.active_networks() {
        let interface = network.interface.as_ref();
        if interface != "lo" && !members.contains(interface) {
            if network.addresses.is_empty() || network.autoconfig.is_some() {
                return None;
            }
            any = true;
        }
        let virtual_ones = network.vrrp.iter().flat_map(|router| &router.addresses);
        let all = network.addresses.iter().chain(virtual_ones);
        own.extend(all.map(|address| address.net.addr()));
    }
    any.then_some(own)
}

fn not_given(ip: IpAddr, place: Span) -> Diagnostic {
    let message = format!("address {ip} is given to no interface in the Services tab");
    Diagnostic::warning(codes::ADDRESS_NOT_CONFIGURED, place, message)
}

/// `source` of servers, of their defaults and of proxies, at addresses that no block gives to this box;
/// `usesrc` binds to others' addresses.
fn addresses_of_sources(
    config: &Config,
    sources: &SourceMap,
    is_foreign: &dyn Fn(IpAddr) -> bool,
    found: &mut Vec<Diagnostic>,
) {
    for words in source_lines(config, sources) {
        if found.len() >= MOST_WARNINGS {
            return;
        }
        let Some((word, rest)) = words.split_first() else {
            continue;
        };
        if rest.iter().any(|word| word.is("usesrc")) {
            continue;
        }
        let Some(ip) = source_ip(&word.text()).filter(|ip| is_foreign(*ip)) else {
            continue;
        };
        found.push(not_given(ip, word.span).with_help(
            "connections to these servers fail unless the address is this box's: add 'ip address' to an \
             interface's block",
        ));
    }
}

/// What stands behind `source` on each line that has servers reached so, once.
fn source_lines(config: &Config, sources: &SourceMap) -> impl Iterator<Item = Vec<Word>> {
    let mut seen = HashSet::new();
    let servers = config.proxies.iter().flat_map(|proxy| &proxy.servers);
    // A server's own line says it even where this version cannot run what it says.
    let lines = servers.flat_map(|server| {
        let inherited = server.source.as_deref().map(|source| &source.origin);
        std::iter::once(&server.origin).chain(inherited)
    });
    lines.filter_map(move |origin| {
        if !seen.insert(origin)
            || memchr::memmem::find(line(origin, sources)?.1, b"source").is_none()
        {
            return None;
        }
        let mut words = words(origin, sources);
        // Behind a server's name and address; a line of its own, or one of defaults, starts with neither.
        let skip = if words.first()?.is("server") { 3 } else { 0 };
        let at = skip + words.iter().skip(skip).position(|word| word.is("source"))?;
        words.drain(..=at);
        Some(words)
    })
}

/// `interface` of `source`: connections leave by it alone.
fn interfaces_of_sources(
    services: &Services,
    config: &Config,
    sources: &SourceMap,
    found: &mut Vec<Diagnostic>,
) {
    let known = |name: &str| {
        let mut networks = services.active_networks();
        name == "lo" || networks.any(|network| network.interface.as_ref() == name)
    };
    for words in source_lines(config, sources) {
        let mut pairs = words.iter().zip(words.iter().skip(1));
        let Some((_, name)) = pairs.find(|(keyword, _)| keyword.is("interface")) else {
            continue;
        };
        let text = name.text();
        if found.len() < MOST_WARNINGS && !known(&text) {
            found.push(not_configured(&text, services, name.span));
        }
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

/// A line, and where it is.
fn line<'s>(origin: &Origin, sources: &'s SourceMap) -> Option<(Span, &'s [u8])> {
    let span = sources.line_span(sources.find(&origin.file)?, origin.line)?;
    Some((span, sources.slice(span)))
}

/// The words of a line, as written.
fn words(origin: &Origin, sources: &SourceMap) -> Vec<Word> {
    let Some((span, text)) = line(origin, sources) else {
        return Vec::new();
    };
    let start = usize::try_from(span.start).unwrap_or(usize::MAX);
    lexer::words(text, span.file, start, None).unwrap_or_default()
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
