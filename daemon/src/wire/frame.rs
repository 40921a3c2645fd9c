//! A frame: length in four bytes, most significant first, then that many bytes of JSON.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recv, recvmsg, sendmsg};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use tokio::net::UnixStream;

/// The longest frame either side takes: room for the largest file set ([`lanai_control`]'s
/// `SET_LIMIT`, 16 MiB) in base64, and for a diff of it.
pub(crate) const LIMIT: usize = 48 << 20;

/// Descriptors that may go with one frame: as many as the kernel allows (SCM_MAX_FD, unix(7)), so
/// that whoever receives never gets fewer than were sent.
pub(crate) const DESCRIPTORS: usize = 253;

/// Why a frame could not be sent or received. The connection is of no more use then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// The socket failed, or closed in the middle of a frame.
    #[error("the connection broke")]
    Io(#[from] io::Error),
    /// Longer than this side takes.
    #[error("a message of {length} bytes is too long: the limit is {limit}")]
    TooLong {
        /// What it says it has.
        length: usize,
        /// What it may have.
        limit: usize,
    },
    /// Not JSON, or not the message expected here: two different builds of the program, perhaps.
    #[error("a message was not understood")]
    Json(#[from] serde_json::Error),
}

/// Sends one message.
pub(crate) async fn write<T: Serialize>(
    to: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> Result<(), FrameError> {
    to.write_all(&encode(message)?).await?;
    to.flush().await?;
    Ok(())
}

/// Waits until a message begins, or the other side has closed. May be given up.
pub(crate) async fn begins(from: &UnixStream) -> io::Result<()> {
    let look = || {
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        recv(from.as_raw_fd(), &mut [0], flags).map_err(io::Error::from)
    };
    from.async_io(Interest::READABLE, look).await.map(drop)
}

/// Receives one message of at most `limit` bytes; `None` if the other side closed between two
/// messages. Descriptors that came with it are closed.
pub(crate) async fn read<T: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
    limit: usize,
) -> Result<Option<T>, FrameError> {
    let mut header = [0; 4];
    let (first, rest) = header.split_at_mut(1);
    if from.read(first).await? == 0 {
        return Ok(None);
    }
    from.read_exact(rest).await?;
    Ok(Some(read_body(from, header, limit).await?))
}

/// As [`write`], with copies of at most [`DESCRIPTORS`] descriptors.
pub(crate) async fn write_with<T: Serialize>(
    to: &mut UnixStream,
    message: &T,
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), FrameError> {
    if descriptors.is_empty() {
        return write(to, message).await;
    }
    let body = encode(message)?;
    let numbers: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&numbers)];
    // They travel with the first byte that is taken.
    let sent = to
        .async_io(Interest::WRITABLE, || {
            let slices = [IoSlice::new(&body)];
            let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
            sendmsg::<()>(to.as_raw_fd(), &slices, &rights, flags, None).map_err(io::Error::from)
        })
        .await?;
    to.write_all(body.get(sent..).unwrap_or_default()).await?;
    Ok(())
}

/// As [`read`], with the descriptors that came with the message.
pub(crate) async fn read_with<T: DeserializeOwned>(
    from: &mut UnixStream,
    limit: usize,
) -> Result<Option<(T, Vec<OwnedFd>)>, FrameError> {
    let mut header = [0; 4];
    let mut descriptors = Vec::new();
    let mut filled = 0;
    while filled < header.len() {
        let rest = header.get_mut(filled..).unwrap_or_default();
        let got = from
            .async_io(Interest::READABLE, || {
                receive(from.as_raw_fd(), rest, &mut descriptors)
            })
            .await?;
        if got == 0 && filled == 0 {
            return Ok(None);
        }
        if got == 0 {
            return Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        filled += got;
    }
    let message = read_body(from, header, limit).await?;
    Ok(Some((message, descriptors)))
}

/// One `recvmsg`. What does not fit the limit of descriptors is an error: the sender is not ours.
fn receive(socket: RawFd, into: &mut [u8], descriptors: &mut Vec<OwnedFd>) -> io::Result<usize> {
    let mut space = nix::cmsg_space!([RawFd; DESCRIPTORS]);
    let mut slices = [IoSliceMut::new(into)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<()>(socket, &mut slices, Some(&mut space), flags)?;
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = control {
            descriptors.extend(numbers.into_iter().map(|number| {
                // SAFETY: the kernel has just made this descriptor for us (SCM_RIGHTS, unix(7)), and
                // nothing else in the process knows its number.
                unsafe { std::os::fd::FromRawFd::from_raw_fd(number) }
            }));
        }
    }
    if message.flags.contains(MsgFlags::MSG_CTRUNC) || descriptors.len() > DESCRIPTORS {
        return Err(io::Error::other(
            "more descriptors came than a message may have",
        ));
    }
    Ok(message.bytes)
}

fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let body = bytes.len() - 4;
    let length = u32::try_from(body).ok().filter(|_| body <= LIMIT);
    let length = length.ok_or(FrameError::TooLong {
        length: body,
        limit: LIMIT,
    })?;
    if let Some(header) = bytes.first_chunk_mut() {
        *header = length.to_be_bytes();
    }
    Ok(bytes)
}

async fn read_body<T: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
    header: [u8; 4],
    limit: usize,
) -> Result<T, FrameError> {
    let length = usize::try_from(u32::from_be_bytes(header)).unwrap_or(usize::MAX);
    if length > limit {
        return Err(FrameError::TooLong { length, limit });
    }
    // `take` and growth by need: a length alone must not cost memory.
    let mut body = Vec::new();
    from.take(length as u64).read_to_end(&mut body).await?;
    if body.len() < length {
        return Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(serde_json::from_slice(&body)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(messages in prop::collection::vec(".*", 0..4)) {
            block_on(async {
                let mut bytes = Vec::new();
                for message in &messages {
                    write(&mut bytes, message).await.unwrap();
                }
                let mut from = bytes.as_slice();
                for message in &messages {
                    assert_eq!(read::<String>(&mut from, LIMIT).await.unwrap().as_ref(), Some(message));
                }
                assert!(read::<String>(&mut from, LIMIT).await.unwrap().is_none());
            });
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            block_on(async {
                let mut from = bytes.as_slice();
                while let Ok(Some(_)) = read::<serde_json::Value>(&mut from, LIMIT).await {}
            });
        }

        #[test]
        fn a_frame_cut_short_is_an_error(text in ".{0,20}", cut in 1_usize..24) {
            block_on(async {
                let mut bytes = Vec::new();
                write(&mut bytes, &text).await.unwrap();
                let cut = cut.min(bytes.len() - 1);
                let result = read::<String>(&mut &bytes[..cut], LIMIT).await;
                assert!(matches!(result, Err(FrameError::Io(_))), "{result:?}");
            });
        }
    }

    #[test]
    fn a_long_frame_is_refused_before_it_is_read() {
        block_on(async {
            for (header, limit) in [([0xff; 4], LIMIT), ([0, 0, 0, 9], 8)] {
                let length = usize::try_from(u32::from_be_bytes(header)).unwrap();
                let result = read::<String>(&mut &header[..], limit).await;
                let refused = matches!(result, Err(FrameError::TooLong { length: said, .. }) if said == length);
                assert!(refused, "{result:?}");
            }
        });
    }
}
