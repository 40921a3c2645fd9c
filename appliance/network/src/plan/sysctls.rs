//! Kernel settings.
//!
//! A setting bears no mark of who made it so. What we changed is known from `kernel`'s ledger
//! ([`Held`](crate::Held)): it is put back when nothing wants it any more, unless somebody else
//! changed it since.

use std::collections::{BTreeMap, BTreeSet};

use lanai_model::Origin;

use super::{NO_LONGER_WANTED, Part, Plan, because};
use crate::desired::{Desired, Need, WantedSysctl};
use crate::observed::{Observed, ObservedSysctl};
use crate::ports::{PortSet, Ports};
use crate::problem::{Note, Problem};
use crate::state::{Family, InterfaceName};
use crate::step::{PlannedStep, Step};
use crate::sysctl::{Scope, Sysctl, Tuning};

/// Sets what is not as wanted, and puts back what is not wanted any more.
///
/// One that this kernel lacks, or of an interface that the box lacks, is not asked for: without IPv6
/// nothing forwards IPv6. Without `guarded` nothing is forwarded whatever is wanted.
pub(super) fn plan(
    desired: &Desired,
    observed: &Observed,
    guarded: bool,
    leaving: &BTreeSet<InterfaceName>,
    plan: &mut Plan,
) -> Part {
    let mut part = Part::default();
    let mut governed = BTreeSet::new();
    let asked = desired
        .sysctls
        .iter()
        .filter_map(|wanted| match &wanted.need {
            Need::Asked(sysctl, value) => Some((sysctl, value.as_str())),
            _ => None,
        });
    let asked: BTreeMap<_, _> = asked.collect();
    for wanted in &desired.sysctls {
        let settings = Settings {
            wanted,
            observed,
            asked: &asked,
        };
        if let Need::Forwarding { family, on } = wanted.need {
            let scopes = settings.forwarding_scopes(family);
            governed.extend(scopes.map(|(sysctl, _)| sysctl.clone()));
            part.add.extend(settings.forwarding(family, on && guarded));
            continue;
        }
        if let (Need::Asked(sysctl, _), Some(origin)) = (&wanted.need, &wanted.origin)
            && let Some(absent) = absent(sysctl, origin, observed)
        {
            match absent {
                Absent::Told(note) => plan.notes.push(note),
                Absent::Wrong(problem) => plan.problems.push(problem),
            }
            continue;
        }
        let Some((sysctl, to)) = settings.single() else {
            continue;
        };
        // Two lines may want one thing.
        if governed.insert(sysctl.clone()) {
            if matches!(sysctl, Sysctl::Tuning(_)) {
                plan.notes.extend(settings.missing(&sysctl));
            }
            part.add
                .extend(to.and_then(|to| settings.set(&sysctl, &to)));
        }
    }
    part.remove = restore(observed, &governed, leaving);
    part
}

/// Why a setting that a line asks for is left out.
enum Absent {
    Told(Note),
    Wrong(Problem),
}

fn absent(sysctl: &Sysctl, origin: &Origin, observed: &Observed) -> Option<Absent> {
    let here = observed.sysctl(sysctl).is_some();
    let Sysctl::Asked(key) = sysctl else {
        return None;
    };
    let origin = origin.clone();
    if key.is_of_machine() && observed.system.is_none() {
        return Some(Absent::Told(Note::NotManaged {
            what: sysctl.to_string(),
            origin,
        }));
    }
    let sysctl = sysctl.clone();
    let late = key.parts().take(2).eq(["net", "netfilter"]);
    match here {
        true => None,
        false if late => Some(Absent::Told(Note::NotYetThere { sysctl, origin })),
        false => Some(Absent::Wrong(Problem::NoSetting { sysctl, origin })),
    }
}

