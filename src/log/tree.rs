//! Append-only RFC 6962 Merkle tree (SHA-256) over a shard's records.
//!
//! Invariants: 1. a root, once computed for a size, is the root at that size for ever: a complete
//! subtree's hash is written once and never changed; 2. the last leaf is never doubled, so
//! `[a, b, c]` and `[a, b, c, c]` have different roots (RFC 6962 §2.1); 3. what is missing from
//! the store is an error, never a panic and never a made-up hash.
//! Knows nothing of records, terms, peers or disks.
//!
//! Stored in [`Column::Tree`]: complete subtrees under `shard ‖ 'n' ‖ level ‖ index` (a node of
//! level L and index i covers the leaves `[i·2^L, (i+1)·2^L)`), the size under `shard ‖ 's'`.

use super::proof::{ConsistencyProof, InclusionProof};
use crate::ids::{Hash, LogIndex, ShardId, TreeSize};
use crate::kv::{Column, Overlay, Read, StoreError, shard_key};
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use super::proof::{
    MAX_PATH, ProofError, root_from_range, verify_consistency, verify_inclusion,
};

/// Why a proof cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TreeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The request's fault, not the store's.
    #[error("the log has {size} leaves: there is no such {what} as {found}")]
    OutOfRange {
        what: &'static str,
        found: u64,
        size: TreeSize,
    },
}

/// SHA-256(0x00 ‖ bytes), RFC 6962 §2.1.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0x00])
        .chain_update(bytes)
        .finalize()
        .into()
}

/// SHA-256(0x01 ‖ left ‖ right), RFC 6962 §2.1.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([0x01])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// SHA-256 of nothing: the root of a log without leaves.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// Appends `leaf` as number `size`: writes it, every subtree it completes, and the new size.
/// `size` is the number of leaves before.
///
/// # Errors
/// Those of the store; [`StoreError::Undecodable`] if a node to its left is missing.
pub fn append(
    store: &mut Overlay<'_>,
    shard: ShardId,
    size: TreeSize,
    leaf: Hash,
) -> Result<(), StoreError> {
    let mut hash = leaf;
    let mut level = 0;
    store.put(Column::Tree, node_key(shard, level, size), hash.to_vec());
    // A one in the binary size is a complete subtree waiting for its right-hand twin.
    while (size >> level) & 1 == 1 {
        let left = node(store, shard, level, (size >> level) - 1)?;
        hash = node_hash(&left, &hash);
        level += 1;
        store.put(
            Column::Tree,
            node_key(shard, level, size >> level),
            hash.to_vec(),
        );
    }
    let grown = (size + 1).to_be_bytes().to_vec();
    store.put(Column::Tree, size_key(shard), grown);
    Ok(())
}

/// How many leaves the log has; 0 for a shard never written to.
///
/// # Errors
/// Those of the store.
pub fn size(store: &dyn Read, shard: ShardId) -> Result<TreeSize, StoreError> {
    match store.get(Column::Tree, &size_key(shard))? {
        None => Ok(0),
        Some(bytes) => {
            let bytes = bytes.try_into().map_err(|_| StoreError::Undecodable {
                what: "tree size",
                reason: "it is not 8 bytes long".to_owned(),
            })?;
            Ok(TreeSize::from_be_bytes(bytes))
        }
    }
}

/// The root at any size up to the present one.
///
/// # Errors
/// Those of the store; [`StoreError::Undecodable`] if a node is missing, which is also the answer
/// for a size beyond the log: callers compare with [`size`] first.
pub fn root(store: &dyn Read, shard: ShardId, size: TreeSize) -> Result<Hash, StoreError> {
    if size == 0 {
        return Ok(empty_root());
    }
    subtree(store, shard, 0, size)
}

/// That leaf `index` is in the tree of `size` leaves (RFC 6962 §2.1.1).
///
/// # Errors
/// [`TreeError::OutOfRange`] unless `index < size <=` the log's size.
pub fn inclusion_proof(
    store: &dyn Read,
    shard: ShardId,
    index: LogIndex,
    size: TreeSize,
) -> Result<InclusionProof, TreeError> {
    within_log(store, shard, size)?;
    if index >= size {
        return Err(TreeError::OutOfRange {
            what: "leaf",
            found: index,
            size,
        });
    }
    let (mut low, mut high) = (0, size);
    let mut path = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            path.push(subtree(store, shard, middle, high)?);
            high = middle;
        } else {
            path.push(subtree(store, shard, low, middle)?);
            low = middle;
        }
    }
    path.reverse();
    Ok(InclusionProof { index, size, path })
}

