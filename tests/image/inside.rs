//! What is true inside, as the system there tells it.

use lanai_tests::project_root;

use crate::machine::Machine;

/// Capabilities by number (linux/capability.h).
const DAC_OVERRIDE: u32 = 1;
const NET_BIND_SERVICE: u32 = 10;
const NET_ADMIN: u32 = 12;
const NET_RAW: u32 = 13;
const SYS_MODULE: u32 = 16;
const SYS_RAWIO: u32 = 17;
const SYS_PTRACE: u32 = 19;

/// What may be in use of the machine's 1 GB when nothing happens.
const MEMORY_KB: u64 = 130_000;

/// Each feature of the fragment is in the running kernel, and what is a module there is on board and
/// loads.
pub(crate) fn the_kernel_has_what_is_asked_of_it(machine: &mut Machine) {
    let fragment = std::fs::read_to_string(project_root().join("image/linux.fragment")).unwrap();
    let asked: Vec<&str> = fragment
        .lines()
        .filter_map(|line| line.strip_prefix("CONFIG_")?.split('=').next())
        .collect();
    assert!(asked.len() > 80, "{} features", asked.len());
    let config = machine.serial.inside("cat /boot/config-$(uname -r)");
    let lacking: Vec<&&str> = asked
        .iter()
        .filter(|name| {
            ["y", "m"]
                .iter()
                .all(|how| !config.contains(&format!("CONFIG_{name}={how}\n")))
        })
        .collect();
    assert!(lacking.is_empty(), "the kernel lacks {lacking:?}");
    machine.serial.inside(
        "modprobe -a nft_tproxy nft_socket nft_ct nft_nat nft_masq nft_redir nft_log nft_limit \
         nft_numgen nft_hash nft_fib_inet 8021q bonding macvlan dummy veth tun ip_vs ip_vs_rr \
         ip_vs_wlc ip_vs_mh ipip ip6_tunnel tls tcp_bbr sch_fq sch_ingress cls_bpf act_bpf tcp_diag \
         nf_conntrack_netlink ext4 vfat nvme usb-storage ahci dm-verity virtio_net virtio_console \
         virtio-rng i6300esb iTCO_wdt softdog vmxnet3 vmw_pvscsi e1000 e1000e \
         igb igc ixgbe i40e ice",
    );
    // These load on their own maker's machines only.
    machine.serial.inside(
        "set -e; for name in hv_netvsc hv_storvsc; do find /lib/modules -name $name.ko | grep .; done",
    );
}

/// The links of `links.cfg` are ours, and are what the text says.
pub(crate) fn links_are_made(machine: &mut Machine) {
    let ours = machine.serial.inside("/bin/ip -d link show group 76");
    for part in [
        "eth1.100@eth1",
        "vlan protocol 802.1Q id 100",
        "bond0",
        "bond mode active-backup",
        "dummy0",
    ] {
        assert!(ours.contains(part), "{part} in\n{ours}");
    }
    let bond = machine.serial.inside("cat /proc/net/bonding/bond0");
    assert!(bond.contains("Slave Interface: eth2"), "{bond}");
    let addresses = machine.serial.inside("/bin/ip -br address show");
    for part in ["10.91.0.15/24", "10.92.0.15/24", "10.93.0.15/32"] {
        assert!(addresses.contains(part), "{part} in\n{addresses}");
    }
    nothing_is_left_to_do(machine);
}

pub(crate) fn links_are_gone(machine: &mut Machine) {
    let ours = machine.serial.inside("/bin/ip -br link show group 76");
    assert_eq!(ours, "", "links of ours");
    nothing_is_left_to_do(machine);
}

fn nothing_is_left_to_do(machine: &mut Machine) {
    let plan = machine.serial.inside("lanai plan");
    assert!(plan.contains("no change"), "{plan}");
}

/// The other side of `system.cfg`, in a network of its own inside: chrony as a server that trusts its own
/// clock, and a log server that keeps what it is sent.
pub(crate) fn servers_of_time_and_log_are_there(machine: &mut Machine) {
    machine.serial.inside(
        "set -e; /bin/ip netns add aside; \
         /bin/ip link add aside type veth peer name eth0 netns aside; \
         /bin/ip address add 10.78.0.1/24 dev aside; /bin/ip link set aside up; \
         /bin/ip -n aside address add 10.78.0.2/24 dev eth0; /bin/ip -n aside link set eth0 up; \
         mkdir /tmp/aside; \
         printf '%s\\n' 'local stratum 5' allow 'cmdport 0' 'bindcmdaddress /' 'user root' \
         'pidfile /tmp/aside/pid' >/tmp/aside/chrony.conf; \
         /bin/ip netns exec aside chronyd -x -f /tmp/aside/chrony.conf; \
         tail -f /dev/null | /bin/ip netns exec aside nc -l -p 514 >/tmp/aside/log & true",
    );
}

