//! The access record of a request or a connection, and its log line.
//!
//! The lines are those of the HAProxy manual, section 8.2; the fields keep its names.

use std::io::Write;
use std::net::SocketAddr;

/// What is known when a request or a connection ends.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// `%ci:%cp`; `None` for a client without an IP address.
    pub client: Option<SocketAddr>,
    /// Where the client connected to.
    pub destination: Option<SocketAddr>,
    /// `%tr` or `%t`: local time as `23/Nov/2026:23:34:25.123`.
    pub date: &'a str,
    /// `%f`.
    pub frontend: &'a str,
    /// Whether the client came over TLS: the frontend's name then gets a `~`.
    pub tls: bool,
    /// `%b`; the frontend's name when no backend was chosen.
    pub backend: &'a str,
    /// `%s`; `None` prints `<NOSRV>`.
    pub server: Option<&'a str>,
    /// The timers.
    pub timers: Timers,
    /// `%ST`; `None` prints -1.
    pub status: Option<u16>,
    /// `%B`: bytes sent to the client.
    pub bytes_to_client: u64,
    /// `%ts`.
    pub termination: Termination,
    /// `%ac/%fc/%bc/%sc/%rc`.
    pub connections: Connections,
    /// `%sq/%bq`.
    pub queue: (u32, u32),
    /// `%r`, as it came; `None` prints `<BADREQ>`.
    pub request: Option<&'a [u8]>,
}

/// Milliseconds; `None` prints -1: the phase was not reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timers {
    /// `%TR`: to receive the request head from its first byte.
    pub request: Option<u64>,
    /// `%Tw`: in the queues.
    pub queue: Option<u64>,
    /// `%Tc`: to connect to the server.
    pub connect: Option<u64>,
    /// `%Tr`: until the response head was there.
    pub response: Option<u64>,
    /// `%Ta` or `%Tt`: all of it.
    pub total: u64,
}

/// The first two letters of the termination state (manual, section 8.5), plus the cookie letters that
/// HTTP lines have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Termination {
    /// Who ended it.
    pub who: u8,
    /// In which phase.
    pub when: u8,
}

impl Default for Termination {
    fn default() -> Self {
        Self {
            who: b'-',
            when: b'-',
        }
    }
}

/// Connections when the record was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// `%ac`: of the process.
    pub process: u32,
    /// `%fc`: of the frontend.
    pub frontend: u32,
    /// `%bc`: of the backend.
    pub backend: u32,
    /// `%sc`: of the server.
    pub server: u32,
    /// `%rc`: retries.
    pub retries: u32,
}

impl Record<'_> {
    /// Appends the line of `option httplog`.
    pub fn write_http(&self, out: &mut Vec<u8>) {
        self.write_start(out);
        self.write_timer(out, self.timers.request, b'/');
        self.write_timer(out, self.timers.queue, b'/');
        self.write_timer(out, self.timers.connect, b'/');
        self.write_timer(out, self.timers.response, b'/');
        let status = self.status.map_or(-1, i32::from);
        let Termination { who, when } = self.termination;
        let (who, when) = (char::from(who), char::from(when));
        put(
            out,
            format_args!(
                "{} {status} {} - - {who}{when}-- ",
                self.timers.total, self.bytes_to_client
            ),
        );
        self.write_connections(out);
        out.extend_from_slice(b" \"");
        match self.request {
            Some(request) => escape(out, request),
            None => out.extend_from_slice(b"<BADREQ>"),
        }
        out.push(b'"');
    }

    /// Appends the line of `option tcplog`.
    pub fn write_tcp(&self, out: &mut Vec<u8>) {
        self.write_start(out);
        self.write_timer(out, self.timers.queue, b'/');
        self.write_timer(out, self.timers.connect, b'/');
        let Termination { who, when } = self.termination;
        let (who, when) = (char::from(who), char::from(when));
        put(
            out,
            format_args!(
                "{} {} {who}{when} ",
                self.timers.total, self.bytes_to_client
            ),
        );
        self.write_connections(out);
    }

    /// Appends HAProxy's line for proxies without a log format.
    pub fn write_default(&self, out: &mut Vec<u8>, http: bool) {
        out.extend_from_slice(b"Connect from ");
        write_address(out, self.client);
        out.extend_from_slice(b" to ");
        write_address(out, self.destination);
        let mode = if http { "HTTP" } else { "TCP" };
        put(out, format_args!(" ({}/{mode})", self.frontend));
    }

    fn write_start(&self, out: &mut Vec<u8>) {
        write_address(out, self.client);
        let tls = if self.tls { "~" } else { "" };
        let server = self.server.unwrap_or("<NOSRV>");
        put(
            out,
            format_args!(
                " [{}] {}{tls} {}/{server} ",
                self.date, self.frontend, self.backend
            ),
        );
    }

    fn write_timer(&self, out: &mut Vec<u8>, timer: Option<u64>, end: u8) {
        match timer {
            Some(ms) => put(out, format_args!("{ms}")),
            None => out.extend_from_slice(b"-1"),
        }
        out.push(end);
    }

    fn write_connections(&self, out: &mut Vec<u8>) {
        let c = &self.connections;
        let (sq, bq) = self.queue;
        let counts = (c.process, c.frontend, c.backend, c.server, c.retries);
        let (ac, fc, bc, sc, rc) = counts;
        put(out, format_args!("{ac}/{fc}/{bc}/{sc}/{rc} {sq}/{bq}"));
    }
}

