//! `service network NAME`: one network interface.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::Origin;
use lanai_model::services::{Address, Network, Route, TABLE_MAIN, Via};

use crate::codes;
use crate::lexer::Word;
use crate::line::Statement;
use crate::outcome::Sink;
use crate::value::{host_network, is_interface_name, network, shown, suggest};

/// A block, with the places of what it says.
pub(super) struct NetworkDraft {
    pub(super) interface: Arc<str>,
    pub(super) addresses: Vec<(Address, Span)>,
    pub(super) routes: Vec<RouteDraft>,
    /// The interface's name.
    pub(super) span: Span,
    origin: Origin,
    auto: Option<Span>,
}

/// An `ip route` line.
pub(super) struct RouteDraft {
    pub(super) route: Route,
    /// The line's words.
    pub(super) span: Span,
    pub(super) gateway: Span,
}

/// A directive of the block.
struct Directive {
    /// Its words.
    name: &'static [&'static str],
    usage: &'static str,
    handler: fn(&mut NetworkDraft, &Line<'_>, &mut Sink),
}

const DIRECTIVES: &[Directive] = &[
    Directive {
        name: &["ip", "address"],
        usage: "ip address <address>/<prefix length or mask>",
        handler: address,
    },
    Directive {
        name: &["ip", "route"],
        usage: "ip route {default|<network>/<prefix length>} <gateway> [metric <number>]",
        handler: route,
    },
    Directive {
        name: &["auto"],
        usage: "auto {on|off}",
        handler: auto,
    },
];

/// A directive's line.
struct Line<'a> {
    /// The directive's words.
    head: Span,
    arguments: &'a [Word],
    usage: &'static str,
    origin: &'a Origin,
}

impl NetworkDraft {
    /// Reads what follows `service network`.
    pub(super) fn start(
        kind: &Word,
        arguments: &[Word],
        origin: Origin,
        sink: &mut Sink,
    ) -> Option<Self> {
        let Some((name, rest)) = arguments.split_first() else {
            let message = "'service network' expects the name of an interface";
            let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, kind.span, message);
            sink.push(fault.with_help("for example: service network eth0"));
            return None;
        };
        if let Some(extra) = rest.first() {
            unexpected(extra, "service network <interface>", sink);
        }
        let text = name.text();
        if !is_interface_name(&text) {
            let message = format!(
                "'{}' cannot be the name of an interface",
                shown(&name.value)
            );
            let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, name.span, message);
            sink.push(fault.with_help("1 to 15 characters, without '/', ':' and white space"));
        }
        Some(Self {
            interface: Arc::from(text),
            addresses: Vec::new(),
            routes: Vec::new(),
            span: name.span,
            origin,
            auto: None,
        })
    }

    pub(super) fn statement(&mut self, statement: &Statement, sink: &mut Sink) {
        let words = &statement.words;
        let found = DIRECTIVES.iter().find(|directive| {
            let names = directive.name.iter();
            words.len() >= directive.name.len()
                && names.zip(words).all(|(name, word)| word.is(name))
        });
        let Some(directive) = found else {
            unknown(words, sink);
            return;
        };
        let (head, arguments) = words.split_at(directive.name.len().min(words.len()));
        let (Some(first), Some(last)) = (head.first(), head.last()) else {
            return;
        };
        let line = Line {
            head: first.span.to(last.span),
            arguments,
            usage: directive.usage,
            origin: &statement.origin,
        };
        (directive.handler)(self, &line, sink);
    }

    pub(super) fn finish(self) -> Network {
        Network {
            addresses: self
                .addresses
                .into_iter()
                .map(|(address, _)| address)
                .collect(),
            routes: self.routes.into_iter().map(|draft| draft.route).collect(),
            ..Network::new(self.interface, self.origin)
        }
    }
}

