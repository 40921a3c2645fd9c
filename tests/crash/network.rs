//! A message to the kernel that cannot be sent, in an apply of an appliance that runs: it is refused
//! with the reason, what was there stays, and the next one works.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use lanai_tests::{Finished, until, within};
use nix::errno::Errno;

use crate::points;
use crate::rig::{Files, Rig, Site, put};
use crate::tracer::{Call, Message, Trace, Verdict};

/// For so long nothing is said to the kernel before a change begins: what is counted is the change's.
const SILENCE: Duration = Duration::from_millis(250);

/// All that a configuration can ask of the network, twice, with little in common.
fn files(word: &str) -> Files {
    let (one, services) = match word {
        "old" => (
            "1",
            "service network eth1\n    ip address 10.1.0.2/24\n    ip address 10.1.0.3/24\n    \
             ip address fd00:1::2/64\n    ip route default 10.1.0.1\n    ip route 2001:db8::/32 fd00:1::1\n    \
             ip rule from 10.1.0.0/24 table 1000\nservice network eth2\n    ip address 10.2.0.2/24\n",
        ),
        _ => (
            "2",
            "service network eth1\n    ip address 10.1.0.3/24\n    ip address fd00:1::9/64\n    \
             ip route default 10.1.0.9\nservice network eth2\n    ip address 10.2.0.9/24\n    \
             ip address fd00:2::2/64\n    ip route default fd00:2::1\n    \
             ip route 192.0.2.0/24 10.2.0.1 metric 7\n    ip rule to 192.0.2.0/24 table 1000\n\
             service firewall\n    allow tcp port 22 from 10.2.0.0/24\n",
        ),
    };
    let transparent = match word {
        "old" => "",
        _ => "    bind 198.51.100.7:80 transparent\n    bind [2001:db8::7]:80 transparent\n",
    };
    let proxies = format!(
        "defaults\n    mode http\n    timeout client 5s\n    timeout server 5s\n    timeout connect 5s\n\
         frontend f\n    bind 127.0.0.1:8{one}\n{transparent}    default_backend b\nbackend b\n    \
         server s 127.0.0.1:9001\n"
    );
    let mut files = Files::new();
    files.insert("services.cfg".to_owned(), services.into());
    files.insert("haproxy.cfg".to_owned(), proxies.into());
    files
}

/// What the kernel has, by other people's tools.
#[track_caller]
fn kernel(rig: &Rig<'_>) -> String {
    let line = "ip -br link; ip -o address; ip -4 route show table all; ip -6 route show table all | grep -v ff00; \
                ip -4 rule; ip -6 rule; nft list ruleset; sysctl -a -r \
                '^net.(core.somaxconn|ipv[46].(conf|ip_|tcp_tw|tcp_max_))' 2>/dev/null; ss -Htln";
    rig.run(&["sh", "-c", line]).ok()
}

/// Watches the parent, and has one of its messages fail.
struct Watch {
    trace: Trace,
    armed: Arc<AtomicBool>,
    said: std::sync::mpsc::Receiver<Message>,
}

impl Watch {
    /// Attached, once the parent has nothing to say. The `point`-th message from now on cannot be
    /// sent; none for 0.
    #[track_caller]
    fn begin(rig: &Rig<'_>, point: usize) -> Watch {
        let armed = Arc::new(AtomicBool::new(false));
        let began = Instant::now();
        let latest = Arc::new(AtomicU64::new(0));
        let (tell, said) = channel();
        let trace = {
            let (armed, latest) = (Arc::clone(&armed), Arc::clone(&latest));
            let number = AtomicUsize::new(0);
            Trace::process(rig.parent(), move |call: &Call| {
                let Some(message) = call.says else {
                    return Verdict::Go;
                };
                let now = u64::try_from(began.elapsed().as_millis()).unwrap();
                latest.store(now, Ordering::SeqCst);
                if !armed.load(Ordering::SeqCst) {
                    return Verdict::Go;
                }
                // Nobody listens any more after the end.
                let _ = tell.send(message);
                match number.fetch_add(1, Ordering::SeqCst) + 1 == point {
                    true => Verdict::Fail(Errno::ENOBUFS),
                    false => Verdict::Go,
                }
            })
        };
        until("the parent to have nothing to say", within(), || {
            let latest = Duration::from_millis(latest.load(Ordering::SeqCst));
            (began.elapsed() > latest + SILENCE).then_some(())
        });
        armed.store(true, Ordering::SeqCst);
        Watch { trace, armed, said }
    }

    /// What was said since.
    #[track_caller]
    fn end(self) -> Vec<Message> {
        self.armed.store(false, Ordering::SeqCst);
        self.trace.end();
        self.said.try_iter().collect()
    }
}

#[test]
fn slow_a_message_to_the_kernel_that_fails_is_told_and_leaves_what_was_there() {
    let site = Site::new();
    for name in ["eth1", "eth2"] {
        let line = format!(
            "ip link add {name} type veth peer name p-{name}
             for end in {name} p-{name}; do ip link set $end addrgenmode none; ip link set $end up; done"
        );
        site.run(&["sh", "-ec", &line]).ok();
    }
    let drafts = ["old", "new"].map(|word| {
        let draft = site.dir().join(format!("draft-{word}"));
        put(&draft, &files(word));
        draft
    });
    let [old, new] = &drafts;
    let mut rig = Rig::fresh(&site, "box", &files("old"));
    rig.start();
    // There and back once: what the box sets and never takes back is set.
    rig.apply(new).ok();
    rig.apply(old).ok();
    let before = kernel(&rig);
    let watch = Watch::begin(&rig, 0);
    rig.apply(new).ok();
    let all = watch.end();
    let after = kernel(&rig);
    assert_ne!(after, before);
    rig.apply(old).ok();
    assert_eq!(kernel(&rig), before);
    let changes = all.iter().filter(|message| message.changes()).count();
    assert!(changes > 20, "{all:?}");

    let began = Instant::now();
    let mut ended: BTreeMap<&str, u32> = BTreeMap::new();
    for point in points(all.len(), 7) {
        let watch = Watch::begin(&rig, point);
        let asked = rig.apply(new);
        let said = watch.end();
        let Some(failed) = said.get(point - 1) else {
            continue;
        };
        let what = format!("message {point} of {}, {failed:?}: {asked:?}", said.len());
        if asked.code == 0 {
            // It was asked by somebody else meanwhile: whoever looks whether others changed something.
            assert!(!failed.changes(), "{what}");
            assert_eq!(kernel(&rig), after, "{what}");
            *ended.entry("another's").or_default() += 1;
        } else {
            is_told(&asked, &what);
            assert_eq!(kernel(&rig), before, "{what}");
            let again = rig.apply(new);
            assert_eq!(
                again.code, 0,
                "the next one does not work: {what}: {again:?}"
            );
            assert_eq!(kernel(&rig), after, "{what}");
            let kind = if failed.changes() {
                "a change"
            } else {
                "a question"
            };
            *ended.entry(kind).or_default() += 1;
        }
        rig.apply(old).ok();
        assert_eq!(kernel(&rig), before, "{what}");
    }
    println!(
        "{} messages of an apply, {changes} of them changes; failed, by what they were: {ended:?}; {:.1} s",
        all.len(),
        began.elapsed().as_secs_f32()
    );
}

/// Refused, with what could not be done and why.
#[track_caller]
fn is_told(asked: &Finished, what: &str) {
    assert_eq!(asked.code, 1, "{what}");
    assert!(
        asked.stderr.contains("the kernel has no memory for it"),
        "{what}"
    );
}
