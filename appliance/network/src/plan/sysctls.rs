//! Kernel settings.
//!
//! A setting bears no mark of who made it, so none is put back when it is no longer needed: what it
//! was before us is not known, and somebody else may rely on it by now. All that we set are on the
//! safe side for that: forwarding off, a filter that still drops what has no way back at all.

use super::{Plan, because};
use crate::desired::{Desired, Need, WantedSysctl};
use crate::observed::Observed;
use crate::state::{Family, InterfaceName, Scope, Sysctl};
use crate::step::{PlannedStep, Step};

/// Adds the settings that are not in force. One that this kernel lacks, or of an interface that the
/// box lacks, is not asked for: without IPv6 nothing forwards IPv6.
pub(super) fn plan(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    for wanted in &desired.sysctls {
        match &wanted.need {
            Need::NoForwarding(family) => {
                plan.add.extend(no_forwarding(*family, wanted, observed));
            }
            Need::NoStrictReversePath(interface) => {
                let filter = |scope| Sysctl::ReversePathFilter(scope);
                let strict = in_force(observed, interface, filter) == Some(1);
                if strict {
                    plan.add
                        .extend(set(filter(own(interface)), "2", wanted, observed));
                }
            }
            Need::PromoteSecondaries(interface) => {
                if in_force(observed, interface, Sysctl::PromoteSecondaries) == Some(0) {
                    let sysctl = Sysctl::PromoteSecondaries(own(interface));
                    plan.add.extend(set(sysctl, "1", wanted, observed));
                }
            }
        }
    }
}

/// Turns forwarding off for a family.
///
/// Setting `all` sets every interface to the same, now and again when it is undone. Those that
/// differ from `all` are therefore set first, each by a step of its own, so that undoing puts back
/// exactly what was there; even a 0 that stays 0.
///
/// For IPv4 an interface's own setting counts even if `all` is off, thus a stray 1 is turned off as
/// well. For IPv6 `all` decides, and an interface's own only says whether it is a router to its
/// neighbours: not our business.
fn no_forwarding(family: Family, wanted: &WantedSysctl, observed: &Observed) -> Vec<PlannedStep> {
    let forwarding = |scope| Sysctl::Forwarding { family, scope };
    let Some(all) = observed.sysctl(&forwarding(Scope::All)) else {
        return Vec::new();
    };
    let on = all != "0";
    let interfaces = observed.links.iter().map(|link| own(&link.name));
    let mut steps = Vec::new();
    for scope in interfaces.chain([Scope::Default]) {
        let sysctl = forwarding(scope);
        let Some(value) = observed.sysctl(&sysctl) else {
            continue;
        };
        let differs = on && value != all;
        let stray = !on && family == Family::V4 && value != "0";
        if differs || stray {
            steps.extend(set(sysctl, "0", wanted, observed));
        }
    }
    if on {
        steps.extend(set(forwarding(Scope::All), "0", wanted, observed));
    }
    steps
}

/// The value that counts on an interface: the larger of `all` and its own, for both settings that
/// are asked for here.
fn in_force(
    observed: &Observed,
    interface: &InterfaceName,
    sysctl: impl Fn(Scope) -> Sysctl,
) -> Option<u32> {
    let value = |scope| observed.sysctl(&sysctl(scope))?.parse::<u32>().ok();
    Some(value(own(interface))?.max(value(Scope::All).unwrap_or(0)))
}

fn own(interface: &InterfaceName) -> Scope {
    Scope::Interface(interface.clone())
}

fn set(
    sysctl: Sysctl,
    to: &str,
    wanted: &WantedSysctl,
    observed: &Observed,
) -> Option<PlannedStep> {
    let from = observed.sysctl(&sysctl)?.to_owned();
    let to = to.to_owned();
    let step = Step::SetSysctl { sysctl, from, to };
    Some(because(step, &wanted.why, wanted.origin.as_ref()))
}
