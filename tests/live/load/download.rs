//! One long response, read slowly, so that it is always in the middle.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;

use super::http::Connection;
use super::wire::{Fault, connect, ends, fault, in_time};
use super::{Cause, Kind, Run, Slow};
use crate::origin;

/// How often the client reads.
const READS: u64 = 20;

/// Downloads until the load ends; the last one is read to its end at full speed.
pub(super) async fn download(run: Arc<Run>, slow: Slow) {
    while run.goes_on() {
        let begun = Instant::now();
        match whole(&run, slow, begun).await {
            Ok(()) => run.ledger.done(Kind::Download, begun),
            Err(fault) => {
                run.ledger.failed(fault.failure(Kind::Download, begun));
                // Whatever refuses is not asked without a pause.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn whole(run: &Run, slow: Slow, begun: Instant) -> Result<(), Fault> {
    let patience = run.mix.patience;
    let exchange = async {
        let mut connection = Connection::new(connect(run.mix.web).await?, begun);
        let head = format!(
            "GET /download/{} HTTP/1.1\r\nHost: live\r\nConnection: close\r\n\r\n",
            slow.bytes
        );
        connection.send(&head).await?;
        let head = connection.head().await?;
        Ok((connection, head))
    };
    let (mut connection, head) = in_time(patience, exchange).await?;
    if head.status != 200 {
        return Err(Fault::new(Cause::Status, head.status.to_string()));
    }
    if head.length != Some(slow.bytes) {
        let detail = format!("Content-Length {:?}", head.length);
        return Err(Fault::new(Cause::Wrong, detail));
    }
    let mut had = 0;
    check(&connection.buffer, &mut had)?;
    let mut room = vec![0; usize::try_from(slow.per_second / READS).unwrap()];
    let mut ticks = tokio::time::interval(Duration::from_millis(1000 / READS));
    while had < slow.bytes {
        if run.goes_on() {
            ticks.tick().await;
        }
        let read = async {
            let read = connection.stream.read(&mut room).await;
            read.map_err(|error| fault(&format!("after {had} bytes"), &error))
        };
        let read = in_time(patience, read).await?;
        if read == 0 {
            let detail = format!("{had} of {} bytes", slow.bytes);
            return Err(Fault::new(Cause::Short, detail));
        }
        check(&room[..read], &mut had)?;
        run.ledger.progress(Kind::Download);
    }
    if had > slow.bytes {
        return Err(Fault::new(Cause::Wrong, "more bytes than announced"));
    }
    in_time(patience, ends(&mut connection.stream)).await
}

/// The bytes at `had` and behind it have to be the origin's.
fn check(mut bytes: &[u8], had: &mut u64) -> Result<(), Fault> {
    while !bytes.is_empty() {
        let length = bytes.len().min(origin::PIECE);
        let (piece, rest) = bytes.split_at(length);
        if piece != origin::pattern(*had, length) {
            let detail = format!("other bytes behind {had}");
            return Err(Fault::new(Cause::Wrong, detail));
        }
        *had += length as u64;
        bytes = rest;
    }
    Ok(())
}
