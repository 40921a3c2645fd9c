//! `allow` of `service sshd` without the firewall, with a real sshd and real clients.

use lanai_tests::{Appliance, Lab, Process};

/// Ways to the appliance by two zones, of both families.
const ZONES: [(&str, [&str; 2]); 2] = [
    ("gw1", ["172.16.1.10", "2001:db8:1::10"]),
    ("gw2", ["10.2.0.10", "2001:db8:2::10"]),
];

const SERVICES: &str = "\
service network eth1
    ip address 172.16.1.10/24
    ip address 2001:db8:1::10/64
service network eth2
    ip address 10.2.0.10/24
    ip address 2001:db8:2::10/64
service sshd
";

const LAYER7: &str = "\
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend www
    bind 172.16.1.10:80
    default_backend none
backend none
";

const ALLOW: &str = "    allow 10.2.0.0/24\n    allow 2001:db8:2::/64\n";

/// Debian's sshd on port 22 of the appliance, for the holder of a key.
fn sshd(lab: &Lab) -> (Process, String) {
    let place = lab.fresh("ssh");
    std::fs::create_dir(&place).unwrap();
    let at = |name: &str| place.join(name).to_str().unwrap().to_owned();
    for name in ["host", "client"] {
        let argv = [
            "ssh-keygen",
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-f",
            &at(name),
        ];
        lab.run("appliance", &argv).ok();
    }
    let config = format!(
        "HostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM yes\nPasswordAuthentication no\n\
         PidFile none\n",
        at("host"),
        at("client.pub")
    );
    std::fs::write(at("config"), config).unwrap();
    // A directory that the machine's own sshd would have made.
    let line =
        "mount -t tmpfs run /run; mkdir -m 755 /run/sshd; exec /usr/sbin/sshd -D -e -f \"$0\"";
    let argv = ["unshare", "--mount", "sh", "-ec", line, &at("config")];
    let sshd = lab.start("appliance", &argv);
    lab.listening("appliance", 22);
    (sshd, at("client"))
}

/// Whether somebody on a host can log in at an address.
fn logs_in(lab: &Lab, role: &str, key: &str, address: &str) -> bool {
    let to = format!("root@{address}");
    let argv = [
        "ssh",
        "-F",
        "none",
        "-i",
        key,
        "-o",
        "BatchMode=yes",
        "-o",
        "ConnectTimeout=2",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        &to,
        "echo in",
    ];
    let seen = lab.run(role, &argv);
    match (seen.code, seen.stdout.as_str()) {
        (0, "in\n") => true,
        (255, "") if seen.stderr.contains("timed out") => false,
        _ => panic!("{role} at {address}: {seen:?}"),
    }
}

#[test]
fn who_may_log_in_is_kept_without_the_firewall() {
    let lab = Lab::new();
    for (index, (host, _)) in ZONES.into_iter().enumerate() {
        let network = format!("2001:db8:{}", index + 1);
        lab.sh(
            host,
            &format!("ip address add {network}::1/64 dev appl nodad"),
        );
    }
    let mut appliance = Appliance::example(&lab);
    appliance.write("haproxy.cfg", LAYER7);
    appliance.write("services.cfg", SERVICES);
    appliance.start();
    let (_sshd, key) = sshd(&lab);
    let before = appliance.kernel_state();
    let all = |[one, other]: [bool; 2]| {
        for ((host, addresses), wanted) in ZONES.into_iter().zip([one, other]) {
            for address in addresses {
                let seen = logs_in(&lab, host, &key, address);
                assert_eq!(seen, wanted, "{host} at {address}");
            }
        }
    };
    all([true, true]);

    appliance.write("services.cfg", &format!("{SERVICES}{ALLOW}"));
    let checked = appliance.lanai(&["check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(!checked.text().contains("firewall"), "{checked:?}");
    let plan = appliance.lanai(&["plan"]).ok();
    for words in [
        "add chain input (type filter hook input priority 0, policy accept) (services.cfg:7)",
        "drop comment \"sshd, from elsewhere\" (services.cfg:7)",
    ] {
        assert!(plan.contains(words), "{words}\nis not in\n{plan}");
    }
    // Who would be shut out by it is told.
    let came = "SSH_CONNECTION=172.16.1.1 40000 172.16.1.10 22";
    let plan = appliance.lanai_after(&["env", came], &["plan"]).ok();
    let told = "you at 172.16.1.1 will not be let in to port 22 any more";
    assert!(plan.contains(told), "{plan}");
    appliance.apply("sshd is for the LAN");
    all([false, true]);
    // Nothing else is kept out.
    let ui = lab
        .client("gw1")
        .patience(3)
        .get("https://172.16.1.10:4444/login");
    assert_eq!(ui.status, 200, "{ui:?}");

    appliance.write("services.cfg", SERVICES);
    appliance.apply("sshd is for everybody");
    all([true, true]);
    assert_eq!(appliance.kernel_state(), before);
}
