//! Logging (HAProxy manual, section 8).

use std::net::SocketAddr;
use std::path::PathBuf;

/// `option httplog` and its like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// HAProxy's short line: who connected where.
    #[default]
    Default,
    /// `option tcplog`.
    Tcp,
    /// `option httplog`.
    Http,
}

/// `log TARGET [len N] [format F] FACILITY [MAX [MIN]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTarget {
    /// Where lines go.
    pub address: LogAddress,
    /// `len`: longest line in bytes, 80 to 65,535; default 1,024.
    pub len: u16,
    /// `format`.
    pub format: LogTransport,
    /// Syslog facility number, 0 to 23.
    pub facility: u8,
    /// Least urgent level that is sent (7 debug); default 7.
    pub max_level: u8,
    /// Lines more urgent than this are sent as this level; default 0 (emerg).
    pub min_level: u8,
}

/// Where a log line goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogAddress {
    /// A datagram to this address; the port's default is 514.
    Udp(SocketAddr),
    /// A datagram to this UNIX socket.
    Unix(PathBuf),
    /// An open descriptor; `stdout` is 1 and `stderr` 2.
    Fd(i32),
}

/// `format` of a log target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogTransport {
    /// `local`: the old syslog header without a host name.
    #[default]
    Local,
    /// `rfc3164`: with host name.
    Rfc3164,
    /// `rfc5424`.
    Rfc5424,
    /// `priority`: the level in angle brackets, then the message.
    Priority,
    /// `short`: as `priority`, after systemd's habit.
    Short,
    /// `raw`: the message alone.
    Raw,
}