fn unknown(words: &[Word], sink: &mut Sink) {
    let Some(first) = words.first() else {
        return;
    };
    let known = |at: usize| {
        DIRECTIVES
            .iter()
            .filter_map(move |directive| directive.name.get(at).copied())
    };
    let (word, fault) = match words.get(1).filter(|_| first.is("ip")) {
        Some(second) => {
            let message = format!("unknown directive 'ip {}'", shown(&second.value));
            let code = codes::UNKNOWN_SERVICE_WORD;
            let fault = Diagnostic::alert(code, second.span, message);
            (second, suggest(fault, second, known(1)))
        }
        None if first.is("ip") => {
            let message = "'ip' expects 'address' or 'route'";
            let fault = Diagnostic::alert(codes::UNKNOWN_SERVICE_WORD, first.span, message);
            (first, fault)
        }
        None => {
            let message = format!("unknown directive '{}'", shown(&first.value));
            let code = codes::UNKNOWN_SERVICE_WORD;
            let fault = Diagnostic::alert(code, first.span, message);
            (first, suggest(fault, first, known(0).chain(["service"])))
        }
    };
    let usages: Vec<_> = DIRECTIVES.iter().map(|directive| directive.usage).collect();
    sink.push(match fault.fix {
        Some(_) => fault,
        None => {
            let fault = Diagnostic {
                span: word.span,
                ..fault
            };
            fault.with_help(format!("known here: {}", usages.join("; ")))
        }
    });
}

fn unexpected(word: &Word, usage: &str, sink: &mut Sink) {
    let message = format!("unexpected argument '{}'", shown(&word.value));
    let fault = Diagnostic::alert(codes::UNKNOWN_SERVICE_WORD, word.span, message);
    sink.push(fault.with_help(format!("usage: {usage}")));
}

impl Line<'_> {
    /// The argument at this place.
    fn require(&self, at: usize, what: &str, sink: &mut Sink) -> Option<&Word> {
        let word = self.arguments.get(at);
        if word.is_none() {
            let message = format!("{what} is missing");
            let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, self.head, message);
            sink.push(fault.with_help(format!("usage: {}", self.usage)));
        }
        word
    }

    fn bad(&self, word: &Word, message: String, sink: &mut Sink) {
        let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, word.span, message);
        sink.push(fault.with_help(format!("usage: {}", self.usage)));
    }

    fn end(&self, used: usize, sink: &mut Sink) {
        if let Some(extra) = self.arguments.get(used) {
            unexpected(extra, self.usage, sink);
        }
    }
}

fn address(draft: &mut NetworkDraft, line: &Line<'_>, sink: &mut Sink) {
    let Some(word) = line.require(0, "the address", sink) else {
        return;
    };
    line.end(1, sink);
    let text = word.text();
    let Some(net) = host_network(&text).filter(|_| text.contains('/')) else {
        let message = format!(
            "'{}' is not an address with a prefix length or mask",
            shown(&word.value)
        );
        line.bad(word, message, sink);
        return;
    };
    let address = net.addr();
    let problem = if address.is_unspecified() || address.is_multicast() {
        Some("is not the address of a host")
    } else if is_network_or_broadcast(&net) {
        Some("is the network's own or its broadcast address, not a host's")
    } else {
        None
    };
    if let Some(problem) = problem {
        line.bad(word, format!("'{}' {problem}", shown(&word.value)), sink);
        return;
    }
    draft.addresses.push((
        Address {
            net,
            origin: line.origin.clone(),
        },
        word.span,
    ));
}

/// IPv4 networks of at least four addresses keep the first and the last for themselves.
fn is_network_or_broadcast(net: &IpNet) -> bool {
    match net {
        IpNet::V4(net) if net.prefix_len() <= 30 => {
            net.addr() == net.network() || net.addr() == net.broadcast()
        }
        _ => false,
    }
}

