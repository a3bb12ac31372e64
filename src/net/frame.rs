//! Length-prefixed frames on a stream: four little-endian bytes, then that many bytes.
//!
//! Invariants: 1. a prefix above the limit is refused before anything is allocated; 2. a buffer
//! grows as bytes arrive, so a prefix alone costs the sender's bytes, not ours.
//! Knows nothing of what a frame holds.

use futures::{AsyncRead, AsyncReadExt};
use std::io;
use thiserror::Error;

/// Bytes asked for at a time, and so the most that can be reserved ahead of what has arrived
/// (Vec doubles: at most as much again).
const STEP: usize = 16 << 10;

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    #[error("a frame of {found} bytes was announced, at most {limit} are allowed")]
    TooLong { found: u32, limit: usize },
    #[error("the stream ended within a frame")]
    Truncated,
    #[error("the stream failed: {0}")]
    Io(io::ErrorKind),
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            kind => Self::Io(kind),
        }
    }
}

/// The length prefix, or `None` where the stream ends instead.
pub(super) async fn read_prefix(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<Option<u32>, FrameError> {
    let mut prefix = [0; 4];
    let first = stream.read(&mut prefix).await?;
    if first == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut prefix[first..]).await?;
    Ok(Some(u32::from_le_bytes(prefix)))
}

/// The `len` bytes behind a prefix that the caller has found acceptable.
pub(super) async fn read_body(
    stream: &mut (impl AsyncRead + Unpin),
    len: usize,
) -> Result<Vec<u8>, FrameError> {
    let mut body = Vec::new();
    while body.len() < len {
        let start = body.len();
        body.resize(start + STEP.min(len - start), 0);
        let got = stream.read(&mut body[start..]).await?;
        body.truncate(start + got);
        if got == 0 {
            return Err(FrameError::Truncated);
        }
    }
    Ok(body)
}

/// One frame of at most `limit` bytes, or `None` where the stream ends between frames.
pub(super) async fn read_frame(
    stream: &mut (impl AsyncRead + Unpin),
    limit: usize,
) -> Result<Option<Vec<u8>>, FrameError> {
    let Some(found) = read_prefix(stream).await? else {
        return Ok(None);
    };
    if found as usize > limit {
        return Err(FrameError::TooLong { found, limit });
    }
    read_body(stream, found as usize).await.map(Some)
}

/// Appends `frame` and its prefix to `buffer`.
pub(super) fn append_frame(buffer: &mut Vec<u8>, frame: &[u8]) {
    let len = u32::try_from(frame.len()).expect("every sender bounds its frames far below 4 GiB");
    buffer.extend_from_slice(&len.to_le_bytes());
    buffer.extend_from_slice(frame);
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::io::Cursor;

    #[test]
    fn frames_come_back_in_order_and_the_end_is_seen() {
        let mut bytes = Vec::new();
        for frame in [&b"one"[..], b"", &[7; 100_000]] {
            append_frame(&mut bytes, frame);
        }
        let mut stream = Cursor::new(bytes);
        block_on(async {
            let limit = 100_000;
            for frame in [&b"one"[..], b"", &[7; 100_000]] {
                assert_eq!(
                    read_frame(&mut stream, limit).await,
                    Ok(Some(frame.to_vec()))
                );
            }
            assert_eq!(read_frame(&mut stream, limit).await, Ok(None));
        });
    }

    #[test]
    fn a_four_gibibyte_prefix_is_refused_by_its_length_alone() {
        let mut stream = Cursor::new(vec![0xff; 4]);
        let refused = FrameError::TooLong {
            found: u32::MAX,
            limit: 10,
        };
        assert_eq!(block_on(read_frame(&mut stream, 10)), Err(refused));
    }

    #[test]
    fn a_cut_within_prefix_or_body_is_not_an_end() {
        let mut bytes = Vec::new();
        append_frame(&mut bytes, b"body");
        for len in 1..bytes.len() {
            let mut stream = Cursor::new(bytes[..len].to_vec());
            assert_eq!(
                block_on(read_frame(&mut stream, 10)),
                Err(FrameError::Truncated),
                "{len}"
            );
        }
    }
}
