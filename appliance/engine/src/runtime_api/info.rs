//! `show info`: the process in `name: value` lines (management guide, section 9.3, `show info`).

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Source;
use super::fields::{Field, Form, Value, write_json};
use crate::status::Status;

/// When the HAProxy version came out whose language we speak; tools want a date here.
const RELEASE_DATE: &str = "2026/08/21";

/// `show info` with these words after it: `[typed|json] [desc] [float]`.
pub(super) fn answer(source: &dyn Source, arguments: &[&str]) -> String {
    let has = |word| arguments.contains(&word);
    let form = match (has("typed"), has("json")) {
        (true, _) => Form::Typed,
        (false, true) => Form::Json,
        (false, false) => Form::Plain,
    };
    let facts = facts(source, has("float"));
    let known = FIELDS
        .iter()
        .map(|(position, field)| (*position, field, value_of(&facts, field)))
        .filter(|(_, _, value)| value.is_known());
    let mut out = String::new();
    for (position, field, value) in known {
        match form {
            Form::Plain => {
                let _ = write!(out, "{}: ", field.name);
                value.write_plain(&mut out);
            }
            Form::Typed => {
                let _ = write!(out, "{position}.{}.1", field.name);
                value.write_typed(field.tags, &mut out);
            }
            Form::Json => {
                out.push(if out.is_empty() { '[' } else { ',' });
                write_json("", position, field, &value, &mut out);
                continue;
            }
        }
        if has("desc") {
            let _ = write!(out, ":\"{}\"", field.text);
        }
        out.push('\n');
    }
    if form == Form::Json {
        out.push_str("]\n");
    }
    out
}

/// What is known. Every other field is a count or a limit that is 0 in a fresh HAProxy.
fn facts(source: &dyn Source, float: bool) -> Vec<(&'static str, Value)> {
    let status = source.status();
    let uptime = status.uptime;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let started = now.saturating_sub(uptime);
    let seconds = |span: std::time::Duration| {
        if float {
            Value::Float(span.as_secs_f64())
        } else {
            Value::Small(u32::try_from(span.as_secs()).unwrap_or(u32::MAX))
        }
    };
    let listeners = status.frontends.iter().map(|f| f.listeners.len()).sum();
    let sent: u64 = status.frontends.iter().map(|f| f.counters.bytes_out).sum();
    let jobs = status.current_connections.saturating_add(count(listeners));
    vec![
        ("Name", "HAProxy".into()),
        ("Version", source.version().into()),
        ("Release_date", RELEASE_DATE.into()),
        ("Nbthread", count(status.threads).into()),
        ("Nbproc", 1_u32.into()),
        ("Process_num", 1_u32.into()),
        ("Pid", source.pid().into()),
        ("Uptime", Value::Text(span(&status))),
        ("Uptime_sec", seconds(uptime)),
        ("Maxconn", status.maxconn.into()),
        ("Hard_maxconn", status.hard_maxconn.into()),
        ("CurrConns", status.current_connections.into()),
        ("CumConns", status.total_connections.into()),
        ("CumReq", status.total_requests.into()),
        // 0 would read as "no time left" and raise alarms; it is not measured.
        ("Idle_pct", Value::Unknown),
        ("node", Value::Text(node())),
        ("Stopping", u32::from(status.stopping).into()),
        ("Jobs", jobs.into()),
        ("Listeners", count(listeners).into()),
        ("DroppedLogs", status.dropped_logs.into()),
        ("TotalBytesOut", sent.into()),
        ("Build info", source.version().into()),
        ("Start_time_sec", seconds(started)),
        ("Tainted", "0".into()),
        ("NbThreadGroups", 1_u32.into()),
    ]
}

