//! The arguments of one line, taken one by one; whatever is wrong with one is reported here.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::ops::RangeInclusive;
use std::sync::Arc;

use ipnet::IpNet;
use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::Origin;

use super::table::{DirectiveInfo, listed, span_of, unexpected};
use crate::codes;
use crate::lexer::Word;
use crate::outcome::Sink;
use crate::value::{host_network, is_interface_name, network, shown, suggest};

/// A line of a block.
pub(super) struct Line<'a> {
    /// The words of its name.
    pub(super) head: Span,
    pub(super) origin: &'a Origin,
    pub(super) sink: &'a mut Sink,
    info: &'static DirectiveInfo,
    words: &'a [Word],
    at: usize,
}

impl<'a> Line<'a> {
    /// The line of these words, which start with the row's name.
    pub(super) fn new(
        info: &'static DirectiveInfo,
        words: &'a [Word],
        origin: &'a Origin,
        sink: &'a mut Sink,
    ) -> Self {
        let name = info.name.split(' ').count().min(words.len());
        let (head, words) = words.split_at(name);
        Self {
            head: span_of(head),
            origin,
            sink,
            info,
            words,
            at: 0,
        }
    }

    /// The whole line.
    pub(super) fn span(&self) -> Span {
        self.words
            .last()
            .map_or(self.head, |last| self.head.to(last.span))
    }

