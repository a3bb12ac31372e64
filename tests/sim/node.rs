//! A simulated node: the real driver over a store whose writes take time and die with a crash.

use crate::corpus::{Corpus, SHARD, node_key};
use std::sync::Arc;
use ukehi::ids::NodeId;
use ukehi::keyspace::Keyspace;
use ukehi::kv::WriteBatch;
use ukehi::node::driver::{Driver, DriverConfig};
use ukehi::store::{MemoryStore, Store};

/// What is wrong with a node, on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sabotage {
    /// Its verifier says yes to every proof.
    pub accept_all: bool,
    /// Its disk says "synced" and forgets the newest writes at a crash.
    pub lying_disk: bool,
}

pub struct Node {
    pub id: NodeId,
    pub store: Arc<MemoryStore>,
    pub driver: Option<Driver>,
    /// Counts starts: what an earlier one had under way is void.
    pub incarnation: u64,
    pub sabotage: Sabotage,
    /// The one write under way.
    pub writing: Option<(u64, WriteBatch)>,
    journal: Vec<WriteBatch>,
}

/// Writes a lying disk forgets.
const FORGOTTEN_WRITES: usize = 12;

impl Node {
    pub fn new(id: NodeId, sabotage: Sabotage) -> Self {
        Self {
            id,
            store: Arc::new(MemoryStore::new()),
            driver: None,
            incarnation: 0,
            sabotage,
            writing: None,
            journal: Vec::new(),
        }
    }

    pub fn start(&mut self, corpus: &Corpus, seed: u64) {
        self.incarnation += 1;
        let config = DriverConfig {
            node: self.id,
            shard: SHARD,
            seed: seed.wrapping_add(self.incarnation),
        };
        let machine = Keyspace::load(&*self.store, &corpus.genesis, SHARD);
        let machine = machine.expect("a store that only crashed opens again");
        let driver = Driver::new(
            config,
            self.store.clone(),
            node_key(self.id),
            Arc::new(corpus.verifier(self.sabotage.accept_all)),
            Box::new(machine),
        );
        self.driver = Some(driver.expect("a store that only crashed opens again"));
    }

    /// The process dies. The write under way may have reached the disk or not: nobody was told.
    pub fn crash(&mut self, write_survives: bool) {
        self.driver = None;
        self.incarnation += 1;
        if let Some((_, batch)) = self.writing.take()
            && write_survives
        {
            self.commit(batch);
        }
        if self.sabotage.lying_disk {
            let kept = self.journal.len().saturating_sub(FORGOTTEN_WRITES);
            self.journal.truncate(kept);
            self.store = Arc::new(MemoryStore::new());
            for batch in &self.journal {
                self.store
                    .commit(batch, true)
                    .expect("memory does not fail");
            }
        }
    }

    pub fn commit(&mut self, batch: WriteBatch) {
        self.store
            .commit(&batch, true)
            .expect("memory does not fail");
        if self.sabotage.lying_disk {
            self.journal.push(batch);
        }
    }
}