fn value_of(facts: &[(&'static str, Value)], field: &Field) -> Value {
    facts
        .iter()
        .find(|(name, _)| *name == field.name)
        .map_or(Value::Small(0), |(_, value)| value.clone())
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// `2d 5h03m09s`.
fn span(status: &Status) -> String {
    let seconds = status.uptime.as_secs();
    format!(
        "{}d {}h{:02}m{:02}s",
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// The host's name; `localhost` where `/proc` cannot be read.
fn node() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .unwrap_or_else(|_| "localhost".to_owned())
}

const fn field(
    position: usize,
    name: &'static str,
    tags: &'static str,
    text: &'static str,
) -> (usize, Field) {
    (position, Field { name, tags, text })
}

/// HAProxy's numbers, names and order. Numbers it gives to what we do not have are left out.
const FIELDS: &[(usize, Field)] = &[
    field(0, "Name", "POS", "name of the product"),
    field(1, "Version", "POS", "version of the product"),
    field(2, "Release_date", "POS", "date of that version"),
    field(3, "Nbthread", "CGS", "worker threads"),
    field(4, "Nbproc", "CGS", "processes, always 1"),
    field(5, "Process_num", "KGP", "number of the process, always 1"),
    field(6, "Pid", "SGP", "the system's number of the process"),
    field(7, "Uptime", "MDP", "time since the start"),
    field(8, "Uptime_sec", "MDP", "seconds since the start"),
    field(9, "Memmax_MB", "CLP", "memory limit in MB, 0 for none"),
    field(10, "PoolAlloc_MB", "MGP", "MB allocated in pools"),
    field(11, "PoolUsed_MB", "MGP", "MB used in pools"),
    field(12, "PoolFailed", "MCP", "pool allocations that failed"),
    field(13, "Ulimit-n", "CLP", "limit of open files"),
    field(14, "Maxsock", "CLP", "limit of sockets"),
    field(15, "Maxconn", "CLP", "limit of client connections"),
    field(
        16,
        "Hard_maxconn",
        "CLP",
        "limit of client connections that the system allows",
    ),
    field(17, "CurrConns", "MGP", "client connections now"),
    field(18, "CumConns", "MCP", "client connections so far"),
    field(19, "CumReq", "MCP", "requests so far"),
    field(
        20,
        "MaxSslConns",
        "MMP",
        "limit of TLS connections, 0 for none",
    ),
    field(21, "CurrSslConns", "MGP", "TLS connections now"),
    field(22, "CumSslConns", "MCP", "TLS connections so far"),
    field(23, "Maxpipes", "CLP", "limit of splicing pipes"),
    field(24, "PipesUsed", "MGP", "splicing pipes in use"),
    field(25, "PipesFree", "MGP", "splicing pipes kept"),
    field(26, "ConnRate", "MRP", "connections in the last second"),
    field(
        27,
        "ConnRateLimit",
        "CLP",
        "limit of connections in a second",
    ),
    field(28, "MaxConnRate", "MMP", "most connections in a second"),
    field(29, "SessRate", "MRP", "sessions in the last second"),
    field(30, "SessRateLimit", "CLP", "limit of sessions in a second"),
    field(31, "MaxSessRate", "MRP", "most sessions in a second"),
    field(32, "SslRate", "MRP", "TLS connections in the last second"),
    field(
        33,
        "SslRateLimit",
        "CLP",
        "limit of TLS connections in a second",
    ),
    field(34, "MaxSslRate", "MMP", "most TLS connections in a second"),
    field(
        35,
        "SslFrontendKeyRate",
        "MGP",
        "TLS keys made for clients in the last second",
    ),
    field(
        36,
        "SslFrontendMaxKeyRate",
        "MMP",
        "most TLS keys made for clients in a second",
    ),
    field(
        37,
        "SslFrontendSessionReuse_pct",
        "MGP",
        "percentage of resumed client TLS sessions",
    ),
    field(
        38,
        "SslBackendKeyRate",
        "MRP",
        "TLS keys made for servers in the last second",
    ),
    field(
        39,
        "SslBackendMaxKeyRate",
        "MMP",
        "most TLS keys made for servers in a second",
    ),
    field(
        40,
        "SslCacheLookups",
        "MCP",
        "lookups in the TLS session cache",
    ),
    field(
        41,
        "SslCacheMisses",
        "MCP",
        "lookups that found nothing there",
    ),
    field(
        42,
        "CompressBpsIn",
        "MRP",
        "bytes into compression in the last second",
    ),
    field(
        43,
        "CompressBpsOut",
        "MRP",
        "bytes out of compression in the last second",
    ),
    field(
        44,
        "CompressBpsRateLim",
        "CLP",
        "limit of bytes out of compression in a second",
    ),
    field(47, "Tasks", "MGP", "tasks"),
    field(48, "Run_queue", "MGP", "tasks that are ready to run"),
    field(49, "Idle_pct", "MaP", "percentage of time without work"),
    field(50, "node", "COS", "name of the host"),
    field(52, "Stopping", "MGP", "1 while stopping"),
    field(53, "Jobs", "MGP", "connections and listeners"),
    field(
        54,
        "Unstoppable Jobs",
        "MGP",
        "jobs that a stop does not wait for",
    ),
    field(55, "Listeners", "MGP", "listening sockets"),
    field(56, "ActivePeers", "MGP", "peers that answer"),
    field(57, "ConnectedPeers", "MGP", "peers that are connected"),
    field(58, "DroppedLogs", "MGP", "log lines that were dropped"),
    field(59, "BusyPolling", "MGP", "1 with busy polling"),
    field(
        60,
        "FailedResolutions",
        "MGP",
        "names that could not be resolved",
    ),
    field(61, "TotalBytesOut", "MGP", "bytes sent to clients"),
    field(62, "TotalSplicdedBytesOut", "MGP", "bytes sent by splicing"),
    field(63, "BytesOutRate", "MRP", "bytes sent in the last second"),
    field(64, "DebugCommandsIssued", "MGP", "debug commands issued"),
    field(65, "CumRecvLogs", "MCP", "log lines received"),
    field(66, "Build info", "POS", "version of the build"),
    field(
        67,
        "Memmax_bytes",
        "CLP",
        "memory limit in bytes, 0 for none",
    ),
    field(68, "PoolAlloc_bytes", "MGP", "bytes allocated in pools"),
    field(69, "PoolUsed_bytes", "MGP", "bytes used in pools"),
    field(
        70,
        "Start_time_sec",
        "MDP",
        "second of the start since 1970",
    ),
    field(71, "Tainted", "SGP", "experimental features in use"),
    field(72, "TotalWarnings", "MCP", "warnings so far"),
    field(
        73,
        "MaxconnReached",
        "MCP",
        "times the connection limit was reached",
    ),
    field(74, "BootTime_ms", "MDP", "milliseconds the start took"),
    field(75, "Niced_tasks", "MGP", "tasks with another priority"),
    field(76, "CurrStreams", "MGP", "streams now"),
    field(77, "CumStreams", "MCP", "streams so far"),
    field(
        78,
        "BlockedTrafficWarnings",
        "MCP",
        "warnings of blocked traffic",
    ),
    field(79, "PatternsAdded", "MCP", "patterns added so far"),
    field(80, "PatternsFreed", "MCP", "patterns freed so far"),
    field(81, "NbThreadGroups", "CGS", "groups of worker threads"),
];
