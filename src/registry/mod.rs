//! Who may write, who may read, which circuits count and who may change that: an exact fold over
//! genesis and the registry changes in the log, asked by index.
//!
//! Invariants: 1. a change's outcome depends on genesis and the changes before it alone, so the
//! registry after any prefix of the log is known without its batches; 2. nothing a change does
//! reaches an entry before it: old entries are judged as they were, for ever.
//! Pure. Knows nothing of Raft, trees or who shows an entry.

mod change;
mod fold;
mod judge;
mod keyspace;
mod operation;
mod standing;
mod stored;
#[cfg(test)]
mod test_log;
mod verify;

pub use change::{Change, MAX_CHANGE_BYTES, SIGNATURE_DOMAIN, Unsigned};
pub use fold::{AppliedChange, Registry};
pub use operation::{
    EpochOpening, MAX_CELL_AUTHORS, MAX_GRANT_PAYLOAD_BYTES, MAX_MANIFEST_BYTES, Operation,
    grant_payload_digest,
};
pub use standing::{
    AdminSet, AuthorStanding, CircuitStanding, EpochStanding, Family, GrantRecord, MintRecord,
};
pub use stored::{load, row, rows, store_change};
pub use verify::{ChangeFault, ChangeVerifier, Payload, RecordedFault, VerifiedChange};
