//! The changes as a store holds them, [`Column::Registry`]: `shard ‖ index` (big-endian) →
//! outcome (u16), change bytes. Refused ones are there too: the trail shows them.
//!
//! Crash point: a change is written in the batch of its record, leaf and applied index, so what
//! is read back is exactly what was applied.

use super::change::MAX_CHANGE_BYTES;
use super::fold::Registry;
use super::verify::{ChangeVerifier, Payload, VerifiedChange};
use crate::genesis::Genesis;
use crate::ids::{LogIndex, ShardId};
use crate::kv::{Column, Overlay, Read, StoreError, shard_key};
use crate::log::Outcome;
use crate::wire::{Reader, WireError, Writer};
use std::sync::Arc;

/// Rows read at once.
const CHUNK: usize = 64;

/// A change of the log with what became of it.
pub type Row = (LogIndex, Outcome, Arc<[u8]>);

/// Writes a change with its outcome.
pub fn store_change(
    store: &mut Overlay<'_>,
    shard: ShardId,
    index: LogIndex,
    change: &VerifiedChange,
    outcome: Outcome,
) {
    let mut w = Writer::new();
    w.u16(outcome.code()).bytes(change.bytes());
    store.put(Column::Registry, key(shard, index), w.finish());
}

/// The registry of everything a store has applied, folded anew.
///
/// # Errors
/// Those of the store; [`StoreError::Undecodable`] if a stored change does not verify, or folds to
/// another outcome than the recorded one.
pub fn load(store: &dyn Read, genesis: &Genesis, shard: ShardId) -> Result<Registry, StoreError> {
    let verifier = ChangeVerifier::new(genesis, shard);
    let mut registry = Registry::from_genesis(genesis, shard);
    let mut from = 0;
    loop {
        let rows = rows(store, shard, from, CHUNK)?;
        for (index, recorded, bytes) in &rows {
            let change = verifier
                .verify(bytes, Payload::MayBePruned)
                .map_err(|e| broken(*index, &e.to_string()))?;
            let outcome = registry.apply_recorded(*index, &change, *recorded);
            if outcome != *recorded {
                let how = format!("folds to {outcome:?}, recorded is {recorded:?}");
                return Err(broken(*index, &how));
            }
        }
        match rows.last() {
            Some((last, ..)) if rows.len() == CHUNK => from = last + 1,
            _ => return Ok(registry),
        }
    }
}

/// At most `limit` changes from `from` on, in log order.
///
/// # Errors
/// Those of the store.
pub fn rows(
    store: &dyn Read,
    shard: ShardId,
    from: LogIndex,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    // The first key behind every index of the shard.
    let mut to = key(shard, LogIndex::MAX);
    to.push(0);
    store
        .range(Column::Registry, &key(shard, from), &to, limit)?
        .iter()
        .map(|(key, value)| decode(key, value))
        .collect()
}

/// The change at `index`, if the entry there is one.
///
/// # Errors
/// Those of the store.
pub fn row(store: &dyn Read, shard: ShardId, index: LogIndex) -> Result<Option<Row>, StoreError> {
    let key = key(shard, index);
    let value = store.get(Column::Registry, &key)?;
    value.map(|value| decode(&key, &value)).transpose()
}

fn decode(key: &[u8], value: &[u8]) -> Result<Row, StoreError> {
    let index = key.get(4..).and_then(|b| b.try_into().ok());
    let index = index.map(LogIndex::from_be_bytes);
    let index = index.ok_or_else(|| broken(0, "has a malformed key"))?;
    let read = || -> Result<Row, WireError> {
        let mut r = Reader::new(value);
        let outcome = Outcome::from_code(r.u16("outcome")?)?;
        let bytes = Arc::from(r.bytes(MAX_CHANGE_BYTES, "change")?);
        r.end()?;
        Ok((index, outcome, bytes))
    };
    read().map_err(|e| broken(index, &e.to_string()))
}

fn key(shard: ShardId, index: LogIndex) -> Vec<u8> {
    shard_key(shard, &index.to_be_bytes())
}

fn broken(index: LogIndex, how: &str) -> StoreError {
    StoreError::Undecodable {
        what: "registry change",
        reason: format!("the change at {index} {how}"),
    }
}
