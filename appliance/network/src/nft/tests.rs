use std::sync::Arc;

use super::*;
use crate::ports::Ports;
use crate::state::Family;

fn base(policy: Policy) -> Option<Base> {
    Some(Base {
        kind: "filter".to_owned(),
        hook: Hook::Forward,
        priority: 0,
        policy,
    })
}

fn chain(name: &str, policy: Policy, rules: &[&Rule]) -> Chain {
    Chain {
        name: name.to_owned(),
        base: base(policy),
        rules: rules.iter().map(|rule| (*rule).clone()).collect(),
    }
}

fn port(port: u16) -> Rule {
    let conditions = [
        Condition::Protocol(Protocol::TCP),
        Condition::DestinationPort(Ports::one(port)),
    ];
    Rule::new(&conditions, Action::Accept, "a service")
}

#[test]
fn a_rule_reads_as_nft_writes_it() {
    let show = |conditions: &[Condition], action| Rule::new(conditions, action, "why").to_string();
    let divert = [
        Condition::Protocol(Protocol::TCP),
        Condition::ForTransparentSocket,
    ];
    assert_eq!(
        show(&divert, Action::MarkAndAccept(1)),
        "meta l4proto tcp socket transparent 1 meta mark set meta mark | 0x1 accept comment \"why\""
    );
    let flow = [
        Condition::InterfaceIn(Arc::from("eth0.100")),
        Condition::InterfaceOut(Arc::from("eth1")),
        Condition::From("10.0.0.0/8".parse().unwrap()),
        Condition::To("192.0.2.1/32".parse().unwrap()),
        Condition::Protocol(Protocol::UDP),
        Condition::DestinationPort(Ports {
            first: 53,
            last: 54,
        }),
        Condition::SourcePort(Ports::one(9)),
    ];
    assert_eq!(
        show(&flow, Action::Drop),
        "iifname \"eth0.100\" oifname \"eth1\" meta nfproto ipv4 ip saddr 10.0.0.0/8 meta nfproto \
         ipv4 ip daddr 192.0.2.1 meta l4proto udp udp dport 53-54 udp sport 9 counter drop comment \
         \"why\""
    );
    let six = [
        Condition::Established,
        Condition::From("fd00::/8".parse().unwrap()),
        Condition::To("::/0".parse().unwrap()),
        Condition::Protocol(Protocol::ICMPV6),
        Condition::IcmpType(135),
        Condition::Family(Family::V6),
    ];
    assert_eq!(
        show(&six, Action::Accept),
        "ct state established,related meta nfproto ipv6 ip6 saddr fd00::/8 meta nfproto ipv6 meta \
         l4proto ipv6-icmp ipv6-icmp type 135 meta nfproto ipv6 accept comment \"why\""
    );
}

#[test]
fn a_comment_is_cut_between_two_letters() {
    let rule = Rule::new(&[], Action::Accept, &"ā".repeat(70));
    assert_eq!(rule.comment.unwrap().len(), 126);
}

#[test]
fn while_it_changes_what_passed_and_what_will_pass_both_pass() {
    let (http, https, dns) = (port(80), port(443), port(53));
    let drop = Rule::new(&[], Action::Drop, "the rest");
    let old = Table {
        chains: vec![
            chain("input", Policy::Drop, &[&http, &dns, &drop]),
            chain("forward", Policy::Drop, &[]),
            chain("opening", Policy::Drop, &[&dns]),
            chain("closing", Policy::Accept, &[]),
        ],
    };
    let new = Table {
        chains: vec![
            chain("input", Policy::Drop, &[&https, &http]),
            chain("opening", Policy::Accept, &[]),
            chain("closing", Policy::Drop, &[&https]),
        ],
    };
    let both = new.with_what_passes_in(&old);
    let wanted = Table {
        chains: vec![
            chain("input", Policy::Drop, &[&https, &http, &dns]),
            chain("opening", Policy::Drop, &[&dns]),
            chain("closing", Policy::Drop, &[&https]),
            chain("forward", Policy::Drop, &[]),
        ],
    };
    assert_eq!(both, wanted);
    assert_eq!(new.with_what_passes_in(&new), new);
    assert_eq!(new.with_what_passes_in(&Table::default()), new);
}
