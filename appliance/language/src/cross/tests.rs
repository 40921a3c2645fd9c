use super::*;
use crate::{Environment, Facts, layer7, services};

fn warnings(services_text: &str, binds: &str) -> Vec<(String, String)> {
    let mut sources = SourceMap::new();
    let first = sources.add("services.cfg", services_text.as_bytes());
    let text = format!("frontend f\n timeout client 1s\n{binds}");
    let second = sources.add("haproxy.cfg", text.as_bytes());
    let services = services::read(&sources, &[first]).value.expect("services");
    let config = layer7::read(&sources, &[second], &Environment::new(), &Facts::default());
    let config = config.value.expect("a configuration");
    check(&services, &config, &sources)
        .into_iter()
        .map(|found| {
            let words = String::from_utf8_lossy(sources.slice(found.span)).into_owned();
            (words, found.message)
        })
        .collect()
}

const SERVICES: &str = "\
service network eth0
 ip address 10.0.0.2/24
 ip route default 10.0.0.1
service network eth1
 ip address 10.0.1.2/24
 ip route 172.16.0.0/12 10.0.1.1
service network eth2
 ip address 10.0.2.2/24
";

#[test]
fn a_covered_bind_is_quiet() {
    assert_eq!(
        warnings(
            SERVICES,
            " bind :80\n bind :81 interface eth0\n bind :82 interface lo\n"
        ),
        []
    );
}

#[test]
fn an_uncovered_bind_is_warned_about_where_it_names_the_interface() {
    let found = warnings(
        SERVICES,
        " bind :81-83 interface eth1\n bind 10.0.2.2:82 name x interface eth2\n bind [::]:83 interface eth0\n",
    );
    let expected = [
        (
            "eth1",
            "interface 'eth1' has no default route for IPv4: only clients of its routes' networks \
             get answers",
        ),
        (
            "eth2",
            "interface 'eth2' has no default route for IPv4: only clients of its own networks get \
             answers",
        ),
        (
            "eth0",
            "interface 'eth0' has no default route for IPv6: only clients of its own networks get \
             answers",
        ),
    ];
    assert_eq!(
        found,
        expected.map(|(at, text)| (at.to_owned(), text.to_owned()))
    );
}

#[test]
fn an_interface_nobody_configured_is_warned_about() {
    let found = warnings(SERVICES, " bind :81 interface eth9\n");
    assert_eq!(
        found,
        [(
            "eth9".to_owned(),
            "interface 'eth9' is not configured in the Services tab".to_owned()
        )]
    );
}
