//! What this module's tests stand on: a store in memory and a cluster of fixed keys.

use crate::genesis::{GATE_VERSION, Genesis, GenesisAdmins, GenesisNode};
use crate::ids::{ClusterId, NodeId, ShardId};
use crate::kv::{Column, Overlay, Pair, Read, StoreError, WriteBatch};
use crate::log::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::log::cosign::Cosigner;
use crate::log::record::Record;
use crate::log::{ledger, tree};
use std::collections::BTreeMap;
use std::sync::Arc;
use ukehi_keys::NodeKey;
use zeroize::Zeroizing;

#[derive(Default, Clone)]
pub struct Mem {
    rows: BTreeMap<(Column, Vec<u8>), Vec<u8>>,
}

impl Mem {
    pub fn commit(&mut self, batch: WriteBatch) {
        for (column, key, value) in batch.iter() {
            match value {
                Some(value) => self.insert(column, key.to_vec(), value.to_vec()),
                None => self.remove(column, key),
            }
        }
    }

    pub fn insert(&mut self, column: Column, key: Vec<u8>, value: Vec<u8>) {
        self.rows.insert((column, key), value);
    }

    pub fn remove(&mut self, column: Column, key: &[u8]) {
        self.rows.remove(&(column, key.to_vec()));
    }

    pub fn keys(&self) -> Vec<(Column, Vec<u8>)> {
        self.rows.keys().cloned().collect()
    }
}

impl Read for Mem {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows.get(&(column, key.to_vec())).cloned())
    }

    fn range(
        &self,
        column: Column,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        let rows = self
            .rows
            .range((column, from.to_vec())..(column, to.to_vec()));
        Ok(rows
            .take(limit)
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect())
    }
}

/// Node `id` of [`genesis`]; a fixed key, so that vectors stay.
pub fn node_key(id: u64) -> Arc<NodeKey> {
    let mut seed = Zeroizing::new([0x40; 32]);
    seed[..8].copy_from_slice(&id.to_le_bytes());
    Arc::new(NodeKey::from_secret_bytes(&seed))
}

/// A cluster of the nodes 1 to `nodes`, as far as the log looks at it.
pub fn genesis(nodes: u64) -> Arc<Genesis> {
    Arc::new(Genesis {
        name: "testing".to_owned(),
        nonce: [9; 32],
        gate_version: GATE_VERSION,
        dev: true,
        nodes: (1..=nodes)
            .map(|id| GenesisNode {
                id: NodeId(id),
                key: node_key(id).public(),
            })
            .collect(),
        operators: vec![],
        admins: GenesisAdmins {
            keys: vec![],
            threshold: 1,
        },
        circuits: vec![],
        keyspaces: vec![],
    })
}

/// The shard of [`grow`], [`signed`] and [`cosigner`].
pub const SHARD: ShardId = ShardId(0);
/// Unix seconds.
pub const NOW: u64 = 1_700_000_000;

pub fn cosigner(trust: &Arc<Genesis>, id: u64, saved: Option<SignedCheckpoint>) -> Cosigner {
    Cosigner::new(trust.clone(), SHARD, NodeId(id), node_key(id), saved)
}

/// Appends until the log has `size` records; `branch` makes another history.
pub fn grow(mem: &mut Mem, size: u64, branch: u8) {
    let mut batch = WriteBatch::new();
    let mut store = Overlay::new(mem, &mut batch);
    for index in ledger::tree_size(&store, SHARD).unwrap()..size {
        let mut record = Record::no_op(index);
        if index == 0 {
            record = Record::genesis(ClusterId([1; 32]));
        }
        record.x[0] = branch;
        ledger::append_record(&mut store, SHARD, &record).unwrap();
    }
    mem.commit(batch);
}

/// A checkpoint over `size` records of a branch, signed by `nodes`.
pub fn signed(
    trust: &Genesis,
    size: u64,
    branch: u8,
    nodes: &[u64],
    time: u64,
) -> SignedCheckpoint {
    let mut mem = Mem::default();
    grow(&mut mem, size, branch);
    let checkpoint = Checkpoint {
        cluster: trust.cluster_id(),
        shard: SHARD,
        size,
        root: tree::root(&mem, SHARD, size).unwrap(),
    };
    let mut signed = SignedCheckpoint::new(checkpoint);
    for &id in nodes {
        signed.add(checkpoint.sign(NodeId(id), &node_key(id), time));
    }
    signed
}
