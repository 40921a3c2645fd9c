//! One client of the runtime API: lines in, answers out.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use lanai_model::layer7::AccessLevel;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::Source;
use super::commands::{self, Session};

/// Longest line, without its end: HAProxy's buffer size.
const LINE_LIMIT: usize = 16_384;
/// Longest payload (the lines after `<<`): large enough for a certificate chain.
const PAYLOAD_LIMIT: usize = 256 * 1024;
/// How long a closing connection waits for the client to have read everything.
const LINGER: Duration = Duration::from_secs(1);
/// What a closing connection reads and throws away, in buffers.
const LINGER_READS: usize = 64;

/// Talks to one client until it leaves, is done or has been idle for too long.
pub(super) async fn run<S>(stream: S, source: Rc<dyn Source>, level: AccessLevel, idle: Duration)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = Connection {
        stream,
        received: Vec::new(),
        session: Session {
            level,
            timeout: idle,
            interactive: false,
            expert: false,
            changed: false,
            ended: false,
        },
    };
    // A client that is gone needs no answer, and one that is idle gets none from HAProxy either.
    if connection.serve(&*source).await.is_ok() {
        connection.linger().await;
    }
}

struct Connection<S> {
    stream: S,
    /// Read, not yet used.
    received: Vec<u8>,
    session: Session,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn serve(&mut self, source: &dyn Source) -> io::Result<()> {
        while let Some(line) = self.line().await? {
            let line = String::from_utf8_lossy(&line).into_owned();
            let line = match payload_mark(&line) {
                Some((command, mark)) => {
                    if !self.skip_payload(mark).await? {
                        return Ok(());
                    }
                    command
                }
                None => line.as_str(),
            };
            for command in commands::split(line) {
                let mut answer = commands::run(&mut self.session, source, command);
                if self.session.ended {
                    return Ok(());
                }
                // What is acknowledged outlives this process.
                if std::mem::take(&mut self.session.changed)
                    && let Err(why) = source.operator().kept().await
                {
                    answer = format!("Not kept for a next process: {why}.\n");
                }
                answer.push('\n');
                if self.session.interactive {
                    answer.push_str("> ");
                }
                self.write(answer.as_bytes()).await?;
            }
            // Lines that came along are answered, as HAProxy does; a later one finds the door shut.
            if !self.session.interactive && !self.received.contains(&b'\n') {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next line without its end; `None` when the client sends no more. A last line without an
    /// end is not run: it may have been cut, and half a command can be another command.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            let fresh = self.received.get(searched..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                let length = searched + at;
                if length <= LINE_LIMIT {
                    let mut line: Vec<u8> = self.received.drain(..=length).collect();
                    line.pop();
                    return Ok(Some(line));
                }
            }
            searched = self.received.len();
            if searched > LINE_LIMIT {
                let text = format!("The line is longer than {LINE_LIMIT} bytes.\n\n");
                self.write(text.as_bytes()).await?;
                return Ok(None);
            }
            if !self.fill().await? {
                return Ok(None);
            }
        }
    }

    /// Reads up to the line that ends a payload. No command takes one, but its lines must not be
    /// taken for commands. `false` when it did not come in whole.
    async fn skip_payload(&mut self, mark: &str) -> io::Result<bool> {
        let mut length = 0;
        while let Some(line) = self.line().await? {
            if line.strip_suffix(b"\r").unwrap_or(&line) == mark.as_bytes() {
                return Ok(true);
            }
            length += line.len() + 1;
            if length > PAYLOAD_LIMIT {
                let text = format!("The payload is longer than {PAYLOAD_LIMIT} bytes.\n\n");
                self.write(text.as_bytes()).await?;
                break;
            }
        }
        Ok(false)
    }

    /// Waits for more; `false` at the end.
    async fn fill(&mut self) -> io::Result<bool> {
        self.received.reserve(4_096);
        let read = self.stream.read_buf(&mut self.received);
        Ok(timeout(self.session.timeout, read).await?? > 0)
    }

    /// The idle time counts from the last byte that the client took.
    async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = timeout(self.session.timeout, self.stream.write(bytes)).await??;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// Ends our side and waits a little for the client's end: closing a TCP socket with something
    /// unread resets it, which may take the answer away from the client.
    async fn linger(&mut self) {
        let read_rest = async {
            self.stream.shutdown().await?;
            for _ in 0..LINGER_READS {
                self.received.clear();
                self.received.reserve(4_096);
                if self.stream.read_buf(&mut self.received).await? == 0 {
                    break;
                }
            }
            io::Result::Ok(())
        };
        // Whatever the outcome, nothing is left to do.
        let _ = timeout(LINGER, read_rest).await;
    }
}

/// A line that ends in `<<` or `<<WORD` announces a payload that ends with an empty line or WORD.
fn payload_mark(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end_matches(['\r', ' ', '\t']);
    let start = line.rfind([' ', '\t'])?;
    let (command, last) = line.split_at_checked(start)?;
    Some((command, last.trim_start().strip_prefix("<<")?))
}
