//! Which bulk ciphertexts the applied log names, and where a store keeps them.
//!
//! Invariant: the references are a function of the log: every replica has the same, and the first
//! one stays, whichever ciphertexts a replica holds. Knows nothing of uploads' order or bounds.

use crate::ids::{Hash, LogIndex, ShardId};
use crate::kv::{Column, Overlay, Read, StoreError, shard_key};

/// Names an upload at one node: drawn at random, so that nobody else continues it.
pub type UploadToken = [u8; 16];

/// Notes that the entry at `index` names a ciphertext; an earlier entry that did stays noted.
///
/// # Errors
/// Those of the store.
pub fn refer(
    store: &mut Overlay<'_>,
    shard: ShardId,
    digest: &Hash,
    index: LogIndex,
) -> Result<(), StoreError> {
    if !is_referenced(store, shard, digest)? {
        let value = index.to_le_bytes().to_vec();
        store.put(Column::Bulk, reference_key(shard, digest), value);
    }
    Ok(())
}

/// Whether an applied entry names the ciphertext.
///
/// # Errors
/// Those of the store.
pub fn is_referenced(store: &dyn Read, shard: ShardId, digest: &Hash) -> Result<bool, StoreError> {
    let found = store.get(Column::Bulk, &reference_key(shard, digest))?;
    Ok(found.is_some())
}

fn reference_key(shard: ShardId, digest: &Hash) -> Vec<u8> {
    tagged(shard, b'r', digest, &[])
}

/// Of a whole, checked ciphertext: its upload's token and its length.
#[must_use]
pub fn ciphertext_key(shard: ShardId, digest: &Hash) -> Vec<u8> {
    tagged(shard, b'd', digest, &[])
}

/// Of an upload no entry names yet.
#[must_use]
pub fn upload_key(shard: ShardId, token: &UploadToken) -> Vec<u8> {
    tagged(shard, b'u', token, &[])
}

/// Of one part of an upload, as large as one message carries.
#[must_use]
pub fn part_key(shard: ShardId, token: &UploadToken, part: u32) -> Vec<u8> {
    tagged(shard, b'c', token, &part.to_be_bytes())
}

/// Bounds of all keys of a kind: `u` for uploads.
#[must_use]
pub fn upload_range(shard: ShardId) -> (Vec<u8>, Vec<u8>) {
    (shard_key(shard, b"u"), shard_key(shard, b"v"))
}

fn tagged(shard: ShardId, tag: u8, name: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut suffix = vec![tag];
    suffix.extend_from_slice(name);
    suffix.extend_from_slice(rest);
    shard_key(shard, &suffix)
}
