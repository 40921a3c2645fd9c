//! Requests at a constant rate, whatever becomes of the answers: a request that is due while every
//! connection waits for an answer is late, and its latency counts from when it was due. A load that
//! waits for answers before it asks again would leave out exactly the requests that a slow moment
//! delays (coordinated omission).

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::prctl::set_timerslack;
use nix::sys::time::TimeSpec;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use serde_json::{Value, json};

use crate::answer::{Answer, Progress, REQUEST};

/// How long after the last request an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is asked for.
pub(crate) struct Load {
    pub(crate) port: u16,
    /// Requests per second.
    pub(crate) rate: f64,
    pub(crate) seconds: f64,
    pub(crate) connections: usize,
}

impl Load {
    /// Sends the load; gives the latencies as JSON.
    pub(crate) fn run(&self) -> io::Result<Value> {
        // The kernel may otherwise add 50 us to every sleep.
        set_timerslack(1)?;
        let mut client = Client::connect(self)?;
        client.run()?;
        Ok(client.report())
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "both factors are positive and their product is a count of requests"
    )]
    fn requests(&self) -> usize {
        (self.rate * self.seconds) as usize
    }

    /// When a request is due, after the start.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    fn due(&self, request: usize) -> Duration {
        Duration::from_secs_f64(request as f64 / self.rate)
    }
}

struct Connection {
    socket: TcpStream,
    answer: Answer,
    /// When the request that it waits for was due.
    due: Option<Duration>,
}

struct Client<'a> {
    load: &'a Load,
    epoll: OwnedFd,
    connections: Vec<Connection>,
    /// Those that wait for no answer; used in turn.
    free: VecDeque<usize>,
    started: Instant,
    sent: usize,
    errors: usize,
    latencies: Vec<Duration>,
    /// How long after it was due each request was sent.
    lateness: Vec<Duration>,
}

impl<'a> Client<'a> {
    fn connect(load: &'a Load) -> io::Result<Client<'a>> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let connections: Vec<Connection> = (0..load.connections)
            .map(|key| connection(load.port, &epoll, key))
            .collect::<io::Result<_>>()?;
        Ok(Client {
            load,
            epoll,
            free: (0..connections.len()).collect(),
            connections,
            started: Instant::now(),
            sent: 0,
            errors: 0,
            latencies: Vec::with_capacity(load.requests()),
            lateness: Vec::with_capacity(load.requests()),
        })
    }

    fn run(&mut self) -> io::Result<()> {
        let requests = self.load.requests();
        let end = self.load.due(requests) + PATIENCE;
        let mut events = Vec::with_capacity(self.connections.len());
        self.started = Instant::now();
        while self.latencies.len() + self.errors < requests {
            let now = self.started.elapsed();
            if now >= end {
                // What has no answer by now never gets one.
                self.errors = requests - self.latencies.len();
                return Ok(());
            }
            self.send_due(requests)?;
            epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&ZERO))?;
            if events.is_empty() {
                self.sleep(if self.sent < requests && !self.free.is_empty() {
                    self.load.due(self.sent)
                } else {
                    end
                })?;
            }
            for event in events.drain(..) {
                let key = usize::try_from(event.data.u64()).map_err(io::Error::other)?;
                self.receive(key)?;
            }
        }
        Ok(())
    }

    /// Sends what is due on the connections that are free.
    fn send_due(&mut self, requests: usize) -> io::Result<()> {
        while self.sent < requests {
            let due = self.load.due(self.sent);
            let late = self.started.elapsed().checked_sub(due);
            let (Some(late), Some(&key)) = (late, self.free.front()) else {
                return Ok(());
            };
            self.free.pop_front();
            self.sent += 1;
            self.lateness.push(late);
            let connection = &mut self.connections[key];
            connection.due = Some(due);
            // A socket that waits for no answer has room for a hundred bytes.
            match send(&connection.socket, REQUEST, SendFlags::NOSIGNAL) {
                Ok(sent) if sent == REQUEST.len() => {}
                _ => self.failed(key)?,
            }
        }
        Ok(())
    }

    fn receive(&mut self, key: usize) -> io::Result<()> {
        let mut buffer = [0; 16_384];
        let connection = &mut self.connections[key];
        let count = match recv(&connection.socket, &mut buffer, RecvFlags::empty()) {
            Ok((0, _)) => return self.failed(key),
            Ok((count, _)) => count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(_) => return self.failed(key),
        };
        match connection.answer.take(&buffer[..count]) {
            Progress::Partial => Ok(()),
            Progress::Wrong => self.failed(key),
            Progress::Whole => {
                let Some(due) = connection.due.take() else {
                    return self.failed(key);
                };
                self.latencies.push(self.started.elapsed() - due);
                self.free.push_back(key);
                Ok(())
            }
        }
    }

    /// Counts the request that was lost, if there was one, and opens another connection.
    fn failed(&mut self, key: usize) -> io::Result<()> {
        let lost = self.connections[key].due.is_some();
        self.connections[key] = connection(self.load.port, &self.epoll, key)?;
        if lost {
            self.errors += 1;
            self.free.push_back(key);
        }
        Ok(())
    }

    /// Until an answer comes, or the time after the start: `epoll_wait` knows only milliseconds.
    fn sleep(&self, until: Duration) -> io::Result<()> {
        let Some(rest) = until.checked_sub(self.started.elapsed()) else {
            return Ok(());
        };
        let mut fds = [PollFd::new(self.epoll.as_fd(), PollFlags::POLLIN)];
        ppoll(&mut fds, Some(TimeSpec::from_duration(rest)), None)?;
        Ok(())
    }

    fn report(mut self) -> Value {
        self.latencies.sort_unstable();
        self.lateness.sort_unstable();
        json!({
            "requests": self.load.requests(),
            "errors": self.errors,
            "p50_us": quantile(&self.latencies, 0.5),
            "p90_us": quantile(&self.latencies, 0.9),
            "p99_us": quantile(&self.latencies, 0.99),
            "p999_us": quantile(&self.latencies, 0.999),
            "max_us": quantile(&self.latencies, 1.0),
            "late_p99_us": quantile(&self.lateness, 0.99),
        })
    }
}

const ZERO: rustix::event::Timespec = rustix::event::Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

fn connection(port: u16, epoll: &OwnedFd, key: usize) -> io::Result<Connection> {
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    socket.set_nodelay(true)?;
    socket.set_nonblocking(true)?;
    epoll::add(
        epoll,
        &socket,
        EventData::new_u64(key as u64),
        EventFlags::IN,
    )?;
    Ok(Connection {
        socket,
        answer: Answer::default(),
        due: None,
    })
}

/// In microseconds; null without any.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a count of requests, rounded up"
)]
fn quantile(sorted: &[Duration], share: f64) -> Option<f64> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    let value = sorted.get(rank.saturating_sub(1))?;
    Some(value.as_secs_f64() * 1e6)
}
