//! What the players of one run share, and how a player plays its steps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::case::{Door, Step};
use crate::cli;
use crate::stream::{Ending, PATIENCE, STOPPED, Stream};

/// The response of the step `reply`.
pub(crate) const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Shared by the clients and servers of one run.
#[derive(Default)]
pub(crate) struct Stage {
    /// Set when the run is over.
    pub(crate) stop: Arc<AtomicBool>,
    /// What each server's address has to do.
    pub(crate) doors: Mutex<BTreeMap<String, Door>>,
    /// What each server's address does.
    pub(crate) doors_now: Mutex<BTreeMap<String, Door>>,
    /// The engine's stats socket.
    pub(crate) stats: PathBuf,
    /// What the runtime API answered to the players, in order.
    pub(crate) answers: Mutex<Vec<String>>,
    signals: Mutex<BTreeSet<String>>,
    changed: Condvar,
}

impl Stage {
    /// A stage for an engine with this stats socket and servers with these doors.
    pub(crate) fn new(stats: PathBuf, doors: BTreeMap<String, Door>) -> Stage {
        Stage {
            stats,
            doors: doors.into(),
            ..Stage::default()
        }
    }

    /// Whether the run is over.
    pub(crate) fn over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn answered(&self, answer: String) {
        self.answers.lock().unwrap().push(answer);
    }

    fn signal(&self, name: &str) {
        self.signals.lock().unwrap().insert(name.to_owned());
        self.changed.notify_all();
    }

