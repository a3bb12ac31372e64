//! A checkpoint that any node holds is a prefix of every node's log, and its root is RFC 6962's
//! (§2.1), computed here anew from the records.

use crate::corpus::SHARD;
use sha2::{Digest, Sha256};
use ukehi::kv::Read;
use ukehi::log::{Record, ledger, tree};

pub fn check(stores: &[&dyn Read], records: &[Record]) -> Vec<String> {
    let mut broken = Vec::new();
    let leaves: Vec<[u8; 32]> = records.iter().map(|r| hash(0, &[&r.to_bytes()])).collect();
    for (node, store) in stores.iter().enumerate() {
        let saved = ledger::newest_checkpoint(*store, SHARD).expect("rows are never damaged");
        let Some(saved) = saved else { continue };
        let checkpoint = saved.checkpoint;
        let size = checkpoint.size;
        let ours = leaves.get(..size as usize).map(root);
        if ours != Some(checkpoint.root) {
            broken.push(format!(
                "checkpoint {size} of node {node} does not have the records' root"
            ));
        }
        for (other, log) in stores.iter().enumerate() {
            let held = ledger::tree_size(*log, SHARD).expect("rows are never damaged");
            if held < size {
                continue;
            }
            let root = tree::root(*log, SHARD, size).expect("rows are never damaged");
            if root != checkpoint.root {
                broken.push(format!(
                    "checkpoint {size} of node {node} is no prefix of node {other}"
                ));
            }
        }
    }
    broken
}

fn hash(domain: u8, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new().chain_update([domain]);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// MTH of a list of leaf hashes, in the words of the RFC.
fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        _ => {
            let mut split = 1;
            while split * 2 < leaves.len() {
                split *= 2;
            }
            hash(1, &[&root(&leaves[..split]), &root(&leaves[split..])])
        }
    }
}
