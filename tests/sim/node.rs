//! A simulated node: the real driver over a disk whose writes take time, fail, and die with a
//! crash.

use crate::corpus::{Corpus, SHARD, node_key};
use crate::disk::Disk;
use crate::world::Due;
use std::sync::Arc;
use ukehi::ids::NodeId;
use ukehi::keyspace::Keyspace;
use ukehi::kv::{Read, WriteBatch};
use ukehi::node::driver::{Driver, DriverConfig, DriverError};
use ukehi::store::MemoryStore;

/// What is wrong with a node, on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sabotage {
    /// Its verifier says yes to every proof.
    pub accept_all: bool,
    /// Its disk says "synced" and forgets the newest writes at a crash.
    pub lying_disk: bool,
}

/// What becomes of a write that fails, or that a crash cuts off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutWrite {
    Kept,
    Lost,
}

/// A write under way.
pub struct Writing {
    pub token: u64,
    pub batch: WriteBatch,
    pub sync: bool,
}

pub struct Node {
    pub id: NodeId,
    pub disk: Disk,
    pub driver: Option<Driver>,
    /// Counts starts: what an earlier one had under way is void.
    pub incarnation: u64,
    pub sabotage: Sabotage,
    pub writing: Option<Writing>,
    /// The next write fails, and leaves this on the disk.
    pub fails: Option<CutWrite>,
    /// Out for good, and the typed refusal it ended with.
    pub lost: Option<String>,
    /// Stopped by SIGSTOP: what happens to it waits here.
    pub frozen: Option<Vec<Due>>,
    /// Its tick, in percent of the true one.
    pub tick_percent: u64,
}

impl Node {
    pub fn new(id: NodeId, sabotage: Sabotage) -> Self {
        Self {
            id,
            disk: Disk::default(),
            driver: None,
            incarnation: 0,
            sabotage,
            writing: None,
            fails: None,
            lost: None,
            frozen: None,
            tick_percent: 100,
        }
    }

    pub fn start(&mut self, corpus: &Corpus, seed: u64) -> Result<(), DriverError> {
        self.incarnation += 1;
        let config = DriverConfig {
            node: self.id,
            shard: SHARD,
            seed: seed.wrapping_add(self.incarnation),
        };
        let store = self.disk.open();
        let machine = Keyspace::load(&*store, &corpus.genesis, SHARD)?;
        let driver = Driver::new(
            config,
            store,
            node_key(self.id),
            Arc::new(corpus.verifier(self.sabotage.accept_all)),
            Box::new(machine),
        )?;
        self.driver = Some(driver);
        Ok(())
    }

    /// The process dies. What the write under way leaves on the disk nobody was told.
    pub fn crash(&mut self, write: CutWrite, kept_percent: u64) {
        self.driver = None;
        self.frozen = None;
        self.fails = None;
        self.incarnation += 1;
        if let Some(writing) = self.writing.take()
            && write == CutWrite::Kept
        {
            self.commit(&writing);
        }
        match self.sabotage.lying_disk {
            true => self.disk.forget_newest(),
            false => self.disk.lose_power(kept_percent),
        }
    }

    pub fn commit(&mut self, writing: &Writing) {
        let sync = writing.sync && !self.sabotage.lying_disk;
        self.disk.commit(&writing.batch, sync);
    }

    /// What its disk should hold.
    pub fn rows(&self) -> Arc<MemoryStore> {
        self.disk.rows()
    }

    pub fn store(&self) -> Arc<dyn Read> {
        self.disk.rows()
    }
}
