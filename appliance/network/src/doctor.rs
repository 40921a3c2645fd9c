//! The check list of article 2, for the configuration that runs and for this box: what it needs of
//! the proxy, the kernel, the settings, the packet filter, the routing and the text itself, and of
//! each whether it is there.

use lanai_model::Origin;
use lanai_model::layer7::{self, Bind, ListenAddress};
use lanai_model::services::{LinkKind, Services};
use serde::{Deserialize, Serialize};

use crate::desired::Desired;
use crate::desired::transparent::Transparent;
use crate::facts::{Capability, Facts, Feature, Presence, Tried};
use crate::link::LinkKind as LinkForm;
use crate::nft::Expression;
use crate::observed::Observed;
use crate::plan::{Plan, plan};
use crate::problem::Note;
use crate::state::Family;
use crate::step::{PlannedStep, Step};

/// A step of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 1. What the proxy must be able to do.
    Proxy,
    /// 2. What the kernel must have been built with.
    Kernel,
    /// 3. Kernel settings.
    Settings,
    /// 4. Packet filter rules.
    Filter,
    /// 5. Addresses, routes, and the rules that choose among routing tables.
    Routing,
    /// 6. The configuration itself.
    Configuration,
}

impl Stage {
    /// In order.
    pub const ALL: [Self; 6] = [
        Self::Proxy,
        Self::Kernel,
        Self::Settings,
        Self::Filter,
        Self::Routing,
        Self::Configuration,
    ];

    /// For people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Proxy => "Proxy support",
            Self::Kernel => "Kernel options",
            Self::Settings => "Kernel settings (sysctl)",
            Self::Filter => "Firewall rules",
            Self::Routing => "Addresses, routes and policy rules",
            Self::Configuration => "Configuration",
        }
    }
}

/// Whether something is as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It is.
    Good,
    /// It cannot be told from here.
    Unknown,
    /// It is not.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Where it belongs.
    pub stage: Stage,
    /// What is needed, and for what.
    pub what: String,
    /// How it is.
    pub health: Health,
    /// What was found.
    pub found: String,
    /// What to do, if it is not good.
    pub fix: Option<String>,
    /// The line that needs it.
    pub origin: Option<Origin>,
}

/// Looks at everything that the configuration needs.
pub fn examine(
    services: &Services,
    config: &layer7::Config,
    desired: &Desired,
    facts: &Facts,
    observed: &Observed,
) -> Vec<Finding> {
    let mut examination = Examination {
        findings: Vec::new(),
        facts,
        observed,
    };
    examination.proxy(config, desired);
    examination.kernel(services, desired);
    let plan = plan(desired, observed);
    examination.state(desired, &plan);
    examination.configuration(config, &plan);
    let mut findings = examination.findings;
    findings.sort_by_key(|finding| Stage::ALL.iter().position(|stage| *stage == finding.stage));
    findings
}

struct Examination<'a> {
    findings: Vec<Finding>,
    facts: &'a Facts,
    observed: &'a Observed,
}

