//! One shard's Raft group: raft-rs behind a gate, a sanitiser and our own codec.
//!
//! Invariants: 1. no byte of a peer is ever parsed as protobuf; 2. no batch or registry change is
//! stepped into Raft without a `Valid` verdict of this process; 3. what raft-rs panics on is refused before it.
//! Pure: no async, clock, randomness, locks, files or sockets. Knows nothing of clients.

pub mod desk;
pub mod entry;
pub mod evidence;
pub mod gate;
pub mod mark;
pub mod memo;
pub mod message;
pub mod quarantine;
pub mod raft_log;
#[allow(clippy::module_inception)]
pub mod replica;
pub mod sanitize;
pub mod stored;
pub mod tail;

pub use entry::{Payload, Stamp};
pub use evidence::Evidence;
pub use mark::Mark;
pub use message::{MessageError, PeerMessage};
pub use raft_log::{StoredEntry, read_entry};
pub use replica::{Replica, ReplicaConfig, Role};
