//! Everything that is watched while a world runs, and the report it ends in.

use crate::clients::Clients;
use crate::corpus::{Corpus, SHARD};
use crate::faults::{Counts, Faults};
use crate::invariants::{
    checkpoint_prefix, commit_rule, durable_before_ack::DurableBeforeAck,
    election_safety::ElectionSafety, exactly_once::ExactlyOnce,
    leader_completeness::LeaderCompleteness, log_matching,
    state_machine_safety::StateMachineSafety, verified_before_ack::VerifiedBeforeAck,
};
use crate::node::Node;
use std::collections::BTreeMap;
use std::sync::Arc;
use ukehi::kv::Read;
use ukehi::node::driver::DriverStatus;
use ukehi::replica::read_entry;

/// What a run showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub seed: u64,
    pub simulated_ms: u64,
    pub broken: Vec<String>,
    pub acknowledged: usize,
    /// The two sums; both must be 0.
    pub acknowledged_missing: usize,
    pub unproven_applied: usize,
    pub elections: usize,
    pub barriers: usize,
    pub operations: usize,
    pub records: usize,
    /// Nodes that ended with a typed refusal of their disk.
    pub lost: usize,
    pub faults: Counts,
    /// How often each invariant was looked at.
    pub checks: Counts,
    pub alarms: BTreeMap<String, usize>,
    pub stopped: Vec<String>,
    pub trace: [u8; 32],
}

impl Report {
    /// The first thing that is wrong.
    pub fn fault(&self) -> Option<String> {
        let sums = [
            ("acknowledged entries missing", self.acknowledged_missing),
            ("unproven entries applied", self.unproven_applied),
        ];
        let sums = sums.iter().filter(|(_, sum)| *sum > 0);
        let mut all = sums.map(|(name, sum)| format!("{name}: {sum}"));
        let broken = self.broken.first().or(self.stopped.first());
        all.next().or(broken.cloned())
    }

    pub fn assert_clean(&self) {
        let seed = self.seed;
        if let Some(fault) = self.fault() {
            let (broken, stopped) = (&self.broken, &self.stopped);
            panic!(
                "seed {seed}: {fault}\n{broken:#?}\n{stopped:#?}\nreplay with: make sim SEED={seed}"
            );
        }
    }
}

#[derive(Default)]
pub struct Oracle {
    elections: ElectionSafety,
    completeness: LeaderCompleteness,
    durable: DurableBeforeAck,
    records: StateMachineSafety,
    proven: VerifiedBeforeAck,
    once: ExactlyOnce,
    broken: Vec<String>,
    checks: Counts,
    alarms: BTreeMap<String, usize>,
    stopped: Vec<String>,
}

impl Oracle {
    pub fn check(&mut self, name: &'static str) {
        *self.checks.entry(name).or_default() += 1;
    }

    /// A node was stepped.
    pub fn stepped(&mut self, status: &DriverStatus, nodes: &[Node]) {
        self.broken.extend(self.elections.observe(status));
        if self.completeness.is_news(status) {
            self.check("election safety");
            self.check("leader completeness");
            let rows = nodes[status.node.0 as usize - 1].rows();
            self.broken
                .extend(self.completeness.elected(status, &*rows));
        }
        if self.durable.is_news(status) {
            self.check("durable commit");
            self.check("commit rule");
            let at = |n: &Node| {
                read_entry(&*n.rows(), SHARD, status.commit).expect("rows are never damaged")
            };
            let versions: Vec<_> = nodes.iter().map(at).collect();
            let (entry, wrong) = self.durable.committed(status, &versions);
            self.broken.extend(wrong);
            if let Some(entry) = entry {
                self.broken.extend(commit_rule::check(status, &entry));
                self.completeness.committed(status.term, entry);
            }
        }
    }

    /// A frame leaves a node.
    pub fn sent(&mut self, store: &dyn Read, frame: &[u8]) {
        if let Some(checked) = self.durable.frame(store, frame) {
            self.check("durable before ack");
            self.broken.extend(checked.err());
        }
    }

    /// A node's store has changed.
    pub fn stored(&mut self, corpus: &Corpus, node: usize, store: &dyn Read) {
        self.broken
            .extend(self.durable.stored(node as u64 + 1, store));
        let (fresh, wrong) = self.records.observe(node, store);
        self.check("state-machine safety");
        self.broken.extend(wrong);
        if !fresh.is_empty() {
            self.check("verified before ack");
            self.check("exactly once");
            self.proven.observe(corpus, store, &fresh);
            self.broken.extend(self.once.observe(store, &fresh));
        }
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

    pub fn is_broken(&self) -> bool {
        !self.broken.is_empty() || !self.stopped.is_empty() || self.proven.sum() > 0
    }

    pub fn elections(&self) -> usize {
        self.elections.elections()
    }

    pub fn report(
        mut self,
        seed: u64,
        simulated_ms: u64,
        nodes: &[Node],
        clients: &Clients,
        faults: Faults,
        trace: [u8; 32],
    ) -> Report {
        let rows: Vec<Arc<dyn Read>> = nodes.iter().map(Node::store).collect();
        let stores: Vec<&dyn Read> = rows.iter().map(|s| &**s).collect();
        let present = nodes.iter().zip(&stores).filter(|(n, _)| n.lost.is_none());
        let present: Vec<&dyn Read> = present.map(|(_, store)| *store).collect();
        for name in [
            "log matching",
            "checkpoint is prefix",
            "linearizability",
            "acknowledged",
        ] {
            self.check(name);
        }
        self.broken.extend(log_matching::check(&stores));
        let records = self.records.records();
        self.broken
            .extend(checkpoint_prefix::check(&stores, records));
        self.broken.extend(clients.history.check());
        self.checks
            .insert("barrier", clients.barriers.count() as u64);
        let acknowledged = &clients.acknowledged;
        Report {
            seed,
            simulated_ms,
            acknowledged: acknowledged.count(),
            acknowledged_missing: acknowledged.missing(&present),
            unproven_applied: self.proven.sum(),
            elections: self.elections.elections(),
            barriers: clients.barriers.count(),
            operations: clients.history.operations(),
            records: self.records.records().len(),
            lost: nodes.len() - present.len(),
            broken: self.broken,
            faults: faults.counts().clone(),
            checks: self.checks,
            alarms: self.alarms,
            stopped: self.stopped,
            trace,
        }
    }
}
