//! Aliases of log formats (HAProxy manual, section 8.2.6).

use std::collections::HashMap;
use std::sync::LazyLock;

/// A row of the aliases' table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alias {
    /// Without its percent sign.
    pub(crate) name: &'static str,
    /// What it gives, in the manual's words.
    pub(crate) gives: &'static str,
    /// Whether it has a value in mode http alone.
    pub(crate) http: bool,
    pub(crate) since: &'static str,
    pub(crate) about: &'static str,
}

/// The alias of this name.
pub(super) fn alias(name: &str) -> Option<&'static Alias> {
    static BY_NAME: LazyLock<HashMap<&str, &Alias>> =
        LazyLock::new(|| ALIASES.iter().map(|row| (row.name, row)).collect());
    BY_NAME.get(name).copied()
}

/// Rows: name, type, where it has a value, the first version that has it, and one sentence.
macro_rules! aliases {
    ($($name:literal $gives:ident $mode:ident $since:literal $about:literal;)*) => {
        &[$(Alias {
            name: $name,
            gives: aliases!(@type $gives),
            http: aliases!(@mode $mode),
            since: $since,
            about: $about,
        }),*]
    };
    (@type int) => { "numeric" };
    (@type str) => { "string" };
    (@type addr) => { "IP" };
    (@type time) => { "date" };
    (@type other) => { "" };
    (@mode any) => { false };
    (@mode http) => { true };
}

/// All of them.
pub(crate) const ALIASES: &[Alias] = aliases! {
    "o" other any "1.5" "Sets flags for all items after it.";
    "T" time any "1.5" "When the connection was accepted, in UTC.";
    "Tl" time any "1.5" "When the connection was accepted, in local time.";
    "Ts" time any "1.5" "When the connection was accepted, in seconds since 1970.";
    "t" time any "1.5" "When the connection was accepted, in local time with milliseconds.";
    "ms" time any "1.5" "Milliseconds part of the time of accepting.";
    "tr" time http "1.7" "When the request began, in local time with milliseconds.";
    "trg" time http "1.7" "When the request began, in UTC.";
    "trl" time http "1.7" "When the request began, in local time.";
    "Ta" int http "1.7" "Time from the request's first byte to its end, in milliseconds.";
    "Tc" int any "1.5" "Time to connect to the server, in milliseconds.";
    "Td" int any "1.7" "Time of the data's transfer, in milliseconds.";
    "Th" int any "1.7" "Time of the handshakes, in milliseconds.";
    "Ti" int http "1.7" "Time the connection was idle before the request, in milliseconds.";
    "Tq" int http "1.5" "Time from accepting to the whole request head, in milliseconds.";
    "TR" int http "1.7" "Time from the request's first byte to the end of its head, in milliseconds.";
    "Tr" int http "1.5" "Time the server took to answer, in milliseconds.";
    "Tt" int any "1.5" "Time from accepting to the end, in milliseconds.";
    "Tu" int any "2.2" "Time the user waited, in milliseconds.";
    "Tw" int any "1.5" "Time in queues, in milliseconds.";
    "B" int any "1.5" "Bytes sent to the client.";
    "CC" str http "1.5" "Captured request cookie.";
    "CS" str http "1.5" "Captured response cookie.";
    "H" str any "1.5" "Name of this box.";
    "HM" str http "1.6" "Method of the request.";
    "HP" str http "1.6" "URI of the request without the query string.";
    "HPO" str http "2.4" "Path of the request alone.";
    "HQ" str http "1.6" "Query string of the request.";
    "HU" str http "1.6" "URI of the request.";
    "HV" str http "1.6" "HTTP version of the request.";
    "ID" str any "1.5" "Identifier of the request.";
    "ST" int any "1.5" "Status of the response.";
    "U" int any "1.5" "Bytes received from the client.";
    "ac" int any "1.5" "Connections of the process.";
    "b" str any "1.5" "Name of the backend.";
    "bc" int any "1.5" "Connections of the backend.";
    "bi" addr any "1.5" "Address the server connection comes from.";
    "bp" int any "1.5" "Port the server connection comes from.";
    "bq" int any "1.5" "Requests that stood before this one in the backend's queue.";
    "ci" addr any "1.5" "Address of the client.";
    "cp" int any "1.5" "Port of the client.";
    "f" str any "1.5" "Name of the frontend.";
    "fc" int any "1.5" "Connections of the frontend.";
    "fi" addr any "1.5" "Address the client connected to.";
    "fp" int any "1.5" "Port the client connected to.";
    "ft" str any "1.5" "Name of the frontend, with a tilde for TLS.";
    "lc" int any "1.6" "Number of the frontend's log line.";
    "hr" str any "1.5" "Captured request headers.";
    "hrl" str any "1.5" "Captured request headers, in the common log format's style.";
    "hs" str any "1.5" "Captured response headers.";
    "hsl" str any "1.5" "Captured response headers, in the common log format's style.";
    "OG" str any "3.1" "Where the log line comes from.";
    "pid" int any "1.5" "Number of the process.";
    "r" str http "1.5" "First line of the request.";
    "rc" int any "1.5" "Retries it took to connect, with a plus sign after a redispatch.";
    "rt" int any "1.5" "Number of the request or session.";
    "s" str any "1.5" "Name of the server.";
    "sc" int any "1.5" "Connections of the server.";
    "si" addr any "1.5" "Address of the server.";
    "sp" int any "1.5" "Port of the server.";
    "sq" int any "1.5" "Requests that stood before this one in the server's queue.";
    "sslc" str any "1.5" "Cipher of the client's TLS session.";
    "sslv" str any "1.5" "TLS version of the client's session.";
    "ts" str any "1.5" "How the stream ended.";
    "tsc" str http "1.5" "How the stream ended, and what became of its cookie.";
};
