//! A shard's records, their tree and its cosigned checkpoints, as the store holds them.
//!
//! Invariants: 1. record i is leaf i: neither is ever written without the other; 2. a record,
//! once written, is never changed; 3. at most [`MAX_SAVED_CHECKPOINTS`] checkpoints are kept, and
//! the newest always is.
//! Knows nothing of who signs, of terms or of peers.
//!
//! Stored in [`Column::Tree`]: records under `shard ‖ 'r' ‖ index`, checkpoints under
//! `shard ‖ 'c' ‖ size`; integers big-endian.

use super::checkpoint::SignedCheckpoint;
use super::record::Record;
use super::tree;
use crate::ids::{LogIndex, ShardId, TreeSize};
use crate::kv::{Column, Overlay, Pair, Read, StoreError, shard_key};
use crate::wire::WireError;

/// How many cosigned checkpoints a shard keeps, the ones of the largest sizes.
pub const MAX_SAVED_CHECKPOINTS: usize = 64;

/// Appends the record of the entry that was just applied.
///
/// # Errors
/// Those of the store.
///
/// # Panics
/// If the record's index is not the log's size: apply handed over an entry twice, or skipped one.
pub fn append_record(
    store: &mut Overlay<'_>,
    shard: ShardId,
    record: &Record,
) -> Result<(), StoreError> {
    let size = tree_size(store, shard)?;
    assert_eq!(record.index, size, "record i is leaf i of its shard's log");
    let bytes = record.to_bytes();
    store.put(Column::Tree, key(shard, b'r', size), bytes.to_vec());
    tree::append(store, shard, size, tree::leaf_hash(&bytes))
}

/// How many records the log has; 0 for a shard never written to.
///
/// # Errors
/// Those of the store.
pub fn tree_size(store: &dyn Read, shard: ShardId) -> Result<TreeSize, StoreError> {
    tree::size(store, shard)
}

/// The record at `index`, or `None` beyond the end of the log.
///
/// # Errors
/// Those of the store; [`StoreError::Undecodable`] if a record within the log is missing, does
/// not decode or is not that of `index`.
pub fn record(
    store: &dyn Read,
    shard: ShardId,
    index: LogIndex,
) -> Result<Option<Record>, StoreError> {
    let broken = |how: String| StoreError::Undecodable {
        what: "log record",
        reason: format!("record {index} of shard {shard} {how}"),
    };
    let Some(bytes) = store.get(Column::Tree, &key(shard, b'r', index))? else {
        if index < tree_size(store, shard)? {
            return Err(broken("is missing".to_owned()));
        }
        return Ok(None);
    };
    let record = Record::from_bytes(&bytes).map_err(|e| broken(e.to_string()))?;
    if record.index != index {
        return Err(broken(format!("says it is record {}", record.index)));
    }
    Ok(Some(record))
}

/// Keeps a checkpoint that a majority has cosigned (the caller's promise: signatures cannot be
/// judged here) and forgets the smallest beyond [`MAX_SAVED_CHECKPOINTS`]. One of the same size
/// is replaced.
///
/// # Errors
/// Those of the store.
pub fn save_checkpoint(
    store: &mut Overlay<'_>,
    shard: ShardId,
    checkpoint: &SignedCheckpoint,
) -> Result<(), StoreError> {
    let saved = key(shard, b'c', checkpoint.checkpoint.size);
    store.put(Column::Tree, saved, checkpoint.to_bytes());
    let rows = saved_from(store, shard, 0, usize::MAX)?;
    let surplus = rows.len().saturating_sub(MAX_SAVED_CHECKPOINTS);
    for (key, _) in rows.into_iter().take(surplus) {
        store.delete(Column::Tree, key);
    }
    Ok(())
}

/// The saved checkpoint of the largest size.
///
/// # Errors
/// Those of the store.
pub fn newest_checkpoint(
    store: &dyn Read,
    shard: ShardId,
) -> Result<Option<SignedCheckpoint>, StoreError> {
    let rows = saved_from(store, shard, 0, usize::MAX)?;
    rows.last().map(decode).transpose()
}

/// The saved checkpoint of the smallest size that is at least `size`: one that covers the record
/// at `size - 1`.
///
/// # Errors
/// Those of the store.
pub fn checkpoint_at_or_above(
    store: &dyn Read,
    shard: ShardId,
    size: TreeSize,
) -> Result<Option<SignedCheckpoint>, StoreError> {
    let rows = saved_from(store, shard, size, 1)?;
    rows.first().map(decode).transpose()
}

/// Every saved checkpoint, by size; at most [`MAX_SAVED_CHECKPOINTS`].
///
/// # Errors
/// Those of the store.
pub fn saved_checkpoints(
    store: &dyn Read,
    shard: ShardId,
) -> Result<Vec<SignedCheckpoint>, StoreError> {
    let rows = saved_from(store, shard, 0, usize::MAX)?;
    rows.iter().map(decode).collect()
}

