//! What two runs of a case must have in common.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::bytes::{self, show};
use crate::case::{Case, Differs};
use crate::run::{Observation, Seen};
use crate::server::Connection;
use crate::stream::{Ending, message_length};

/// Scripts that did not go through.
pub(crate) fn failures(seen: &Observation) -> Vec<String> {
    let clients = seen.clients.iter().filter_map(|(name, client)| {
        let text = client.failure.as_ref()?;
        Some(format!(
            "client {name}: {text}; it got: {}",
            show(&client.received)
        ))
    });
    let servers = seen.servers.iter().flat_map(|(name, connections)| {
        connections
            .iter()
            .enumerate()
            .filter_map(move |(index, connection)| {
                let text = connection.failure.as_ref()?;
                let got = show(&connection.received);
                Some(format!(
                    "server {name}, connection {}: {text}; it got: {got}",
                    index + 1
                ))
            })
    });
    clients.chain(servers).collect()
}

/// The differences between what was seen on HAProxy (left) and on Lanai (right).
pub(crate) fn differences(case: &Case, oracle: &Observation, subject: &Observation) -> Vec<String> {
    let left = describe(case, oracle);
    let right = describe(case, subject);
    let mut out = Vec::new();
    for (key, value) in &left {
        match right.iter().find(|(k, _)| k == key) {
            Some((_, other)) if other == value => {}
            Some((_, other)) => {
                out.push(format!("{key}\n    haproxy: {value}\n    lanai:   {other}"))
            }
            None => out.push(format!("{key}\n    haproxy: {value}\n    lanai:   (none)")),
        }
    }
    for (key, value) in right
        .iter()
        .filter(|(key, _)| left.iter().all(|(k, _)| k != key))
    {
        out.push(format!("{key}\n    haproxy: (none)\n    lanai:   {value}"));
    }
    out
}

/// Everything comparable, as named texts.
fn describe(case: &Case, seen: &Observation) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (name, client) in &seen.clients {
        if !case.has("no-client-bytes") {
            let received = shape(case, &client.received);
            out.push((format!("client {name} received"), received));
        }
        out.push((format!("client {name} ended"), ending(client)));
    }
    for (name, connections) in &seen.servers {
        for (index, connection) in used(case, connections).enumerate() {
            let key = format!("server {name}, connection {}", index + 1);
            out.push((format!("{key} received"), shape(case, &connection.received)));
            if case.has("server-ends") {
                out.push((
                    format!("{key} ended"),
                    (connection.ending != Ending::Open).to_string(),
                ));
            }
        }
    }
    if !case.has("no-log") {
        let mut log: Vec<String> = seen.log.iter().map(|line| mask(line)).collect();
        if case.has("no-bytes-in-log") {
            log.iter_mut().for_each(|line| *line = without_bytes(line));
        }
        if case.has("unordered-log") {
            log.sort();
        }
        if case.has("log-by-kind") {
            // Whoever serves a connection logs it once its last byte is on its way, and nobody waits for
            // that: a client that has its answer may have a state changed, and that logged, before.
            log.sort_by_key(|line| !is_access(line));
        }
        for (index, line) in log.into_iter().enumerate() {
            out.push((format!("log line {}", index + 1), line));
        }
    }
    out.extend(
        seen.stats
            .iter()
            .enumerate()
            .map(|(i, s)| (format!("stat {}", i + 1), s.clone())),
    );
    let told = seen.told.iter().enumerate();
    out.extend(told.map(|(at, answer)| (format!("answer {} to a step", at + 1), answer.clone())));
    let answers = case.commands.iter().zip(&seen.answers);
    out.extend(answers.map(|(command, answer)| (format!("cli {command}"), answer.clone())));
    out
}

/// Health checks connect and say nothing.
fn used<'a>(case: &Case, all: &'a [Connection]) -> impl Iterator<Item = &'a Connection> {
    let skip = case.has("silent-connections");
    all.iter()
        .filter(move |connection| !(skip && connection.received.is_empty()))
}

