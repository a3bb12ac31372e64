//! The port for clients: one request per stream, answered by a stream of responses.
//!
//! On the wire: the client sends one frame; the node answers with a status byte and, if it
//! accepted, frames closed by `END`. (The end is said, not left to the stream's end: yamux shows
//! a reset and a close alike.)
//!
//! Invariants: 1. a client is nobody: its key is random, and what it may do is decided by what it
//! sends; 2. the node's key is proven to it; 3. connections, streams, requests per second and
//! bytes in memory are bounded, and one over a bound is told [`CallError::Busy`].
//! Knows nothing of what requests mean.

mod connection;
mod server;

pub use connection::{CallError, ClientConnection, ConnectError, ResponseStream};
pub use server::{ClientPort, ClientRequest, Responder, ResponseError};

use crate::ids::ClusterId;
use crate::net::mux::Limits;
use crate::net::transport;
use libp2p::StreamProtocol;

/// The longest request, in bytes.
pub const MAX_REQUEST: usize = 512 << 10;
/// The longest single response, in bytes.
pub const MAX_RESPONSE: usize = 1 << 20;
/// Calls that one connection has under way; a client waits with the next.
pub const CALLS_IN_FLIGHT: usize = 8;

/// In place of a length: no response follows.
const END: u32 = u32::MAX;

/// Requests, pings, and some of both that are just ending.
const CONNECTION: Limits = Limits {
    streams: 24,
    extra: 1 << 20,
};

/// What the node makes of a request before anybody has read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Status {
    Accepted = 0,
    Busy = 1,
    TooLarge = 2,
}

fn protocol(cluster: ClusterId) -> StreamProtocol {
    transport::protocol(cluster, "client/1")
}
