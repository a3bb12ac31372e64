//! The gate's first stage for changes: from bytes to a [`VerifiedChange`], or to a fault.
//!
//! Invariants: 1. the verdict is a function of the bytes and of genesis, so honest replicas never
//! disagree; 2. nothing else can build a `VerifiedChange`, and the registry takes nothing else.
//! Cheap enough (a signature or few, one proof of possession, one verifying key) to need no queue.
//! Knows nothing of who the admins are at an index: that is the fold's to say.

use super::change::{Change, SIGNATURE_DOMAIN};
use super::operation::{Operation, grant_payload_digest};
use crate::genesis::Genesis;
use crate::ids::{ClusterId, Hash, ShardId};
use crate::log::Record;
use crate::wire::WireError;
use std::sync::Arc;
use thiserror::Error;
use ukehi_keys::{AdminId, EpochScope, Manifest};
use ukehi_provers::groth16::VerifyingKey;

/// Why a change is invalid, whoever sends it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeFault {
    #[error("the change does not decode: {0}")]
    Undecodable(#[from] WireError),
    #[error("the change was signed for another cluster")]
    WrongCluster,
    #[error("the change was signed for shard {found}, this is shard {expected}")]
    WrongShard { expected: ShardId, found: ShardId },
    #[error("nobody has signed the change")]
    Unsigned,
    #[error("the signature of admin {admin} does not verify")]
    Signature { admin: AdminId },
    #[error("the proof of possession does not hold for the epoch's key")]
    Possession,
    #[error("the circuit's manifest cannot be used: {reason}")]
    Manifest { reason: String },
    #[error("the circuit comes from a development set-up: this is no dev cluster")]
    InsecureSetup,
    #[error("the grant's payload is missing or not the one its digest names")]
    Payload,
    /// Judged against the log prefix.
    #[error("{admin} was never an admin of this cluster")]
    UnknownAdmin { admin: AdminId },
}

/// Why bytes are not the change that a record is about.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordedFault {
    #[error(transparent)]
    Change(#[from] ChangeFault),
    #[error("it is not the change that its record is about")]
    OtherRecord,
}

/// Whether a grant must come with its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// At the gate.
    Required,
    /// In trails and stores, from which it may have been pruned.
    MayBePruned,
}

/// A change that passed the gate's first stage. Only [`ChangeVerifier`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedChange {
    change: Arc<Change>,
    bytes: Arc<[u8]>,
    digest: Hash,
    manifest: Option<Arc<Manifest>>,
}

impl VerifiedChange {
    #[must_use]
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// The bytes that were verified.
    #[must_use]
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// [`Change::digest`].
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.digest
    }

    /// Of the circuit it activates.
    #[must_use]
    pub fn manifest(&self) -> Option<&Arc<Manifest>> {
        self.manifest.as_ref()
    }
}

/// The rules of one shard of one cluster.
#[derive(Debug, Clone, Copy)]
pub struct ChangeVerifier {
    cluster: ClusterId,
    shard: ShardId,
    dev: bool,
}

impl ChangeVerifier {
    #[must_use]
    pub fn new(genesis: &Genesis, shard: ShardId) -> Self {
        Self {
            cluster: genesis.cluster_id(),
            shard,
            dev: genesis.dev,
        }
    }

    /// # Errors
    /// [`ChangeFault`]; never `UnknownAdmin`, which is not judged here.
    pub fn verify(
        &self,
        bytes: &Arc<[u8]>,
        payload: Payload,
    ) -> Result<VerifiedChange, ChangeFault> {
        let change = Change::from_bytes(bytes)?;
        let content = &change.content;
        if content.cluster != self.cluster {
            return Err(ChangeFault::WrongCluster);
        }
        if content.shard != self.shard {
            return Err(ChangeFault::WrongShard {
                expected: self.shard,
                found: content.shard,
            });
        }
        if change.signatures.is_empty() {
            return Err(ChangeFault::Unsigned);
        }
        let body = content.body();
        for (admin, signature) in &change.signatures {
            admin
                .verify(SIGNATURE_DOMAIN, &[&body], signature)
                .map_err(|_| ChangeFault::Signature { admin: *admin })?;
        }
        let manifest = self.check_operation(&change, payload)?;
        Ok(VerifiedChange {
            digest: change.digest(),
            change: Arc::new(change),
            bytes: bytes.clone(),
            manifest,
        })
    }

    /// [`ChangeVerifier::verify`] of a change that is shown with its record, whose payload may have
    /// been pruned. Whether the log holds that record is not judged.
    ///
    /// # Errors
    /// [`RecordedFault`].
    pub fn verify_recorded(
        &self,
        record: &Record,
        bytes: &Arc<[u8]>,
    ) -> Result<VerifiedChange, RecordedFault> {
        let change = self.verify(bytes, Payload::MayBePruned)?;
        let expected = Record::registry(record.index, change.digest(), record.outcome);
        match *record == expected {
            true => Ok(change),
            false => Err(RecordedFault::OtherRecord),
        }
    }

    fn check_operation(
        &self,
        change: &Change,
        payload: Payload,
    ) -> Result<Option<Arc<Manifest>>, ChangeFault> {
        let operation = &change.content.operation;
        if let Some((keyspace, opening)) = operation.opening() {
            let scope = EpochScope {
                cluster: self.cluster.0,
                keyspace: keyspace.0,
                epoch: opening.id.0,
            };
            opening
                .key
                .verify_possession(&scope, &opening.possession)
                .map_err(|_| ChangeFault::Possession)?;
        }
        match operation {
            Operation::Grant { payload_digest, .. } => {
                let pruned = change.payload.is_empty() && payload == Payload::MayBePruned;
                match pruned || grant_payload_digest(&change.payload) == *payload_digest {
                    true => Ok(None),
                    false => Err(ChangeFault::Payload),
                }
            }
            Operation::ActivateCircuit { manifest } => {
                self.check_manifest(manifest).map(|m| Some(Arc::new(m)))
            }
            _ => Ok(None),
        }
    }

    /// That anybody could verify proofs under it; whether this release knows its shape is not
    /// asked, since releases must not disagree at the gate.
    fn check_manifest(&self, json: &[u8]) -> Result<Manifest, ChangeFault> {
        let unusable = |reason: String| ChangeFault::Manifest { reason };
        let manifest = Manifest::from_json(json).map_err(|e| unusable(e.to_string()))?;
        let key = VerifyingKey::from_bytes(manifest.verifying_key())
            .map_err(|e| unusable(e.to_string()))?;
        if key.public_inputs() != 1 {
            let found = key.public_inputs();
            return Err(unusable(format!("it takes {found} public inputs, not one")));
        }
        if !self.dev && manifest.require_secure().is_err() {
            return Err(ChangeFault::InsecureSetup);
        }
        Ok(manifest)
    }
}
