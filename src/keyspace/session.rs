//! Which sequence of which author had which outcome: exactly-once, and receipts after a failover.
//!
//! Invariants: 1. a sequence, once used, is used for ever, applied or refused; 2. a window of
//! [`WINDOW`] sequences per author is remembered, below it the answer is `OutcomeUnknown`.
//! Knows nothing of why an outcome was what it was.

use crate::ids::{AuthorSeq, LogIndex, ShardId};
use crate::kv::{Column, Overlay, Read, StoreError, shard_key};
use crate::log::Outcome;
use crate::wire::{Reader, WireError, Writer};
use ukehi_keys::AuthorId;

/// How many sequences below an author's highest are remembered.
pub const WINDOW: u64 = 1024;

/// What became of one sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The public input of the batch that used it.
    pub x: [u8; 32],
    /// Where its record stands.
    pub index: LogIndex,
    pub outcome: Outcome,
}

/// What a sequence may still be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    Fresh,
    Used(Session),
    BelowWindow,
}

/// # Errors
/// Those of the store.
pub fn lookup(
    store: &dyn Read,
    shard: ShardId,
    author: &AuthorId,
    seq: AuthorSeq,
) -> Result<Freshness, StoreError> {
    if let Some(bytes) = store.get(Column::Sessions, &key(shard, author, seq))? {
        return Ok(Freshness::Used(decode(&bytes)?));
    }
    let highest = highest(store, shard, author)?;
    Ok(match highest {
        Some(highest) if seq < floor(highest) => Freshness::BelowWindow,
        _ => Freshness::Fresh,
    })
}

/// The highest sequence an author has used, if any.
///
/// # Errors
/// Those of the store.
pub fn highest(
    store: &dyn Read,
    shard: ShardId,
    author: &AuthorId,
) -> Result<Option<AuthorSeq>, StoreError> {
    store
        .get(Column::Sessions, &highest_key(shard, author))?
        .map(|bytes| {
            let bytes: [u8; 8] = bytes
                .as_slice()
                .try_into()
                .map_err(|_| undecodable("length"))?;
            Ok(u64::from_le_bytes(bytes))
        })
        .transpose()
}

/// Remembers a used sequence and forgets those that fall out of the window.
///
/// # Errors
/// Those of the store.
pub fn remember(
    store: &mut Overlay<'_>,
    shard: ShardId,
    author: &AuthorId,
    seq: AuthorSeq,
    session: &Session,
) -> Result<(), StoreError> {
    let mut w = Writer::new();
    w.raw(&session.x)
        .u64(session.index)
        .u16(session.outcome.code());
    store.put(Column::Sessions, key(shard, author, seq), w.finish());

    let before = highest(store, shard, author)?;
    if before.is_none_or(|before| seq > before) {
        let value = seq.to_le_bytes().to_vec();
        store.put(Column::Sessions, highest_key(shard, author), value);
        // An author may skip ahead: at most WINDOW sequences are remembered, so this is bounded.
        let stale = store.range(
            Column::Sessions,
            &key(shard, author, 0),
            &key(shard, author, floor(seq)),
            WINDOW as usize + 1,
        )?;
        for (stale, _) in stale {
            store.delete(Column::Sessions, stale);
        }
    }
    Ok(())
}

/// The lowest remembered sequence.
fn floor(highest: AuthorSeq) -> AuthorSeq {
    highest.saturating_sub(WINDOW - 1)
}

fn key(shard: ShardId, author: &AuthorId, seq: AuthorSeq) -> Vec<u8> {
    let mut suffix = author.to_bytes().to_vec();
    suffix.push(b's');
    suffix.extend_from_slice(&seq.to_be_bytes());
    shard_key(shard, &suffix)
}

fn highest_key(shard: ShardId, author: &AuthorId) -> Vec<u8> {
    let mut suffix = author.to_bytes().to_vec();
    suffix.push(b'h');
    shard_key(shard, &suffix)
}

fn decode(bytes: &[u8]) -> Result<Session, StoreError> {
    let read = || -> Result<Session, WireError> {
        let mut r = Reader::new(bytes);
        let session = Session {
            x: r.array("x")?,
            index: r.u64("index")?,
            outcome: Outcome::from_code(r.u16("outcome")?)?,
        };
        r.end()?;
        Ok(session)
    };
    read().map_err(|e| undecodable(&e.to_string()))
}

fn undecodable(reason: &str) -> StoreError {
    StoreError::Undecodable {
        what: "session",
        reason: reason.to_owned(),
    }
}
