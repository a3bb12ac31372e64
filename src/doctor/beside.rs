//! What stands beside the entries: cosigned checkpoints, evidence, bulk ciphertexts.

use super::Check;
use crate::api::MAX_BULK_PART_BYTES;
use crate::genesis::Genesis;
use crate::ids::{Hash, ShardId};
use crate::keyspace::bulk::{self as keys, UploadToken};
use crate::kv::{Column, Read, StoreError, shard_key};
use crate::log::{ForkEvidence, SignedCheckpoint, ledger, tree};
use crate::replica::Evidence;
use crate::replica::evidence::{self, MAX_EVIDENCE};

/// Ciphertexts listed at once.
const CHUNK: usize = 256;

pub(super) fn checkpoints(store: &dyn Read, genesis: &Genesis, shard: ShardId) -> Check {
    let mut check = Check::new("checkpoints", "cosigned checkpoints");
    let saved = match ledger::saved_checkpoints(store, shard) {
        Ok(saved) => saved,
        Err(error) => {
            check.fault(error);
            return check;
        }
    };
    for signed in saved {
        check.examined += 1;
        let size = signed.checkpoint.size;
        match root_agrees(store, shard, &signed) {
            Ok(true) => {}
            Ok(false) => check.fault(format!(
                "the checkpoint of size {size} names another root than the log's"
            )),
            Err(error) => check.fault(error),
        }
        if let Err(error) = signed.verify(genesis) {
            check.fault(format!("the checkpoint of size {size}: {error}"));
        } else if !signed.has_majority(genesis) {
            check.fault(format!(
                "the checkpoint of size {size} is not cosigned by a majority"
            ));
        }
    }
    check
}

fn root_agrees(
    store: &dyn Read,
    shard: ShardId,
    signed: &SignedCheckpoint,
) -> Result<bool, StoreError> {
    let size = signed.checkpoint.size;
    Ok(size <= tree::size(store, shard)?
        && tree::root(store, shard, size)? == signed.checkpoint.root)
}

pub(super) fn evidence(store: &dyn Read, genesis: &Genesis, shard: ShardId) -> Check {
    let mut check = Check::new("evidence", "stored cases");
    match evidence::stored(store, shard) {
        Ok(cases) => {
            for case in cases {
                check.examined += 1;
                let (cluster, key_of) = (genesis.cluster_id(), |n| genesis.node_key(n).copied());
                let claim = matches!(case, Evidence::Claim { .. });
                if !claim && !case.signatures_hold(cluster, shard, key_of) {
                    let (term, index) = case.place();
                    check.fault(format!(
                        "the case of entry {index}, term {term}, bears no valid signature"
                    ));
                }
            }
        }
        Err(error) => check.fault(error),
    }
    let (from, to) = (shard_key(shard, b"f"), shard_key(shard, b"g"));
    match store.range(Column::Evidence, &from, &to, MAX_EVIDENCE) {
        Ok(forks) => {
            for (_, bytes) in forks {
                check.examined += 1;
                let fork = ForkEvidence::from_bytes(&bytes).and_then(|f| f.verify(genesis));
                if let Err(error) = fork {
                    check.fault(format!("evidence of a fork: {error}"));
                }
            }
        }
        Err(error) => check.fault(error),
    }
    check
}

/// Each whole ciphertext against its digest.
pub(super) fn bulk(store: &dyn Read, shard: ShardId) -> Check {
    let mut check = Check::new("bulk", "ciphertexts of bulk values");
    let mut after: Option<Hash> = None;
    loop {
        let found = match keys::whole(store, shard, after.as_ref(), CHUNK) {
            Ok(found) => found,
            Err(error) => {
                check.fault(error);
                return check;
            }
        };
        let Some((last, ..)) = found.last() else {
            return check;
        };
        after = Some(*last);
        for (digest, token, length) in found {
            check.examined += 1;
            match digest_of(store, shard, &token, length) {
                Ok(found) if found == digest => {}
                Ok(_) => check.fault(format!(
                    "ciphertext {} does not have that digest",
                    hex::encode(digest)
                )),
                Err(error) => check.fault(error),
            }
        }
    }
}

fn digest_of(
    store: &dyn Read,
    shard: ShardId,
    token: &UploadToken,
    length: u64,
) -> Result<Hash, StoreError> {
    let broken = |reason: String| StoreError::Undecodable {
        what: "bulk ciphertext",
        reason,
    };
    let parts = u32::try_from(length.div_ceil(MAX_BULK_PART_BYTES as u64))
        .map_err(|_| broken(format!("its row says it has {length} bytes")))?;
    let mut hasher = blake3::Hasher::new();
    for part in 0..parts {
        let bytes = store.get(Column::Bulk, &keys::part_key(shard, token, part))?;
        hasher.update(&bytes.ok_or_else(|| broken(format!("part {part} is missing")))?);
    }
    match hasher.count() == length {
        true => Ok(*hasher.finalize().as_bytes()),
        false => Err(broken(format!(
            "it has {} bytes, its row says {length}",
            hasher.count()
        ))),
    }
}
