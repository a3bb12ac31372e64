//! The gate's first stage: from bytes to a [`VerifiedBatch`], or to a fault.
//!
//! Invariants: 1. the verdict is a function of the bytes, of genesis and of the circuits known
//! here: one that is not known is no verdict, so honest replicas never disagree; 2. nothing else can build a `VerifiedBatch`, and apply takes nothing else; 3. only
//! `Invalid` accuses, and only after a second, single, uncached verification.
//! Whether circuit and author are registered is judged against the log (`registry`).
//! Knows nothing of Raft, queues or who sent the bytes.

use super::sealed::{PROOF_BYTES, SIGNATURE_DOMAIN, SealedBatch};
use super::slot_list::op_fits;
use crate::genesis::Genesis;
use crate::ids::{Hash, ShardId};
use crate::mutant::{self, Mutant};
use crate::wire::WireError;
use std::sync::Arc;
use thiserror::Error;
use ukehi_circuits::seal::{SealStatement, StatementError};
use ukehi_circuits::{F, shape::Form};
use ukehi_keys::{AuthorId, CircuitId, Manifest};

/// One proof to check: under which circuit, for which public input.
#[derive(Clone, Copy)]
pub struct ProofItem<'a> {
    pub circuit: CircuitId,
    pub x: F,
    pub proof: &'a [u8; PROOF_BYTES],
}

