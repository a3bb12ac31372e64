//! What an audit established, and what it did not.
//!
//! Invariant: [`Report::limits`] names everything that a reader might take for verified and that
//! was not.

use super::bundle::Start;
use crate::batch::VerifiedBatch;
use crate::ids::{ClusterId, Hash, KeyspaceId, LogIndex, NodeId, ShardId, TreeSize, hash_hex};
use crate::log::SignedCheckpoint;
use crate::log::{EntryKind, Outcome};
use crate::registry::{Family, Registry};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use ukehi_keys::{AuthorId, CircuitId};

/// The name and version of the JSON form.
pub const REPORT_SCHEMA: &str = "ukehi/audit-report/v1";

/// A verified bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub schema: &'static str,
    pub cluster: ClusterId,
    pub shard: ShardId,
    /// The entries `from..to` were verified.
    pub from: LogIndex,
    pub to: LogIndex,
    /// Leaves under the checkpoint.
    pub size: TreeSize,
    #[serde(with = "hash_hex")]
    pub root: Hash,
    /// Whose cosignatures on the checkpoint are valid, and when each signed (unix seconds).
    pub cosigners: Vec<Cosigner>,
    /// How many the trust root asks for.
    pub majority: usize,
    #[serde(flatten)]
    pub tally: Tally,
    /// Every outcome was decided again and agrees with its record.
    pub outcomes_recomputed: bool,
    /// Always false: nothing was decrypted.
    pub decryption_key_needed: bool,
    /// What admins minted up to the last entry judged: what the cells of a policy that keeps its
    /// sum hold together.
    pub supply: Vec<Supply>,
    /// Circuits whose set-up is INSECURE: whoever ran it could have forged the proofs.
    pub insecure_circuits: Vec<CircuitId>,
    /// With the checkpoint given to compare with, if one was.
    pub comparison: Option<Comparison>,
    /// In sentences, what this audit does not show.
    pub limits: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cosigner {
    pub node: NodeId,
    pub time: u64,
}

/// The mints of one family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Supply {
    pub keyspace: KeyspaceId,
    pub family: String,
    pub mints: usize,
    /// Their sum in decimal digits: it may be 2^64 or more.
    pub value: String,
}

/// Every family's mints.
pub(super) fn supply(registry: &Registry) -> Vec<Supply> {
    let families = registry
        .keyspaces()
        .flat_map(|keyspace| registry.families(keyspace).map(move |f| (keyspace, f)));
    let of = |(keyspace, family): (KeyspaceId, &Family)| {
        let mints = registry.mints(keyspace, &family.policy);
        let values: Vec<u128> = mints.map(|(_, mint)| u128::from(mint.value)).collect();
        Supply {
            keyspace,
            family: family.policy.clone(),
            mints: values.len(),
            value: values.iter().sum::<u128>().to_string(),
        }
    };
    families.map(of).collect()
}

/// Whether another cosigned checkpoint is of the same history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum Comparison {
    Agrees {
        size: TreeSize,
    },
    /// The bundle does not hold what it takes to know this log's root at that size.
    NotComparable {
        size: TreeSize,
    },
}

/// Counts of what was verified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub entries: u64,
    /// Batches, each with its proof and its author's signature.
    pub batches: u64,
    pub no_ops: u64,
    /// Registry changes, applied or refused.
    pub registry_changes: u64,
    /// Active slots, in applied batches only.
    pub commands_applied: u64,
    pub outcomes: Vec<OutcomeCount>,
    pub proofs_by_circuit: BTreeMap<String, u64>,
    pub authors: BTreeSet<AuthorId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OutcomeCount {
    pub outcome: Outcome,
    pub batches: u64,
}

impl Tally {
    pub(super) fn plain(&mut self, kind: EntryKind) {
        self.entries += 1;
        self.no_ops += u64::from(kind == EntryKind::NoOp);
        self.registry_changes += u64::from(kind == EntryKind::Registry);
    }

    pub(super) fn batch(&mut self, batch: &VerifiedBatch, outcome: Outcome) {
        let header = &batch.batch().header;
        self.entries += 1;
        self.batches += 1;
        *self
            .proofs_by_circuit
            .entry(header.circuit.to_string())
            .or_default() += 1;
        self.authors.insert(header.author);
        if outcome == Outcome::Applied {
            self.commands_applied += u64::from(header.slots);
        }
        match self
            .outcomes
            .iter_mut()
            .find(|count| count.outcome == outcome)
        {
            Some(count) => count.batches += 1,
            None => self.outcomes.push(OutcomeCount {
                outcome,
                batches: 1,
            }),
        }
    }
}

impl Report {
    pub(super) fn new(
        start: &Start,
        signed: &SignedCheckpoint,
        majority: usize,
        mut tally: Tally,
        comparison: Option<Comparison>,
    ) -> Self {
        tally.outcomes.sort_by_key(|count| count.outcome.code());
        Self {
            schema: REPORT_SCHEMA,
            cluster: start.cluster,
            shard: start.shard,
            from: start.from,
            to: start.to,
            size: start.size,
            root: signed.checkpoint.root,
            cosigners: signed
                .cosignatures()
                .iter()
                .map(|c| Cosigner {
                    node: c.node,
                    time: c.time,
                })
                .collect(),
            majority,
            tally,
            outcomes_recomputed: start.is_full(),
            decryption_key_needed: false,
            supply: Vec::new(),
            insecure_circuits: Vec::new(),
            limits: limits(start, comparison),
            comparison,
        }
    }

    pub(super) fn with_supply(self, supply: Vec<Supply>) -> Self {
        Self { supply, ..self }
    }

    pub(super) fn under_insecure_setup(mut self, circuits: Vec<CircuitId>) -> Self {
        const INSECURE: &str =
            "INSECURE: whoever ran the set-up of these circuits could have forged every proof.";
        if !circuits.is_empty() && self.insecure_circuits.is_empty() {
            self.limits.push(INSECURE.to_owned());
        }
        self.insecure_circuits.extend(circuits);
        self
    }
}

fn limits(start: &Start, comparison: Option<Comparison>) -> Vec<String> {
    let mut limits = vec![
        "No decryption key was needed or used: what the commands say was not read.".to_owned(),
    ];
    if !start.is_full() {
        limits.push(format!(
            "Outcomes were not recomputed, since the bundle starts at entry {}: a majority of the \
             nodes vouches for them. Export from entry 0 to recompute them.",
            start.from
        ));
        limits.push(format!(
            "The registry changes before entry {} are the {} in this bundle: none is missing \
             between them, but later ones could have been left out.",
            start.from,
            start.registry.len()
        ));
    }
    if start.to < start.size {
        limits.push(format!(
            "The checkpoint covers {} entries; the last {} are not in this bundle.",
            start.size,
            start.size - start.to
        ));
    }
    if let Some(Comparison::NotComparable { size }) = comparison {
        limits.push(format!(
            "The other checkpoint, of {size} entries, could not be compared: export from entry 0 \
             up to at least that size."
        ));
    }
    limits.push(
        "The log may have grown since the checkpoint: this is not proof of the latest state."
            .to_owned(),
    );
    limits
}
