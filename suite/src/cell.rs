//! What is measured: a cell is one quantity of one subject on one instance with so many threads.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A group of measurements that can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Suite {
    Prover,
    Verify,
    Hash,
    Seal,
    Pool,
    Replicate,
    Audit,
}

impl Suite {
    /// Every suite, in the order in which a full run takes them.
    pub const ALL: [Suite; 7] = [
        Suite::Hash,
        Suite::Verify,
        Suite::Seal,
        Suite::Pool,
        Suite::Replicate,
        Suite::Audit,
        Suite::Prover,
    ];
}

/// The quantity, with its unit and what counts as better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// One proof on all threads of the cell, everything loaded.
    Latency,
    /// As many proofs at a time as the cell has threads, one thread each, everything loaded.
    Throughput,
    /// A process started, one proof made and written, the process ended.
    Cold,
    /// One proof verified.
    Verify,
    /// One proof's bytes decoded and checked.
    Decode,
    /// One permutation.
    Permutation,
    /// From plaintexts to an assignment.
    Witness,
    /// From a plaintext to a proof, per command.
    Command,
    /// Commands sealed, end to end.
    Commands,
    /// Log entries.
    Entries,
    /// A batch from its submission to its decision: the median client, and the slowest percent.
    DecisionMedian,
    DecisionSlowest,
}

impl Metric {
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Metric::Throughput => "proofs/s",
            Metric::Permutation => "us",
            Metric::Commands => "commands/s",
            Metric::Entries => "entries/s",
            _ => "ms",
        }
    }

    #[must_use]
    pub fn more_is_better(self) -> bool {
        matches!(
            self,
            Metric::Throughput | Metric::Commands | Metric::Entries
        )
    }
}

/// Names one series of samples.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    pub suite: Suite,
    /// Such as `poseidon-14` or `seal-8-short-opaque`.
    pub instance: String,
    /// Who is measured: `ukehi` or a peer's name.
    pub subject: String,
    pub metric: Metric,
    pub threads: usize,
}

impl Cell {
    #[must_use]
    pub fn new(
        suite: Suite,
        instance: &str,
        subject: &str,
        metric: Metric,
        threads: usize,
    ) -> Self {
        Self {
            suite,
            instance: instance.to_owned(),
            subject: subject.to_owned(),
            metric,
            threads,
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name(self).as_str())
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name(self).as_str())
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            suite,
            instance,
            subject,
            metric,
            threads,
        } = self;
        write!(
            f,
            "{suite}: {subject}, {instance}, {metric}, {threads} threads"
        )
    }
}

/// The one spelling, which the files use too.
fn name(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).expect("an enum without fields");
    json.as_str()
        .expect("which is written as its name")
        .to_owned()
}
