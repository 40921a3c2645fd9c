use lanai_network::{InterfaceAddress, RouteKind, Scope, TABLE_MAIN};

use super::*;

fn route() -> Step {
    Step::AddRoute(Route {
        table: TABLE_MAIN,
        destination: "0.0.0.0/0".parse().unwrap(),
        metric: 0,
        kind: RouteKind::Unicast,
        gateway: Some("192.0.2.1".parse().unwrap()),
        interface: Some("eth0".into()),
    })
}

fn address(net: &str) -> Step {
    Step::AddAddress(InterfaceAddress {
        interface: "eth0".into(),
        net: net.parse().unwrap(),
    })
}

fn words(step: &Step, errno: i32) -> String {
    let said = None;
    of_step(step, Failure::Refused { errno, said }).words
}

#[test]
fn each_cause_names_the_thing_and_the_next_step() {
    let cases = [
        (route(), EPERM, "CAP_NET_ADMIN"),
        (
            route(),
            ENETUNREACH,
            "gateway 192.0.2.1 is not on a network of eth0; add",
        ),
        (
            route(),
            EHOSTUNREACH,
            "gateway 192.0.2.1 is not on a network of eth0; add",
        ),
        (route(), EINVAL, "is it an address of this box"),
        (route(), ENETDOWN, "eth0 is down; see `ip link show eth0`"),
        (route(), EEXIST, "plan again"),
        (address("10.0.0.1/8"), EACCES, "CAP_NET_ADMIN"),
        (
            address("fd00::1/64"),
            EACCES,
            "IPv6 is switched off on eth0; set net.ipv6.conf.eth0.disable_ipv6",
        ),
        (address("fd00::1/64"), EEXIST, "another prefix length"),
        (address("10.0.0.1/8"), ENOBUFS, "no memory"),
        (address("10.0.0.1/8"), 16, "busy"),
    ];
    for (step, errno, wanted) in cases {
        let words = words(&step, errno);
        assert!(words.contains(wanted), "{step}, {errno}: {words}");
    }
}

#[test]
fn a_setting_that_cannot_be_set_says_why() {
    let sysctl = Sysctl::ReversePathFilter(Scope::Interface("eth0.100".into()));
    let cases = [
        (ENOENT, "no net.ipv4.conf.eth0/100.rp_filter"),
        (EROFS, "read-only"),
        (EACCES, "CAP_NET_ADMIN"),
        (EINVAL, "Invalid argument"),
    ];
    for (errno, wanted) in cases {
        let cause = of_sysctl(&sysctl, &io::Error::from_raw_os_error(errno));
        assert_eq!(cause.errno, errno);
        assert!(cause.words.contains(wanted), "{errno}: {}", cause.words);
    }
}

#[test]
fn the_kernels_own_words_are_kept() {
    let said = Some("Nexthop has invalid gateway".to_owned());
    let failure = Failure::Refused {
        errno: ENETUNREACH,
        said,
    };
    let words = of_step(&route(), failure).words;
    assert!(
        words.ends_with(" (the kernel says: Nexthop has invalid gateway)"),
        "{words}"
    );
    assert!(
        of_failure(Failure::Silent { errno: 0 })
            .words
            .contains("dmesg")
    );
    let lost = of_failure(Failure::Silent { errno: ENOMEM });
    assert!(
        lost.words.contains("was lost (the kernel has no memory"),
        "{lost}"
    );
    assert!(of_failure(Failure::Unsteady).words.contains("try again"));
}
