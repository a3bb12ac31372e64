//! Which bulk ciphertexts the applied log names, and where a store keeps them.
//!
//! Invariant: the references are a function of the log: every replica has the same, and the first
//! one stays, whichever ciphertexts a replica holds. Knows nothing of uploads' order or bounds.

use crate::batch::BulkReference;
use crate::ids::{Hash, LogIndex, ShardId};
use crate::kv::{Column, Overlay, Pair, Read, StoreError, WriteBatch, shard_key};
use crate::wire::{Reader, WireError, Writer};

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

/// Notes that the upload `token` holds the whole, checked ciphertext.
pub fn put_whole(
    shard: ShardId,
    reference: &BulkReference,
    token: &UploadToken,
    batch: &mut WriteBatch,
) {
    let mut w = Writer::new();
    w.raw(token).u64(reference.length);
    let key = ciphertext_key(shard, &reference.digest);
    batch.put(Column::Bulk, key, w.finish());
}

/// The upload that holds a whole ciphertext, and the ciphertext's length.
///
/// # Errors
/// Those of the store.
pub fn locate(
    store: &dyn Read,
    shard: ShardId,
    digest: &Hash,
) -> Result<Option<(UploadToken, u64)>, StoreError> {
    let row = store.get(Column::Bulk, &ciphertext_key(shard, digest))?;
    row.map(|row| decode_whole(&row)).transpose()
}

/// At most `limit` whole ciphertexts after `after` (exclusive), by digest: each with its upload and
/// length.
///
/// # Errors
/// Those of the store.
pub fn whole(
    store: &dyn Read,
    shard: ShardId,
    after: Option<&Hash>,
    limit: usize,
) -> Result<Vec<(Hash, UploadToken, u64)>, StoreError> {
    let from = match after {
        Some(digest) => tagged(shard, b'd', digest, &[0]),
        None => shard_key(shard, b"d"),
    };
    let rows = store.range(Column::Bulk, &from, &shard_key(shard, b"e"), limit)?;
    let decode = |(key, row): &Pair| {
        let digest = key.last_chunk().filter(|_| key.len() == 4 + 1 + 32);
        let digest = *digest.ok_or_else(|| undecodable("its key".to_owned()))?;
        let (token, length) = decode_whole(row)?;
        Ok((digest, token, length))
    };
    rows.iter().map(decode).collect()
}

/// Bounds of the keys of all references.
#[must_use]
pub fn reference_range(shard: ShardId) -> (Vec<u8>, Vec<u8>) {
    (shard_key(shard, b"r"), shard_key(shard, b"s"))
}

fn decode_whole(row: &[u8]) -> Result<(UploadToken, u64), StoreError> {
    let mut r = Reader::new(row);
    let mut read = || {
        let found = (r.array("token")?, r.u64("length")?);
        r.end()?;
        Ok(found)
    };
    read().map_err(|e: WireError| undecodable(e.to_string()))
}

fn undecodable(reason: String) -> StoreError {
    StoreError::Undecodable {
        what: "bulk ciphertext",
        reason,
    }
}

/// Of a whole, checked ciphertext.
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
