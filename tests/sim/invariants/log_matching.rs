//! Two logs with an entry of the same index and term are the same up to there (Raft §5.3).

use crate::corpus::SHARD;
use ukehi::kv::Read;
use ukehi::replica::{StoredEntry, read_entry};

fn entries(store: &dyn Read) -> Vec<StoredEntry> {
    (1..)
        .map_while(|index| read_entry(store, SHARD, index).expect("an undamaged store"))
        .collect()
}

pub fn check(stores: &[&dyn Read]) -> Vec<String> {
    let logs: Vec<Vec<StoredEntry>> = stores.iter().map(|s| entries(*s)).collect();
    let mut broken = Vec::new();
    for (i, one) in logs.iter().enumerate() {
        for (j, other) in logs.iter().enumerate().skip(i + 1) {
            let shared = one.iter().zip(other).rposition(|(a, b)| a.term == b.term);
            let Some(shared) = shared else { continue };
            // Stamps are compared too: the same entry was proposed once.
            if one[..=shared] != other[..=shared] {
                broken.push(format!(
                    "log matching: nodes {i} and {j} differ below {shared}"
                ));
            }
        }
    }
    broken
}
