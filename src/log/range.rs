//! The inclusion proofs of entries out of a range of leaves and the hashes around it: what a
//! bundle holds, and no store.
//!
//! Invariant: a proof leads to the root that [`super::tree::root_from_range`] gives for the same
//! hashes. Knows nothing of records or bundles.

use super::proof::{InclusionProof, ProofError};
use super::tree::{node_hash, root_from_range, split, tiling};
use crate::ids::{Hash, LogIndex, TreeSize};
use std::collections::BTreeMap;

/// A path for each leaf in `indexes`, of a tree of `size` leaves of which `leaves` (leaf hashes) stand at
/// `[from, from + n)`, behind `left` and before `right` (see [`root_from_range`]).
///
/// # Errors
/// Those of [`root_from_range`]; [`ProofError::IndexOutOfRange`] for a leaf outside the range.
pub fn inclusions_in_range(
    left: &[Hash],
    from: TreeSize,
    leaves: &[Hash],
    right: &[Hash],
    size: TreeSize,
    indexes: &[LogIndex],
) -> Result<Vec<InclusionProof>, ProofError> {
    root_from_range(left, from, leaves, right, size)?;
    let to = from + leaves.len() as u64;
    if let Some(&index) = indexes.iter().find(|i| !(from..to).contains(i)) {
        return Err(ProofError::IndexOutOfRange { index, size });
    }
    // A sibling on the way up either is one of these or reaches into the range, where it splits:
    // RFC 6962 splits at powers of two, as tiles do.
    let tiles = |from, to, hashes: &[Hash]| -> Subtrees {
        let covered = tiling(from, to)
            .map(|(level, index): (u8, u64)| (index << level, (index + 1) << level));
        covered.zip(hashes.iter().copied()).collect()
    };
    let mut known = tiles(0, from, left);
    known.extend((from..to).map(|i| (i, i + 1)).zip(leaves.iter().copied()));
    known.extend(tiles(to, size, right));
    let paths = indexes.iter().map(|&index| InclusionProof {
        index,
        size,
        path: path(&mut known, index, size),
    });
    Ok(paths.collect())
}

/// Complete subtrees by the leaves they cover.
type Subtrees = BTreeMap<(u64, u64), Hash>;

fn path(known: &mut Subtrees, index: LogIndex, size: TreeSize) -> Vec<Hash> {
    let (mut low, mut high) = (0, size);
    let mut path = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            path.push(subtree(known, middle, high));
            high = middle;
        } else {
            path.push(subtree(known, low, middle));
            low = middle;
        }
    }
    path.reverse();
    path
}

/// Kept once computed: the paths of one tree share most of their nodes.
fn subtree(known: &mut Subtrees, low: u64, high: u64) -> Hash {
    if let Some(hash) = known.get(&(low, high)) {
        return *hash;
    }
    assert!(
        high - low > 1,
        "every leaf lies in the range or under a tile"
    );
    let middle = low + split(high - low);
    let (left, right) = (subtree(known, low, middle), subtree(known, middle, high));
    let hash = node_hash(&left, &right);
    known.insert((low, high), hash);
    hash
}

#[cfg(test)]
mod tests {
    use super::super::proof::verify_inclusion;
    use super::super::tree;
    use super::*;
    use crate::ids::ShardId;
    use crate::kv::{Overlay, WriteBatch};
    use crate::store::{MemoryStore, Store};

    #[test]
    fn every_entry_of_every_range_is_proven_as_the_whole_tree_proves_it() {
        let shard = ShardId(0);
        let store = MemoryStore::new();
        let mut writes = WriteBatch::new();
        let mut overlay = Overlay::new(&store, &mut writes);
        let leaves: Vec<Hash> = (0..21u8).map(|i| tree::leaf_hash(&[i])).collect();
        for (at, leaf) in (0..).zip(&leaves) {
            tree::append(&mut overlay, shard, at, *leaf).unwrap();
        }
        store.commit(&writes, false).unwrap();
        for size in 1..=21u64 {
            let root = tree::root(&store, shard, size).unwrap();
            for from in 0..size {
                for to in from + 1..=size {
                    let left = tree::frontier(&store, shard, from).unwrap();
                    let right = tree::suffix(&store, shard, to, size).unwrap();
                    let range = &leaves[from as usize..to as usize];
                    let prove = |wanted: &[_]| {
                        inclusions_in_range(&left, from, range, &right, size, wanted)
                    };
                    let wanted: Vec<_> = (from..to).collect();
                    for (index, proof) in (from..).zip(prove(&wanted).unwrap()) {
                        let expected = tree::inclusion_proof(&store, shard, index, size).unwrap();
                        assert_eq!(proof, expected, "{index} of {from}..{to} of {size}");
                        verify_inclusion(&proof, &leaves[index as usize], &root).unwrap();
                    }
                    assert!(prove(&[from, to]).is_err());
                }
            }
        }
    }
}