/// Puts back what we hold and nothing governs, but what goes with its interface. `all` first: setting
/// it sets every interface.
fn restore(
    observed: &Observed,
    governed: &BTreeSet<Sysctl>,
    leaving: &BTreeSet<InterfaceName>,
) -> Vec<PlannedStep> {
    let general = |sysctl: &Sysctl| {
        matches!(
            sysctl,
            Sysctl::Forwarding {
                scope: Scope::All,
                ..
            }
        )
    };
    let mut held: Vec<(&ObservedSysctl, &str)> = observed
        .sysctls
        .iter()
        .filter(|other| !governed.contains(&other.sysctl))
        .filter(|other| {
            !other
                .sysctl
                .interface()
                .is_some_and(|i| leaving.contains(i))
        })
        .filter_map(|other| Some((other, other.held.as_ref()?.before.as_str())))
        .collect();
    held.sort_by_key(|(other, _)| !general(&other.sysctl));
    let steps = held.into_iter().map(|(other, before)| {
        let step = Step::SetSysctl {
            sysctl: other.sysctl.clone(),
            from: other.value.clone(),
            to: before.to_owned(),
        };
        because(step, NO_LONGER_WANTED, None)
    });
    steps.collect()
}

struct Settings<'a> {
    wanted: &'a WantedSysctl,
    observed: &'a Observed,
    /// What lines ask for.
    asked: &'a BTreeMap<&'a Sysctl, &'a str>,
}

