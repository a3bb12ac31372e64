//! Everything that is watched while a world runs, and the report it ends in.

use crate::corpus::Corpus;
use crate::invariants::{
    acknowledged::Acknowledged, checkpoint_prefix, durable_before_ack::DurableBeforeAck,
    election_safety::ElectionSafety, exactly_once::ExactlyOnce, log_matching,
    state_machine_safety::StateMachineSafety, verified_before_ack::VerifiedBeforeAck,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use ukehi::kv::Read;
use ukehi::node::driver::DriverStatus;

/// What a run showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub seed: u64,
    pub broken: Vec<String>,
    pub acknowledged: usize,
    /// The two sums; both must be 0.
    pub acknowledged_missing: usize,
    pub unproven_applied: usize,
    pub elections: usize,
    pub barriers: usize,
    pub records: usize,
    pub alarms: BTreeMap<String, usize>,
    pub stopped: Vec<String>,
    pub trace: [u8; 32],
}

impl Report {
    pub fn assert_clean(&self) {
        let seed = self.seed;
        let again = format!("replay with: make sim SEED={seed}");
        assert!(
            self.broken.is_empty(),
            "seed {seed}: {:#?}\n{again}",
            self.broken
        );
        assert!(
            self.stopped.is_empty(),
            "seed {seed}: {:#?}\n{again}",
            self.stopped
        );
        assert_eq!(
            self.acknowledged_missing, 0,
            "seed {seed}: acknowledged missing\n{again}"
        );
        assert_eq!(
            self.unproven_applied, 0,
            "seed {seed}: unproven applied\n{again}"
        );
    }
}

#[derive(Default)]
pub struct Oracle {
    elections: ElectionSafety,
    durable: DurableBeforeAck,
    records: StateMachineSafety,
    proven: VerifiedBeforeAck,
    once: ExactlyOnce,
    broken: Vec<String>,
    alarms: BTreeMap<String, usize>,
    stopped: Vec<String>,
}

impl Oracle {
    /// A node was stepped.
    pub fn stepped(&mut self, status: &DriverStatus, stores: &[Arc<dyn Read>]) {
        self.broken.extend(self.elections.observe(status));
        self.broken.extend(self.durable.committed(status, stores));
    }

    /// A frame leaves a node.
    pub fn sent(&mut self, store: &Arc<dyn Read>, frame: &[u8]) {
        self.broken.extend(self.durable.frame(store, frame));
    }

    /// A node's store has changed.
    pub fn stored(&mut self, corpus: &Corpus, node: usize, store: &dyn Read) {
        let (fresh, wrong) = self.records.observe(node, store);
        self.broken.extend(wrong);
        self.proven.observe(corpus, store, &fresh);
        self.broken.extend(self.once.observe(store, &fresh));
    }

    pub fn alarm(&mut self, text: &str) {
        let kind = text.split([' ', '(']).next().unwrap_or_default().to_owned();
        *self.alarms.entry(kind).or_default() += 1;
    }

    pub fn stop(&mut self, text: String) {
        self.stopped.push(text);
    }

    pub fn broke(&mut self, what: impl IntoIterator<Item = String>) {
        self.broken.extend(what);
    }

    pub fn report(
        mut self,
        seed: u64,
        stores: &[&dyn Read],
        acknowledged: &Acknowledged,
        barriers: usize,
        trace: [u8; 32],
    ) -> Report {
        self.broken.extend(log_matching::check(stores));
        self.broken.extend(checkpoint_prefix::check(stores));
        Report {
            seed,
            acknowledged: acknowledged.count(),
            acknowledged_missing: acknowledged.missing(stores),
            unproven_applied: self.proven.sum(),
            elections: self.elections.elections(),
            barriers,
            records: self.records.records().len(),
            broken: self.broken,
            alarms: self.alarms,
            stopped: self.stopped,
            trace,
        }
    }
}
