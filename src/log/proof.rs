//! Proofs over the RFC 6962 tree, and how to check one with nothing but hashes.
//!
//! Invariants: 1. a proof holds for one index and one size (or one pair of sizes), never for
//! another; 2. a path has exactly the length its sizes call for, so no node is left unused.
//! Knows nothing of stores, records or who signed a root.

use super::tree::{empty_root, node_hash, tiling};
use crate::ids::{Hash, LogIndex, TreeSize};
use crate::wire::{Reader, WireError, Writer};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest path that is read: enough for any log of up to 2^63 leaves.
pub const MAX_PATH: usize = 64;

/// Siblings from the leaf up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    pub index: LogIndex,
    pub size: TreeSize,
    #[serde(with = "hash_path")]
    pub path: Vec<Hash>,
}

/// The nodes of RFC 6962 §2.1.2, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyProof {
    pub from: TreeSize,
    pub to: TreeSize,
    #[serde(with = "hash_path")]
    pub path: Vec<Hash>,
}

/// Why a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofError {
    #[error("leaf {index} is not in a tree of {size} leaves")]
    IndexOutOfRange { index: LogIndex, size: TreeSize },
    #[error("a tree of {from} leaves is not a prefix of one of {to}")]
    SizesReversed { from: TreeSize, to: TreeSize },
    #[error("the leaves [{from}, {to}) are not in a tree of {size} leaves")]
    RangeOutOfBounds {
        from: TreeSize,
        to: u128,
        size: TreeSize,
    },
    #[error("the proof has {found} hashes {part}, these sizes need {expected}")]
    Length {
        part: &'static str,
        expected: usize,
        found: usize,
    },
    #[error("the proof is one of leaf {index} in a tree of {size} leaves")]
    OtherLeaf { index: LogIndex, size: TreeSize },
    #[error(
        "the {which} root is {}, the proof leads to {}",
        hex::encode(expected),
        hex::encode(found)
    )]
    RootMismatch {
        which: &'static str,
        expected: Hash,
        found: Hash,
    },
}

impl InclusionProof {
    /// The root at `self.size` if `leaf` (a leaf *hash*) stands at `self.index` (RFC 9162 §2.1.3.2).
    ///
    /// # Errors
    /// [`ProofError::IndexOutOfRange`], [`ProofError::Length`].
    pub fn root(&self, leaf: &Hash) -> Result<Hash, ProofError> {
        let (index, size) = (self.index, self.size);
        if index >= size {
            return Err(ProofError::IndexOutOfRange { index, size });
        }
        // Up to where the paths of this leaf and of the last one meet, each level has a sibling;
        // above it only the ones of the index do, each a complete subtree to the left.
        let meet = u64::BITS - (index ^ (size - 1)).leading_zeros();
        let above = index.checked_shr(meet).unwrap_or(0).count_ones();
        expect_length("in its path", (meet + above) as usize, self.path.len())?;
        let (below, above) = self.path.split_at(meet as usize);
        let met = below
            .iter()
            .enumerate()
            .fold(*leaf, |hash, (level, sibling)| match (index >> level) & 1 {
                0 => node_hash(&hash, sibling),
                _ => node_hash(sibling, &hash),
            });
        Ok(above.iter().fold(met, |hash, left| node_hash(left, &hash)))
    }

    /// index, size, a one-byte count, the path.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        write(self.index, self.size, &self.path)
    }

    /// # Errors
    /// [`WireError`]; more than [`MAX_PATH`] hashes are refused unread.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let (index, size, path) = read(bytes)?;
        Ok(Self { index, size, path })
    }
}

impl ConsistencyProof {
    /// from, to, a one-byte count, the path.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        write(self.from, self.to, &self.path)
    }

    /// # Errors
    /// [`WireError`]; more than [`MAX_PATH`] hashes are refused unread.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let (from, to, path) = read(bytes)?;
        Ok(Self { from, to, path })
    }
}

/// # Errors
/// [`ProofError`]; `leaf` is a leaf hash, `root` the root at `proof.size`.
pub fn verify_inclusion(
    proof: &InclusionProof,
    leaf: &Hash,
    root: &Hash,
) -> Result<(), ProofError> {
    expect_root("tree's", root, proof.root(leaf)?)
}

/// That nothing before `proof.from` was rewritten (RFC 9162 §2.1.4.2).
///
/// # Errors
/// [`ProofError`].
pub fn verify_consistency(
    proof: &ConsistencyProof,
    old_root: &Hash,
    new_root: &Hash,
) -> Result<(), ProofError> {
    let (from, to) = (proof.from, proof.to);
    if from > to {
        return Err(ProofError::SizesReversed { from, to });
    }
    if from == 0 || from == to {
        expect_length("in its path", 0, proof.path.len())?;
        if from == 0 {
            expect_root("old", old_root, empty_root())?;
        }
        if from == to {
            expect_root("new", new_root, *old_root)?;
        }
        return Ok(());
    }
    // The last complete subtree of the old tree: the path starts from its hash, which the
    // verifier already holds if it is the whole old tree.
    let level = from.trailing_zeros();
    let (last, new_last) = ((from - 1) >> level, (to - 1) >> level);
    let whole = from.is_power_of_two();
    let meet = u64::BITS - (last ^ new_last).leading_zeros();
    let above = last.checked_shr(meet).unwrap_or(0).count_ones();
    let expected = (meet + above) as usize + usize::from(!whole);
    expect_length("in its path", expected, proof.path.len())?;
    let (start, path) = match proof.path.split_first() {
        Some((first, rest)) if !whole => (*first, rest),
        _ => (*old_root, &proof.path[..]),
    };
    let (mut old, mut new) = (start, start);
    for (step, sibling) in path.iter().enumerate() {
        let is_left = step >= meet as usize || (last >> step) & 1 == 1;
        if is_left {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
        } else {
            new = node_hash(&new, sibling);
        }
    }
    expect_root("old", old_root, old)?;
    expect_root("new", new_root, new)
}

