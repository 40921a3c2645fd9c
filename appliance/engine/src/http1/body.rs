//! Message bodies: where they end, and their payload without framing.

use std::io::Write;

use super::Framing;
use super::head::lone_field;
use super::write::write_field;

/// Bytes of trailer fields that one body may have.
const MAX_TRAILERS: usize = 8 * 1024;
/// Bytes of one line of chunk framing (a size with extensions, or a trailer field).
const MAX_LINE: usize = 4 * 1024;

/// Reads a body.
#[derive(Debug)]
pub(crate) enum Body {
    /// So many bytes are still to come; none is the end.
    Length(u64),
    /// Chunks are still to come.
    Chunked(Box<Chunks>),
    /// It goes on until the connection ends.
    UntilClose,
}

/// The chunk framing is broken: the end of the body cannot be known any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyError;

/// What a step of reading gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Bytes of payload, now at the front of the input.
    pub(crate) payload: usize,
    /// Bytes of the input that were used; what lies behind belongs to the next message.
    pub(crate) used: usize,
}

/// The state of a chunked body (RFC 9112, section 7.1).
#[derive(Debug)]
pub(crate) struct Chunks {
    state: State,
    /// Trailer fields so far, normalised.
    trailers: Vec<u8>,
    trailers_logged: u64,
    line: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the hexadecimal size; digits so far.
    Size(u64, u8),
    /// Behind the size: white space, then an extension or the line's end.
    AfterSize(u64),
    Extension(u64),
    SizeNewline(u64),
    Data(u64),
    DataReturn,
    DataNewline,
    Trailer,
    Done,
}

impl Body {
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::None => Self::Length(0),
            Framing::Length(n) => Self::Length(n),
            Framing::UntilClose => Self::UntilClose,
            Framing::Chunked => Self::Chunked(Box::new(Chunks {
                state: State::Size(0, 0),
                trailers: Vec::new(),
                trailers_logged: 0,
                line: Vec::new(),
            })),
        }
    }

    /// Whether all of it was read. A body until close never is by itself.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.state == State::Done,
            Self::UntilClose => false,
        }
    }

    /// Whether the end of the stream is the end of the body.
    pub(crate) fn ends_with_stream(&self) -> bool {
        matches!(self, Self::UntilClose)
    }

    /// Whether the payload goes on in chunks.
    pub(crate) fn is_chunked(&self) -> bool {
        matches!(self, Self::Chunked(_))
    }

    /// How many bytes are known to be still to come.
    pub(crate) fn known_left(&self) -> u64 {
        match self {
            Self::Length(left) => *left,
            Self::Chunked(chunks) => match chunks.state {
                State::Data(left) => left,
                _ => 0,
            },
            Self::UntilClose => u64::MAX,
        }
    }

    /// Reads `input`: the payload is moved to its front.
    ///
    /// # Errors
    /// When the framing is broken.
    pub(crate) fn read(&mut self, input: &mut [u8]) -> Result<Step, BodyError> {
        match self {
            Self::Length(left) => {
                let n = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(input.len());
                *left -= n as u64;
                Ok(Step {
                    payload: n,
                    used: n,
                })
            }
            Self::UntilClose => Ok(Step {
                payload: input.len(),
                used: input.len(),
            }),
            Self::Chunked(chunks) => chunks.read(input),
        }
    }

    /// Appends what ends a chunked body: the last chunk, the trailer fields, the empty line.
    pub(crate) fn write_end(&self, out: &mut Vec<u8>) {
        if let Self::Chunked(chunks) = self {
            out.extend_from_slice(b"0\r\n");
            out.extend_from_slice(&chunks.trailers);
            out.extend_from_slice(b"\r\n");
        }
    }

    /// What HAProxy's `%B` counts beside the payload.
    pub(crate) fn logged_end(&self) -> u64 {
        match self {
            Self::Chunked(chunks) => 1 + chunks.trailers_logged,
            _ => 0,
        }
    }
}

/// Appends the line before a chunk of `size` bytes; CRLF must follow the chunk.
pub(crate) fn write_chunk_size(size: usize, out: &mut Vec<u8>) {
    write!(out, "{size:x}\r\n").expect("writing to a Vec cannot fail");
}

impl Chunks {
    fn read(&mut self, input: &mut [u8]) -> Result<Step, BodyError> {
        let (mut at, mut payload) = (0, 0);
        while self.state != State::Done {
            if let State::Data(left) = self.state {
                let n = usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(input.len() - at);
                if n == 0 {
                    break;
                }
                if at != payload {
                    input.copy_within(at..at + n, payload);
                }
                (at, payload) = (at + n, payload + n);
                let left = left - n as u64;
                self.state = if left == 0 {
                    State::DataReturn
                } else {
                    State::Data(left)
                };
            } else {
                let Some(&byte) = input.get(at) else { break };
                at += 1;
                self.state = self.step(byte)?;
            }
        }
        Ok(Step { payload, used: at })
    }

    /// The state after one byte of framing.
    fn step(&mut self, byte: u8) -> Result<State, BodyError> {
        Ok(match (self.state, byte) {
            (State::Size(size, digits), b) if b.is_ascii_hexdigit() => {
                if digits == 16 {
                    return Err(BodyError);
                }
                let digit = char::from(b).to_digit(16).unwrap_or(0);
                State::Size(size << 4 | u64::from(digit), digits + 1)
            }
            (State::Size(_, 0), _) => return Err(BodyError),
            (State::Size(size, _) | State::AfterSize(size), b'\r') => State::SizeNewline(size),
            (State::Size(size, _) | State::AfterSize(size) | State::SizeNewline(size), b'\n') => {
                self.line.clear();
                if size == 0 {
                    State::Trailer
                } else {
                    State::Data(size)
                }
            }
            (State::Size(size, _) | State::AfterSize(size), b' ' | b'\t') => {
                self.count_line(byte)?;
                State::AfterSize(size)
            }
            (State::Size(size, _) | State::AfterSize(size), b';') => State::Extension(size),
            (State::Extension(size), b'\r') => State::SizeNewline(size),
            // A bare LF in an extension ends the line for some parsers and not for others.
            (State::Extension(_), b'\n' | 0) => return Err(BodyError),
            (State::Extension(size), _) => {
                self.count_line(byte)?;
                State::Extension(size)
            }
            (State::DataReturn, b'\r') => State::DataNewline,
            (State::DataReturn | State::DataNewline, b'\n') => State::Size(0, 0),
            (State::Trailer, b'\n') => self.end_of_trailer()?,
            (State::Trailer, _) => {
                self.count_line(byte)?;
                State::Trailer
            }
            _ => return Err(BodyError),
        })
    }

    fn count_line(&mut self, byte: u8) -> Result<(), BodyError> {
        if self.line.len() >= MAX_LINE {
            return Err(BodyError);
        }
        self.line.push(byte);
        Ok(())
    }

    fn end_of_trailer(&mut self) -> Result<State, BodyError> {
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        if self.line.is_empty() {
            return Ok(State::Done);
        }
        let field = lone_field(&self.line).ok_or(BodyError)?;
        let (name, value) = (field.name.of(&self.line), field.value.of(&self.line));
        if self.trailers.len() + self.line.len() > MAX_TRAILERS {
            return Err(BodyError);
        }
        // Framing and routing are said in the head or not at all (RFC 9110, section 6.5.1).
        if field.known == super::head::Known::Other {
            self.trailers_logged += (name.len() + value.len()) as u64;
            write_field(name, value, &mut self.trailers);
        }
        self.line.clear();
        Ok(State::Trailer)
    }
}
