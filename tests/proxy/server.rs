//! A scripted server behind the engine: an address, and a script for each connection to it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{Backlog, listen};

use crate::case::{Door, Server, Step};
use crate::stage::{Player, Stage};
use crate::stream::{Ending, STOPPED, Stream};

/// One connection that a server got.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// All its bytes.
    pub(crate) received: Vec<u8>,
    /// How the engine ended it; `Open` also when the script closed it.
    pub(crate) ending: Ending,
    /// What in the script failed.
    pub(crate) failure: Option<String>,
}

/// A server's address, reserved.
pub(crate) struct Address {
    /// Where the engine finds it.
    pub(crate) port: u16,
    listener: Option<TcpListener>,
    /// Connections that fill the queue of a deaf one.
    fill: Vec<TcpStream>,
}

impl Address {
    /// Takes a free port of the loopback interface.
    pub(crate) fn reserve(door: Door) -> Address {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let mut fill = Vec::new();
        if door == Door::Deaf {
            // With the queue full, Linux leaves further SYNs without an answer.
            listen(&listener, Backlog::new(0).unwrap()).unwrap();
            while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100))
            {
                fill.push(stream);
            }
        }
        let listener = (door != Door::Gone).then_some(listener);
        Address {
            port: address.port(),
            listener,
            fill,
        }
    }

    /// Takes connections until the stage is over; gives them in the order they came.
    pub(crate) fn serve(mut self, name: &str, script: &Server, stage: &Stage) -> Vec<Connection> {
        let deaf = !self.fill.is_empty();
        let connections = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let mut players = Vec::new();
            while !stage.over() {
                self.follow_door(name, stage);
                let Some(listener) = self.listener.as_ref().filter(|_| !deaf) else {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                };
                let mut fds = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
                if !matches!(poll(&mut fds, PollTimeout::from(10_u8)), Ok(1..)) {
                    continue;
                }
                let Ok((socket, _)) = listener.accept() else {
                    continue;
                };
                players.push(start(scope, socket, players.len() + 1, script, stage));
            }
            let got: Vec<Connection> = players.into_iter().map(|p| p.join().unwrap()).collect();
            *connections.lock().unwrap() = got;
        });
        connections.into_inner().unwrap()
    }

    fn follow_door(&mut self, name: &str, stage: &Stage) {
        let wanted = stage.doors.lock().unwrap().get(name).copied();
        match wanted {
            Some(Door::Gone) => self.listener = None,
            Some(Door::Open) if self.listener.is_none() => {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
                self.listener = TcpListener::bind(address).ok();
            }
            _ => {}
        }
        let now = if self.listener.is_some() {
            Door::Open
        } else {
            Door::Gone
        };
        stage.doors_now.lock().unwrap().insert(name.to_owned(), now);
    }
}

fn start<'scope, 'a: 'scope>(
    scope: &'scope Scope<'scope, 'a>,
    socket: TcpStream,
    number: usize,
    script: &'a Server,
    stage: &'a Stage,
) -> ScopedJoinHandle<'scope, Connection> {
    let usual = [Step::Serve];
    scope.spawn(move || {
        let steps = script
            .scripts
            .get(&number)
            .or_else(|| script.scripts.get(&0));
        let steps = steps.map_or(&usual[..], Vec::as_slice);
        let mut socket = Some(socket);
        let stop = Arc::clone(&stage.stop);
        let mut player = Player::new(stage, || {
            Ok(Stream::tcp(
                socket.take().expect("connected once"),
                Arc::clone(&stop),
            ))
        });
        let done = player.stream().map(drop).and_then(|()| player.play(steps));
        if !player.closed
            && let Ok(stream) = player.stream()
        {
            // The script is over: keep the connection and hear what else comes.
            stream.linger(Duration::from_secs(3_600));
        }
        let failure = done.err().filter(|error| error != STOPPED);
        let (received, ending) = player.outcome();
        Connection {
            received,
            ending,
            failure,
        }
    })
}