impl Settings<'_> {
    /// The one setting that a need is about, and the value that it must get, unless it is good.
    fn single(&self) -> Option<(Sysctl, Option<String>)> {
        let number = |sysctl: &Sysctl| self.observed.sysctl(sysctl)?.parse::<u64>().ok();
        Some(match &self.wanted.need {
            Need::Forwarding { .. } => return None,
            Need::Asked(sysctl, value) => {
                let good = self.observed.sysctl(sysctl) == Some(value);
                (sysctl.clone(), (!good).then(|| value.clone()))
            }
            Need::NoStrictReversePath(interface) => {
                let strict = self.in_force(interface, Sysctl::ReversePathFilter) == Some(1);
                let sysctl = Sysctl::ReversePathFilter(own(interface));
                (sysctl, strict.then(|| "2".to_owned()))
            }
            Need::PromoteSecondaries(interface) => {
                let off = self.in_force(interface, Sysctl::PromoteSecondaries) == Some(0);
                let sysctl = Sysctl::PromoteSecondaries(own(interface));
                (sysctl, off.then(|| "1".to_owned()))
            }
            Need::OwnArpAnswers(interface) => self.at_least(interface, Sysctl::ArpIgnore, 1),
            Need::OwnArpQuestions(interface) => self.at_least(interface, Sysctl::ArpAnnounce, 2),
            Need::NonlocalBind(family) => {
                let sysctl = Sysctl::NonlocalBind(*family);
                let off = number(&sysctl) == Some(0);
                (sysctl, off.then(|| "1".to_owned()))
            }
            Need::Exactly(tuning, value) => {
                let sysctl = Sysctl::Tuning(*tuning);
                let good = number(&sysctl) == Some(*value);
                (sysctl, (!good).then(|| value.to_string()))
            }
            Need::AtLeast(tuning, value) => {
                let sysctl = Sysctl::Tuning(*tuning);
                let good = number(&sysctl).is_some_and(|now| now >= *value);
                (sysctl, (!good).then(|| value.to_string()))
            }
            Need::LocalPorts(ports) => {
                let sysctl = Sysctl::Tuning(Tuning::LocalPorts);
                let now = self.observed.sysctl(&sysctl).and_then(span);
                let good = now.is_some_and(|n| n.first <= ports.first && n.last >= ports.last);
                (
                    sysctl,
                    (!good).then(|| format!("{} {}", ports.first, ports.last)),
                )
            }
            Need::ReservedPorts(ports) => {
                let sysctl = Sysctl::Tuning(Tuning::ReservedPorts);
                let to = self.reserved(&sysctl, ports);
                (sysctl, to)
            }
        })
    }

    /// Turns forwarding on or off for a family.
    ///
    /// Setting `all` sets every interface to the same, now and again when it is undone. Those that
    /// differ from `all` are therefore set first, each by a step of its own, so that undoing puts
    /// back exactly what was there; even a 0 that stays 0.
    ///
    /// For IPv4 an interface's own setting counts even if `all` says the same already, thus a stray
    /// one is set as well. For IPv6 `all` decides, and an interface's own only says whether it is a
    /// router to its neighbours: not our business.
    fn forwarding(&self, family: Family, on: bool) -> Vec<PlannedStep> {
        let to = if on { "1" } else { "0" };
        let general = Sysctl::Forwarding {
            family,
            scope: Scope::All,
        };
        let Some(all) = self.observed.sysctl(&general) else {
            return Vec::new();
        };
        let changes = (all != "0") != on;
        let mut steps = Vec::new();
        for (sysctl, value) in self.forwarding_scopes(family) {
            let differs = changes && value != all;
            let stray = !changes && family == Family::V4 && (value != "0") != on;
            if *sysctl != general && (differs || stray) {
                steps.extend(self.set(sysctl, to));
            }
        }
        if changes {
            steps.extend(self.set(&general, to));
        }
        steps
    }

    fn forwarding_scopes(&self, family: Family) -> impl Iterator<Item = (&Sysctl, &str)> {
        let all = self.observed.sysctls.iter();
        all.filter_map(move |other| match &other.sysctl {
            Sysctl::Forwarding { family: f, .. } if *f == family => {
                Some((&other.sysctl, other.value.as_str()))
            }
            _ => None,
        })
    }

    /// A setting of an interface that is to be at least this, in force.
    fn at_least(
        &self,
        interface: &InterfaceName,
        sysctl: impl Fn(Scope) -> Sysctl,
        value: u32,
    ) -> (Sysctl, Option<String>) {
        let less = self
            .in_force(interface, &sysctl)
            .is_some_and(|now| now < value);
        (sysctl(own(interface)), less.then(|| value.to_string()))
    }

    /// The value that counts on an interface: the larger of `all` and its own, for all settings
    /// that are asked for here.
    fn in_force(&self, interface: &InterfaceName, sysctl: impl Fn(Scope) -> Sysctl) -> Option<u32> {
        let value = |scope| {
            let sysctl = sysctl(scope);
            let now = self.observed.sysctl(&sysctl)?;
            let then = self.asked.get(&sysctl).copied().unwrap_or(now);
            then.parse::<u32>().ok()
        };
        Some(value(own(interface))?.max(value(Scope::All).unwrap_or(0)))
    }

    /// These ports beside those that others reserved, unless it is so.
    fn reserved(&self, sysctl: &Sysctl, ports: &PortSet) -> Option<String> {
        let now = self.observed.setting(sysctl)?;
        let others = match &now.held {
            Some(held) => &held.before,
            None => &now.value,
        };
        let all = PortSet::parse(others).with(ports);
        (PortSet::parse(&now.value) != all).then(|| all.to_string())
    }

    fn set(&self, sysctl: &Sysctl, to: &str) -> Option<PlannedStep> {
        let step = Step::SetSysctl {
            sysctl: sysctl.clone(),
            from: self.observed.sysctl(sysctl)?.to_owned(),
            to: to.to_owned(),
        };
        Some(because(step, &self.wanted.why, self.wanted.origin.as_ref()))
    }

    fn missing(&self, sysctl: &Sysctl) -> Option<Note> {
        let missing = self.observed.sysctl(sysctl).is_none();
        missing.then(|| Note::NoSuchSetting {
            sysctl: sysctl.clone(),
            why: self.wanted.why.clone(),
            origin: self.wanted.origin.clone(),
        })
    }
}

fn own(interface: &InterfaceName) -> Scope {
    Scope::Interface(interface.clone())
}