/// Checks Groth16 proofs. The shipped implementation is `Groth16Verifier`; test targets bring
/// their own, the binary cannot.
pub trait ProofVerifier: Send + Sync {
    /// The form of a circuit this verifier holds a verifying key for.
    fn form(&self, circuit: &CircuitId) -> Option<Form>;
    /// Whether the circuit is known and its statement is not a batch's. A batch under it is invalid
    /// for ever: saying "not yet" would let its sender hold up the log.
    fn is_not_for_batches(&self, _circuit: &CircuitId) -> bool {
        false
    }
    /// The policy family of a circuit [`ProofVerifier::form`] knows.
    fn policy(&self, circuit: &CircuitId) -> Option<&str>;
    /// The same with one circuit more, which the log activated; `None` if this release has no
    /// such circuit.
    fn with_circuit(&self, manifest: &Manifest) -> Option<Arc<dyn ProofVerifier>>;
    /// One answer per item, many proofs in one pairing product.
    fn verify_many(&self, items: &[ProofItem<'_>]) -> Vec<bool>;
    /// The second opinion before anybody is accused: alone and uncached.
    fn verify_one(&self, item: &ProofItem<'_>) -> bool;
}

/// Why a batch is invalid, whoever sends it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    #[error("it does not decode: {0}")]
    Undecodable(#[from] WireError),
    #[error("it was sealed for another cluster")]
    WrongCluster,
    #[error("it was sealed for shard {found}, this is shard {expected}")]
    WrongShard { expected: ShardId, found: ShardId },
    /// Judged against the log prefix.
    #[error("circuit {circuit} is not one of this cluster's")]
    UnknownCircuit { circuit: CircuitId },
    #[error("circuit {circuit} proves something else than batches")]
    OtherStatement { circuit: CircuitId },
    /// Judged against the log prefix.
    #[error("author {author} is not registered")]
    UnknownAuthor { author: AuthorId },
    #[error("its slots are no statement of the circuit: {0}")]
    Statement(StatementError),
    #[error("slot {slot}: a bulk reference stands exactly where the operation is a bulk put")]
    BulkReference { slot: usize },
    #[error("its header vouches for another list of operations, lengths and bulk references")]
    SlotList,
    #[error("the author's signature does not verify")]
    Signature,
    #[error("the proof does not verify under circuit {circuit}")]
    Proof { circuit: CircuitId },
}

/// What the gate says of one batch.
#[derive(Debug, Clone)]
pub enum Verdict {
    Valid(VerifiedBatch),
    Invalid(Fault),
    /// No verdict now; never memoised, nobody at fault.
    NotYet(NotYet),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotYet {
    #[error("no verifying key is known here for circuit {circuit}")]
    UnknownCircuit { circuit: CircuitId },
    #[error("the verification queue is full")]
    Overloaded,
    #[error("the verification was cancelled")]
    Cancelled,
    #[error("the verification panicked")]
    Panicked,
}

/// A batch that passed the gate. Only [`BatchVerifier`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedBatch {
    batch: Arc<SealedBatch>,
    bytes: Arc<[u8]>,
    digest: Hash,
    form: Form,
    policy: Arc<str>,
    x: F,
}

impl VerifiedBatch {
    /// The statement that was proven.
    ///
    /// # Panics
    /// Never: the gate built it from the same batch.
    #[must_use]
    pub fn statement(&self) -> SealStatement {
        self.batch
            .statement(self.form)
            .expect("the gate built this statement before")
    }

    #[must_use]
    pub fn batch(&self) -> &SealedBatch {
        &self.batch
    }

    /// The bytes that were verified.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// [`SealedBatch::digest`] of the bytes.
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.digest
    }

    /// The policy family of the circuit it was proven under.
    #[must_use]
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The public input: the identity of the command.
    #[must_use]
    pub fn x(&self) -> &F {
        &self.x
    }
}

/// The rules of one shard of one cluster, and the verifier of its circuits' proofs.
#[derive(Clone)]
pub struct BatchVerifier {
    genesis: Arc<Genesis>,
    cluster: crate::ids::ClusterId,
    shard: ShardId,
    proofs: Arc<dyn ProofVerifier>,
}

impl BatchVerifier {
    #[must_use]
    pub fn new(genesis: Arc<Genesis>, shard: ShardId, proofs: Arc<dyn ProofVerifier>) -> Self {
        Self {
            cluster: genesis.cluster_id(),
            shard,
            proofs,
            genesis,
        }
    }

    #[must_use]
    pub fn genesis(&self) -> &Arc<Genesis> {
        &self.genesis
    }

    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// The same with a circuit more, which the log activated; as it is where this release has no
    /// such circuit: batches under it then get no verdict here.
    #[must_use]
    pub fn with_circuit(&self, manifest: &Manifest) -> Self {
        let proofs = self.proofs.with_circuit(manifest);
        Self {
            genesis: self.genesis.clone(),
            cluster: self.cluster,
            shard: self.shard,
            proofs: proofs.unwrap_or_else(|| self.proofs.clone()),
        }
    }

    /// One verdict per input, in order.
    #[must_use]
    pub fn verify(&self, inputs: &[Arc<[u8]>]) -> Vec<Verdict> {
        let mut verdicts: Vec<Verdict> = inputs
            .iter()
            .map(|bytes| self.check_natively(bytes).unwrap_or_else(Self::refusal))
            .collect();
        let candidates: Vec<VerifiedBatch> = verdicts
            .iter()
            .filter_map(|v| match v {
                Verdict::Valid(batch) => Some(batch.clone()),
                _ => None,
            })
            .collect();
        let items: Vec<ProofItem<'_>> = candidates.iter().map(proof_item).collect();
        let mut holds = self.proofs.verify_many(&items).into_iter();
        for verdict in &mut verdicts {
            if let Verdict::Valid(batch) = verdict {
                let first_opinion = holds.next().unwrap_or(false);
                if !first_opinion && !self.proofs.verify_one(&proof_item(batch)) {
                    *verdict = Verdict::Invalid(Fault::Proof {
                        circuit: batch.batch.header.circuit,
                    });
                }
            }
        }
        verdicts
    }

    /// Everything but the proof; the `Valid` it returns is a candidate only, and stays inside.
    fn check_natively(&self, bytes: &Arc<[u8]>) -> Result<Verdict, Refusal> {
        let batch = SealedBatch::from_bytes(bytes).map_err(Fault::Undecodable)?;
        let header = &batch.header;
        if header.cluster != self.cluster && !mutant::is(Mutant::OtherClusterAccepted) {
            return Err(Fault::WrongCluster.into());
        }
        if header.shard != self.shard && !mutant::is(Mutant::OtherShardAccepted) {
            return Err(Fault::WrongShard {
                expected: self.shard,
                found: header.shard,
            }
            .into());
        }
        check_slot_list(&batch)?;
        if self.proofs.is_not_for_batches(&header.circuit) {
            return Err(Fault::OtherStatement {
                circuit: header.circuit,
            }
            .into());
        }
        let known = self.proofs.form(&header.circuit);
        let known = known.zip(self.proofs.policy(&header.circuit));
        let (form, policy) = known.ok_or(Refusal::NotYet(NotYet::UnknownCircuit {
            circuit: header.circuit,
        }))?;
        let x = batch.statement(form).map_err(Fault::Statement)?.x();
        let (header_bytes, x_bytes) = batch.signed_parts(&x);
        let signed = header.author.verify(
            SIGNATURE_DOMAIN,
            &[&header_bytes, &x_bytes],
            &batch.signature,
        );
        if signed.is_err() && !mutant::is(Mutant::SignatureIgnored) {
            return Err(Fault::Signature.into());
        }
        Ok(Verdict::Valid(VerifiedBatch {
            digest: SealedBatch::digest(bytes),
            bytes: bytes.clone(),
            form,
            policy: policy.into(),
            batch: Arc::new(batch),
            x,
        }))
    }

    fn refusal(refusal: Refusal) -> Verdict {
        match refusal {
            Refusal::Invalid(fault) => Verdict::Invalid(fault),
            Refusal::NotYet(reason) => Verdict::NotYet(reason),
        }
    }
}

enum Refusal {
    Invalid(Fault),
    NotYet(NotYet),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Refusal::Invalid(fault)
    }
}

fn check_slot_list(batch: &SealedBatch) -> Result<(), Fault> {
    let mut pairs = batch.slots.iter().zip(&batch.bulk);
    if let Some(slot) = pairs.position(|(slot, bulk)| !op_fits(slot.meta, bulk.as_ref())) {
        return Err(Fault::BulkReference { slot });
    }
    match batch.header.slot_list == batch.slot_list() {
        true => Ok(()),
        false => Err(Fault::SlotList),
    }
}

fn proof_item(batch: &VerifiedBatch) -> ProofItem<'_> {
    ProofItem {
        circuit: batch.batch.header.circuit,
        x: batch.x,
        proof: &batch.batch.proof,
    }
}
