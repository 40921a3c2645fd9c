//! What a client on each side has to see. Asked of Lanai, and of plain HAProxy with plain `ip` in
//! its place: a lab in which nothing can work, or in which everything does, proves nothing.

use std::borrow::Cow;

use lanai_tests::Lab;

use crate::ipv6;

/// The article's Exchange address; port 443 of it is bound twice, once for eth2.
pub(crate) const EXCHANGE: &str = "https://198.51.100.11/";
/// The corporate website, bound without `interface`.
pub(crate) const WWW: &str = "http://198.51.100.10/";
/// Sharepoint, bound for eth1 and for eth2.
pub(crate) const SHAREPOINT: &str = "https://10.2.0.12/";
/// From the internet, to what the LAN reaches by eth2.
pub(crate) const INTERNET_TO_EXCHANGE: Request = Request::new("internet", "203.0.113.10", EXCHANGE);
/// A host behind eth2 that eth0's gateway sends to the appliance.
pub(crate) const BRANCH: &str = "http://10.21.0.10/";

/// A request from `role`, that some interface has to carry the answer to.
pub(crate) struct Request {
    pub(crate) role: &'static str,
    pub(crate) client: Cow<'static, str>,
    pub(crate) url: Cow<'static, str>,
}

impl Request {
    const fn new(role: &'static str, client: &'static str, url: &'static str) -> Request {
        Request {
            role,
            client: Cow::Borrowed(client),
            url: Cow::Borrowed(url),
        }
    }

    /// The same by IPv6.
    pub(crate) fn six(self) -> Request {
        Request {
            role: self.role,
            client: ipv6::six(&self.client).into(),
            url: ipv6::six(&self.url).into(),
        }
    }
}

/// From the LAN, whose network eth0's gateway claims as its own.
pub(crate) const LAN_TO_EXCHANGE: Request = Request::new("lan", "10.20.0.10", EXCHANGE);

/// Sends the request and says how many packets with the answer left by each of eth0, eth1, eth2,
/// and whether a web server's answer came back.
#[track_caller]
pub(crate) fn leaves_by(lab: &Lab, request: &Request) -> ([u64; 3], bool) {
    let ip = if request.client.contains(':') {
        "ip6"
    } else {
        "ip"
    };
    let expression = format!("{ip} daddr {} tcp sport {{ 80, 443 }}", request.client);
    let counters = ["eth0", "eth1", "eth2"].map(|name| lab.count_leaving(name, &expression));
    let response = lab.client(request.role).patience(3).get(&request.url);
    let answered = response.status == 200 && response.body.starts_with("web");
    (counters.map(|counter| counter.packets()), answered)
}

/// The request is answered, by `interface` and no other.
#[track_caller]
pub(crate) fn answered_by(lab: &Lab, request: &Request, interface: &str) {
    let (packets, answered) = leaves_by(lab, request);
    let Request { role, url, .. } = request;
    assert!(
        answered,
        "{role} got no answer from {url}; packets left by eth0..eth2: {packets:?}"
    );
    for (name, packets) in ["eth0", "eth1", "eth2"].iter().zip(packets) {
        let expected = *name == interface;
        assert_eq!(
            packets > 0,
            expected,
            "{role}, {url}: {packets} packets left by {name}"
        );
    }
}

/// The answer leaves by eth0 and ends at the LAN client's twin, so the client sees nothing.
#[track_caller]
pub(crate) fn answer_strays_to_eth0(lab: &Lab, request: &Request) {
    let (packets, answered) = leaves_by(lab, request);
    assert!(!answered, "the client has been answered");
    assert!(packets[0] > 0, "nothing left by eth0: {packets:?}");
    assert_eq!(packets[1..], [0, 0], "eth1, eth2");
}

/// Article 1's three kinds of users, each answered by their own side.
#[track_caller]
pub(crate) fn each_side_is_answered_by_its_own(lab: &Lab) {
    each_side(lab, |request| request);
}

/// The same by IPv6.
#[track_caller]
pub(crate) fn each_side_is_answered_by_its_own_in_ipv6(lab: &Lab) {
    each_side(lab, Request::six);
}

#[track_caller]
fn each_side(lab: &Lab, by: fn(Request) -> Request) {
    let internet = |url| Request::new("internet", "203.0.113.10", url);
    let partner = Request::new("partner", "172.16.100.10", SHAREPOINT);
    let lan = |url| Request::new("lan", "10.20.0.10", url);
    answered_by(lab, &by(internet(WWW)), "eth0");
    answered_by(lab, &by(internet(EXCHANGE)), "eth0");
    answered_by(lab, &by(LAN_TO_EXCHANGE), "eth2");
    answered_by(lab, &by(partner), "eth1");
    answered_by(lab, &by(lan(SHAREPOINT)), "eth2");
    // Bound without `interface`: the kernel's first default route is eth0's.
    answer_strays_to_eth0(lab, &by(lan(WWW)));
}