/// chronyd says itself whom it follows, and the log server has what was said.
pub(crate) fn time_and_log_use_their_servers(machine: &mut Machine) {
    // 55 looks, one a second: it answers as soon as the clock is synchronised.
    machine.serial.inside("chronyc waitsync 55 0 0 1");
    let sources = machine.serial.inside("chronyc -n sources");
    assert!(sources.contains("^* 10.78.0.2"), "{sources}");
    let tracking = machine.serial.inside("chronyc -n tracking");
    let normal = tracking.contains("(10.78.0.2)") && tracking.contains(": Normal");
    assert!(
        normal && tracking.contains("Stratum         : 6"),
        "{tracking}"
    );
    machine
        .serial
        .inside("logger -t porch -p daemon.notice 'a view of the sea'");
    machine.serial.inside(
        "timeout 50 sh -c 'until grep -q view /tmp/aside/log; do usleep 100000; done'; \
         cat /tmp/aside/log; grep -q '<29>1 .* porch - - - .*a view of the sea' /tmp/aside/log",
    );
    machine.serial.inside(
        "kill $(cat /tmp/aside/pid); killall nc tail; /bin/ip netns delete aside; rm -r /tmp/aside",
    );
}

/// A client in a network of its own inside asks for an address that nobody has, which only a bind
/// that is `transparent` answers.
pub(crate) fn a_transparent_bind_answers(machine: &mut Machine) {
    machine.serial.inside(
        "set -e; /bin/ip netns add visitor; \
         /bin/ip link add way type veth peer name eth0 netns visitor; \
         /bin/ip address add 10.77.0.1/24 dev way; /bin/ip link set way up; \
         /bin/ip -n visitor address add 10.77.0.2/24 dev eth0; \
         /bin/ip -n visitor link set eth0 up; \
         /bin/ip -n visitor route add default via 10.77.0.1",
    );
    let rules = machine.serial.inside("nft list table inet lanai");
    assert!(rules.contains("socket transparent 1"), "{rules}");
    // busybox's wget of Debian 12 crashes; its nc does not.
    let visit = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | \
                 /bin/ip netns exec visitor nc -w 10 192.0.2.80 8081";
    let answer = machine.serial.inside(visit);
    let served = answer.ends_with("one") || answer.ends_with("two");
    assert!(served && answer.starts_with("HTTP/1.1 200"), "{answer}");
    // It is the rule that does it.
    machine
        .serial
        .inside("nft add table inet try; nft 'add chain inet try in { type filter hook prerouting priority 0; }'");
    machine
        .serial
        .inside("nft add rule inet try in socket transparent 1 tcp dport 8081 counter");
    machine.serial.inside(visit);
    let counted = machine.serial.inside("nft list table inet try");
    assert!(
        counted.contains("counter packets") && !counted.contains("packets 0 "),
        "{counted}"
    );
    machine
        .serial
        .inside("nft delete table inet try; /bin/ip netns delete visitor");
}

/// Reads from the kernel which user each process is and which capabilities it has.
pub(crate) fn processes_have_just_their_rights(machine: &mut Machine) {
    let listed = machine.serial.inside(
        "for p in /proc/[0-9]*; do command=$(tr '\\0' ' ' <$p/cmdline); \
         status=$(sed -n 's/^Name:\\t//p; s/^Uid:\\t\\([0-9]*\\).*/\\1/p; s/^CapEff:\\t//p; \
         s/^NoNewPrivs:\\t//p; s/^Seccomp:\\t//p' $p/status); \
         [ -z \"$command\" -o -z \"$status\" ] || echo $status $command; done 2>/dev/null",
    );
    let kinds: Vec<&str> = listed.lines().map(kind).collect();
    for kind in [
        "control",
        "engine",
        "DHCP client",
        "parent",
        "DHCP",
        "system",
    ] {
        assert!(kinds.contains(&kind), "no {kind} in\n{listed}");
    }
}

/// What a process is, whose rights are just that one's: name, user, effective capabilities, whether
/// it may gain others, filter of system calls, command.
fn kind(line: &str) -> &'static str {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, user, effective, no_new, filter, ..] = words[..] else {
        panic!("{line}");
    };
    let has = u64::from_str_radix(effective, 16).unwrap();
    let bits = |all: &[u32]| all.iter().map(|one| 1 << one).sum::<u64>();
    let only = |all: &[u32]| has & !bits(all) == 0;
    let never = bits(&[DAC_OVERRIDE, SYS_MODULE, SYS_RAWIO, SYS_PTRACE]);
    let confined = (no_new, filter) == ("1", "2");
    let (kind, fine) = match (user, words[5..].join(" ").as_str()) {
        ("901", _) => ("control", only(&[]) && confined),
        ("902", _) => (
            "engine",
            only(&[NET_BIND_SERVICE, NET_RAW, NET_ADMIN]) && confined,
        ),
        ("903", _) => (
            "DHCP client",
            only(&[NET_BIND_SERVICE, NET_RAW]) && no_new == "1" && name == "udhcpc",
        ),
        ("0", "lanai daemon") => ("parent", has & never == 0),
        ("0", "lanai dhcp") => ("DHCP", has & never == 0),
        // The box itself: its init, its log, its consoles and what was typed there.
        ("0", _) => {
            let own = [
                "init", "syslogd", "klogd", "logger", "lanai", "run", "sh", "sleep", "sed", "tr",
                "cat",
            ];
            ("system", own.contains(&name))
        }
        _ => ("nobody's", false),
    };
    assert!(fine, "{kind}: {line}");
    kind
}

/// As `free` counts: all that programs could not have at once.
pub(crate) fn memory_is_enough(machine: &mut Machine) {
    let used = machine.serial.inside(
        "awk '/^MemTotal:/ { all = $2 } /^MemAvailable:/ { free = $2 } END { print all - free }' \
         /proc/meminfo",
    );
    let used: u64 = used.trim().parse().unwrap();
    println!("memory in use: {} MB", used / 1000);
    assert!(used < MEMORY_KB, "{used} kB in use");
}