fn span(text: &str) -> Option<Ports> {
    let (first, last) = text.split_once(' ')?;
    Some(Ports {
        first: first.parse().ok()?,
        last: last.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use lanai_model::layer7::Config;
    use lanai_model::services::{Common, Services, Sysctl as Line, SysctlKey, Sysctls};

    use super::*;
    use crate::testing::{self, network, origin};
    use crate::{Held, ObservedSystem, desired, plan};

    fn key(name: &str) -> SysctlKey {
        SysctlKey::new(name.split('.')).unwrap()
    }

    fn lines(services: Services, lines: &[(&str, &str)]) -> Desired {
        let settings = lines.iter().zip(10..).map(|((name, value), line)| Line {
            key: key(name),
            value: (*value).into(),
            origin: origin(line),
        });
        let sysctls = Sysctls {
            common: Common {
                autostart: true,
                origin: origin(9),
            },
            settings: settings.collect(),
        };
        let services = Services {
            sysctls: Some(sysctls),
            ..services
        };
        desired(&services, &Config::default())
    }

    fn kernel(settings: &[(&str, &str)]) -> Observed {
        let mut observed = testing::kernel(&["eth0"]);
        for (name, value) in settings {
            observed.sysctls.push(ObservedSysctl {
                sysctl: Sysctl::asked(&key(name)),
                value: (*value).to_owned(),
                held: None,
            });
        }
        observed
    }

    #[test]
    fn a_line_sets_and_its_end_puts_back() {
        let wanted = lines(Services::default(), &[("net.ipv4.tcp_sack", "0")]);
        let mut observed = kernel(&[("net.ipv4.tcp_sack", "1")]);
        let first = plan(&wanted, &observed);
        assert_eq!(
            first.to_string(),
            "set net.ipv4.tcp_sack to 0 (was 1): a line asks for it (services.cfg:10)\n"
        );
        crate::simulation::apply(&mut observed, &first.add[0].step).unwrap();
        assert!(plan(&wanted, &observed).is_empty());
        let setting = observed.setting(&Sysctl::asked(&key("net.ipv4.tcp_sack")));
        let before = "1".to_owned();
        assert_eq!(setting.unwrap().held, Some(Held { before }));
        let last = plan(&Desired::default(), &observed);
        assert_eq!(
            last.to_string(),
            "set net.ipv4.tcp_sack to 1 (was 0): no longer in the configuration\n"
        );
    }

    #[test]
    fn a_name_that_this_kernel_lacks_is_refused_and_one_of_the_machine_is_not_managed() {
        let wanted = lines(
            Services::default(),
            &[
                ("net.ipv4.tcp_sakc", "0"),
                ("vm.swappiness", "10"),
                ("net.core.rmem_max", "1000000"),
                ("net.netfilter.nf_conntrack_max", "1000000"),
            ],
        );
        let mut observed = kernel(&[("vm.swappiness", "60")]);
        let found = plan(&wanted, &observed);
        assert!(found.is_empty());
        let problems: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("no setting net.ipv4.tcp_sakc"));
        let notes: Vec<String> = found.notes.iter().map(ToString::to_string).collect();
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(notes[0].contains("not managed here: vm.swappiness"));
        assert!(notes[2].contains("until the module"));
        // On the image both are ours to set.
        observed.system = Some(ObservedSystem::default());
        let found = plan(&wanted, &observed);
        assert_eq!((found.add.len(), found.problems.len()), (1, 2));
    }

    #[test]
    fn a_line_counts_before_what_is_derived() {
        let two = testing::services([
            network("eth0").route("0.0.0.0/0", "10.0.0.1", None),
            network("eth1").route("0.0.0.0/0", "10.1.0.1", Some(1)),
        ]);
        let strict = &[("net.ipv4.conf.eth0.rp_filter", "1")];
        let found = plan(&lines(two.clone(), strict), &kernel(&[]));
        let about = |found: &Plan, name: &str| {
            found.steps().any(|planned| {
                matches!(&planned.step, Step::SetSysctl { sysctl, .. } if sysctl.to_string() == name)
            })
        };
        assert!(!about(&found, "net.ipv4.conf.eth0.rp_filter"));
        // What `all` becomes is in force on each; what is derived reckons with it.
        let mut off = kernel(&[]);
        for setting in &mut off.sysctls {
            if matches!(setting.sysctl, Sysctl::ReversePathFilter(_)) {
                setting.value = "0".to_owned();
            }
        }
        let all = &[("net.ipv4.conf.all.rp_filter", "1")];
        let found = plan(&lines(two, all), &off);
        assert!(about(&found, "net.ipv4.conf.eth0.rp_filter"));
    }
}