fn ending(client: &Seen) -> String {
    match (client.closed, client.ending) {
        (true, _) => "by itself".to_owned(),
        // A reset after the answer differs from FIN only in what was still unread.
        (false, Ending::Finished | Ending::Reset) => "closed by the proxy".to_owned(),
        (false, Ending::Open) => "still open".to_owned(),
    }
}

/// Where chunks begin and end depends on what one read brought: `merge-chunks` joins them.
fn shape(case: &Case, data: &[u8]) -> String {
    let merged = case.has("merge-chunks").then(|| merge_chunks(data));
    let data = &own_words(merged.as_deref().unwrap_or(data));
    let text = show(data);
    if data.len() < 2_000 {
        return text;
    }
    // The text leaves out the middle, which counts as well.
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    format!("{text} (hash {:016x})", hasher.finish())
}

/// The proxy's own error pages: the sentence, and thus the length, is each proxy's own.
fn own_words(data: &[u8]) -> Vec<u8> {
    let (open, close) = (&b"<html><body><h1>"[..], &b"</body></html>\n"[..]);
    let Some(start) = bytes::find(data, open) else {
        return data.to_vec();
    };
    let Some(end) = bytes::find(&data[start..], close) else {
        return data.to_vec();
    };
    let title = bytes::find(&data[start..], b"</h1>").map_or(start, |at| start + at);
    let length = (end + close.len()).to_string();
    let head = String::from_utf8_lossy(&data[..start]).into_owned();
    // Only a length that is true is hidden.
    let head = head.replace(&format!("ength: {length}\r\n"), "ength: LENGTH\r\n");
    let mut out = head.into_bytes();
    out.extend_from_slice(&data[start..title]);
    out.extend_from_slice(b"</h1>\nSENTENCE\n</body></html>\n");
    out.extend(own_words(&data[start + end + close.len()..]));
    out
}

