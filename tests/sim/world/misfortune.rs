//! What goes wrong with nodes, and how it ends.

use super::{Due, World};
use crate::faults::Fault;
use crate::network::MS;
use crate::node::{CutWrite, Writing};
use ukehi::kv::Column;
use ukehi::node::driver::{Event, TICK_MS};

impl World {
    /// Starts a node's process, unless it runs or is out for good.
    pub fn start(&mut self, node: usize) {
        if self.nodes[node].driver.is_some() || self.nodes[node].lost.is_some() {
            return;
        }
        if let Err(error) = self.nodes[node].start(self.corpus, self.seed) {
            let text = error.to_string();
            match self.is_damage(node, &text) {
                true => self.lose(node, text),
                false => self
                    .oracle
                    .stop(format!("node {node} does not start: {text}")),
            }
            return;
        }
        let incarnation = self.nodes[node].incarnation;
        let phase = self.rng.range(0, TICK_MS * MS);
        self.at(phase, Due::Tick { node, incarnation });
    }

    /// The process or the machine stops; a write under way may have reached the disk or not.
    pub fn crash(&mut self, node: usize) {
        let write = match self.rng.chance(50) {
            true => CutWrite::Kept,
            false => CutWrite::Lost,
        };
        self.crash_leaving(node, write);
    }

    pub fn crash_leaving(&mut self, node: usize, write: CutWrite) {
        let kept_percent = self.rng.range(0, 101);
        self.faults.count(match self.nodes[node].writing {
            Some(_) => Fault::PowerCutMidWrite,
            None => Fault::Crash,
        });
        self.nodes[node].crash(write, kept_percent);
        self.note("crash", node, &[]);
        self.observe_store(node);
    }

    /// Power fails within a write: the log's last record is torn. The shipped store refuses to
    /// open such a log, so the node is out.
    pub fn tear(&mut self, node: usize) {
        if self.nodes[node].writing.is_some() && self.may_lose(node) {
            self.crash_leaving(node, CutWrite::Lost);
            self.faults.count(Fault::TornTail);
            self.lose(node, "the log stops within a record".to_owned());
        }
    }

    pub fn restart_after(&mut self, node: usize, ms: u64) {
        self.at(ms * MS, Due::Restart { node });
    }

    /// The node's next write fails: an error of the write where nothing is left of it for sure, of
    /// the sync where nobody knows.
    pub fn fail_next_write(&mut self, node: usize, left: CutWrite, fault: Fault) {
        self.faults.count(fault);
        self.nodes[node].fails = Some(left);
    }

    pub(super) fn write_fails(&mut self, node: usize, writing: &Writing, left: CutWrite) {
        if left == CutWrite::Kept {
            self.nodes[node].commit(writing);
            self.observe_store(node);
        }
        let reason = "the disk returned an error".to_owned();
        self.feed(node, Event::PersistFailed { reason });
    }

    /// Flips a bit of something stored, if the group can bear the loss of the node.
    pub fn flip(&mut self, node: usize) {
        if !self.may_lose(node) {
            return;
        }
        let column = Column::ALL[self.rng.index(Column::ALL.len())];
        let pick = self.rng.next();
        if self.nodes[node].disk.flip(column, pick) {
            self.faults.count(Fault::BitFlip);
            self.note("flip", node, column.name().as_bytes());
        }
    }

    /// SIGSTOP: the process does nothing and hears nothing, and does not know it.
    pub fn freeze(&mut self, node: usize, ms: u64) {
        if self.nodes[node].driver.is_none() || self.nodes[node].frozen.is_some() {
            return;
        }
        self.faults.count(Fault::Freeze);
        self.note("freeze", node, &[]);
        self.nodes[node].frozen = Some(Vec::new());
        let incarnation = self.nodes[node].incarnation;
        self.at(ms * MS, Due::Resume { node, incarnation });
    }

    /// SIGCONT: everything that came meanwhile is there at once.
    pub fn resume(&mut self, node: usize) {
        let Some(backlog) = self.nodes[node].frozen.take() else {
            return;
        };
        self.note("resume", node, &[]);
        for due in backlog {
            self.happen(due);
        }
    }

    /// Crashed and damaged nodes together stay a minority, Byzantine ones counted.
    fn may_lose(&self, node: usize) -> bool {
        let bad = |n: &crate::node::Node| {
            n.lost.is_some() || n.disk.is_damaged() || n.sabotage.accept_all
        };
        let others = self.nodes.iter().filter(|n| bad(n)).count();
        !bad(&self.nodes[node]) && others < (self.nodes.len() - 1) / 2
    }

    pub(super) fn is_damage(&self, node: usize, text: &str) -> bool {
        self.nodes[node].disk.is_damaged() && text.contains("fails its checksum")
    }

    /// The node is out for good: nothing repairs it in this release.
    pub(super) fn lose(&mut self, node: usize, why: String) {
        self.say(node, &why);
        self.nodes[node].driver = None;
        self.nodes[node].frozen = None;
        self.nodes[node].incarnation += 1;
        self.nodes[node].lost = Some(why);
    }

    /// All faults stop; what can run runs.
    pub fn end_misfortune(&mut self) {
        self.network.heal();
        (self.disk_ms, self.verify_ms, self.overload_percent) = (3, 3, 0);
        self.withheld.clear();
        for node in 0..self.nodes.len() {
            self.nodes[node].tick_percent = 100;
            self.nodes[node].fails = None;
            self.resume(node);
            self.start(node);
        }
    }
}