/// That the tree of `from` leaves is a prefix of the tree of `to` leaves (RFC 6962 §2.1.2). From
/// nothing, and from a tree to itself, the path is empty.
///
/// # Errors
/// [`TreeError::OutOfRange`] unless `from <= to <=` the log's size.
pub fn consistency_proof(
    store: &dyn Read,
    shard: ShardId,
    from: TreeSize,
    to: TreeSize,
) -> Result<ConsistencyProof, TreeError> {
    within_log(store, shard, to)?;
    if from > to {
        return Err(TreeError::OutOfRange {
            what: "earlier size",
            found: from,
            size: to,
        });
    }
    let mut path = Vec::new();
    if from > 0 {
        let (mut low, mut high) = (0, to);
        while from != high {
            let middle = low + split(high - low);
            if from <= middle {
                path.push(subtree(store, shard, middle, high)?);
                high = middle;
            } else {
                path.push(subtree(store, shard, low, middle)?);
                low = middle;
            }
        }
        // The verifier holds the old root, which is this subtree if it starts at leaf 0.
        if low > 0 {
            path.push(subtree(store, shard, low, high)?);
        }
        path.reverse();
    }
    Ok(ConsistencyProof { from, to, path })
}

/// The complete subtrees that cover the leaves `[0, from)`, left to right: what precedes a ranged
/// bundle.
///
/// # Errors
/// As [`root`].
pub fn frontier(store: &dyn Read, shard: ShardId, from: TreeSize) -> Result<Vec<Hash>, StoreError> {
    cover(store, shard, 0, from)
}

/// The complete subtrees that cover the leaves `[to, size)`, left to right: what follows a ranged
/// bundle. Nothing if `to >= size`.
///
/// # Errors
/// As [`root`].
pub fn suffix(
    store: &dyn Read,
    shard: ShardId,
    to: TreeSize,
    size: TreeSize,
) -> Result<Vec<Hash>, StoreError> {
    cover(store, shard, to, size)
}

/// The fewest complete subtrees that tile `[low, high)`, left to right, as (level, index).
pub(super) fn tiling(low: u64, high: u64) -> impl Iterator<Item = (u8, u64)> {
    let mut at = low;
    std::iter::from_fn(move || {
        let left = high.checked_sub(at).filter(|&left| left > 0)?;
        let aligned = at.trailing_zeros().min(63);
        let level = aligned.min(left.ilog2());
        let tile = (level as u8, at >> level);
        at += 1 << level;
        Some(tile)
    })
}

/// Where RFC 6962 splits `leaves >= 2` leaves: the largest power of two below.
pub(super) fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

fn within_log(store: &dyn Read, shard: ShardId, wanted: TreeSize) -> Result<(), TreeError> {
    let size = size(store, shard)?;
    if wanted > size {
        return Err(TreeError::OutOfRange {
            what: "size",
            found: wanted,
            size,
        });
    }
    Ok(())
}

/// The hash over the non-empty `[low, high)`, where RFC 6962's recursion comes past exactly there.
fn subtree(store: &dyn Read, shard: ShardId, low: u64, high: u64) -> Result<Hash, StoreError> {
    let peaks = cover(store, shard, low, high)?;
    let hash = peaks
        .into_iter()
        .rev()
        .reduce(|right, left| node_hash(&left, &right));
    Ok(hash.expect("a non-empty range has at least one tile"))
}

fn cover(store: &dyn Read, shard: ShardId, low: u64, high: u64) -> Result<Vec<Hash>, StoreError> {
    tiling(low, high)
        .map(|(level, index)| node(store, shard, level, index))
        .collect()
}

fn node(store: &dyn Read, shard: ShardId, level: u8, index: u64) -> Result<Hash, StoreError> {
    let broken = |how: &str| StoreError::Undecodable {
        what: "tree node",
        reason: format!("level {level}, index {index} of shard {shard} {how}"),
    };
    store
        .get(Column::Tree, &node_key(shard, level, index))?
        .ok_or_else(|| broken("is missing"))?
        .try_into()
        .map_err(|_| broken("is not 32 bytes long"))
}

fn node_key(shard: ShardId, level: u8, index: u64) -> Vec<u8> {
    let mut key = shard_key(shard, &[b'n', level]);
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// Bounds of the keys of everything here: nodes and the size.
#[must_use]
pub fn key_range(shard: ShardId) -> [(Vec<u8>, Vec<u8>); 2] {
    [
        (shard_key(shard, b"n"), shard_key(shard, b"o")),
        (shard_key(shard, b"s"), shard_key(shard, b"t")),
    ]
}

fn size_key(shard: ShardId) -> Vec<u8> {
    shard_key(shard, b"s")
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
