//! The configuration under load, and changes to it that are really different.

use crate::origin;

/// The Services tab: the client's side and the servers' side.
pub(crate) const SERVICES: &str = "service network eth0
    ip   address 198.51.100.10/24
    ip   route   default 198.51.100.1

service network eth3
    ip   address 10.3.0.10/24
";

/// The proxy's address.
pub(crate) const BOX: &str = "198.51.100.10";
/// The servers' address.
pub(crate) const SERVERS: &str = "10.3.0.1";
/// Where HTTP is spoken, with TLS, and TCP mode.
pub(crate) const PORTS: [u16; 3] = [80, 443, 7000];
/// Binds that changes add and remove.
const SECOND: u16 = 8080;
const THIRD: u16 = 8090;

/// The LB Layer7 tab as a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    third_server: bool,
    weight: u32,
    timeout: u32,
    second_bind: bool,
    third_frontend: bool,
    certificates: u32,
}

/// What a change was, and how it can be seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Requests come to the third server from now on, or do not.
    Server(bool),
    /// The first server's weight.
    Weight(u32),
    /// A timeout, in seconds.
    Timeout(u32),
    /// One bind more or less.
    Bind(u16, bool),
    /// Another certificate on the TLS bind.
    Certificate,
    /// A frontend more or less.
    Frontend(u16, bool),
}

impl Site {
    pub(crate) fn new() -> Site {
        Site {
            third_server: false,
            weight: 10,
            timeout: 60,
            second_bind: false,
            third_frontend: false,
            certificates: 0,
        }
    }

    /// The change of a round; no two texts in a row are the same, and most never come again.
    pub(crate) fn change(&mut self, round: u32) -> Change {
        match round % 6 {
            0 => {
                self.third_server = !self.third_server;
                Change::Server(self.third_server)
            }
            1 => {
                self.weight = 10 + (self.weight + 7) % 90;
                Change::Weight(self.weight)
            }
            2 => {
                self.timeout += 1;
                Change::Timeout(self.timeout)
            }
            3 => {
                self.second_bind = !self.second_bind;
                Change::Bind(SECOND, self.second_bind)
            }
            4 => {
                self.certificates += 1;
                Change::Certificate
            }
            _ => {
                self.third_frontend = !self.third_frontend;
                Change::Frontend(THIRD, self.third_frontend)
            }
        }
    }

    /// haproxy.cfg; `global` is added to its first section.
    pub(crate) fn text(&self, global: &str) -> String {
        let [web, tls, raw] = PORTS;
        let [first, second, third, _] = origin::WEB;
        let echo = origin::RAW;
        let (timeout, weight) = (self.timeout, self.weight);
        let when = |there: bool, text: String| if there { text } else { String::new() };
        let second_bind = when(
            self.second_bind,
            format!("    bind {BOX}:{SECOND} name second\n"),
        );
        let third_server = when(
            self.third_server,
            format!("    server s3 {SERVERS}:{third} check weight 10\n"),
        );
        let third_frontend = when(
            self.third_frontend,
            format!("frontend third\n    bind {BOX}:{THIRD}\n    default_backend items\n"),
        );
        format!(
            "global
    maxconn 2000
{global}
defaults
    mode http
    timeout connect 3s
    timeout client {timeout}s
    timeout server 60s
    timeout tunnel 1h

frontend web
    bind {BOX}:{web} name http
    bind {BOX}:{tls} name https ssl crt ssl/www.pem
{second_bind}    default_backend items

backend items
    balance roundrobin
    server s1 {SERVERS}:{first} check weight {weight}
    server s2 {SERVERS}:{second} check weight 10
{third_server}
frontend raw
    mode tcp
    bind {BOX}:{raw}
    default_backend echo

backend echo
    mode tcp
    server e1 {SERVERS}:{echo} check

{third_frontend}"
        )
    }
}