    /// The next argument.
    pub(super) fn take(&mut self) -> Option<&'a Word> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    /// The next argument, left where it is.
    pub(super) fn peek(&self) -> Option<&'a Word> {
        self.words.get(self.at)
    }

    /// Takes the next argument if it is this word.
    pub(super) fn take_if(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_some_and(|word| word.is(keyword));
        self.at += usize::from(found);
        found
    }

    /// All that is left, at least one.
    pub(super) fn rest(&mut self, what: &str) -> Option<&'a [Word]> {
        let rest = self.words.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return self.require(what).map(|_| rest);
        }
        self.at = self.words.len();
        Some(rest)
    }

    /// The next argument, which must be there.
    pub(super) fn require(&mut self, what: &str) -> Option<&'a Word> {
        let word = self.take();
        if word.is_none() {
            let fault = Diagnostic::alert(
                codes::BAD_SERVICE_VALUE,
                self.head,
                format!("{what} is missing"),
            );
            self.push_with_usage(fault);
        }
        word
    }

    /// Reports what is left over.
    pub(super) fn end(&mut self) {
        if let Some(extra) = self.take() {
            unexpected(extra, &self.info.usage(), self.sink);
        }
    }

    /// Reports a word that cannot be taken: "'WORD' PROBLEM".
    pub(super) fn bad<T>(&mut self, word: &Word, problem: &str) -> Option<T> {
        let message = format!("'{}' {problem}", shown(&word.value));
        let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, word.span, message);
        self.push_with_usage(fault);
        None
    }

    /// Warns that nothing is done about the line.
    pub(super) fn ignored(&mut self, why: &str) {
        let message = format!("'{}' is accepted and ignored", self.info.name);
        let fault = Diagnostic::warning(codes::IGNORED, self.head, message);
        self.sink.push(fault.with_help(why));
    }

    /// Options that follow, each a name and a value, in any order and once each. `take` reads the
    /// value; `None` means it was reported.
    pub(super) fn options(
        &mut self,
        names: &[&'static str],
        mut take: impl FnMut(&mut Self, &'static str, &'a Word) -> Option<()>,
    ) -> Option<()> {
        let mut seen: Vec<&'static str> = Vec::new();
        while let Some(word) = self.take() {
            let Some(name) = names.iter().copied().find(|name| word.is(name)) else {
                return self.unknown_option(word, names);
            };
            if seen.contains(&name) {
                return self.bad(word, "is given twice on one line");
            }
            seen.push(name);
            let value = self.require(&format!("the value of '{name}'"))?;
            take(self, name, value)?;
        }
        Some(())
    }

    fn unknown_option(&mut self, word: &Word, names: &[&'static str]) -> Option<()> {
        let message = format!("unexpected argument '{}'", shown(&word.value));
        let fault = Diagnostic::alert(codes::UNKNOWN_SERVICE_WORD, word.span, message);
        let fault = suggest(fault, word, names.iter().copied());
        self.push_with_usage(fault);
        None
    }

    fn push_with_usage(&mut self, fault: Diagnostic) {
        let usage = self.info.usage();
        self.sink.push(fault.with_help(format!("usage: {usage}")));
    }

    /// One of several words.
    pub(super) fn one_of<V: Copy>(&mut self, word: &Word, values: &[(&str, V)]) -> Option<V> {
        if let Some((_, value)) = values.iter().find(|(name, _)| word.is(name)) {
            return Some(*value);
        }
        let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
        let message = match names.as_slice() {
            [one, other] => format!("'{}' is neither '{one}' nor '{other}'", shown(&word.value)),
            names => format!("'{}' is not {}", shown(&word.value), listed(names)),
        };
        let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, word.span, message);
        let fault = suggest(fault, word, names);
        self.push_with_usage(fault);
        None
    }

    /// `on` or `off`.
    pub(super) fn switch(&mut self) -> Option<bool> {
        let word = self.require("'on' or 'off'")?;
        self.one_of(word, &[("on", true), ("off", false)])
    }

    /// A decimal number; `what` ends the sentence "'x' is not ...".
    pub(super) fn number(
        &mut self,
        word: &Word,
        what: &str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let text = word.text();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<u32> = text.parse().ok().filter(|_| digits);
        match number.filter(|number| range.contains(number)) {
            Some(number) => Some(number),
            None => {
                let (low, high) = (range.start(), range.end());
                let problem = format!("is not {what}, a number from {low} to {high}");
                self.bad(word, &problem)
            }
        }
    }

    /// A port that can be listened on.
    pub(super) fn port(&mut self, word: &Word) -> Option<NonZeroU16> {
        let port = self.number(word, "a port", 1..=65535)?;
        u16::try_from(port).ok().and_then(NonZeroU16::new)
    }

    /// `PORT`, `PORT:PORT` or `PORT-PORT`.
    pub(super) fn ports(&mut self, word: &Word) -> Option<RangeInclusive<u16>> {
        let text = word.text();
        let (low, high) = text
            .split_once([':', '-'])
            .unwrap_or((text.as_ref(), text.as_ref()));
        let port = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u16>().ok().filter(|port| digits && *port > 0)
        };
        match (port(low), port(high)) {
            (Some(low), Some(high)) if low <= high => Some(low..=high),
            (Some(_), Some(_)) => self.bad(word, "ends before it starts"),
            _ => self.bad(word, "is not a port or a range of ports, such as 8000-8010"),
        }
    }

    /// An IP address.
    pub(super) fn ip(&mut self, word: &Word) -> Option<IpAddr> {
        match word.text().parse() {
            Ok(address) => Some(address),
            Err(_) => self.bad(word, "is not an IP address"),
        }
    }

    /// The address of a host, with the prefix length of its network.
    pub(super) fn host_address(&mut self, word: &Word) -> Option<IpNet> {
        let text = word.text();
        let Some(net) = host_network(&text).filter(|_| text.contains('/')) else {
            return self.bad(word, "is not an address with a prefix length or mask");
        };
        let address = net.addr();
        if address.is_unspecified() || address.is_multicast() {
            return self.bad(word, "is not the address of a host");
        }
        if is_network_or_broadcast(&net) {
            let problem = "is the network's own or its broadcast address, not a host's";
            return self.bad(word, problem);
        }
        Some(net)
    }

    /// A network, host bits zero; a lone address is its own.
    pub(super) fn network(&mut self, word: &Word) -> Option<IpNet> {
        self.network_or(word, &[])
    }

    /// A network, where other words may stand too.
    pub(super) fn network_or(&mut self, word: &Word, others: &[&str]) -> Option<IpNet> {
        let text = word.text();
        let (Some(written), Some(net)) = (host_network(&text), network(&text)) else {
            let message = format!("'{}' is not a network", shown(&word.value));
            let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, word.span, message);
            let fault = suggest(fault, word, others.iter().copied());
            self.push_with_usage(fault);
            return None;
        };
        if written.addr() != net.addr() {
            let message = format!("'{}' has bits set outside its prefix", shown(&word.value));
            let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, word.span, message);
            let title = format!("did you mean '{net}' maybe ?");
            self.sink
                .push(fault.with_fix(word.span, net.to_string(), title));
            return None;
        }
        Some(net)
    }

    /// The name of an interface.
    pub(super) fn interface(&mut self, word: &Word) -> Option<Arc<str>> {
        let text = word.text();
        match is_interface_name(&text) {
            true => Some(Arc::from(text)),
            false => self.bad(word, "cannot be the name of an interface"),
        }
    }

    /// A host's name or address.
    pub(super) fn host(&mut self, word: &Word) -> Option<Arc<str>> {
        let text = word.text();
        if text.parse::<IpAddr>().is_ok() || is_host_name(&text) {
            return Some(Arc::from(text));
        }
        self.bad(word, "is neither a host's name nor an address")
    }

    /// `HOST[:PORT]`, `[IPV6]:PORT`.
    pub(super) fn host_port(
        &mut self,
        word: &Word,
        port: NonZeroU16,
    ) -> Option<(Arc<str>, NonZeroU16)> {
        let text = word.text();
        let Some((host, written)) = split_port(&text) else {
            return self.bad(word, "is no host with a port, such as 10.0.0.1:514");
        };
        if host.parse::<IpAddr>().is_err() && !is_host_name(host) {
            return self.bad(word, "is neither a host's name nor an address");
        }
        let port = match written.map(port_of) {
            None => port,
            Some(Some(port)) => port,
            Some(None) => return self.bad(word, "has no port from 1 to 65535 after its ':'"),
        };
        Some((Arc::from(host), port))
    }

    /// An address of the box to listen on: `ADDRESS[:PORT]`, `*[:PORT]`.
    pub(super) fn listen(&mut self, word: &Word, port: u16) -> Option<SocketAddr> {
        let text = word.text();
        let parts = split_port(&text).and_then(|(host, written)| {
            let address = match host {
                "*" | "" => IpAddr::from([0; 4]),
                host => host.parse().ok()?,
            };
            let port = match written {
                None => port,
                Some(written) => port_of(written)?.get(),
            };
            Some(SocketAddr::new(address, port))
        });
        match parts {
            Some(address) => Some(address),
            None => self.bad(word, "is no address to listen on, such as 10.0.0.2:4444"),
        }
    }
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

/// Host and what follows its port's colon.
fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    if text.parse::<IpAddr>().is_ok() {
        return Some((text, None));
    }
    match text.rsplit_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((text, None)),
    }
}

fn port_of(text: &str) -> Option<NonZeroU16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// Whether this can be a host's name: labels of letters, digits and `-` (RFC 1123, 2.1), and not
/// something that was meant for an address.
pub(super) fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let numeric = name
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    name.len() <= 253 && name.split('.').all(label) && !numeric
}