fn route(draft: &mut NetworkDraft, line: &Line<'_>, sink: &mut Sink) {
    let Some(to) = line.require(0, "the destination", sink) else {
        return;
    };
    let Some(via) = line.require(1, "the gateway", sink) else {
        return;
    };
    let gateway: Option<IpAddr> = via.text().parse().ok();
    if gateway.is_none() {
        let message = format!("'{}' is not the address of a gateway", shown(&via.value));
        line.bad(via, message, sink);
    }
    let metric = metric(line, sink);
    let destination = match (to.is("default"), gateway) {
        (true, Some(IpAddr::V6(_))) => Some(IpNet::V6(Ipv6Net::default())),
        (true, _) => Some(IpNet::V4(Ipv4Net::default())),
        (false, _) => destination(to, line, sink),
    };
    let (Some(destination), Some(gateway), Ok(metric)) = (destination, gateway, metric) else {
        return;
    };
    if gateway.is_ipv4() != destination.addr().is_ipv4() {
        let message = format!("gateway {gateway} and destination {destination} differ in family");
        line.bad(via, message, sink);
        return;
    }
    let last = line.arguments.last().map_or(line.head, |word| word.span);
    draft.routes.push(RouteDraft {
        route: Route {
            destination,
            via: Via::Gateway(gateway),
            metric,
            table: TABLE_MAIN,
            origin: line.origin.clone(),
        },
        span: line.head.to(last),
        gateway: via.span,
    });
}

fn destination(word: &Word, line: &Line<'_>, sink: &mut Sink) -> Option<IpNet> {
    let text = word.text();
    let Some(written) = host_network(&text) else {
        let message = format!("'{}' is not a network", shown(&word.value));
        let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, word.span, message);
        let fault = suggest(fault, word, ["default"]);
        sink.push(fault.with_help(format!("usage: {}", line.usage)));
        return None;
    };
    let net = network(&text)?;
    if written.addr() != net.addr() {
        let message = format!("'{}' has bits set outside its prefix", shown(&word.value));
        let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, word.span, message);
        let title = format!("did you mean '{net}' maybe ?");
        sink.push(fault.with_fix(word.span, net.to_string(), title));
        return None;
    }
    Some(net)
}

/// What follows the gateway.
fn metric(line: &Line<'_>, sink: &mut Sink) -> Result<Option<u32>, ()> {
    let Some(keyword) = line.arguments.get(2) else {
        return Ok(None);
    };
    if !keyword.is("metric") {
        let message = format!("unexpected argument '{}'", shown(&keyword.value));
        let fault = Diagnostic::alert(codes::UNKNOWN_SERVICE_WORD, keyword.span, message);
        let fault = suggest(fault, keyword, ["metric"]);
        sink.push(fault.with_help(format!("usage: {}", line.usage)));
        return Err(());
    }
    let word = line.require(3, "the metric", sink).ok_or(())?;
    line.end(4, sink);
    let text = word.text();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse().ok().filter(|_| digits) {
        Some(metric) => Ok(Some(metric)),
        None => {
            let message = format!(
                "'{}' is not a metric, a number from 0 to 4294967295",
                shown(&word.value)
            );
            line.bad(word, message, sink);
            Err(())
        }
    }
}

fn auto(draft: &mut NetworkDraft, line: &Line<'_>, sink: &mut Sink) {
    let Some(word) = line.require(0, "'on' or 'off'", sink) else {
        return;
    };
    line.end(1, sink);
    if !word.is("on") && !word.is("off") {
        line.bad(
            word,
            format!("'{}' is neither 'on' nor 'off'", shown(&word.value)),
            sink,
        );
        return;
    }
    if let Some(before) = draft.auto.replace(line.head) {
        let message = "'auto' is given twice in one block";
        let fault = Diagnostic::alert(codes::DUPLICATE_SERVICE, line.head, message);
        sink.push(fault.with_label(before, "first given here"));
        return;
    }
    let message = "'auto' is kept but not applied by this version";
    let fault = Diagnostic::notice(codes::NOT_APPLIED_YET, line.head, message);
    sink.push(fault.with_help("the link keeps the autonegotiation its driver chose"));
}
