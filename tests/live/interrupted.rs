//! A death in the middle of an upgrade, at any moment of it, of any process that takes part.

use std::time::{Duration, Instant};

use lanai_tests::{Lab, lanai, until, within};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::kills::all_at_work;
use crate::stage::{Size, Stage};

/// Who dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Parent,
    Control,
    /// The engine that is to be replaced.
    Former,
    /// The engine that is to replace it.
    Successor,
}

const VICTIMS: [Victim; 4] = [
    Victim::Parent,
    Victim::Control,
    Victim::Former,
    Victim::Successor,
];

/// Moments of an upgrade that are tried, evenly over the time that one takes undisturbed.
const MOMENTS: u32 = 25;

#[test]
fn a_death_in_the_middle_of_an_upgrade_loses_only_its_own_connections() {
    let size = Size::or(4);
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    let begun = Instant::now();
    stage.appliance.lanai(&["upgrade"]).ok();
    let whole = begun.elapsed();
    let sockets = stage.lasting_sockets();
    let load = stage.load(size.mix(size.rounds * 4));
    let mut deaths = Vec::new();
    let mut words = Vec::new();
    for round in 0..size.rounds {
        let victim = VICTIMS[round as usize % VICTIMS.len()];
        // A step that has no common divisor with the number of moments visits all of them.
        let moment = whole * (round / 4 * 7 % MOMENTS) / MOMENTS;
        let since = begun.elapsed();
        let former = serving(&stage, &stage.pids("lanai-engine"));
        let (died, said) = interrupt(&mut stage, victim, moment);
        if victim == Victim::Successor {
            // One that died before it served is told of; one that served has a successor of its own.
            let told = said.contains("the former engine goes on");
            let expected = if told { "exit code 1," } else { "exit code 0," };
            assert!(said.starts_with(expected), "after {moment:.0?}: {said}");
            let now = serving(&stage, &stage.pids("lanai-engine"));
            assert!(!told || now == former, "{now} instead of {former}: {said}");
        }
        let died_at = died.map(|died| died - begun);
        words.push(format!(
            "{since:.3?} {victim:?} after {moment:.0?}, killed at {died_at:.3?}: {said}"
        ));
        if let (Victim::Former | Victim::Successor, Some(died)) = (victim, died) {
            deaths.push(died);
        }
        stage.works_again();
        assert_eq!(stage.lasting_sockets(), sockets, "{}", words.join("\n"));
        all_at_work(&load, Instant::now() + Duration::from_millis(500));
        // What was interrupted can be done.
        if round % 4 == 3 {
            stage.appliance.lanai(&["upgrade"]).ok();
        }
    }
    let report = load.finish();
    println!("{}\n{report}", words.join("\n"));
    for failure in &report.failures {
        let open = deaths
            .iter()
            .any(|died| failure.begun <= *died && *died <= failure.at);
        let words = report.first_failures();
        let when = failure.at - begun;
        assert!(
            open,
            "{when:.3?}: {failure:?} was not open at the death of an engine\n{report}{words}"
        );
    }
    until("one engine to remain", within(), || {
        (stage.pids("lanai-engine").len() == 1).then_some(())
    });
    stage
        .appliance
        .lanai(&["apply", "--comment", "after the deaths"])
        .ok();
}

/// Starts an upgrade and kills who is asked for; gives the time of the death, if it could be, and
/// how the upgrade ended. Afterwards a parent is there again.
fn interrupt(stage: &mut Stage<'_>, victim: Victim, moment: Duration) -> (Option<Instant>, String) {
    let parent = i32::try_from(stage.appliance.daemon().id()).unwrap();
    let control = stage.one("lanai-control");
    let engines = stage.pids("lanai-engine");
    let former = serving(stage, &engines);
    let directories = [stage.appliance.config(), stage.appliance.run_directory()];
    let [config, run] = directories.map(|path| path.to_str().unwrap().to_owned());
    let words = [lanai(), "upgrade", "--config", &config, "--run", &run];
    let mut upgrade = stage.lab.start("appliance", &words);
    // The moment of the death is what is tried: nothing is awaited here.
    let died = match victim {
        Victim::Successor => {
            let new = until("an end of the upgrade, or a new engine", within(), || {
                let pids = stage.pids("lanai-engine");
                let new = pids.into_iter().find(|pid| !engines.contains(pid));
                (new.is_some() || !upgrade.alive()).then_some(new)
            });
            std::thread::sleep(moment / 4);
            new.and_then(struck)
        }
        Victim::Parent | Victim::Control | Victim::Former => {
            std::thread::sleep(moment);
            struck(match victim {
                Victim::Parent => parent,
                Victim::Control => control,
                _ => former,
            })
        }
    };
    if victim == Victim::Parent {
        stage.appliance.kill();
        // As an init would.
        stage.appliance.start();
    }
    let code = upgrade.ended(Duration::from_secs(30));
    (died, format!("exit code {code}, {}", upgrade.log().trim()))
}

/// Of these engines the one that takes new connections: the one that was started last.
fn serving(stage: &Stage<'_>, engines: &[i32]) -> i32 {
    let started = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned());
        let field = after_name.and_then(|rest| rest.split(' ').nth(19)?.parse::<u64>().ok());
        field.unwrap_or_default()
    };
    let last = engines.iter().copied().max_by_key(started);
    last.unwrap_or_else(|| stage.engine())
}

/// Kills; `None` if it had gone already.
fn struck(pid: i32) -> Option<Instant> {
    let now = Instant::now();
    kill(Pid::from_raw(pid), Signal::SIGKILL).ok().map(|()| now)
}