impl Examination<'_> {
    fn find(
        &mut self,
        stage: Stage,
        what: impl Into<String>,
        (health, found): (Health, String),
        fix: &str,
        origin: Option<&Origin>,
    ) {
        self.findings.push(Finding {
            stage,
            what: what.into(),
            health,
            found,
            fix: (health != Health::Good).then(|| fix.to_owned()),
            origin: origin.cloned(),
        });
    }

    fn proxy(&mut self, config: &layer7::Config, desired: &Desired) {
        let binds = || config.proxies.iter().flat_map(|proxy| &proxy.binds);
        let low = binds().find(|bind| port(bind).is_some_and(|port| port < 1024));
        if let Some(bind) = low {
            let what = "the engine may listen on ports below 1024";
            self.engine(what, &[Capability::NET_BIND_SERVICE], &bind.origin);
        }
        if let Some(bind) = binds().find(|bind| bind.interface.is_some()) {
            let what = "the engine may listen on one interface alone (SO_BINDTODEVICE)";
            self.engine(what, &[Capability::NET_RAW], &bind.origin);
        }
        let transparent = Transparent::of(config);
        if let Some((_, line)) = transparent.families().next() {
            let what = "the engine may make transparent sockets (IP_TRANSPARENT)";
            self.engine(what, &[Capability::NET_RAW, Capability::NET_ADMIN], line);
            for (family, tried) in [Family::V4, Family::V6].iter().zip(&self.facts.transparent) {
                let Some(line) = transparent.line(*family) else {
                    continue;
                };
                let found = match tried {
                    Tried::Works => (Health::Good, "a socket could be made so".to_owned()),
                    Tried::Untried => (Health::Unknown, "it was not tried".to_owned()),
                    Tried::Fails(why) => (Health::Bad, why.clone()),
                };
                let fix = "use a kernel with CONFIG_NETFILTER and this family of IP, and start \
                           Lanai with CAP_NET_ADMIN or CAP_NET_RAW";
                let what = format!("transparent sockets of {}", name(*family));
                self.find(Stage::Proxy, what, found, fix, Some(line));
            }
        }
        if *desired != Desired::default() {
            let found = match self.facts.parent.has(Capability::NET_ADMIN) {
                true => (Health::Good, "it has CAP_NET_ADMIN".to_owned()),
                false => (Health::Bad, "it has no CAP_NET_ADMIN".to_owned()),
            };
            let fix = "start `lanai daemon` as root with CAP_NET_ADMIN in its bounding set \
                       (systemd: CapabilityBoundingSet)";
            self.find(
                Stage::Proxy,
                "the parent may set up the network",
                found,
                fix,
                None,
            );
        }
        if let Some(files) = self.facts.descriptors {
            let wanted = connections(config);
            let found = match files >= wanted {
                true => Health::Good,
                false => Health::Bad,
            };
            let found = (found, format!("{files}; {wanted} are needed"));
            let fix = "raise the limit of open files of the service (systemd: LimitNOFILE), or \
                       lower `maxconn`";
            let what = "open files for all connections that `maxconn` allows";
            self.find(Stage::Proxy, what, found, fix, None);
        }
    }

    /// A right of the engine: one of these capabilities is enough.
    fn engine(&mut self, what: &str, any: &[Capability], line: &Origin) {
        let found = match self.facts.engine {
            None => (Health::Unknown, "the engine does not run".to_owned()),
            Some(has) => match any.iter().find(|one| has.has(**one)) {
                Some(one) => (Health::Good, format!("it has {one}")),
                None => {
                    let names: Vec<String> = any.iter().map(ToString::to_string).collect();
                    (Health::Bad, format!("it has no {}", names.join(" or ")))
                }
            },
        };
        let fix = "start `lanai daemon` as root with these capabilities in its bounding set \
                   (systemd: CapabilityBoundingSet), then `lanai upgrade`";
        self.find(Stage::Proxy, what, found, fix, Some(line));
    }

    fn kernel(&mut self, services: &Services, desired: &Desired) {
        let chains = desired.chains.first();
        let filters = || desired.chains.iter().flat_map(|chain| &chain.rules);
        let has = |wanted: fn(&Expression) -> bool| {
            let found = filters().find(|it| it.rule.expressions.iter().any(wanted));
            found.map(|it| &it.origin)
        };
        let rule = |family| desired.rules.iter().find(|it| it.rule.family == family);
        let six = desired
            .addresses
            .iter()
            .find(|it| it.address.net.addr().is_ipv6());
        let kind = |wanted: fn(&LinkKind) -> bool| {
            let mut networks = services.active_networks();
            networks
                .find(|network| wanted(&network.link.kind))
                .map(|it| &it.origin)
        };
        let needs = [
            (
                Feature::Tables,
                "rules for packets",
                chains.map(|it| &it.origin),
            ),
            (
                Feature::InetTables,
                "one table for IPv4 and IPv6",
                chains.map(|it| &it.origin),
            ),
            (
                Feature::SocketMatch,
                "packets of transparent sockets are found",
                has(looks_at_socket),
            ),
            (
                Feature::ConnectionTracking,
                "answers pass the filter",
                has(looks_at_connection),
            ),
            (
                Feature::FibMatch,
                "a zone reaches only its own addresses",
                has(looks_at_destination),
            ),
            (
                Feature::PolicyRouting,
                "rules choose among routing tables",
                rule(Family::V4).map(|it| &it.origin),
            ),
            (
                Feature::PolicyRouting6,
                "the same for IPv6",
                rule(Family::V6).map(|it| &it.origin),
            ),
            (Feature::Ipv6, "IPv6 addresses", six.map(|it| &it.origin)),
            (
                Feature::Vlan,
                "tagged frames",
                kind(|kind| matches!(kind, LinkKind::Vlan { .. })),
            ),
            (
                Feature::Bonding,
                "several links as one",
                kind(|kind| matches!(kind, LinkKind::Bond(_))),
            ),
            (
                Feature::Bridge,
                "several links as one switch",
                kind(|kind| matches!(kind, LinkKind::Bridge(_))),
            ),
            (
                Feature::Dummy,
                "an interface without hardware",
                kind(|kind| matches!(kind, LinkKind::Dummy)),
            ),
        ];
        for (feature, why, origin) in needs {
            if let Some(origin) = origin {
                self.feature(feature, why, origin);
            }
        }
    }

    fn feature(&mut self, feature: Feature, why: &str, origin: &Origin) {
        let presence = self.facts.features.get(&feature).copied();
        let found = match presence.unwrap_or(Presence::Unknown) {
            // Where nothing else tells, its work does.
            Presence::Unknown if is_at_work(feature, self.observed) => {
                (Health::Good, "at work on this box".to_owned())
            }
            Presence::Here => (Health::Good, "there".to_owned()),
            Presence::Loadable => (
                Health::Good,
                "a module that is loaded when needed".to_owned(),
            ),
            Presence::Missing => (
                Health::Bad,
                format!("Linux {} has it not", self.facts.release),
            ),
            Presence::Unknown => (
                Health::Unknown,
                "neither the kernel's configuration nor its modules can be read here".to_owned(),
            ),
        };
        let fix = match (presence, feature.module()) {
            (Some(Presence::Missing), Some(module)) => format!(
                "install a kernel with {}=y or m, or the package with its module {module}",
                feature.option()
            ),
            (Some(Presence::Missing), None) => {
                format!("install a kernel with {}=y", feature.option())
            }
            _ => format!(
                "look for {} in the configuration of Linux {}",
                feature.option(),
                self.facts.release
            ),
        };
        let what = format!("{} ({why})", feature.option());
        self.find(Stage::Kernel, what, found, &fix, Some(origin));
    }

    /// Settings, filter and routing: what is wanted, against the plan of what is missing.
    fn state(&mut self, desired: &Desired, plan: &Plan) {
        let lists = [
            (
                Stage::Settings,
                desired.sysctls.len(),
                "settings are as wanted",
            ),
            (
                Stage::Filter,
                desired.chains.iter().map(|chain| chain.rules.len()).sum(),
                "rules are in our table",
            ),
            (
                Stage::Routing,
                desired.addresses.len() + desired.routes.len() + desired.rules.len(),
                "addresses, routes and policy rules are in place",
            ),
        ];
        for (stage, count, what) in lists {
            let missing: Vec<&PlannedStep> = plan
                .steps()
                .filter(|it| stage_of(&it.step) == stage)
                .collect();
            if missing.is_empty() && count > 0 {
                let found = (Health::Good, "all of them".to_owned());
                self.find(stage, format!("{count} {what}"), found, "", None);
            }
            for planned in missing {
                let fix = "wait a second: what others change is put back; if it stays, the log \
                           says why, and `lanai apply` tries again";
                let found = (Health::Bad, planned.why.clone());
                let what = planned.step.to_string();
                self.find(stage, what, found, fix, planned.origin.as_ref());
            }
        }
    }

    /// What is as the text says on another box or kernel only.
    fn note(&mut self, note: &Note) {
        let (health, fix) = match note {
            // A standby is meant to be so; and where somebody has a port, a server takes the next.
            Note::Absent { .. } | Note::NotReserved { .. } => (Health::Good, ""),
            Note::NotManaged { .. } => (
                Health::Unknown,
                "see to it on the machine itself, or remove the line",
            ),
            // A comfort on kernels that have it; the plan tells.
            Note::NoSuchSetting { .. } => return,
            Note::NotYetThere { .. } => (Health::Unknown, "load the module that brings it"),
            Note::OneModeOnly { .. } => (Health::Unknown, "remove the line"),
        };
        let found = (health, note.to_string());
        self.find(
            Stage::Configuration,
            "what the text asks for can be done here",
            found,
            fix,
            None,
        );
    }

    fn configuration(&mut self, config: &layer7::Config, plan: &Plan) {
        for problem in &plan.problems {
            let found = (Health::Bad, problem.to_string());
            let fix = "change the line, or what stands in its way";
            let what = "what the text asks of the network can be had";
            self.find(
                Stage::Configuration,
                what,
                found,
                fix,
                Some(problem.origin()),
            );
        }
        if plan.problems.is_empty() {
            let found = (Health::Good, "no contradiction with the box".to_owned());
            self.find(
                Stage::Configuration,
                "what the text asks of the network can be had",
                found,
                "",
                None,
            );
        }
        for note in &plan.notes {
            self.note(note);
        }
        let binds = config.proxies.iter().flat_map(|proxy| &proxy.binds);
        let binds = binds
            .filter(|bind| bind.transparent)
            .filter_map(|bind| match bind.address {
                ListenAddress::Inet(address) => Some((address, &bind.origin)),
                ListenAddress::Fd(_) | ListenAddress::Unix(_) => None,
            })
            .map(|(address, line)| {
                let what = format!(
                    "a bind takes connections to {address}, whether the box has that address or not"
                );
                (what, line)
            });
        let servers = config.proxies.iter().flat_map(|proxy| &proxy.servers);
        let sources = servers.filter_map(|server| server.source.as_ref());
        let sources = sources
            .filter(|source| source.shown.is_some())
            .map(|source| {
                let what = "servers see another address than the box's".to_owned();
                (what, &source.origin)
            });
        let mut told = None;
        for (what, line) in binds.chain(sources) {
            // One line of a backend is that of all its servers.
            if told != Some(line) {
                let found = (Health::Good, "written".to_owned());
                self.find(Stage::Configuration, what, found, "", Some(line));
            }
            told = Some(line);
        }
    }
}

