//! Text that somebody is editing on disk goes into effect when it is applied, or when the box starts:
//! not when a process dies or is replaced meanwhile.

use std::time::Duration;

use lanai_tests::{Finished, Lab, lanai, until};
use nix::sys::signal::Signal;

use crate::kills::signal;
use crate::site::{BOX, PORTS, SERVICES};
use crate::stage::{CLIENTS, Stage};

/// What is edited, and never applied: another port, a certificate, a map, an address.
const PORT: u16 = 8099;
const ADDRESS: &str = "10.3.0.99";
/// Until a process that died has a successor.
const WORKS_AGAIN: Duration = Duration::from_secs(20);

impl Stage<'_> {
    /// An edit of each kind of file.
    #[track_caller]
    fn edit_by_hand(&self) {
        let text = self
            .site
            .text("")
            .replace(&format!("{BOX}:{} ", PORTS[0]), &format!("{BOX}:{PORT} "));
        assert_ne!(text, self.appliance.read("haproxy.cfg"));
        self.appliance.write("haproxy.cfg", &text);
        let services = format!("{SERVICES}    ip   address {ADDRESS}/32\n");
        self.appliance.write("services.cfg", &services);
        std::fs::create_dir_all(self.appliance.config().join("maps")).unwrap();
        self.appliance.write("maps/new.map", "a b\n");
        self.new_certificate();
    }

    /// That none of it is in effect, and that the box says so.
    #[track_caller]
    fn nothing_of_it_is_live(&self, live: &str, when: &str) {
        let status = self.appliance.lanai(&["status"]).ok();
        assert!(
            status.contains("the files on disk are not what is running"),
            "{when}: {status}"
        );
        assert!(status.contains(live), "{when}: {status}");
        let revisions = self.appliance.lanai(&["revisions", "--json"]).ok();
        // The first one is what the box was started with.
        let taken = revisions.matches("edited by hand").count();
        assert_eq!(taken, 1, "{when}: {revisions}");
        let listening = self.lab.sh("appliance", "ss -Htln");
        assert!(
            !listening.contains(&PORT.to_string()),
            "{when}: {listening}"
        );
        let addresses = self.lab.sh("appliance", "ip -o -4 address");
        assert!(!addresses.contains(ADDRESS), "{when}: {addresses}");
        let answer = self
            .lab
            .client(CLIENTS)
            .get(&format!("http://{BOX}/item/1"));
        assert_eq!(answer.status, 200, "{when}: {answer:?}");
    }

    /// Waits for a control process other than this one, and until it has found out what to run.
    #[track_caller]
    fn next_control(&self, former: i32) {
        until("another control process", WORKS_AGAIN, || {
            let pids = self.pids("lanai-control");
            (pids.len() == 1 && !pids.contains(&former)).then_some(())
        });
        self.works_again();
        // A change waits for that, also one that is refused then.
        let refused = self.apply_draft("haproxy.cfg", "frontnd x\n", &[]);
        assert_eq!(refused.code, 1, "{refused:?}");
    }

    /// Applies another directory than the appliance's own, which has the files of the test's start and
    /// this one instead.
    #[track_caller]
    fn apply_draft(&self, name: &str, text: &str, more: &[&str]) -> Finished {
        let draft = self.lab.fresh("draft");
        let from = self.lab.dir().join("live");
        let copied = format!("cp -a {} {}", from.display(), draft.display());
        self.lab.sh("appliance", &copied);
        std::fs::write(draft.join(name), text).unwrap();
        let run = self.appliance.run_directory();
        let (draft, run) = (draft.to_str().unwrap(), run.to_str().unwrap());
        let apply = [lanai(), "apply", "--config", draft, "--run", run];
        self.lab.run("appliance", &[&apply, more].concat())
    }
}

#[test]
fn text_that_is_being_edited_goes_live_when_it_is_applied_or_the_box_starts() {
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    let live = lab.dir().join("live");
    let config = stage.appliance.config();
    let copy = format!("cp -a {} {}", config.display(), live.display());
    lab.sh("appliance", &copy);
    let certificate = stage.shown_certificate();
    stage.edit_by_hand();
    let edited = stage.appliance.read("haproxy.cfg");
    for death in DEATHS {
        stage.dies(death);
        let when = format!("{death:?}");
        stage.nothing_of_it_is_live("revision 1 is live", &when);
        assert_eq!(stage.shown_certificate(), certificate, "{when}");
        assert_eq!(stage.appliance.read("haproxy.cfg"), edited, "{when}");
    }

    // The same while another change is on trial.
    let trial = stage.site.text("").replace("connect 3s", "connect 4s");
    stage
        .apply_draft("haproxy.cfg", &trial, &["--confirm-within", "5m"])
        .ok();
    for death in [Death::Control, Death::Upgrade] {
        stage.dies(death);
        stage.nothing_of_it_is_live("is on trial", &format!("{death:?}, on trial"));
    }
    stage.appliance.lanai(&["rollback"]).ok();
    stage.dies(Death::Control);
    stage.nothing_of_it_is_live("revision 1 is live", "after the trial");
    assert_eq!(stage.appliance.read("haproxy.cfg"), edited);

    assert_eq!(stage.appliance.stop(), 0);
    stage.appliance.start();
    let listening = lab.sh("appliance", "ss -Htln");
    assert!(listening.contains(&PORT.to_string()), "{listening}");
    let revisions = stage.appliance.lanai(&["revisions"]).ok();
    let taken = revisions.matches("edited by hand").count();
    assert_eq!(taken, 2, "{revisions}");
    assert_ne!(stage.shown_certificate(), certificate);
}

/// Who dies, or is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    Control,
    Engine,
    EngineAndControl,
    /// The next parent adopts the engine, and starts another control process.
    ParentAndControl,
    Upgrade,
}

const DEATHS: [Death; 5] = [
    Death::Control,
    Death::Engine,
    Death::EngineAndControl,
    Death::ParentAndControl,
    Death::Upgrade,
];

impl Stage<'_> {
    #[track_caller]
    fn dies(&mut self, death: Death) {
        let (control, engine) = (self.one("lanai-control"), self.engine());
        match death {
            Death::Control => signal(control, Signal::SIGKILL),
            Death::Engine => signal(engine, Signal::SIGKILL),
            Death::EngineAndControl => {
                signal(engine, Signal::SIGKILL);
                signal(control, Signal::SIGKILL);
            }
            Death::ParentAndControl => {
                self.appliance.kill();
                signal(control, Signal::SIGKILL);
                self.appliance.start();
            }
            Death::Upgrade => {
                self.appliance.lanai(&["upgrade"]).ok();
            }
        }
        if matches!(death, Death::Engine) {
            until("another engine", WORKS_AGAIN, || {
                let pids = self.pids("lanai-engine");
                (pids.len() == 1 && !pids.contains(&engine)).then_some(())
            });
            self.works_again();
        } else {
            self.next_control(control);
        }
        until("one engine to be left", WORKS_AGAIN, || {
            (self.pids("lanai-engine").len() == 1).then_some(())
        });
    }
}
