//! What the box is beside its network.

use super::{NO_LONGER_WANTED, Part as Planned, because};
use crate::desired::Desired;
use crate::observed::Observed;
use crate::problem::Note;
use crate::step::Step;
use crate::system::Part;

/// Sets what is not as wanted; on a machine that is not wholly ours, nothing, which is noted.
pub(super) fn plan(desired: &Desired, observed: &Observed, notes: &mut Vec<Note>) -> Planned {
    let mut planned = Planned::default();
    let Some(system) = &observed.system else {
        notes.extend(desired.system.iter().map(|wanted| Note::NotManaged {
            what: wanted.setting.part().to_string(),
            origin: wanted.origin.clone(),
        }));
        notes.extend(desired.leased.iter().map(|(interface, origin)| {
            let what = format!("an address by DHCP for {interface}");
            let origin = origin.clone();
            Note::NotManaged { what, origin }
        }));
        return planned;
    };
    for part in Part::ALL {
        let wanted = desired.system.iter().find(|it| it.setting.part() == part);
        let now = system.settings.iter().find(|it| it.part() == part);
        let altered = system.altered.contains(&part);
        let step = Step::SetSystem {
            part,
            from: now.cloned(),
            to: wanted.map(|wanted| wanted.setting.clone()),
        };
        match wanted {
            Some(wanted) if now != Some(&wanted.setting) || altered => {
                let why = match altered {
                    true => "somebody changed it",
                    false => "a line asks for it",
                };
                let mut step = because(step, why, Some(&wanted.origin));
                step.details.clone_from(&wanted.details);
                planned.add.push(step);
            }
            Some(_) => {}
            None if now.is_some() => planned.remove.push(because(step, NO_LONGER_WANTED, None)),
            None if altered => planned.add.push(because(step, "somebody changed it", None)),
            None => {}
        }
    }
    planned
}

#[cfg(test)]
mod tests {
    use lanai_model::layer7::Config;
    use lanai_model::services::{Common, Named, Services, System};

    use crate::testing::origin;
    use crate::{Desired, Observed, ObservedSystem, Part, Plan, desired, plan, simulation};

    fn named(name: &str) -> Desired {
        let common = Common {
            autostart: true,
            origin: origin(1),
        };
        let named = |name: &str, line| Named {
            name: name.into(),
            origin: origin(line),
        };
        let system = System {
            common,
            hostname: Some(named(name, 2)),
            dns_domain: None,
            dns_servers: vec![("192.0.2.1".parse().unwrap(), origin(3))],
            rtc: Default::default(),
            timezone: None,
        };
        let services = Services {
            system: Some(system),
            ..Services::default()
        };
        desired(&services, &Config::default())
    }

    fn image() -> Observed {
        Observed {
            system: Some(ObservedSystem::default()),
            ..Observed::default()
        }
    }

    fn done(observed: &mut Observed, plan: &Plan) {
        for planned in plan.steps() {
            simulation::apply(observed, &planned.step).unwrap();
        }
    }

    #[test]
    fn what_is_asked_for_is_set_once_and_taken_back() {
        let mut observed = image();
        let first = plan(&named("lb1"), &observed);
        assert_eq!(
            first.to_string(),
            "name the box lb1: a line asks for it (services.cfg:2)\n\
             ask 192.0.2.1 for names: a line asks for it (services.cfg:3)\n"
        );
        done(&mut observed, &first);
        assert!(plan(&named("lb1"), &observed).is_empty());
        let system = observed.system.as_mut().unwrap();
        system.altered.push(Part::Name);
        let drifted = plan(&named("lb1"), &observed);
        assert_eq!(drifted.add.len(), 1);
        done(&mut observed, &drifted);
        assert!(plan(&named("lb1"), &observed).is_empty());
        let empty = plan(&Desired::default(), &observed);
        assert_eq!((empty.add.len(), empty.remove.len()), (0, 2));
        done(&mut observed, &empty);
        assert_eq!(observed, image());
        for planned in first.steps() {
            simulation::apply(&mut observed, &planned.step).unwrap();
        }
        for planned in first.steps() {
            simulation::apply(&mut observed, &planned.step.undo()).unwrap();
        }
        assert_eq!(observed, image());
    }

    #[test]
    fn a_machine_that_is_not_ours_keeps_what_it_has() {
        let plan = plan(&named("lb1"), &Observed::default());
        assert!(plan.is_empty() && plan.problems.is_empty());
        let notes: Vec<String> = plan.notes.iter().map(ToString::to_string).collect();
        assert_eq!(notes.len(), 2);
        assert!(
            notes[0].starts_with("not managed here: the host name belongs to the whole machine"),
            "{notes:?}"
        );
        assert!(notes[0].ends_with("(services.cfg:2)"), "{notes:?}");
    }
}
