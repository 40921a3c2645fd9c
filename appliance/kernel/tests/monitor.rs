//! That every kind of change is heard, made by the tools that people use.

mod support;

use std::time::Duration;

use lanai_kernel::Monitor;
use support::Namespace;
use tokio::time::timeout;

/// Whatever is still on its way when a test begins, such as the end of duplicate address detection.
const SILENCE: Duration = Duration::from_millis(300);

#[test]
fn every_kind_of_change_is_heard() {
    let namespace = Namespace::new();
    namespace.veth("eth0");
    namespace.ip("link set eth0 addrgenmode none");
    namespace.ip("link set p-eth0 addrgenmode none");
    namespace.enter(|| async {
        let mut monitor = Monitor::open().expect("listening");
        let changes: [(&str, &str); 10] = [
            ("ip", "link set eth0 up"),
            ("ip", "addr add 192.0.2.1/24 dev eth0"),
            ("ip", "addr add 2001:db8::1/64 dev eth0 nodad"),
            ("ip", "route add 198.51.100.0/24 via 192.0.2.2"),
            ("ip", "route add 2001:db8:1::/48 via 2001:db8::2"),
            ("ip", "rule add fwmark 7 lookup 100"),
            ("ip", "-6 rule add fwmark 7 lookup 100"),
            ("sysctl", "-w net.ipv4.conf.eth0.rp_filter=1"),
            ("nft", "add table inet other"),
            ("nft", "flush ruleset"),
        ];
        for (program, arguments) in changes {
            while timeout(SILENCE, monitor.changed()).await.is_ok() {}
            namespace.exec(program, arguments);
            let heard = timeout(Duration::from_secs(1), monitor.changed()).await;
            assert!(
                matches!(heard, Ok(Ok(()))),
                "{program} {arguments}: {heard:?}"
            );
        }
    });
}

#[test]
fn more_than_a_listener_can_hold_is_one_change_and_no_failure() {
    let namespace = Namespace::new();
    namespace.veth("eth0");
    namespace.ip("link set eth0 up");
    namespace.ip("addr add 192.0.2.1/24 dev eth0");
    namespace.enter(|| async {
        let mut monitor = Monitor::open().expect("listening");
        let lines: String = (0..4000)
            .map(|at| {
                format!(
                    "route add 10.{}.{}.0/24 via 192.0.2.2\n",
                    at / 256,
                    at % 256
                )
            })
            .collect();
        let file = std::env::temp_dir().join(format!("lanai-monitor-{}", std::process::id()));
        std::fs::write(&file, lines).expect("a file");
        namespace.ip(&format!("-batch {}", file.display()));
        std::fs::remove_file(&file).expect("the file");
        while let Ok(heard) = timeout(SILENCE, monitor.changed()).await {
            heard.expect("a change");
        }
        namespace.ip("route del 10.0.0.0/24");
        let heard = timeout(Duration::from_secs(1), monitor.changed()).await;
        assert!(matches!(heard, Ok(Ok(()))), "{heard:?}");
    });
}
