//! A frame: length in four bytes, most significant first, then that many bytes of JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest frame either side takes: room for the largest file set ([`lanai_control`]'s
/// `SET_LIMIT`, 16 MiB) in base64, and for a diff of it.
pub(crate) const LIMIT: usize = 48 << 20;

/// Why a frame could not be sent or received. The connection is of no more use then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// The socket failed, or closed in the middle of a frame.
    #[error("the connection broke")]
    Io(#[from] std::io::Error),
    /// Longer than [`LIMIT`].
    #[error("a message of {0} bytes is too long: the limit is {LIMIT}")]
    TooLong(usize),
    /// Not JSON, or not the message expected here: two different builds of the program, perhaps.
    #[error("a message was not understood")]
    Json(#[from] serde_json::Error),
}

/// Sends one message.
pub(crate) async fn write<T: Serialize>(
    to: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> Result<(), FrameError> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len())
        .ok()
        .filter(|_| body.len() <= LIMIT);
    let length = length.ok_or(FrameError::TooLong(body.len()))?;
    to.write_all(&length.to_be_bytes()).await?;
    to.write_all(&body).await?;
    to.flush().await?;
    Ok(())
}

/// Receives one message; `None` if the other side closed between two messages.
pub(crate) async fn read<T: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
) -> Result<Option<T>, FrameError> {
    let mut header = [0; 4];
    let (first, rest) = header.split_at_mut(1);
    if from.read(first).await? == 0 {
        return Ok(None);
    }
    from.read_exact(rest).await?;
    let length = usize::try_from(u32::from_be_bytes(header)).unwrap_or(usize::MAX);
    if length > LIMIT {
        return Err(FrameError::TooLong(length));
    }
    // `take` and growth by need: a length alone must not cost memory.
    let mut body = Vec::new();
    from.take(length as u64).read_to_end(&mut body).await?;
    if body.len() < length {
        return Err(FrameError::Io(std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(Some(serde_json::from_slice(&body)?))
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
                    assert_eq!(read::<String>(&mut from).await.unwrap().as_ref(), Some(message));
                }
                assert!(read::<String>(&mut from).await.unwrap().is_none());
            });
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            block_on(async {
                let mut from = bytes.as_slice();
                while let Ok(Some(_)) = read::<serde_json::Value>(&mut from).await {}
            });
        }

        #[test]
        fn a_frame_cut_short_is_an_error(text in ".{0,20}", cut in 1_usize..24) {
            block_on(async {
                let mut bytes = Vec::new();
                write(&mut bytes, &text).await.unwrap();
                let cut = cut.min(bytes.len() - 1);
                let result = read::<String>(&mut &bytes[..cut]).await;
                assert!(matches!(result, Err(FrameError::Io(_))), "{result:?}");
            });
        }
    }

    #[test]
    fn a_long_frame_is_refused_before_it_is_read() {
        block_on(async {
            let mut from: &[u8] = &[0xff, 0xff, 0xff, 0xff];
            let result = read::<String>(&mut from).await;
            assert!(
                matches!(result, Err(FrameError::TooLong(0xffff_ffff))),
                "{result:?}"
            );
        });
    }
}
