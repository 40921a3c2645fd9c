//! Connections that carry bytes both ways for as long as the load lasts.

use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::http::Connection;
use super::pace::Pace;
use super::wire::{Fault, connect, ends, fault, in_time};
use super::{Cause, Clients, Kind, Run};
use crate::origin;

/// The largest frame.
const FRAME: usize = 8 * 1024;

/// An HTTP connection that was upgraded, as a WebSocket is.
pub(super) async fn tunnel(run: Arc<Run>, index: u32) {
    stream(&run, Kind::Tunnel, run.mix.tunnels, index).await;
}

/// A connection to a frontend in TCP mode.
pub(super) async fn echo(run: Arc<Run>, index: u32) {
    stream(&run, Kind::Echo, run.mix.echoes, index).await;
}

/// Opens a stream, uses it to the end, and opens it again should it fail.
async fn stream(run: &Run, kind: Kind, clients: Clients, index: u32) {
    let mut pace = Pace::new(kind, clients, index);
    while run.goes_on() {
        pace.turn(&run.ledger).await;
        let begun = Instant::now();
        let outcome = match open(run, kind, begun).await {
            Ok(stream) => frames(run, kind, &mut pace, stream).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = outcome {
            run.ledger.failed(fault.failure(kind, begun));
        }
    }
}

async fn open(run: &Run, kind: Kind, begun: Instant) -> Result<TcpStream, Fault> {
    let patience = run.mix.patience;
    if kind == Kind::Echo {
        return in_time(patience, connect(run.mix.raw)).await;
    }
    let exchange = async {
        let mut connection = Connection::new(connect(run.mix.web).await?, begun);
        connection
            .send(
                "GET /tunnel HTTP/1.1\r\nHost: live\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
            )
            .await?;
        let head = connection.head().await?;
        if head.status != 101 {
            return Err(Fault::new(Cause::Status, head.status.to_string()));
        }
        if !connection.buffer.is_empty() {
            return Err(Fault::new(Cause::Wrong, "bytes before the first frame"));
        }
        Ok(connection.stream)
    };
    in_time(patience, exchange).await
}

/// Frames of many sizes, each with its number and bytes of its own, have to come back as they
/// went. At last both sides close in order.
async fn frames(
    run: &Run,
    kind: Kind,
    pace: &mut Pace,
    mut stream: TcpStream,
) -> Result<(), Fault> {
    let mut back = vec![0; FRAME];
    let mut number: u64 = 0;
    while run.goes_on() {
        let started = pace.turn(&run.ledger).await;
        number += 1;
        let length = 16 + (number * 509) as usize % (FRAME - 16);
        let mut frame = number.to_be_bytes().to_vec();
        frame.extend_from_slice(origin::pattern(number * 7919, length - frame.len()));
        let back = &mut back[..length];
        let exchange = async {
            let sent = stream.write_all(&frame).await;
            sent.map_err(|error| fault("send", &error))?;
            let mut had = 0;
            while had < length {
                match stream.read(&mut back[had..]).await {
                    Ok(0) if had == 0 => {
                        let detail = format!("closed after {} frames", number - 1);
                        return Err(Fault::new(Cause::NoAnswer, detail));
                    }
                    Ok(0) => {
                        let detail = format!("{had} of {length} bytes of frame {number}");
                        return Err(Fault::new(Cause::Short, detail));
                    }
                    Ok(more) => had += more,
                    Err(error) => return Err(fault("receive", &error)),
                }
            }
            Ok(())
        };
        in_time(run.mix.patience, exchange).await?;
        if *back != *frame {
            let detail = format!("frame {number} came back changed");
            return Err(Fault::new(Cause::Wrong, detail));
        }
        run.ledger.done(kind, started);
    }
    let farewell = async {
        let closed = stream.shutdown().await;
        closed.map_err(|error| fault("close", &error))?;
        ends(&mut stream).await
    };
    in_time(run.mix.patience, farewell).await
}