fn merge_chunks(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = data;
    while let Some(head) = bytes::find(rest, b"\r\n\r\n").map(|at| at + 4) {
        let chunked = bytes::find(
            &rest[..head].to_ascii_lowercase(),
            b"\r\ntransfer-encoding:",
        )
        .is_some();
        if !chunked {
            let length = message_length(rest).unwrap_or(rest.len());
            out.extend_from_slice(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        out.extend_from_slice(&rest[..head]);
        let (body, used, ended) = chunks(&rest[head..]);
        let _ = write!(Text(&mut out), "[{} bytes of chunks: ", body.len());
        out.extend_from_slice(&body);
        out.extend_from_slice(if ended { b"]" } else { b" cut off]" });
        rest = &rest[head + used..];
    }
    out.extend_from_slice(rest);
    out
}

/// The data of a chunked body, how long its encoding up to the last chunk's line is, and whether that came.
fn chunks(data: &[u8]) -> (Vec<u8>, usize, bool) {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let Some(line) = bytes::find(&data[at..], b"\r\n") else {
            return (body, at, false);
        };
        let text = String::from_utf8_lossy(&data[at..at + line]).into_owned();
        let Ok(size) = usize::from_str_radix(text.trim(), 16) else {
            return (body, at, false);
        };
        at += line + 2;
        if size == 0 {
            return (body, at, true);
        }
        let end = (at + size).min(data.len());
        body.extend_from_slice(&data[at..end]);
        at = (end + 2).min(data.len());
    }
}

struct Text<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Lines longer than this were cut by the engine.
const CUT: usize = 1_000;

/// Hides what time and chance decide in a log line: ports, dates, process ids and durations. What
/// was not reached (-1) stays.
pub(crate) fn mask(line: &str) -> String {
    if line.len() > CUT {
        // Where a line is cut depends on how long its numbers are: its start and its length say enough.
        return format!(
            "{}... {} bytes",
            mask(&line[..line.floor_char_boundary(CUT / 2)]),
            line.len()
        );
    }
    let Some(start) = line.find("127.0.0.1:") else {
        let words = line
            .split(' ')
            .map(|word| if word.ends_with("ms.") { "Tms." } else { word });
        return words.collect::<Vec<_>>().join(" ");
    };
    let (header, message) = line.split_at(start);
    let mut words: Vec<String> = message.split(' ').map(mask_word).collect();
    // An access line: client, date, frontend, backend/server, timers, ...
    if words.get(3).is_some_and(|word| word.contains('/'))
        && let Some(timers) = words.get_mut(4)
    {
        let parts = timers
            .split('/')
            .map(|part| if part == "-1" { part } else { "T" });
        *timers = parts.collect::<Vec<_>>().join("/");
    }
    // The bytes of an error page of the proxy's own.
    let own =
        |status: &String| ["400", "408", "422", "502", "503", "504"].contains(&status.as_str());
    let by_proxy = words.get(9).is_some_and(|state| !state.starts_with('-'));
    if by_proxy && words.get(5).is_some_and(own) && words.get(6).is_some_and(|bytes| bytes != "0") {
        words[6] = "PAGE".to_owned();
    }
    let (priority, rest) = header.split_once('>').unwrap_or(("", header));
    format!("{priority}|{}{}", mask_digits(rest), words.join(" "))
}

/// Whether a masked line is of a connection, and not of a server, a backend or the proxy.
fn is_access(line: &str) -> bool {
    line.contains(" [DATE] ")
}

fn mask_word(word: &str) -> String {
    let port = word
        .strip_prefix("127.0.0.1:")
        .map(|port| port.trim_end_matches(':'));
    match port {
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => word.replace(port, "PORT"),
        None if word.starts_with('[') && word.contains('/') => "[DATE]".to_owned(),
        _ => word.to_owned(),
    }
}

/// A masked access line without its count of bytes.
fn without_bytes(line: &str) -> String {
    let bytes = 6;
    let words = line.split(' ').enumerate();
    words
        .map(|(i, word)| if i == bytes { "BYTES" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Each number becomes one N.
fn mask_digits(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        match char {
            '0'..='9' if out.ends_with('N') => {}
            '0'..='9' => out.push('N'),
            other => out.push(other),
        }
    }
    out
}

/// The expectations of `[differs]` that do not hold.
pub(crate) fn unmet(differs: &Differs, seen: &Observation) -> Vec<String> {
    differs
        .expectations
        .iter()
        .filter_map(|line| {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            let problem = match expectation(&words, seen) {
                Ok(true) => return None,
                Ok(false) => "does not hold".to_owned(),
                Err(error) => error,
            };
            Some(format!("expected '{line}': {problem}"))
        })
        .collect()
}

fn expectation(words: &[&str], seen: &Observation) -> Result<bool, String> {
    let number = |text: &str| {
        text.parse::<usize>()
            .map_err(|_| format!("'{text}' is no number"))
    };
    match *words {
        ["client", name, verb, rest] => {
            let client = seen
                .clients
                .iter()
                .find(|(n, _)| n == name)
                .ok_or("no such client")?;
            let wanted = bytes::parse(rest)?;
            Ok(match verb {
                "is" => client.1.received == wanted,
                "starts" => client.1.received.starts_with(&wanted),
                "contains" => bytes::find(&client.1.received, &wanted).is_some(),
                "ended" => (client.1.ending != Ending::Open) == (rest == "closed"),
                _ => return Err(format!("unknown verb '{verb}'")),
            })
        }
        ["server", name, "connections", count] => {
            let connections = seen.servers.get(name).ok_or("no such server")?;
            Ok(connections.len() == number(count)?)
        }
        ["server", name, "received", text] => {
            let connections = seen.servers.get(name).ok_or("no such server")?;
            let all: Vec<u8> = connections
                .iter()
                .flat_map(|c| c.received.clone())
                .collect();
            Ok(all == bytes::parse(text)?)
        }
        ["log", line, "contains", text] => {
            let line = number(line)?
                .checked_sub(1)
                .and_then(|index| seen.log.get(index));
            Ok(line.is_some_and(|line| line.contains(text)))
        }
        ["log", "lines", count] => Ok(seen.log.len() == number(count)?),
        _ => Err("unknown expectation".to_owned()),
    }
}
