//! The web server behind the proxies: 1 KB for any path, 1 MB for `/1m`, and at `/counts` how many
//! connections it took and requests it answered, which tells how proxies reuse their connections.

use std::borrow::Cow;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};

/// The key of the listening socket; connections have their descriptor.
const LISTENER: u64 = u64::MAX;

/// Longest request head; the proxies' are a tenth of it.
const LONGEST: usize = 4_096;

/// Serves until it is killed.
pub(crate) fn serve(port: u16) -> io::Result<()> {
    let listener = listen(port)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(
        &epoll,
        &listener,
        EventData::new_u64(LISTENER),
        EventFlags::IN,
    )?;
    let mut origin = Origin {
        listener,
        epoll,
        connections: Vec::new(),
        answers: Answers::new(),
    };
    let mut events = Vec::with_capacity(256);
    loop {
        match epoll::wait(&origin.epoll, spare_capacity(&mut events), None) {
            Err(Errno::INTR) => continue,
            waited => waited?,
        };
        for event in events.drain(..) {
            match event.data.u64() {
                LISTENER => origin.accept()?,
                key => origin.ready(key),
            }
        }
    }
}

fn listen(port: u16) -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let listener = net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&listener, true)?;
    // Inherited by every accepted connection, which saves a call for each.
    sockopt::set_tcp_nodelay(&listener, true)?;
    net::bind(&listener, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
    net::listen(&listener, 8_192)?;
    Ok(listener)
}

struct Origin {
    listener: OwnedFd,
    epoll: OwnedFd,
    /// By descriptor.
    connections: Vec<Option<Box<Connection>>>,
    answers: Answers,
}

impl Origin {
    fn accept(&mut self) -> io::Result<()> {
        loop {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let socket = match net::accept_with(&self.listener, flags) {
                Ok(socket) => socket,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR | Errno::CONNABORTED) => continue,
                Err(error) => return Err(error.into()),
            };
            self.answers.accepted += 1;
            let index = usize::try_from(socket.as_raw_fd()).map_err(io::Error::other)?;
            if self.connections.len() <= index {
                self.connections.resize_with(index + 1, || None);
            }
            let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            epoll::add(
                &self.epoll,
                &socket,
                EventData::new_u64(index as u64),
                flags,
            )?;
            self.connections[index] = Some(Box::new(Connection::new(socket)));
        }
    }

    /// A connection that is over is closed, which takes it off the epoll too.
    fn ready(&mut self, key: u64) {
        let Some(place) = usize::try_from(key)
            .ok()
            .and_then(|index| self.connections.get_mut(index))
        else {
            return;
        };
        if let Some(connection) = place
            && connection.play(&mut self.answers).is_err()
        {
            *place = None;
        }
    }
}

/// The connection has ended, or has to.
struct Over;

struct Connection {
    socket: OwnedFd,
    input: Vec<u8>,
    output: Cow<'static, [u8]>,
    sent: usize,
    close: bool,
}

impl Connection {
    fn new(socket: OwnedFd) -> Connection {
        Connection {
            socket,
            input: Vec::with_capacity(LONGEST),
            output: Cow::Borrowed(&[]),
            sent: 0,
            close: false,
        }
    }

    /// Sends and receives until one of them would block. The epoll is edge-triggered.
    fn play(&mut self, answers: &mut Answers) -> Result<(), Over> {
        loop {
            if !self.flush()? {
                return Ok(());
            }
            if self.close {
                return Err(Over);
            }
            if self.answer(answers) {
                continue;
            }
            if self.input.len() >= LONGEST {
                return Err(Over);
            }
            match net::recv(
                &self.socket,
                spare_capacity(&mut self.input),
                RecvFlags::empty(),
            ) {
                Ok((0, _)) => return Err(Over),
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(_) => return Err(Over),
            }
        }
    }

    /// Whether all output has left.
    fn flush(&mut self) -> Result<bool, Over> {
        while self.sent < self.output.len() {
            match net::send(&self.socket, &self.output[self.sent..], SendFlags::NOSIGNAL) {
                Ok(sent) => self.sent += sent,
                Err(Errno::AGAIN) => return Ok(false),
                Err(Errno::INTR) => {}
                Err(_) => return Err(Over),
            }
        }
        Ok(true)
    }

    /// Takes one request from the input, if one is whole, and gets its answer ready.
    fn answer(&mut self, answers: &mut Answers) -> bool {
        let Some(end) = head_end(&self.input) else {
            return false;
        };
        let head = &self.input[..end];
        self.close = wants_close(head);
        self.output = answers.to(head, self.close);
        self.sent = 0;
        self.input.drain(..end);
        true
    }
}

fn head_end(input: &[u8]) -> Option<usize> {
    let end = input.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(end + 4)
}

fn wants_close(head: &[u8]) -> bool {
    const LINE: &[u8] = b"connection: close";
    head.split(|&byte| byte == b'\n')
        .any(|line| line.len() >= LINE.len() && line[..LINE.len()].eq_ignore_ascii_case(LINE))
}

/// The answers, made once, and what was counted.
struct Answers {
    small: &'static [u8],
    small_close: &'static [u8],
    big: &'static [u8],
    accepted: u64,
    answered: u64,
}

impl Answers {
    fn new() -> Answers {
        // They live as long as the program.
        let fixed = |length: usize, more: &str| -> &'static [u8] {
            response(&vec![b'x'; length], more).leak()
        };
        Answers {
            small: fixed(1_024, ""),
            small_close: fixed(1_024, "Connection: close\r\n"),
            big: fixed(1 << 20, ""),
            accepted: 0,
            answered: 0,
        }
    }

    fn to(&mut self, head: &[u8], close: bool) -> Cow<'static, [u8]> {
        if head.starts_with(b"GET /counts ") {
            // The connection that asks, and its question, are not counted.
            let counts = format!("{} {}\n", self.accepted - 1, self.answered);
            self.accepted -= 1;
            return Cow::Owned(response(counts.as_bytes(), "Connection: close\r\n"));
        }
        self.answered += 1;
        Cow::Borrowed(if head.starts_with(b"GET /1m ") {
            self.big
        } else if close {
            self.small_close
        } else {
            self.small
        })
    }
}

fn response(body: &[u8], more: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n{more}\r\n"
    );
    [head.as_bytes(), body].concat()
}
