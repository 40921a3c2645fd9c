//! One run of a case on one engine, and what was seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::case::{Case, Client, Door, Transport};
use crate::cli;
use crate::engine::{Engine, Kind};
use crate::server::{Address, Connection};
use crate::stage::{Player, Stage};
use crate::stream::{Ending, Stream};

/// What a client saw.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// All bytes it got.
    pub(crate) received: Vec<u8>,
    /// How the connection ended.
    pub(crate) ending: Ending,
    /// Set when the script closed the connection, so that `ending` says nothing.
    pub(crate) closed: bool,
    /// What in the script failed.
    pub(crate) failure: Option<String>,
}

/// What was seen in one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observation {
    /// By client.
    pub(crate) clients: Vec<(String, Seen)>,
    /// By server, connections in order.
    pub(crate) servers: BTreeMap<String, Vec<Connection>>,
    /// Log lines, as they came.
    pub(crate) log: Vec<String>,
    /// The `[stat]` fields.
    pub(crate) stats: Vec<String>,
    /// The answers to the `cli` and `servers` steps, in order.
    pub(crate) told: Vec<String>,
    /// The answers to the `[cli]` commands.
    pub(crate) answers: Vec<String>,
}

/// Runs the case on an engine. `lines`: how many log lines to wait for, when it is known.
pub(crate) fn run(case: &Case, kind: Kind, lines: Option<usize>) -> Result<Observation, String> {
    let directory = tempfile::tempdir().unwrap();
    let mut servers = Vec::new();
    let mut doors = BTreeMap::new();
    for (name, script) in &case.servers {
        let door = script.door.unwrap_or(Door::Open);
        doors.insert(name.clone(), door);
        servers.push((name.as_str(), script, Address::reserve(door)));
    }
    let ports: Vec<(&str, u16)> = servers.iter().map(|(name, _, a)| (*name, a.port)).collect();
    let engine = Engine::start(kind, directory.path(), &config(case, &ports))?;
    let stage = Stage::new(engine.stats.clone(), doors);
    let mut seen = Observation::default();
    std::thread::scope(|scope| {
        let servers: Vec<_> = servers
            .into_iter()
            .map(|(name, script, address)| {
                let stage = &stage;
                (
                    name,
                    scope.spawn(move || address.serve(name, script, stage)),
                )
            })
            .collect();
        let clients: Vec<_> = case
            .clients
            .iter()
            .map(|client| {
                let (stage, port) = (&stage, engine.port);
                (
                    client.name.clone(),
                    scope.spawn(move || play(client, port, stage)),
                )
            })
            .collect();
        for (name, client) in clients {
            seen.clients.push((name, client.join().unwrap()));
        }
        seen.log = collect_log(&engine, lines.or_else(|| case.number("lines")));
        seen.stats = stats(case, &engine);
        seen.told.clone_from(&stage.answers.lock().unwrap());
        seen.answers = case
            .commands
            .iter()
            .map(|c| cli::ask(&engine.stats, c).unwrap_or_else(|e| e))
            .collect();
        stage.stop.store(true, Ordering::Relaxed);
        for (name, server) in servers {
            seen.servers.insert(name.to_owned(), server.join().unwrap());
        }
    });
    Ok(seen)
}

fn play(client: &Client, port: u16, stage: &Stage) -> Seen {
    let stop = Arc::clone(&stage.stop);
    let mut player = Player::new(stage, || match client.transport {
        Transport::Plain => TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .map(|socket| Stream::tcp(socket, Arc::clone(&stop)))
            .map_err(|error| format!("connect: {error}")),
        Transport::Tls => Command::new("openssl")
            .args([
                "s_client",
                "-quiet",
                "-connect",
                &format!("127.0.0.1:{port}"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map(|child| Stream::tls(child, Arc::clone(&stop)))
            .map_err(|error| format!("openssl s_client: {error}")),
    });
    let failure = player.play(&client.steps).err();
    if !player.closed
        && let Ok(stream) = player.stream()
    {
        // What comes unasked is seen too.
        stream.linger(Duration::from_millis(60));
    }
    let closed = player.closed;
    let (received, ending) = player.outcome();
    Seen {
        received,
        ending,
        closed,
        failure,
    }
}

/// Log lines until as many came as are wanted (one, when it is not known) and then silence.
fn collect_log(engine: &Engine, wanted: Option<usize>) -> Vec<String> {
    let started = Instant::now();
    let patience = Duration::from_secs(if wanted.is_some() { 4 } else { 1 });
    let mut lines = Vec::new();
    let mut buffer = vec![0; 70_000];
    loop {
        let enough = lines.len() >= wanted.unwrap_or(1);
        let left = patience.saturating_sub(started.elapsed());
        let limit = if enough {
            Duration::from_millis(120)
        } else {
            left
        };
        if limit.is_zero() {
            return lines;
        }
        engine.log.set_read_timeout(Some(limit)).expect("not zero");
        match engine.log.recv(&mut buffer) {
            Ok(count) => lines.push(String::from_utf8_lossy(&buffer[..count]).into_owned()),
            Err(_) if enough => return lines,
            Err(_) => {}
        }
    }
}

fn stats(case: &Case, engine: &Engine) -> Vec<String> {
    let mut out = Vec::new();
    for words in &case.stats {
        let [proxy, service, fields @ ..] = words.as_slice() else {
            continue;
        };
        for field in fields {
            let value = cli::stat(&engine.stats, proxy, service, field).unwrap_or_else(|e| e);
            out.push(format!("{proxy}/{service} {field} {value}"));
        }
    }
    out
}

/// The configuration text, with the servers' ports filled in.
fn config(case: &Case, ports: &[(&str, u16)]) -> String {
    let mut text = case.config.clone().unwrap_or_else(|| usual(case, ports));
    for (name, port) in ports {
        text = text.replace(&format!("{{{name}}}"), &format!("127.0.0.1:{port}"));
    }
    text
}

fn usual(case: &Case, ports: &[(&str, u16)]) -> String {
    let lines = |section: &str| case.lines.get(section).map_or("", String::as_str);
    let (mode, options) = match case.tcp {
        true => ("tcp", "    option tcplog\n"),
        false => ("http", "    option httplog\n    option forwardfor\n"),
    };
    let mut text = format!(
        "global\n    stats socket {{dir}}/stats.sock mode 600 level admin\n    nbthread 1\n    \
         log {{log}} format raw local0\n{}\
         defaults\n    mode {mode}\n    log global\n{options}    timeout connect 1s\n    \
         timeout client 3s\n    timeout server 3s\n{}\
         frontend fe\n    bind \"fd@${{fe}}\" name in {}\n{}    default_backend be\n\
         backend be\n{}",
        lines("global"),
        lines("defaults"),
        lines("bind").trim(),
        lines("frontend"),
        lines("backend"),
    );
    for (name, _) in ports {
        let options = case
            .servers
            .get(*name)
            .map_or("", |server| server.options.as_str());
        writeln!(text, "    server {name} {{{name}}} {options}")
            .expect("a String takes everything");
    }
    text
}
