//! `vrrp ...` lines of an interface, and `service vrrp`.

use std::num::NonZeroU8;
use std::time::Duration;

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::Origin;
use lanai_model::services::{Address, Common, Named, Vrrp, VrrpInstance};

use super::line::Line;
use super::network::NetworkDraft;
use super::table::Row;
use crate::codes;
use crate::lexer::Word;

/// A virtual router of an interface.
pub(super) struct VrrpDraft {
    pub(super) id: NonZeroU8,
    /// The identifier.
    pub(super) span: Span,
    pub(super) addresses: Vec<(Address, Span)>,
    priority: Option<u8>,
    interval: Option<Duration>,
    preempt: Option<bool>,
    garp: Option<Duration>,
    origin: Origin,
}

impl VrrpDraft {
    /// `None` without an address, which is reported by the checks.
    pub(super) fn finish(self) -> Option<VrrpInstance> {
        if self.addresses.is_empty() {
            return None;
        }
        Some(VrrpInstance {
            id: self.id,
            priority: self.priority.unwrap_or(100),
            interval: self.interval.unwrap_or(Duration::from_secs(1)),
            preempt: self.preempt.unwrap_or(true),
            garp: self.garp,
            addresses: self
                .addresses
                .into_iter()
                .map(|(address, _)| address)
                .collect(),
            origin: self.origin,
        })
    }
}

pub(super) fn id(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the identifier")?;
    let number = line.number(word, "a virtual router", 1..=255)?;
    let id = u8::try_from(number).ok().and_then(NonZeroU8::new)?;
    draft.vrrp.push(VrrpDraft {
        id,
        span: word.span,
        addresses: Vec::new(),
        priority: None,
        interval: None,
        preempt: None,
        garp: None,
        origin: line.origin.clone(),
    });
    Some(())
}

/// The virtual router that a line belongs to.
fn current<'d>(draft: &'d mut NetworkDraft, line: &mut Line<'_>) -> Option<&'d mut VrrpDraft> {
    let current = draft.vrrp.last_mut();
    if current.is_none() {
        let message = "this line belongs to no virtual router";
        let fault = Diagnostic::alert(codes::OUT_OF_SERVICE, line.head, message);
        line.sink
            .push(fault.with_help("start one with 'vrrp id <1 to 255>' above it"));
    }
    current
}

/// Sets what a virtual router has once.
fn set<T>(place: &mut Option<T>, value: T, line: &mut Line<'_>) -> Option<()> {
    if place.replace(value).is_some() {
        let message = "this virtual router has such a line already";
        line.sink
            .alert(codes::DUPLICATE_SERVICE, line.head, message);
        return None;
    }
    Some(())
}

pub(super) fn priority(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let router = current(draft, line)?;
    let word = line.require("the priority")?;
    let number = line.number(word, "a priority", 1..=254)?;
    set(&mut router.priority, u8::try_from(number).ok()?, line)
}

pub(super) fn address(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let router = current(draft, line)?;
    let word = line.require("the address")?;
    let net = line.host_address(word)?;
    if let Some((first, _)) = router.addresses.first()
        && first.net.addr().is_ipv4() != net.addr().is_ipv4()
    {
        let problem = "and the first address of this virtual router differ in family";
        return line.bad(word, problem);
    }
    let origin = line.origin.clone();
    router.addresses.push((Address { net, origin }, word.span));
    Some(())
}

pub(super) fn interval(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let router = current(draft, line)?;
    let word = line.require("the time")?;
    let Some(hundredths) = hundredths(word) else {
        let problem = "is not a time from 0.01 to 40.95 seconds in hundredths of a second";
        return line.bad(word, problem);
    };
    let interval = Duration::from_millis(u64::from(hundredths) * 10);
    set(&mut router.interval, interval, line)
}

