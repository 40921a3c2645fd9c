//! The texts of the files.

use std::fmt::Write as _;

use lanai_network::{LogServer, Setting};

use super::MARK;

/// The file of a part: what it was made of, and what that gives.
pub(super) fn file(setting: &Setting) -> String {
    // Nothing in a setting is a map with keys that are no text, or fails to be written.
    let made_of = serde_json::to_string(setting).unwrap_or_default();
    format!("{MARK}{made_of}\n{}", body(setting))
}

fn body(setting: &Setting) -> String {
    match setting {
        Setting::Name(name) => format!("{name}\n"),
        Setting::Resolver { .. } => String::new(),
        Setting::Time(servers) => {
            let mut text = String::new();
            for server in servers {
                let prefer = if server.prefer { " prefer" } else { "" };
                // Writing to a text does not fail, here and below.
                let _ = writeln!(text, "server {} iburst{prefer}", server.host);
            }
            text + CHRONY
        }
        Setting::Log(servers) => {
            let mut text = RSYSLOG.to_owned();
            for server in servers {
                text += &forward(server);
            }
            text
        }
        Setting::Shell { listen, keys } => {
            let mut text = String::new();
            for address in listen {
                let _ = writeln!(text, "listen {address}");
            }
            for key in keys {
                let line = format!("{} {} {}", key.kind, key.key, key.comment);
                let _ = writeln!(text, "key {}", line.trim_end());
            }
            text
        }
    }
}

/// `resolv.conf` (resolv.conf(5)): the servers that are configured, else those of a lease.
pub(super) fn resolver(setting: Option<&Setting>, lease: &str) -> String {
    let Some(Setting::Resolver { domain, servers }) = setting else {
        return lease.to_owned();
    };
    let mut text = String::new();
    if let Some(domain) = domain {
        let _ = writeln!(text, "search {domain}");
    }
    for server in servers {
        let _ = writeln!(text, "nameserver {server}");
    }
    if servers.is_empty() {
        text += lease;
    }
    text
}

/// `hosts`: the box knows itself without asking.
pub(super) fn hosts(name: &str) -> String {
    format!("127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {name}\n")
}

/// chrony.conf(5). The clock is set at once if it is more than a second wrong just after the start, and
/// later only slewed. Nobody is served, and only root may ask, over a socket of the box.
const CHRONY: &str = "\
driftfile /var/lib/chrony/drift
makestep 1 3
rtcsync
port 0
cmdport 0
bindcmdaddress /run/chrony/chronyd.sock
pidfile /run/appliance/chronyd.pid
user lanai-time
";

/// The box's own log as without a server, and as another user.
const RSYSLOG: &str = "\
global(privDrop.user.name=\"lanai-log\" privDrop.group.name=\"lanai-log\")
module(load=\"imuxsock\")
template(name=\"local\" type=\"string\" string=\"%TIMESTAMP% %syslogfacility-text%.%syslogseverity-text% %syslogtag%%msg:::sp-if-no-1st-sp%%msg:::drop-last-lf%\\n\")
action(type=\"omfile\" file=\"/var/log/messages\" template=\"local\")
";

/// Messages that a server does not take wait, so many; then the newest are dropped. Nobody who logs
/// ever waits.
fn forward(server: &LogServer) -> String {
    let protocol = match server.tcp {
        true => "protocol=\"tcp\" TCP_Framing=\"octet-counted\"",
        false => "protocol=\"udp\"",
    };
    let facilities: Vec<String> = server
        .facilities
        .iter()
        .map(|number| format!("$syslogfacility == {number}"))
        .collect();
    let condition = match facilities.as_slice() {
        [] => format!("$syslogseverity <= {}", server.level),
        some => format!(
            "$syslogseverity <= {} and ({})",
            server.level,
            some.join(" or ")
        ),
    };
    format!(
        "if ({condition}) then {{ action(type=\"omfwd\" target=\"{}\" port=\"{}\" {protocol} \
         template=\"RSYSLOG_SyslogProtocol23Format\" queue.type=\"LinkedList\" queue.size=\"5000\" \
         queue.timeoutEnqueue=\"0\" action.resumeRetryCount=\"-1\") }}\n",
        server.host, server.port
    )
}