fn write_address(out: &mut Vec<u8>, address: Option<SocketAddr>) {
    match address {
        // HAProxy prints IPv6 addresses without brackets in logs.
        Some(SocketAddr::V6(a)) => put(out, format_args!("{}:{}", a.ip(), a.port())),
        Some(SocketAddr::V4(a)) => put(out, format_args!("{a}")),
        None => out.extend_from_slice(b"unix:1"),
    }
}

/// Escapes as HAProxy does in logs: control bytes, bytes from 127 on and `"` become `#XX`, so that a
/// peer can neither break a line nor a field.
fn escape(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            0..32 | 127.. | b'"' | b'#' => put(out, format_args!("#{byte:02X}")),
            _ => out.push(byte),
        }
    }
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a Vec cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record<'a>() -> Record<'a> {
        Record {
            client: Some("10.0.1.2:33312".parse().expect("an address")),
            destination: Some("10.0.1.1:80".parse().expect("an address")),
            date: "06/Feb/2009:12:14:14.655",
            frontend: "http-in",
            tls: true,
            backend: "static",
            server: Some("srv1"),
            timers: Timers {
                request: Some(10),
                queue: Some(0),
                connect: Some(30),
                response: Some(69),
                total: 109,
            },
            status: Some(200),
            bytes_to_client: 2750,
            termination: Termination::default(),
            connections: Connections {
                process: 1,
                frontend: 1,
                backend: 1,
                server: 1,
                retries: 0,
            },
            queue: (0, 0),
            request: Some(b"GET /a\"b\x1b#\xc3 HTTP/1.1"),
        }
    }

    #[test]
    fn http_line() {
        let mut out = Vec::new();
        record().write_http(&mut out);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "10.0.1.2:33312 [06/Feb/2009:12:14:14.655] http-in~ static/srv1 10/0/30/69/109 200 2750 \
             - - ---- 1/1/1/1/0 0/0 \"GET /a#22b#1B#23#C3 HTTP/1.1\""
        );
    }

    #[test]
    fn a_bad_request_has_no_phases() {
        let mut out = Vec::new();
        let bad = Record {
            backend: "http-in",
            server: None,
            timers: Timers {
                total: 3,
                ..Timers::default()
            },
            status: Some(400),
            termination: Termination {
                who: b'P',
                when: b'R',
            },
            request: None,
            ..record()
        };
        bad.write_http(&mut out);
        let text = String::from_utf8_lossy(&out);
        assert!(
            text.contains("http-in~ http-in/<NOSRV> -1/-1/-1/-1/3 400 2750 - - PR--"),
            "{text}"
        );
        assert!(text.ends_with("\"<BADREQ>\""), "{text}");
    }

    #[test]
    fn tcp_and_default_lines() {
        let mut out = Vec::new();
        record().write_tcp(&mut out);
        out.push(b'\n');
        record().write_default(&mut out, false);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "10.0.1.2:33312 [06/Feb/2009:12:14:14.655] http-in~ static/srv1 0/30/109 2750 -- \
             1/1/1/1/0 0/0\nConnect from 10.0.1.2:33312 to 10.0.1.1:80 (http-in/TCP)"
        );
    }
}