fn saved_from(
    store: &dyn Read,
    shard: ShardId,
    size: TreeSize,
    limit: usize,
) -> Result<Vec<Pair>, StoreError> {
    let from = key(shard, b'c', size);
    // The first key behind every 'c'.
    let to = shard_key(shard, &[b'c' + 1]);
    store.range(Column::Tree, &from, &to, limit)
}

fn decode((_, value): &Pair) -> Result<SignedCheckpoint, StoreError> {
    SignedCheckpoint::from_bytes(value).map_err(|e: WireError| StoreError::Undecodable {
        what: "saved checkpoint",
        reason: e.to_string(),
    })
}

fn key(shard: ShardId, kind: u8, number: u64) -> Vec<u8> {
    let mut key = shard_key(shard, &[kind]);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClusterId;
    use crate::kv::WriteBatch;
    use crate::log::checkpoint::Checkpoint;
    use crate::log::testing::Mem;

    const SHARD: ShardId = ShardId(3);

    fn log(records: u64) -> Mem {
        let mut mem = Mem::default();
        let mut batch = WriteBatch::new();
        let mut store = Overlay::new(&mem, &mut batch);
        append_record(&mut store, SHARD, &Record::genesis(ClusterId([7; 32]))).unwrap();
        for index in 1..records {
            append_record(&mut store, SHARD, &Record::no_op(index)).unwrap();
        }
        mem.commit(batch);
        mem
    }

    fn checkpoint(size: TreeSize) -> SignedCheckpoint {
        SignedCheckpoint::new(Checkpoint {
            cluster: ClusterId([7; 32]),
            shard: SHARD,
            size,
            root: [size as u8; 32],
        })
    }

    #[test]
    fn a_record_comes_back_with_its_leaf_in_the_tree() {
        let mem = log(5);
        assert_eq!(tree_size(&mem, SHARD), Ok(5));
        assert_eq!(tree_size(&mem, ShardId(4)), Ok(0));
        let record = record(&mem, SHARD, 3).unwrap().unwrap();
        assert_eq!(record, Record::no_op(3));
        let proof = tree::inclusion_proof(&mem, SHARD, 3, 5).unwrap();
        let root = tree::root(&mem, SHARD, 5).unwrap();
        let leaf = tree::leaf_hash(&record.to_bytes());
        assert_eq!(tree::verify_inclusion(&proof, &leaf, &root), Ok(()));
    }

    #[test]
    fn beyond_the_end_there_is_no_record_and_within_it_a_missing_one_is_damage() {
        let mut mem = log(5);
        assert_eq!(record(&mem, SHARD, 5), Ok(None));
        mem.remove(Column::Tree, &key(SHARD, b'r', 2));
        let found = record(&mem, SHARD, 2);
        assert!(
            matches!(found, Err(StoreError::Undecodable { .. })),
            "{found:?}"
        );
        mem.insert(
            Column::Tree,
            key(SHARD, b'r', 2),
            Record::no_op(1).to_bytes().to_vec(),
        );
        let found = record(&mem, SHARD, 2);
        assert!(
            matches!(found, Err(StoreError::Undecodable { .. })),
            "{found:?}"
        );
    }

    #[test]
    #[should_panic(expected = "record i is leaf i")]
    fn a_record_cannot_be_appended_twice() {
        let mem = log(5);
        let mut batch = WriteBatch::new();
        let mut store = Overlay::new(&mem, &mut batch);
        let _ = append_record(&mut store, SHARD, &Record::no_op(4));
    }

    #[test]
    fn only_the_newest_checkpoints_are_kept_and_found_by_size() {
        let mem = Mem::default();
        let mut batch = WriteBatch::new();
        let mut store = Overlay::new(&mem, &mut batch);
        assert_eq!(newest_checkpoint(&store, SHARD), Ok(None));
        // Not in order of size: a late one must not push out a newer one.
        let many = MAX_SAVED_CHECKPOINTS as u64 + 10;
        for size in (1..=many).rev() {
            save_checkpoint(&mut store, SHARD, &checkpoint(size * 256)).unwrap();
        }
        let newest = newest_checkpoint(&store, SHARD).unwrap();
        assert_eq!(newest, Some(checkpoint(many * 256)));
        let oldest = checkpoint_at_or_above(&store, SHARD, 0).unwrap();
        assert_eq!(oldest, Some(checkpoint(11 * 256)));
        let covering = checkpoint_at_or_above(&store, SHARD, 20 * 256 + 1).unwrap();
        assert_eq!(covering, Some(checkpoint(21 * 256)));
        let exact = checkpoint_at_or_above(&store, SHARD, 20 * 256).unwrap();
        assert_eq!(exact, Some(checkpoint(20 * 256)));
        assert_eq!(
            checkpoint_at_or_above(&store, SHARD, many * 256 + 1),
            Ok(None)
        );
        assert_eq!(newest_checkpoint(&store, ShardId(2)), Ok(None));
        assert_eq!(newest_checkpoint(&store, ShardId(4)), Ok(None));
    }
}
