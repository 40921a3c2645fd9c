//! A case: a file that says what clients and servers do. See `cases/README.md` for the format.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::bytes;

/// One thing that a client or a server does on its connection.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// `send TEXT`.
    Send(Vec<u8>),
    /// `pour N TEXT`: send N times the text; it is no failure that the peer stops listening.
    Pour(Vec<u8>),
    /// `spread MS TEXT`: one byte, then a pause, and so on.
    Spread(Duration, Vec<u8>),
    /// `head`: read up to the end of a message head.
    Head,
    /// `message`: read a head and the body that its fields announce.
    Message,
    /// `take N`: read N more bytes.
    Take(usize),
    /// `until TEXT`: read until it was seen.
    Until(Vec<u8>),
    /// `end [MIN..MAX]`: the peer must end the connection, so many milliseconds after the previous step.
    End(Option<(Duration, Duration)>),
    /// `idle MS`: stay and read; the connection must still be open afterwards.
    Idle(Duration),
    /// `reply`: send a small response with status 200.
    Reply,
    /// `serve`: `message` and `reply` for ever.
    Serve,
    /// `shut`: end the sending direction.
    Shut,
    /// `close`.
    Close,
    /// `reset`: close with a TCP reset.
    Reset,
    /// `sleep MS`: pacing is what is tested.
    Sleep(Duration),
    /// `signal NAME`: lets whoever awaits the name go on.
    Signal(String),
    /// `await NAME`.
    Await(String),
    /// `server NAME gone|back|deaf`: what the address of a server does from now on.
    Server(String, Door),
    /// `cli COMMAND`: a command of the runtime API, whose answer must be equal.
    Cli(String),
    /// `servers BACKEND`: what `show servers state` says of them must be equal, but for addresses
    /// and times.
    Servers(String),
    /// `stat PROXY SERVICE FIELD VALUE`: wait until `show stat` says so.
    Stat([String; 4]),
}

/// How a server's address answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// Connections are taken.
    Open,
    /// Connections are refused.
    Gone,
    /// Connections are not answered.
    Deaf,
}

/// Over what a client connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// TCP.
    Plain,
    /// TLS, spoken by `openssl s_client`.
    Tls,
}

/// One client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Its name in reports.
    pub(crate) name: String,
    /// How it connects.
    pub(crate) transport: Transport,
    /// What it does.
    pub(crate) steps: Vec<Step>,
}

/// One server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Server {
    /// Words after its address on the `server` line.
    pub(crate) options: String,
    /// What it does on its Nth connection (from 1); 0 is any other.
    pub(crate) scripts: BTreeMap<usize, Vec<Step>>,
    /// How its address answers at first; open when not said.
    pub(crate) door: Option<Door>,
}

/// What is asked of Lanai where it is meant to differ.
#[derive(Clone, Debug)]
pub(crate) struct Differs {
    /// Why.
    pub(crate) why: String,
    /// Lines such as `client a starts HTTP/1.1 400`.
    pub(crate) expectations: Vec<String>,
}

/// One case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    /// File name without `.case`.
    pub(crate) name: String,
    /// `mode tcp`.
    pub(crate) tcp: bool,
    /// Whole configuration, instead of the usual one.
    pub(crate) config: Option<String>,
    /// Lines added to sections of the usual one, by section name.
    pub(crate) lines: BTreeMap<String, String>,
    /// In order.
    pub(crate) clients: Vec<Client>,
    /// By name.
    pub(crate) servers: BTreeMap<String, Server>,
    /// `[compare]` words: see `cases/README.md`.
    pub(crate) compare: Vec<String>,
    /// `[stat]` lines: proxy, service and the fields that must be equal at the end.
    pub(crate) stats: Vec<Vec<String>>,
    /// `[cli]` lines: commands whose answers must be equal at the end.
    pub(crate) commands: Vec<String>,
    /// `[differs]`.
    pub(crate) differs: Option<Differs>,
}

impl Case {
    /// Whether `[compare]` has this word.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.compare.iter().any(|w| w == word)
    }

    /// The N of the word `NAME=N` in `[compare]`.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        let value = self
            .compare
            .iter()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        value.and_then(|value| value.parse().ok())
    }
}