    fn wait_for(&self, name: &str) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        let mut signals = self.signals.lock().unwrap();
        while !signals.contains(name) {
            if self.over() {
                return Err(STOPPED.to_owned());
            }
            if Instant::now() > end {
                return Err(format!("nobody signalled '{name}' within {PATIENCE:?}"));
            }
            (signals, _) = self
                .changed
                .wait_timeout(signals, Duration::from_millis(50))
                .unwrap();
        }
        Ok(())
    }

    fn set_door(&self, server: &str, door: Door) -> Result<(), String> {
        self.doors.lock().unwrap().insert(server.to_owned(), door);
        self.until(&format!("server {server} to be {door:?}"), || {
            self.doors_now.lock().unwrap().get(server) == Some(&door)
        })
    }

    fn wait_stat(&self, [proxy, service, field, value]: &[String; 4]) -> Result<(), String> {
        let mut last = String::new();
        let wanted = self.until("a value in show stat", || {
            last = cli::stat(&self.stats, proxy, service, field).unwrap_or_else(|error| error);
            last == *value
        });
        wanted.map_err(|_| format!("{field} of {proxy}/{service} is '{last}', not '{value}'"))
    }

    fn until(&self, what: &str, mut probe: impl FnMut() -> bool) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        while !probe() {
            if self.over() {
                return Err(STOPPED.to_owned());
            }
            if Instant::now() > end {
                return Err(format!("waited {PATIENCE:?} for {what}"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// A player: its connection, made when a step first needs it.
pub(crate) struct Player<'a> {
    stage: &'a Stage,
    connect: Box<dyn FnMut() -> Result<Stream, String> + 'a>,
    stream: Option<Stream>,
    /// Set when the script closed the connection itself.
    pub(crate) closed: bool,
}

impl<'a> Player<'a> {
    /// A player whose connection is made by `connect`.
    pub(crate) fn new(
        stage: &'a Stage,
        connect: impl FnMut() -> Result<Stream, String> + 'a,
    ) -> Player<'a> {
        Player {
            stage,
            connect: Box::new(connect),
            stream: None,
            closed: false,
        }
    }

    /// Plays the steps; names the one that failed.
    pub(crate) fn play(&mut self, steps: &[Step]) -> Result<(), String> {
        for (index, step) in steps.iter().enumerate() {
            let started = Instant::now();
            let done = self.step(step, started);
            done.map_err(|error| match error.as_str() {
                STOPPED => error,
                _ => format!("step {} {}: {error}", index + 1, name(step)),
            })?;
        }
        Ok(())
    }

    /// What it received and how the connection ended.
    pub(crate) fn outcome(self) -> (Vec<u8>, Ending) {
        match self.stream {
            Some(stream) => (stream.received.clone(), stream.ending),
            None => (Vec::new(), Ending::Open),
        }
    }

    /// The connection.
    pub(crate) fn stream(&mut self) -> Result<&mut Stream, String> {
        if self.stream.is_none() {
            self.stream = Some((self.connect)()?);
        }
        Ok(self.stream.as_mut().expect("it was just made"))
    }

    fn step(&mut self, step: &Step, started: Instant) -> Result<(), String> {
        match step {
            Step::Send(data) => self.stream()?.send(data),
            Step::Pour(data) => {
                let _ = self.stream()?.send(data);
                Ok(())
            }
            Step::Spread(pause, data) => {
                for byte in data.chunks(1) {
                    if self.stream()?.send(byte).is_err() || self.stream()?.ending != Ending::Open {
                        // The peer had enough; how is seen in what came back.
                        break;
                    }
                    self.stream()?.linger(*pause);
                }
                Ok(())
            }
            Step::Head => self
                .stream()?
                .wait(|got| crate::bytes::find(got, b"\r\n\r\n").map(|at| at + 4)),
            Step::Message => self.stream()?.message(),
            Step::Take(count) => self
                .stream()?
                .wait(|got| (got.len() >= *count).then_some(*count)),
            Step::Until(text) => self
                .stream()?
                .wait(|got| crate::bytes::find(got, text).map(|at| at + text.len())),
            Step::End(bounds) => self.end(*bounds, started),
            Step::Idle(limit) => {
                self.stream()?.linger(*limit);
                match self.stream()?.ending {
                    Ending::Open => Ok(()),
                    ending => Err(format!("{ending:?} after {:?}", started.elapsed())),
                }
            }
            Step::Reply => self.stream()?.send(REPLY),
            Step::Serve => self.serve(),
            Step::Shut => {
                self.stream()?.shut();
                Ok(())
            }
            Step::Reset | Step::Close => {
                if matches!(step, Step::Reset) {
                    self.stream()?.reset();
                }
                self.close();
                Ok(())
            }
            Step::Sleep(time) => {
                std::thread::sleep(*time);
                Ok(())
            }
            Step::Signal(name) => {
                self.stage.signal(name);
                Ok(())
            }
            Step::Await(name) => self.stage.wait_for(name),
            Step::Server(name, door) => self.stage.set_door(name, *door),
            Step::Cli(command) => {
                let answer = cli::ask(&self.stage.stats, command)?;
                self.stage.answered(format!("{command}: {answer}"));
                Ok(())
            }
            Step::Servers(backend) => {
                let states = cli::servers(&self.stage.stats, backend)?;
                self.stage.answered(states);
                Ok(())
            }
            Step::Stat(words) => self.stage.wait_stat(words),
        }
    }

    /// Answers whatever comes, until the peer leaves.
    fn serve(&mut self) -> Result<(), String> {
        loop {
            let stream = self.stream()?;
            match stream.message() {
                Ok(()) => stream.send(REPLY)?,
                // The peer is done with this connection, which is its right.
                Err(_) if stream.ending != Ending::Open => return Ok(()),
                // Idle connections are no failure.
                Err(error) if stream.received.len() == stream.consumed => match error.as_str() {
                    STOPPED => return Err(error),
                    _ => continue,
                },
                Err(error) => return Err(error),
            }
        }
    }

    fn end(
        &mut self,
        bounds: Option<(Duration, Duration)>,
        started: Instant,
    ) -> Result<(), String> {
        let stream = self.stream()?;
        stream.linger(PATIENCE);
        let took = started.elapsed();
        if stream.ending == Ending::Open {
            return Err(if self.stage.over() {
                STOPPED.to_owned()
            } else {
                format!("still open after {took:?}")
            });
        }
        match bounds {
            Some((min, max)) if took < min || took > max => {
                Err(format!("came after {took:?}, not within {min:?}..{max:?}"))
            }
            _ => Ok(()),
        }
    }

    /// Closes the connection, keeping what was received.
    fn close(&mut self) {
        self.closed = true;
        if let Some(stream) = self.stream.as_mut() {
            stream.hang_up();
        }
    }
}

fn name(step: &Step) -> String {
    let text = format!("{step:?}");
    text.split(['(', ' '])
        .next()
        .unwrap_or_default()
        .to_lowercase()
}