/// Whether what was observed could not be there without it.
fn is_at_work(feature: Feature, observed: &Observed) -> bool {
    let table = observed.nftables.table();
    let has = |wanted: fn(&Expression) -> bool| {
        let rules = table
            .iter()
            .flat_map(|table| &table.chains)
            .flat_map(|it| &it.rules);
        rules.flat_map(|rule| &rule.expressions).any(wanted)
    };
    let rule = |family| {
        observed
            .rules
            .iter()
            .any(|it| it.rule.family == family && it.is_ours())
    };
    let link = |wanted: fn(&LinkForm) -> bool| observed.links.iter().any(|it| wanted(&it.kind));
    match feature {
        Feature::Tables | Feature::InetTables => table.is_some(),
        Feature::SocketMatch => has(looks_at_socket),
        Feature::ConnectionTracking => has(looks_at_connection),
        Feature::FibMatch => has(looks_at_destination),
        Feature::PolicyRouting => rule(Family::V4),
        Feature::PolicyRouting6 => rule(Family::V6),
        Feature::Ipv6 => observed
            .addresses
            .iter()
            .any(|it| it.address.net.addr().is_ipv6()),
        Feature::Vlan => link(|kind| matches!(kind, LinkForm::Vlan { .. })),
        Feature::Bonding => link(|kind| matches!(kind, LinkForm::Bond(_))),
        Feature::Bridge => link(|kind| matches!(kind, LinkForm::Bridge { .. })),
        Feature::Dummy => link(|kind| matches!(kind, LinkForm::Dummy)),
    }
}

fn looks_at_socket(expression: &Expression) -> bool {
    matches!(expression, Expression::Socket(_))
}

fn looks_at_connection(expression: &Expression) -> bool {
    matches!(expression, Expression::ConnectionState)
}

fn looks_at_destination(expression: &Expression) -> bool {
    matches!(expression, Expression::DestinationType)
}

fn stage_of(step: &Step) -> Stage {
    match step {
        Step::SetSysctl { .. } => Stage::Settings,
        Step::ReplaceTable { .. } => Stage::Filter,
        _ => Stage::Routing,
    }
}

fn port(bind: &Bind) -> Option<u16> {
    match bind.address {
        ListenAddress::Inet(address) => Some(address.port()),
        ListenAddress::Fd(_) | ListenAddress::Unix(_) => None,
    }
}

fn name(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

/// Files that all connections of `maxconn` take: two each (HAProxy manual, `maxconn` in global), and
/// some for listeners, checks and logs.
fn connections(config: &layer7::Config) -> u64 {
    let most = config.global.maxconn.map_or(0, u64::from);
    most.saturating_mul(2).saturating_add(100)
}

#[cfg(test)]
mod tests;
