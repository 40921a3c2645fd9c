//! The servers behind the proxy: several ports on one host, in one thread of this test.
//!
//! Every answer is known to the client byte for byte.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::namespace;

/// Length of an item.
pub(crate) const ITEM: usize = 1024;
/// Ports that speak HTTP.
pub(crate) const WEB: [u16; 4] = [8001, 8002, 8003, 8004];
/// The port that sends back what it gets.
pub(crate) const RAW: u16 = 9001;
/// The longest piece that [`pattern`] gives.
pub(crate) const PIECE: usize = 64 * 1024;
/// A prime, so that no power of two repeats it.
const PERIOD: usize = 65_521;

static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    let period: Vec<u8> = (0..PERIOD).map(next).collect();
    period
        .iter()
        .copied()
        .cycle()
        .take(PERIOD + PIECE)
        .collect()
});

/// The bytes at an offset of an endless body; at most [`PIECE`].
pub(crate) fn pattern(offset: u64, length: usize) -> &'static [u8] {
    let start = (offset % PERIOD as u64) as usize;
    &BYTES[start..start + length]
}

fn item(number: u64) -> Vec<u8> {
    let mut body = format!("{number:016x}").into_bytes();
    body.extend_from_slice(pattern(0, ITEM - body.len()));
    body
}

/// Whether these bytes are the item of that number, and nothing else.
pub(crate) fn is_item(bytes: &[u8], number: u64) -> bool {
    let Some((head, rest)) = bytes.split_at_checked(16) else {
        return false;
    };
    head == format!("{number:016x}").as_bytes() && rest == pattern(0, ITEM - 16)
}

/// What an origin does now and then instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sin {
    /// Closes in order.
    Silence,
    /// Resets the connection.
    Reset,
    /// Closes in the middle of the body.
    Cut,
    /// Sends a byte that is not the right one.
    Garble,
    /// Answers 503.
    Error,
    /// Says nothing for a long time.
    Wait,
}

/// One request in this many is sinned against; odd, so that two kinds that alternate both have it.
const SINS: u64 = 7;

/// Servers that run.
pub(crate) struct Origin {
    requests: Arc<[AtomicU64; WEB.len()]>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Origin {
    /// Listens on all ports of an address inside a namespace.
    #[track_caller]
    pub(crate) fn start(namespace: &str, address: IpAddr, sin: Option<Sin>) -> Origin {
        let requests = Arc::new(WEB.map(|_| AtomicU64::new(0)));
        let counts = requests.clone();
        let (end, ended) = oneshot::channel();
        let (ready, listens) = std::sync::mpsc::channel();
        let thread = namespace::thread(namespace, move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async {
                for (index, port) in WEB.into_iter().enumerate() {
                    let listener = TcpListener::bind(SocketAddr::new(address, port)).await;
                    tokio::spawn(web(listener.unwrap(), counts.clone(), index, sin));
                }
                let listener = TcpListener::bind(SocketAddr::new(address, RAW)).await;
                tokio::spawn(raw(listener.unwrap()));
                ready.send(()).unwrap();
                // The sender is dropped with the origin.
                let _ = ended.await;
            });
        });
        listens.recv().unwrap();
        Origin {
            requests,
            end: Some(end),
            thread: Some(thread),
        }
    }

    /// Requests that came to a port of [`WEB`].
    pub(crate) fn requests(&self, port: u16) -> u64 {
        let index = WEB.iter().position(|known| *known == port).unwrap();
        self.requests[index].load(Ordering::Relaxed)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // A panic of its own has been printed.
            let _ = thread.join();
        }
    }
}

type Counts = Arc<[AtomicU64; WEB.len()]>;

async fn web(listener: TcpListener, counts: Counts, index: usize, sin: Option<Sin>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let counts = counts.clone();
        tokio::spawn(async move {
            // A proxy may leave at any time: its clients notice what is missing.
            let _ = converse(stream, &counts[index], sin).await;
        });
    }
}

async fn raw(listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let _ = send_back(&mut stream, Vec::new()).await;
        });
    }
}

async fn send_back(stream: &mut TcpStream, first: Vec<u8>) -> io::Result<()> {
    stream.write_all(&first).await?;
    let mut buffer = vec![0; PIECE];
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return stream.shutdown().await;
        }
        stream.write_all(&buffer[..read]).await?;
    }
}

struct Asked {
    path: String,
    closes: bool,
    upgrades: bool,
}

async fn converse(mut stream: TcpStream, count: &AtomicU64, sin: Option<Sin>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4096);
    while let Some(asked) = request(&mut stream, &mut buffer).await? {
        let number = count.fetch_add(1, Ordering::Relaxed);
        if asked.upgrades {
            let switch =
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
            stream.write_all(switch.as_bytes()).await?;
            return send_back(&mut stream, buffer).await;
        }
        if let Some(sin) = sin
            && number % SINS == SINS - 1
        {
            return commit(stream, sin, &asked).await;
        }
        let (_, word) = asked.path.rsplit_once('/').unwrap_or_default();
        let word: u64 = word.parse().unwrap_or_default();
        if asked.path.starts_with("/download/") {
            stream.write_all(ok(word, asked.closes).as_bytes()).await?;
            let mut sent = 0;
            while sent < word {
                let length = PIECE.min(usize::try_from(word - sent).unwrap_or(PIECE));
                stream.write_all(pattern(sent, length)).await?;
                sent += length as u64;
            }
        } else {
            let mut answer = ok(ITEM as u64, asked.closes).into_bytes();
            answer.extend(item(word));
            stream.write_all(&answer).await?;
        }
        if asked.closes {
            return stream.shutdown().await;
        }
    }
    Ok(())
}

fn ok(length: u64, closes: bool) -> String {
    let close = if closes { "Connection: close\r\n" } else { "" };
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{close}\r\n")
}

/// The next request's head; nothing when the peer has closed.
async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Asked>> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        let parsed = request.parse(buffer);
        if let httparse::Status::Complete(taken) = parsed.map_err(io::Error::other)? {
            let says = |name: &str, word: &str| {
                request.headers.iter().any(|header| {
                    header.name.eq_ignore_ascii_case(name)
                        && header.value.eq_ignore_ascii_case(word.as_bytes())
                })
            };
            let asked = Asked {
                path: request.path.unwrap_or_default().to_owned(),
                closes: says("connection", "close"),
                upgrades: says("upgrade", "echo"),
            };
            buffer.drain(..taken);
            return Ok(Some(asked));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

async fn commit(mut stream: TcpStream, sin: Sin, asked: &Asked) -> io::Result<()> {
    let (_, word) = asked.path.rsplit_once('/').unwrap_or_default();
    let mut answer = ok(ITEM as u64, asked.closes).into_bytes();
    answer.extend(item(word.parse().unwrap_or_default()));
    match sin {
        Sin::Silence => {}
        Sin::Reset => stream.set_zero_linger()?,
        Sin::Cut => stream.write_all(&answer[..answer.len() - 1]).await?,
        Sin::Garble => {
            *answer.last_mut().unwrap() ^= 1;
            stream.write_all(&answer).await?;
        }
        Sin::Error => {
            let answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).await?;
        }
        Sin::Wait => std::future::pending().await,
    }
    Ok(())
}
