//! Routes and policy rules.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use lanai_model::services::{self, Network, Services, TABLE_TRANSPARENT, Via};

use super::transparent::Transparent;
use super::{WantedRoute, WantedRule};
use crate::RULE_PRIORITIES;
use crate::rule::{Mark, PolicyRule, RuleAction};
use crate::state::{Family, Route, RouteKind, effective_metric};

/// Those of the text, and in transparent mode the one that takes everything for the box's own.
pub(super) fn routes(services: &Services, transparent: &Transparent) -> Vec<WantedRoute> {
    let networks = services.active_networks();
    let written = networks.flat_map(|network| {
        let routes = network.routes.iter();
        routes.map(|route| written_route(network, route))
    });
    let divert = transparent.families().map(|(family, origin)| WantedRoute {
        route: Route {
            table: TABLE_TRANSPARENT,
            destination: everything(family),
            metric: effective_metric(everything(family), None),
            kind: RouteKind::Local,
            gateway: None,
            interface: Some("lo".into()),
        },
        origin: origin.clone(),
    });
    written.chain(divert).collect()
}

fn written_route(network: &Network, route: &services::Route) -> WantedRoute {
    let interface = Some(network.interface.clone());
    let (kind, gateway, interface) = match route.via {
        Via::Gateway(gateway) => (RouteKind::Unicast, Some(gateway), interface),
        Via::Link => (RouteKind::Unicast, None, interface),
        Via::Blackhole => (RouteKind::Blackhole, None, None),
    };
    WantedRoute {
        route: Route {
            table: route.table,
            destination: route.destination.trunc(),
            metric: effective_metric(route.destination, route.metric),
            kind,
            gateway,
            interface,
        },
        origin: route.origin.clone(),
    }
}

/// Transparent mode's, then those of the text: where they say, or behind those in the order written.
pub(super) fn rules(services: &Services, transparent: &Transparent) -> Vec<WantedRule> {
    let divert = transparent.families().map(|(family, origin)| WantedRule {
        rule: PolicyRule {
            family,
            priority: *RULE_PRIORITIES.start(),
            from: None,
            to: None,
            interface: None,
            mark: Some(Mark {
                value: TRANSPARENT_MARK,
                mask: TRANSPARENT_MARK,
            }),
            action: RuleAction::Lookup(TABLE_TRANSPARENT),
        },
        why: "packets of transparent sockets are the box's own".to_owned(),
        origin: origin.clone(),
    });
    let mut rules: Vec<WantedRule> = divert.collect();
    let mut next = *services::Rule::PRIORITIES.end();
    let written = services.active_networks().flat_map(|n| &n.rules);
    for rule in written {
        let priority = rule.priority.unwrap_or_else(|| {
            // More than a thousand of them share the last place, in the order written.
            next = next.saturating_add(1).min(*RULE_PRIORITIES.end());
            next
        });
        let families = [Family::V4, Family::V6].into_iter();
        for family in families.filter(|family| rule.is_for(*family == Family::V4)) {
            rules.push(WantedRule {
                rule: written_rule(rule, family, priority),
                why: "it is not there".to_owned(),
                origin: rule.origin.clone(),
            });
        }
    }
    rules
}

fn written_rule(rule: &services::Rule, family: Family, priority: u32) -> PolicyRule {
    PolicyRule {
        family,
        priority,
        from: rule.from.filter(|net| net.prefix_len() > 0),
        to: rule.to.filter(|net| net.prefix_len() > 0),
        interface: rule.iif.clone(),
        mark: rule.fwmark.map(|mark| Mark {
            value: mark.value,
            mask: mark.mask,
        }),
        action: RuleAction::Lookup(rule.table),
    }
}

fn everything(family: Family) -> IpNet {
    match family {
        Family::V4 => Ipv4Net::default().into(),
        Family::V6 => Ipv6Net::default().into(),
    }
}

/// The bit of a packet's mark that says it is for a transparent socket.
pub(super) const TRANSPARENT_MARK: u32 = 1;
