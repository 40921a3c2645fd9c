//! What the daemon says to the kernel, by the word of `strace`: an apply of what is there already
//! changes nothing.

use std::path::PathBuf;

use lanai_tests::{Appliance, Lab, Process, until, within};
use nix::sys::signal::Signal;

/// Whatever sends to the kernel, or opens and writes a file.
const CALLS: &str = "trace=sendto,sendmsg,sendmmsg,open,openat,openat2,creat,write,writev,pwrite64,pwritev,pwritev2";

/// `strace` beside the parent.
struct Trace {
    strace: Process,
    output: PathBuf,
}

impl Trace {
    #[track_caller]
    fn begin(lab: &Lab, appliance: &mut Appliance<'_>) -> Trace {
        let output = lab.fresh("trace");
        let pid = appliance.daemon().id().to_string();
        let argv = [
            "strace",
            "-f",
            "-yy",
            "-e",
            "signal=none",
            "-e",
            CALLS,
            "-p",
            &pid,
            "-o",
            output.to_str().unwrap(),
        ];
        let strace = lab.start("appliance", &argv);
        until("strace to be attached", within(), || {
            strace.log().contains("attached").then_some(())
        });
        Trace { strace, output }
    }

    #[track_caller]
    fn end(mut self) -> Vec<String> {
        self.strace.signal(Signal::SIGINT);
        self.strace.ended(within());
        let text = std::fs::read_to_string(&self.output).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

fn is_netlink(line: &str) -> bool {
    line.contains("send") && line.contains("<NETLINK:")
}

/// Whether a call asks the kernel for something and changes nothing: by its first message, whose type
/// says so, or which asks ethtool for all that there is.
fn is_question(line: &str) -> bool {
    let (_, first) = line.split_once("nlmsg_type=").unwrap_or_default();
    let questions = ["RTM_GET", "NFNL_SUBSYS_NFTABLES<<8|NFT_MSG_GET", "nlctrl"];
    questions.iter().any(|question| first.starts_with(question))
        || first.starts_with("ethtool, nlmsg_flags=NLM_F_REQUEST|0x300")
}

/// Whether it changes the network: all that is said and no question, and settings.
fn changes(line: &str) -> bool {
    is_netlink(line) && !is_question(line)
        || line.contains("/proc/sys/")
            && (line.contains(" write") || line.contains(" pwrite") || !line.contains("O_RDONLY"))
}

/// Everything that a configuration can ask of the network.
fn change_everything(appliance: &Appliance<'_>) {
    appliance.edit(
        "services.cfg",
        "service network eth0\n",
        "service network eth0\n    ip address fd00:98::10/64\n    ip route default fd00:98::1\n    \
         ip rule from 198.51.100.0/24 table 1000\n    ip route 192.0.2.0/25 198.51.100.1 table 1000\n",
    );
    let services = appliance.read("services.cfg");
    let more =
        "service firewall\n    allow tcp port 22\nservice sysctl\n    net.ipv4.tcp_sack = 0\n";
    appliance.write("services.cfg", &format!("{services}\n{more}"));
    appliance.edit(
        "haproxy.cfg",
        "    bind 198.51.100.10:80 name http\n",
        "    bind 198.51.100.10:80 name http\n    bind 192.0.2.80:80 transparent\n    \
         bind [2001:db8:80::80]:80 transparent\n",
    );
}

/// `LANAI_APPLIES` says how many; the whole proof is a hundred.
#[test]
fn the_first_apply_of_a_configuration_writes_and_no_other() {
    let applies = std::env::var("LANAI_APPLIES").map_or(10, |text| text.parse().unwrap());
    let lab = Lab::new();
    let mut appliance = Appliance::running(&lab);
    change_everything(&appliance);
    let trace = Trace::begin(&lab, &mut appliance);
    appliance.apply("everything");
    let first = trace.end();
    let writes: Vec<&String> = first.iter().filter(|line| changes(line)).collect();
    // The witness sees addresses, routes, rules, the table and settings.
    for what in [
        "RTM_NEWADDR",
        "RTM_NEWROUTE",
        "RTM_NEWRULE",
        "NFNL_MSG_BATCH_BEGIN",
        "/proc/sys/net/ipv4/tcp_sack",
    ] {
        assert!(
            writes.iter().any(|line| line.contains(what)),
            "{what} is not among {writes:#?}"
        );
    }
    let trace = Trace::begin(&lab, &mut appliance);
    for _ in 0..applies {
        appliance.apply("the same");
    }
    let later = trace.end();
    let asked = later.iter().filter(|line| is_netlink(line)).count();
    assert!(asked >= applies, "the witness sees nothing: {later:#?}");
    let again: Vec<&String> = later.iter().filter(|line| changes(line)).collect();
    assert_eq!(again, Vec::<&String>::new());
    println!(
        "{} writes by the first apply; none by {applies} more, which asked {asked} times",
        writes.len()
    );
}
