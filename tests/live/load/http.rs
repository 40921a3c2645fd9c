//! Requests whose answers are known byte for byte.

use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::pki_types::ServerName;

use super::pace::Pace;
use super::wire::{Fault, Wire, connect, ends, fault, in_time, spoke};
use super::{Cause, Kind, Run};
use crate::origin;

/// The longest head that is taken.
const HEAD: usize = 16 * 1024;

/// What a response's head says.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) length: Option<u64>,
    pub(super) closes: bool,
}

/// A connection on which responses are read.
pub(super) struct Connection<S> {
    pub(super) stream: S,
    pub(super) begun: Instant,
    pub(super) buffer: Vec<u8>,
}

impl<S: Wire> Connection<S> {
    pub(super) fn new(stream: S, begun: Instant) -> Connection<S> {
        Connection {
            stream,
            begun,
            buffer: Vec::with_capacity(4096),
        }
    }

    pub(super) async fn send(&mut self, head: &str) -> Result<(), Fault> {
        let sent = self.stream.write_all(head.as_bytes()).await;
        sent.map_err(|error| fault("request", &error))?;
        // TLS keeps a record until it is told.
        let sent = self.stream.flush().await;
        sent.map_err(|error| fault("request", &error))
    }

    /// Reads a head, and leaves in the buffer what came with it.
    pub(super) async fn head(&mut self) -> Result<Head, Fault> {
        loop {
            if let Some((head, taken)) = parse(&self.buffer)? {
                self.buffer.drain(..taken);
                return Ok(head);
            }
            let wrong = "a head without an end";
            if self.buffer.len() > HEAD {
                return Err(Fault::new(Cause::Wrong, wrong));
            }
            let empty = self.buffer.is_empty();
            let read = self.stream.read_buf(&mut self.buffer).await;
            match read {
                Ok(0) if empty => return Err(Fault::new(Cause::NoAnswer, "closed")),
                Ok(0) => return Err(Fault::new(Cause::Short, "closed in the head")),
                Ok(_) => {}
                Err(error) => return Err(fault("response", &error)),
            }
        }
    }

    /// One request for an item. Tells whether the server will close the connection.
    async fn item(&mut self, number: u64, keep: bool) -> Result<bool, Fault> {
        let close = if keep { "" } else { "Connection: close\r\n" };
        self.send(&format!(
            "GET /item/{number} HTTP/1.1\r\nHost: live\r\n{close}\r\n"
        ))
        .await?;
        let head = self.head().await?;
        if head.status != 200 {
            return Err(Fault::new(Cause::Status, head.status.to_string()));
        }
        if head.length != Some(origin::ITEM as u64) {
            let detail = format!("Content-Length {:?}", head.length);
            return Err(Fault::new(Cause::Wrong, detail));
        }
        while self.buffer.len() < origin::ITEM {
            let read = self.stream.read_buf(&mut self.buffer).await;
            match read {
                Ok(0) => {
                    let detail = format!("{} of {} bytes", self.buffer.len(), origin::ITEM);
                    return Err(Fault::new(Cause::Short, detail));
                }
                Ok(_) => {}
                Err(error) => return Err(fault("body", &error)),
            }
        }
        if !origin::is_item(&self.buffer, number) {
            let start = String::from_utf8_lossy(&self.buffer[..32]).into_owned();
            let detail = format!("asked for {number}, got {start:?}...");
            return Err(Fault::new(Cause::Wrong, detail));
        }
        self.buffer.clear();
        Ok(head.closes)
    }
}

fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, Fault> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes);
    let parsed = parsed.map_err(|error| Fault::new(Cause::Wrong, format!("head: {error}")))?;
    let httparse::Status::Complete(taken) = parsed else {
        return Ok(None);
    };
    let value = |name: &str| {
        let mut headers = response.headers.iter();
        let found = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    };
    let head = Head {
        status: response.code.unwrap_or_default(),
        length: value("content-length").and_then(|length| length.parse().ok()),
        closes: value("connection").is_some_and(|word| word.eq_ignore_ascii_case("close")),
    };
    Ok(Some((head, taken)))
}

/// Keeps its connection as long as the server does. What the server announced to close, or closed
/// while nothing was on its way, is opened again and no failure; a reset always is one.
pub(super) async fn kept(run: Arc<Run>, index: u32) {
    let (kind, patience) = (Kind::Kept, run.mix.patience);
    let mut pace = Pace::new(kind, run.mix.kept, index);
    let mut open = None;
    while run.goes_on() {
        let started = pace.turn(&run.ledger).await;
        let begun = Instant::now();
        let mut connection = match reusable(&run, open.take()).await {
            Some(connection) => connection,
            None => match in_time(patience, connect(run.mix.web)).await {
                Ok(stream) => Connection::new(stream, begun),
                Err(fault) => {
                    run.ledger.failed(fault.failure(kind, begun));
                    continue;
                }
            },
        };
        match in_time(patience, connection.item(run.next(), true)).await {
            Ok(closes) => {
                run.ledger.done(kind, started);
                if closes {
                    run.ledger.closed(kind);
                } else {
                    open = Some(connection);
                }
            }
            Err(fault) => run.ledger.failed(fault.failure(kind, connection.begun)),
        }
    }
}

async fn reusable<S: Wire>(run: &Run, open: Option<Connection<S>>) -> Option<Connection<S>> {
    let mut connection = open?;
    match spoke(&mut connection.stream).await {
        None => return Some(connection),
        Some(Ok(())) => run.ledger.closed(Kind::Kept),
        Some(Err(fault)) => run
            .ledger
            .failed(fault.failure(Kind::Kept, connection.begun)),
    }
    None
}

/// A connection, a request, and the end that the server owes.
pub(super) async fn fresh(run: Arc<Run>, index: u32) {
    let mut pace = Pace::new(Kind::Fresh, run.mix.fresh, index);
    while run.goes_on() {
        let started = pace.turn(&run.ledger).await;
        let begun = Instant::now();
        let exchange = async {
            let stream = connect(run.mix.web).await?;
            only(&run, Connection::new(stream, begun)).await
        };
        match in_time(run.mix.patience, exchange).await {
            Ok(()) => run.ledger.done(Kind::Fresh, started),
            Err(fault) => run.ledger.failed(fault.failure(Kind::Fresh, begun)),
        }
    }
}

/// As [`fresh`], inside TLS.
pub(super) async fn secure(run: Arc<Run>, index: u32) {
    let mut pace = Pace::new(Kind::Secure, run.mix.tls, index);
    let name = ServerName::try_from("www.example").unwrap();
    while run.goes_on() {
        let started = pace.turn(&run.ledger).await;
        let begun = Instant::now();
        let exchange = async {
            let stream = connect(run.mix.secure).await?;
            let stream = run.tls.connect(name.clone(), stream).await;
            let stream = stream.map_err(|error| fault("handshake", &error))?;
            only(&run, Connection::new(stream, begun)).await
        };
        match in_time(run.mix.patience, exchange).await {
            Ok(()) => run.ledger.done(Kind::Secure, started),
            Err(fault) => run.ledger.failed(fault.failure(Kind::Secure, begun)),
        }
    }
}

async fn only<S: Wire>(run: &Run, mut connection: Connection<S>) -> Result<(), Fault> {
    connection.item(run.next(), false).await?;
    ends(&mut connection.stream).await
}
