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

/// What the two texts say of addresses, whether or not this version runs all of the second.
fn foreign_addresses(lines: &str) -> Vec<(String, String)> {
    let mut sources = SourceMap::new();
    let first = sources.add("services.cfg", SERVICES.as_bytes());
    let second = sources.add("haproxy.cfg", lines.as_bytes());
    let services = services::read(&sources, &[first]).value.expect("services");
    let (config, _) =
        layer7::understand(&sources, &[second], &Environment::new(), &Facts::default());
    check(&services, &config.expect("a configuration"), &sources)
        .into_iter()
        .filter(|found| found.code == codes::ADDRESS_NOT_CONFIGURED)
        .map(|found| {
            let words = String::from_utf8_lossy(sources.slice(found.span)).into_owned();
            (words, found.message)
        })
        .collect()
}

#[test]
fn a_server_reached_from_an_address_of_nobody_is_warned_about() {
    let found = foreign_addresses(
        "backend b
 timeout connect 1s
 timeout server 1s
 server own 192.0.2.1:80 source 10.0.0.2
 server ports 192.0.2.1:81 source 10.0.9.9:1024-2048
 server any 192.0.2.1:82 source 0.0.0.0:1024-2048
 server client 192.0.2.1:83 source 10.0.9.8 usesrc clientip
 server six 192.0.2.1:84 check source [2001:db8::9]:0
 server allowed 192.0.2.1:85 source 10.0.9.7 # lanai: allow L018
",
    );
    let expected = [
        ("10.0.9.9:1024-2048", "10.0.9.9"),
        ("[2001:db8::9]:0", "2001:db8::9"),
    ];
    let said = |ip| format!("address {ip} is given to no interface in the Services tab");
    assert_eq!(
        found,
        expected.map(|(words, ip)| (words.to_owned(), said(ip)))
    );
}

#[test]
fn a_comment_that_allows_nothing_is_said_by_the_reading_alone() {
    let mut sources = SourceMap::new();
    let first = sources.add("services.cfg", SERVICES.as_bytes());
    let text = "frontend f\n timeout client 1s\n bind :81 # lanai: allow L999\n";
    let second = sources.add("haproxy.cfg", text.as_bytes());
    let services = services::read(&sources, &[first]).value.expect("services");
    let read = layer7::read(&sources, &[second], &Environment::new(), &Facts::default());
    assert_eq!(read.diagnostics.len(), 1);
    let config = read.value.expect("a configuration");
    assert_eq!(check(&services, &config, &sources), []);
}
