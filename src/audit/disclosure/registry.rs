//! The registry changes a disclosure carries, and what they and genesis come to: who may write,
//! who can read, which circuits count.
//!
//! Invariants: 1. a change counts only if its record stands under the disclosure's checkpoint, its
//! signatures verify and the fold decides, as the record says, that it is applied; 2. one missing
//! in the middle is noticed by the numbers. That none is missing behind the last is not shown.
//! Knows nothing of slots or plaintexts.

use super::error::{DisclosureError, ShownFault};
use super::spelled_bytes;
use crate::batch::{CircuitKind, Header, kind_of};
use crate::ids::{LogIndex, ShardId, TreeSize};
use crate::log::{Checkpoint, InclusionProof, Outcome, Record};
use crate::registry::{Change, ChangeVerifier, Registry, VerifiedChange};
use crate::trust::TrustRoot;
use crate::wire::WireError;
use serde::{Deserialize, Serialize};
use ukehi_circuits::shape::{Class, Form};
use ukehi_keys::{CircuitId, Manifest};

/// Registry changes in one disclosure.
pub const MAX_DISCLOSED_CHANGES: usize = 1024;
/// Bytes of all of them together, before they are written in hex.
pub const MAX_DISCLOSED_CHANGE_BYTES: usize = 1024 * 1024;

/// A registry change as a disclosure carries it; unverified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShownChange {
    record: Record,
    /// Hex; a grant's payload is left out.
    change: String,
    /// Under the receipt's checkpoint.
    inclusion: InclusionProof,
}

impl ShownChange {
    pub fn new(record: Record, bytes: &[u8], inclusion: InclusionProof) -> Result<Self, WireError> {
        let pruned = Change::from_bytes(bytes)?.pruned();
        Ok(Self {
            record,
            change: hex::encode(pruned.to_bytes()),
            inclusion,
        })
    }

    fn index(&self) -> LogIndex {
        self.record.index
    }

    /// That the log holds it, and that it is a change of this log at all.
    fn verify(
        &self,
        verifier: &ChangeVerifier,
        checkpoint: &Checkpoint,
    ) -> Result<VerifiedChange, DisclosureError> {
        let index = self.index();
        let refused = |fault| DisclosureError::Change { index, fault };
        let bytes = spelled_bytes("change", &self.change)?;
        let change = verifier
            .verify_recorded(&self.record, &bytes.into())
            .map_err(|e| refused(e.into()))?;
        checkpoint
            .verify_record(&self.record, &self.inclusion)
            .map_err(|e| refused(e.into()))?;
        Ok(change)
    }
}

/// Whether a disclosure carries that many changes, of that many bytes.
pub(super) fn are_within_bounds(changes: usize, bytes: usize) -> bool {
    changes <= MAX_DISCLOSED_CHANGES && bytes <= MAX_DISCLOSED_CHANGE_BYTES
}

/// [`are_within_bounds`] of what a file holds.
pub(super) fn is_bounded(changes: &[ShownChange]) -> bool {
    let digits: usize = changes.iter().map(|c| c.change.len()).sum();
    are_within_bounds(changes.len(), digits / 2)
}

/// The registry of the trust root and the changes shown, up to the checkpoint.
pub(super) struct Known<'a> {
    trust: &'a TrustRoot,
    registry: Registry,
    size: TreeSize,
}

impl<'a> Known<'a> {
    pub fn new(
        trust: &'a TrustRoot,
        shard: ShardId,
        changes: &[ShownChange],
        checkpoint: &Checkpoint,
    ) -> Result<Self, DisclosureError> {
        let verifier = ChangeVerifier::new(&trust.genesis, shard);
        let mut registry = Registry::from_genesis(&trust.genesis, shard);
        let mut last = 0;
        for shown in changes {
            let index = shown.index();
            let refused = |fault| DisclosureError::Change { index, fault };
            if index <= last {
                return Err(refused(ShownFault::OutOfOrder { last }));
            }
            last = index;
            let change = shown.verify(&verifier, checkpoint)?;
            let recorded = shown.record.outcome;
            let decided = registry.apply_recorded(index, &change, recorded);
            // The numbers of those left out in between are missing here.
            if decided != recorded || !recorded.takes_number() {
                return Err(refused(ShownFault::NotApplied { decided, recorded }));
            }
        }
        Ok(Self {
            trust,
            registry,
            size: checkpoint.size,
        })
    }

    /// Of the circuits the log activated, those whose set-up is INSECURE.
    pub fn insecure_circuits(&self) -> Vec<CircuitId> {
        let live = self.registry.manifests();
        let insecure = live.filter(|m| m.require_secure().is_err());
        insecure.map(|m| m.circuit_id()).collect()
    }

    /// Those no change shown has retired.
    pub fn present_circuits(&self) -> Vec<CircuitId> {
        let circuits = self.registry.circuits();
        let present = circuits.filter(|(_, c)| !c.is_retired_at(self.size));
        present.map(|(id, _)| *id).collect()
    }

    /// The circuit of a batch that the registry, as the entries before `index` leave it, applies.
    pub fn vouch(
        &self,
        index: LogIndex,
        header: &Header,
    ) -> Result<(&Manifest, Form), DisclosureError> {
        let circuit = header.circuit;
        let unknown = DisclosureError::UnknownCircuit {
            circuit,
            statement: "seal/v1",
        };
        let manifest = self.manifest(&circuit).ok_or(unknown.clone())?;
        let Ok(CircuitKind::Seal(form)) = kind_of(manifest) else {
            return Err(unknown);
        };
        let policy = &manifest.shape().policy;
        match self.registry.judge(index, header, policy) {
            Outcome::Applied => Ok((manifest, form)),
            Outcome::CircuitUnknownAtIndex => Err(unknown),
            outcome => Err(unvouched(index, header, outcome)),
        }
    }

    /// A disclosure circuit of this class, which any entry up to the checkpoint may have activated:
    /// a disclosure is made after its batch.
    pub fn open_circuit(
        &self,
        circuit: CircuitId,
        class: Class,
    ) -> Result<&Manifest, DisclosureError> {
        let unknown = DisclosureError::UnknownCircuit {
            circuit,
            statement: "open/v1 of the batch's class",
        };
        let manifest = self.manifest(&circuit).ok_or(unknown.clone())?;
        match kind_of(manifest) {
            Ok(CircuitKind::Open(found)) if found == class => {}
            _ => return Err(unknown),
        }
        match self.registry.circuit(&circuit) {
            Some(standing) if standing.is_retired_at(self.size) => {
                Err(DisclosureError::RetiredCircuit { circuit })
            }
            Some(_) => Ok(manifest),
            None => Err(unknown),
        }
    }

    fn manifest(&self, circuit: &CircuitId) -> Option<&Manifest> {
        let genesis = self.trust.circuits.iter();
        let live = self.registry.manifests().map(|m| &**m);
        genesis.chain(live).find(|m| m.circuit_id() == *circuit)
    }
}

fn unvouched(index: LogIndex, header: &Header, outcome: Outcome) -> DisclosureError {
    match outcome {
        Outcome::UnknownKeyspace => DisclosureError::UnknownKeyspace {
            keyspace: header.keyspace,
        },
        Outcome::ForeignAuthor => DisclosureError::UnknownAuthor {
            author: header.author,
        },
        Outcome::UnknownEpoch
        | Outcome::WrongEpochKey
        | Outcome::WrongRouteCommitment
        | Outcome::WrongPolicy => DisclosureError::OtherEpoch {
            epoch: header.epoch,
        },
        outcome => DisclosureError::NotRegistered { index, outcome },
    }
}
