//! What `scripts/bench` sends its requests with and to, beside `wrk`: a server that costs little, idle
//! connections, and load at a constant rate.
//!
//! All three share one processor with `wrk`, so each is a single thread on one epoll.
#![allow(
    clippy::indexing_slicing,
    reason = "test code, alone with its peers: a wrong index must end the run"
)]

mod answer;
mod idle;
mod origin;
mod pace;

use std::io;
use std::process::ExitCode;
use std::str::FromStr;

const USAGE: &str = "usage: bench-load origin PORT
       bench-load idle PORT CONNECTIONS
       bench-load pace PORT RATE SECONDS CONNECTIONS";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(command) = Command::parse(&words) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-load {}: {error}", words.join(" "));
            ExitCode::FAILURE
        }
    }
}

enum Command {
    Origin { port: u16 },
    Idle { port: u16, connections: usize },
    Pace(pace::Load),
}

impl Command {
    fn parse(words: &[String]) -> Option<Command> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["origin", port] => Some(Command::Origin {
                port: number(port)?,
            }),
            ["idle", port, connections] => Some(Command::Idle {
                port: number(port)?,
                connections: number(connections)?,
            }),
            ["pace", port, rate, seconds, connections] => Some(Command::Pace(pace::Load {
                port: number(port)?,
                rate: number(rate).filter(|rate| *rate > 0.0)?,
                seconds: number(seconds).filter(|seconds| *seconds > 0.0)?,
                connections: number(connections).filter(|count| *count > 0)?,
            })),
            _ => None,
        }
    }

    fn run(self) -> io::Result<()> {
        match self {
            Command::Origin { port } => origin::serve(port),
            Command::Idle { port, connections } => idle::hold(port, connections),
            Command::Pace(load) => {
                println!("{}", load.run()?);
                Ok(())
            }
        }
    }
}

fn number<T: FromStr>(word: &str) -> Option<T> {
    word.parse().ok()
}
