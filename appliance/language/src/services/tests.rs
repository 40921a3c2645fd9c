use lanai_diagnostics::Severity;
use lanai_model::services::Services;
use proptest::prelude::*;

use super::*;

fn read_text(text: &[u8]) -> Outcome<Services> {
    let mut sources = SourceMap::new();
    let id = sources.add("services.cfg", text);
    read(&sources, &[id])
}

#[test]
fn blocks_arrive() {
    let outcome = read_text(
        b"# the box\nservice network eth0 # first\n  ip address 10.0.0.2/255.255.255.0\n  \
          ip address 2001:db8::2/64\n  ip route default 10.0.0.1\n  \
          ip route 172.16.0.0/12 10.0.0.254 metric 7\n  ip route default fe80::1 metric 5\n\
          service network eth1\n",
    );
    assert_eq!(outcome.diagnostics, []);
    let services = outcome.value.expect("services");
    assert_eq!(services.networks.len(), 2);
    let eth0 = &services.networks[0];
    assert_eq!(&*eth0.interface, "eth0");
    assert_eq!(eth0.origin.to_string(), "services.cfg:2");
    let addresses: Vec<_> = eth0.addresses.iter().map(|a| a.net.to_string()).collect();
    assert_eq!(addresses, ["10.0.0.2/24", "2001:db8::2/64"]);
    let routes: Vec<_> = eth0
        .routes
        .iter()
        .map(|r| {
            format!(
                "{} via {} {:?} line {}",
                r.destination,
                r.via.gateway().expect("a gateway"),
                r.metric,
                r.origin.line
            )
        })
        .collect();
    assert_eq!(
        routes,
        [
            "0.0.0.0/0 via 10.0.0.1 None line 5",
            "172.16.0.0/12 via 10.0.0.254 Some(7) line 6",
            "::/0 via fe80::1 Some(5) line 7",
        ]
    );
    assert!(services.networks[1].addresses.is_empty());
}

#[test]
fn an_absent_metric_conflicts_with_the_kernels_default() {
    for (one, other, conflict) in [
        ("default 10.0.0.1", "default 10.0.0.3 metric 0", true),
        ("default 10.0.0.1", "default 10.0.0.3 metric 1", false),
        ("default 10.0.0.1", "default fe80::1", false),
        ("default fe80::1", "default fe80::2 metric 1024", true),
        ("default fe80::1 metric 0", "default fe80::2", true),
        ("default fe80::1 metric 1", "default fe80::2", false),
        ("10.1.0.0/16 10.0.0.1", "10.1.0.0/16 10.0.0.3", true),
        ("10.1.0.0/16 10.0.0.1", "10.1.0.0/17 10.0.0.3", false),
        ("0.0.0.0/0 10.0.0.1", "default 10.0.0.3", true),
    ] {
        let text = format!(
            "service network a\n ip address 10.0.0.2/24\n ip route {one}\nservice network b\n \
             ip address 10.0.0.4/24\n ip route {other}\n"
        );
        let outcome = read_text(text.as_bytes());
        assert_eq!(outcome.value.is_none(), conflict, "{one}, {other}");
        if conflict {
            let found = &outcome.diagnostics[0];
            assert_eq!((found.code, found.labels.len()), (codes::ROUTE_CONFLICT, 1));
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let outcome = read_text(&bytes);
        let refused = outcome.diagnostics.iter().any(|d| d.severity == Severity::Alert);
        prop_assert_eq!(outcome.value.is_none(), refused);
    }

    #[test]
    fn any_words_are_read(text in "((service|network|eth0|ip|address|route|default|metric|auto|on|10\\.0\\.0\\.[0-9]|/24|fe80::1|[0-9]{1,3}|#|\"|\\$)( |\n|/)){0,60}") {
        let outcome = read_text(text.as_bytes());
        let refused = outcome.diagnostics.iter().any(|d| d.severity == Severity::Alert);
        prop_assert_eq!(outcome.value.is_none(), refused);
    }
}
