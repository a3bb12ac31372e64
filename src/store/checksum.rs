//! The eight bytes behind every stored value: BLAKE3 over column, key and value.
//!
//! Invariant: a value moved to another key or column, or changed in one bit, does not open. It
//! detects damage, not malice: whoever can write the disk can compute it too.

use crate::kv::{Column, StoreError};
use crate::mutant::{self, Mutant};

/// Bytes of BLAKE3 kept. A damaged value passes with probability 2^-64.
const LEN: usize = 8;
const CONTEXT: &str = "ukehi 2025-11 store value checksum v1";

/// `value ‖ checksum`.
#[must_use]
pub fn seal(column: Column, key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(value.len() + LEN);
    stored.extend_from_slice(value);
    stored.extend_from_slice(&checksum(column, key, value));
    stored
}

/// The value in `stored`, if it was sealed under this column and key.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn open(column: Column, key: &[u8], mut stored: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let Some((value, found)) = stored.split_last_chunk::<LEN>() else {
        return Err(damaged(column, key));
    };
    if checksum(column, key, value) != *found && !mutant::is(Mutant::ChecksumIgnored) {
        return Err(damaged(column, key));
    }
    stored.truncate(stored.len() - LEN);
    Ok(stored)
}

pub(super) fn damaged(column: Column, key: &[u8]) -> StoreError {
    StoreError::Damaged {
        column: column.name(),
        key: hex::encode(key),
    }
}

fn checksum(column: Column, key: &[u8], value: &[u8]) -> [u8; LEN] {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    // Lengths first, so that no byte can move from one part to the next unnoticed.
    hasher.update(&(column.name().len() as u64).to_le_bytes());
    hasher.update(column.name().as_bytes());
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key);
    hasher.update(value);
    let hash = hasher.finalize();
    *hash
        .as_bytes()
        .first_chunk()
        .expect("a BLAKE3 hash is 32 bytes long")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_only_under_its_own_column_and_key() {
        let stored = seal(Column::Raft, b"key", b"value");
        assert_eq!(
            open(Column::Raft, b"key", stored.clone()),
            Ok(b"value".to_vec())
        );
        for (column, key) in [(Column::Meta, &b"key"[..]), (Column::Raft, &b"kez"[..])] {
            assert_eq!(open(column, key, stored.clone()), Err(damaged(column, key)));
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_seen() {
        let stored = seal(Column::State, b"k", b"v");
        for bit in 0..stored.len() * 8 {
            let mut flipped = stored.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(Column::State, b"k", flipped).is_err(), "bit {bit}");
        }
        for len in 0..stored.len() {
            assert!(open(Column::State, b"k", stored[..len].to_vec()).is_err());
        }
    }
}
