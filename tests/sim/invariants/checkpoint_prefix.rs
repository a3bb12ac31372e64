//! A checkpoint that a majority cosigned has the root of the one log there is.

use crate::corpus::SHARD;
use ukehi::kv::Read;
use ukehi::log::{ledger, tree};

pub fn check(stores: &[&dyn Read]) -> Vec<String> {
    let mut broken = Vec::new();
    for (node, store) in stores.iter().enumerate() {
        let saved = ledger::newest_checkpoint(*store, SHARD).expect("an undamaged store");
        let Some(saved) = saved else { continue };
        let checkpoint = saved.checkpoint;
        for (other, log) in stores.iter().enumerate() {
            let size = ledger::tree_size(*log, SHARD).expect("an undamaged store");
            if size < checkpoint.size {
                continue;
            }
            let root = tree::root(*log, SHARD, checkpoint.size).expect("an undamaged store");
            if root != checkpoint.root {
                let size = checkpoint.size;
                broken.push(format!(
                    "checkpoint {size} of node {node} is no prefix of node {other}"
                ));
            }
        }
    }
    broken
}