/// The root at `size` of a tree in which `leaves` (leaf hashes) stand at `[from, from + n)`, what
/// precedes them is `left` ([`super::tree::frontier`]) and what follows `right`
/// ([`super::tree::suffix`]).
///
/// # Errors
/// [`ProofError::RangeOutOfBounds`], [`ProofError::Length`].
pub fn root_from_range(
    left: &[Hash],
    from: TreeSize,
    leaves: &[Hash],
    right: &[Hash],
    size: TreeSize,
) -> Result<Hash, ProofError> {
    let to = match from.checked_add(leaves.len() as u64) {
        Some(to) if to <= size => to,
        _ => {
            return Err(ProofError::RangeOutOfBounds {
                from,
                to: u128::from(from) + leaves.len() as u128,
                size,
            });
        }
    };
    expect_length("before the range", tiling(0, from).count(), left.len())?;
    expect_length("behind the range", tiling(to, size).count(), right.len())?;
    let mut peaks: Vec<(u8, u64, Hash)> = Vec::new();
    let before = tiling(0, from).zip(left);
    let inside = (from..to).map(|index| (0, index)).zip(leaves);
    let behind = tiling(to, size).zip(right);
    for ((level, index), hash) in before.chain(inside).chain(behind) {
        push_peak(&mut peaks, level, index, *hash);
    }
    let root = peaks
        .into_iter()
        .rev()
        .map(|(_, _, hash)| hash)
        .reduce(|right, left| node_hash(&left, &right));
    Ok(root.unwrap_or_else(empty_root))
}

/// Adds the next subtree to the right and joins twins for as long as there are any.
fn push_peak(peaks: &mut Vec<(u8, u64, Hash)>, level: u8, index: u64, hash: Hash) {
    let (mut level, mut index, mut hash) = (level, index, hash);
    while index & 1 == 1 {
        match peaks.pop_if(|(l, i, _)| *l == level && *i == index - 1) {
            Some((_, _, left)) => {
                hash = node_hash(&left, &hash);
                level += 1;
                index >>= 1;
            }
            None => break,
        }
    }
    peaks.push((level, index, hash));
}

fn expect_length(part: &'static str, expected: usize, found: usize) -> Result<(), ProofError> {
    if expected == found {
        return Ok(());
    }
    Err(ProofError::Length {
        part,
        expected,
        found,
    })
}

fn expect_root(which: &'static str, expected: &Hash, found: Hash) -> Result<(), ProofError> {
    if *expected == found {
        return Ok(());
    }
    Err(ProofError::RootMismatch {
        which,
        expected: *expected,
        found,
    })
}

fn write(first: u64, second: u64, path: &[Hash]) -> Vec<u8> {
    let mut w = Writer::new();
    w.u64(first).u64(second);
    w.u8(u8::try_from(path.len()).expect("a path is at most one hash per level, plus one"));
    for hash in path {
        w.raw(hash);
    }
    w.finish()
}

fn read(bytes: &[u8]) -> Result<(u64, u64, Vec<Hash>), WireError> {
    let mut r = Reader::new(bytes);
    let (first, second) = (r.u64("first size")?, r.u64("second size")?);
    let count = r.u8("path length")?;
    if usize::from(count) > MAX_PATH {
        return Err(WireError::TooLong {
            field: "path",
            found: u64::from(count),
            limit: MAX_PATH,
        });
    }
    let path = (0..count)
        .map(|_| r.array("path"))
        .collect::<Result<_, _>>()?;
    r.end()?;
    Ok((first, second, path))
}

/// A list of at most [`MAX_PATH`] hashes, each as 64 hex digits.
mod hash_path {
    use super::MAX_PATH;
    use crate::ids::{Hash, hash_hex};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Hex(#[serde(with = "hash_hex")] Hash);

    pub fn serialize<S: Serializer>(path: &[Hash], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(path.iter().map(|hash| Hex(*hash)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Hash>, D::Error> {
        struct Path;
        impl<'de> de::Visitor<'de> for Path {
            type Value = Vec<Hash>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "at most {MAX_PATH} hashes")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Hash>, A::Error> {
                let mut path = Vec::new();
                while let Some(Hex(hash)) = seq.next_element()? {
                    if path.len() == MAX_PATH {
                        return Err(de::Error::invalid_length(MAX_PATH + 1, &self));
                    }
                    path.push(hash);
                }
                Ok(path)
            }
        }
        d.deserialize_seq(Path)
    }
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