/// `S`, `S.d` or `S.dd` in hundredths, as many as an advertisement can say (RFC 9568, 5.2.7).
fn hundredths(word: &Word) -> Option<u16> {
    let text = word.text();
    let (whole, part) = text.split_once('.').unwrap_or((text.as_ref(), "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    let tenths = part.len() == 1;
    let part: u32 = part.parse().ok()?;
    let all = whole.parse::<u32>().ok()?.checked_mul(100)? + if tenths { part * 10 } else { part };
    u16::try_from(all)
        .ok()
        .filter(|all| (1..=4095).contains(all))
}

pub(super) fn preempt(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let router = current(draft, line)?;
    let preempt = line.switch()?;
    set(&mut router.preempt, preempt, line)
}

pub(super) fn garp(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let router = current(draft, line)?;
    let word = line.require("the time")?;
    let seconds = line.number(word, "a time in seconds", 1..=86_400)?;
    set(&mut router.garp, Duration::from_secs(seconds.into()), line)
}

/// `service vrrp`.
#[derive(Default)]
pub(super) struct GroupsDraft {
    pub(super) groups: Vec<Vec<(Named, Span)>>,
    pub(super) track_svc: Vec<(Named, Span)>,
    pub(super) track_mgt: Vec<(Named, Span)>,
}

/// Services that can be tracked, and those that are management.
const SERVICES: [&str; 1] = ["haproxy"];
const MANAGEMENT: [&str; 5] = ["sshd", "wui", "snmpd", "syslogd", "ntpd"];

/// Why nothing is done about virtual routers.
pub(super) const NOBODY: &str = "nothing here speaks VRRP: no address moves to this box when another one fails. On a \
     Debian machine keepalived does; the addresses that it sets are left alone. Of this line only two things follow: \
     listeners on the router's addresses start without them, and the firewall lets VRRP in by this interface";

/// The same, of what the routers have in common.
const NOBODY_EITHER: &str =
    "nothing here speaks VRRP; keepalived has groups and tracking of its own";

/// Lines of `service vrrp`.
pub(super) const ROWS: &[Row<GroupsDraft>] = &[
    Row::aloha(
        "group",
        "<interface> [<interface> ...]",
        "Makes the virtual routers of these interfaces master together or not at all.",
        group,
    )
    .many()
    .ignored(NOBODY_EITHER),
    Row::aloha(
        "track_svc",
        "<service> [<service> ...]",
        "Lowers the priority while one of these services fails.",
        track_svc,
    )
    .ignored(NOBODY_EITHER),
    Row::aloha(
        "track_mgt",
        "<service> [<service> ...]",
        "Lowers the priority while one of these services of management fails.",
        track_mgt,
    )
    .ignored(NOBODY_EITHER),
];

impl GroupsDraft {
    pub(super) fn finish(self, common: Common) -> Vrrp {
        let names = |pairs: Vec<(Named, Span)>| pairs.into_iter().map(|(named, _)| named).collect();
        Vrrp {
            common,
            groups: self.groups.into_iter().map(names).collect(),
            track_svc: names(self.track_svc),
            track_mgt: names(self.track_mgt),
        }
    }
}

fn group(draft: &mut GroupsDraft, line: &mut Line<'_>) -> Option<()> {
    let mut group = Vec::new();
    for word in line.rest("the interface")? {
        let name = line.interface(word)?;
        let origin = line.origin.clone();
        group.push((Named { name, origin }, word.span));
    }
    draft.groups.push(group);
    Some(())
}

fn track_svc(draft: &mut GroupsDraft, line: &mut Line<'_>) -> Option<()> {
    for word in line.rest("the service")? {
        let named = tracked(line, word, &SERVICES)?;
        draft.track_svc.push((named, word.span));
    }
    Some(())
}

fn track_mgt(draft: &mut GroupsDraft, line: &mut Line<'_>) -> Option<()> {
    for word in line.rest("the service")? {
        let named = tracked(line, word, &MANAGEMENT)?;
        draft.track_mgt.push((named, word.span));
    }
    Some(())
}

fn tracked(line: &mut Line<'_>, word: &Word, known: &[&'static str]) -> Option<Named> {
    if word.is("ipvsd") {
        return line.bad(
            word,
            "is not here: there is no load balancing in the kernel to track",
        );
    }
    let values: Vec<_> = known.iter().map(|name| (*name, *name)).collect();
    let name = line.one_of(word, &values)?;
    Some(Named {
        name: name.into(),
        origin: line.origin.clone(),
    })
}