/// Reads every `*.case` of a directory, in the order of names.
pub(crate) fn read_all(directory: &Path) -> Vec<Case> {
    let mut paths: Vec<_> = fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("cannot list {}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "case"))
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        parse(&name, &text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    paths.iter().map(read).collect()
}

/// Reads one case.
pub(crate) fn parse(name: &str, text: &str) -> Result<Case, String> {
    let mut case = Case {
        name: name.to_owned(),
        ..Case::default()
    };
    let mut section: Vec<String> = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let line = raw.trim();
        let at = |error: String| format!("line {}: {error}", index + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            Some(head) => {
                section = head.split_whitespace().map(str::to_owned).collect();
                open(&mut case, &section).map_err(at)?;
            }
            None => add(&mut case, &section, line).map_err(at)?,
        }
    }
    if case.clients.is_empty() {
        return Err("no [client]".to_owned());
    }
    let connects = case
        .config
        .as_ref()
        .is_none_or(|config| config.contains("{s1}"));
    if connects && !case.servers.contains_key("s1") {
        case.servers.insert("s1".to_owned(), Server::default());
    }
    Ok(case)
}

fn words(section: &[String]) -> Vec<&str> {
    section.iter().map(String::as_str).collect()
}

fn open(case: &mut Case, section: &[String]) -> Result<(), String> {
    match words(section)[..] {
        ["tcp"] => case.tcp = true,
        ["config"] => case.config = Some(String::new()),
        ["client", name] => case.clients.push(client(name, Transport::Plain)),
        ["client", name, "tls"] => case.clients.push(client(name, Transport::Tls)),
        ["server", name, ref rest @ ..] => {
            let server = case.servers.entry(name.to_owned()).or_default();
            match *rest {
                [] => drop(server.scripts.insert(0, Vec::new())),
                ["gone"] => server.door = Some(Door::Gone),
                ["deaf"] => server.door = Some(Door::Deaf),
                ["options"] => {}
                [number] => {
                    let number = number
                        .parse()
                        .map_err(|_| "not a connection's number".to_owned())?;
                    drop(server.scripts.insert(number, Vec::new()));
                }
                _ => return Err("unknown words after the server's name".to_owned()),
            }
        }
        ["differs"] => {
            case.differs = Some(Differs {
                why: String::new(),
                expectations: Vec::new(),
            });
        }
        ["global" | "defaults" | "bind" | "frontend" | "backend" | "compare" | "stat" | "cli"] => {}
        _ => return Err(format!("unknown section [{}]", section.join(" "))),
    }
    Ok(())
}

fn client(name: &str, transport: Transport) -> Client {
    Client {
        name: name.to_owned(),
        transport,
        steps: Vec::new(),
    }
}

fn add(case: &mut Case, section: &[String], line: &str) -> Result<(), String> {
    let lines = |case: &mut Case, name: &str| {
        let text = case.lines.entry(name.to_owned()).or_default();
        text.push_str(&format!("    {line}\n"));
    };
    match words(section)[..] {
        ["global"] | ["defaults"] | ["bind"] | ["frontend"] | ["backend"] => {
            lines(case, &section[0])
        }
        ["config"] => {
            let config = case.config.get_or_insert_default();
            config.push_str(line);
            config.push('\n');
        }
        ["client", ..] => {
            let client = case.clients.last_mut().ok_or("no client")?;
            client.steps.push(step(line)?);
        }
        ["server", name, ref rest @ ..] => {
            let server = case.servers.entry(name.to_owned()).or_default();
            match *rest {
                ["options"] => server.options = line.to_owned(),
                [number] => {
                    let number = number.parse().unwrap_or(0);
                    server.scripts.entry(number).or_default().push(step(line)?);
                }
                _ => server.scripts.entry(0).or_default().push(step(line)?),
            }
        }
        ["compare"] => case
            .compare
            .extend(line.split_whitespace().map(str::to_owned)),
        ["stat"] => case
            .stats
            .push(line.split_whitespace().map(str::to_owned).collect()),
        ["cli"] => case.commands.push(line.to_owned()),
        ["differs"] => {
            let differs = case.differs.as_mut().ok_or("no [differs]")?;
            match line.strip_prefix("why ") {
                Some(why) => differs.why = why.to_owned(),
                None => differs.expectations.push(line.to_owned()),
            }
        }
        _ => return Err(format!("'{line}' stands in no section")),
    }
    Ok(())
}

fn step(line: &str) -> Result<Step, String> {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let number = |text: &str| {
        text.parse()
            .map_err(|_| format!("'{text}' is not a number"))
    };
    let time = |text: &str| number(text).map(Duration::from_millis);
    Ok(match verb {
        "send" => Step::Send(bytes::parse(rest)?),
        "repeat" | "pour" => {
            let (count, text) = rest.split_once(' ').ok_or("repeat N TEXT")?;
            let count = usize::try_from(number(count)?).map_err(|_| "too many")?;
            let data = bytes::parse(text)?.repeat(count);
            if verb == "pour" {
                Step::Pour(data)
            } else {
                Step::Send(data)
            }
        }
        "spread" => {
            let (pause, text) = rest.split_once(' ').ok_or("spread MS TEXT")?;
            Step::Spread(time(pause)?, bytes::parse(text)?)
        }
        "head" => Step::Head,
        "message" => Step::Message,
        "take" => Step::Take(usize::try_from(number(rest)?).map_err(|_| "too many")?),
        "until" => Step::Until(bytes::parse(rest)?),
        "end" if rest.is_empty() => Step::End(None),
        "end" => {
            let (min, max) = rest.split_once("..").ok_or("end MIN..MAX")?;
            Step::End(Some((time(min)?, time(max)?)))
        }
        "idle" => Step::Idle(time(rest)?),
        "reply" => Step::Reply,
        "serve" => Step::Serve,
        "shut" => Step::Shut,
        "close" => Step::Close,
        "reset" => Step::Reset,
        "sleep" => Step::Sleep(time(rest)?),
        "signal" => Step::Signal(rest.to_owned()),
        "await" => Step::Await(rest.to_owned()),
        "door" => match rest.split_once(' ') {
            Some((name, "gone")) => Step::Server(name.to_owned(), Door::Gone),
            Some((name, "open")) => Step::Server(name.to_owned(), Door::Open),
            _ => return Err("door SERVER gone|open".to_owned()),
        },
        "cli" => Step::Cli(rest.to_owned()),
        "servers" => Step::Servers(rest.to_owned()),
        "stat" => {
            let mut words: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
            if words.len() == 3 {
                words.push(String::new());
            }
            Step::Stat(
                words
                    .try_into()
                    .map_err(|_| "stat PROXY SERVICE FIELD [VALUE]")?,
            )
        }
        _ => return Err(format!("unknown step '{verb}'")),
    })
}
