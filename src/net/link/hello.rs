//! How a lane opens: the opener's hello, the other side's answer, and why one is refused.

use crate::ids::NodeId;
use crate::net::frame::FrameError;
use crate::wire::{Reader, WireError, Writer};
use thiserror::Error;

const VERSION: u8 = 1;
/// A hello is this long, in bytes.
pub(super) const HELLO_LEN: usize = 1 + 3 * 8;

/// The first frame of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hello {
    pub node: NodeId,
    /// How often the node has started, as it remembers it.
    pub incarnation: u64,
    /// Counts the lanes a process has opened towards one peer.
    pub generation: u64,
}

impl Hello {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(VERSION)
            .u64(self.node.0)
            .u64(self.incarnation)
            .u64(self.generation);
        w.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let version = r.u8("version")?;
        if version != VERSION {
            return Err(WireError::Unknown {
                field: "version",
                found: version.into(),
            });
        }
        let hello = Self {
            node: NodeId(r.u64("node")?),
            incarnation: r.u64("incarnation")?,
            generation: r.u64("generation")?,
        };
        r.end()?;
        Ok(hello)
    }
}

/// The answer to a hello: one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Answer {
    Accepted = 0,
    ForeignNode = 1,
    Stale = 2,
    Malformed = 3,
}

/// Why a peer's stream was closed by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("the hello names node {claimed}, and the connection is another's")]
    ForeignNode { claimed: NodeId },
    #[error("a newer stream is already open")]
    Stale,
    #[error("the hello does not decode")]
    BadHello,
    #[error("no hello came in time")]
    NoHello,
    #[error(transparent)]
    Frame(FrameError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_has_one_encoding() {
        let hello = Hello {
            node: NodeId(3),
            incarnation: 9,
            generation: 1,
        };
        let bytes = hello.encode();
        assert_eq!(bytes.len(), HELLO_LEN);
        assert_eq!(Hello::decode(&bytes), Ok(hello));
        for len in 0..bytes.len() {
            assert!(Hello::decode(&bytes[..len]).is_err());
        }
        assert!(Hello::decode(&[&bytes[..], &[0]].concat()).is_err());
    }
}
