//! The facts of a finished set-up ceremony, as a manifest carries them.
//!
//! Invariants: 1. facts in a checked manifest name distinct participants, each of whom signed for its contribution;
//! 2. their digest, which is part of the circuit id, covers every one of them.
//! Knows nothing of what contributions are: they are hashes here. Whether the contributions lead from the circuit to the
//! verifying key is told by whoever verifies the ceremony's files.

use crate::frame::frame;
use crate::hex_serde;
use crate::participant::{ParticipantId, ParticipantKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;

const ATTESTATION_DOMAIN: &[u8] = b"ukehi/ceremony/attestation/v1";
/// More participants than a ceremony can be brought to meet.
pub const MAX_PARTICIPANTS: usize = 256;

/// A participant's signature for the contribution it made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// The participant's name in the announcement.
    pub name: String,
    pub participant: ParticipantId,
    /// From 1, in the order of the contributions.
    pub index: u32,
    /// BLAKE2b-512, as both tools print it.
    #[serde(with = "hex_serde::fixed")]
    pub contribution: [u8; 64],
    #[serde(with = "hex_serde::fixed")]
    pub signature: [u8; 64],
}

impl Attestation {
    /// Signs over the announcement's digest, the contribution's hash and its index.
    #[must_use]
    pub fn sign(
        key: &ParticipantKey,
        name: &str,
        announcement: &[u8; 32],
        index: u32,
        contribution: [u8; 64],
    ) -> Self {
        let parts: [&[u8]; 3] = [announcement, &contribution, &index.to_le_bytes()];
        Self {
            name: name.into(),
            participant: key.public(),
            index,
            contribution,
            signature: key.sign(ATTESTATION_DOMAIN, &parts),
        }
    }

    /// Whether its participant signed for this contribution in the announced ceremony.
    #[must_use]
    pub fn stands(&self, announcement: &[u8; 32]) -> bool {
        let index = self.index.to_le_bytes();
        let parts: [&[u8]; 3] = [announcement, &self.contribution, &index];
        self.participant
            .verify(ATTESTATION_DOMAIN, &parts, &self.signature)
            .is_ok()
    }
}

/// The last step, which nobody could foresee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeaconFacts {
    /// Which public randomness was announced, word for word.
    pub source: String,
    pub iterations_log2: u8,
    #[serde(with = "hex_serde::open")]
    pub value: Vec<u8>,
    #[serde(with = "hex_serde::fixed")]
    pub contribution: [u8; 64],
}

/// What a ceremony did. Digests are plain BLAKE3 of the files: what `b3sum` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeremonyFacts {
    /// Of the announcement, made before any contribution.
    #[serde(with = "hex_serde::fixed")]
    pub announcement: [u8; 32],
    #[serde(with = "hex_serde::fixed")]
    pub r1cs: [u8; 32],
    #[serde(with = "hex_serde::fixed")]
    pub ptau: [u8; 32],
    /// snarkjs's hash of the key before the first contribution.
    #[serde(with = "hex_serde::fixed")]
    pub circuit_hash: [u8; 64],
    pub contributions: Vec<Attestation>,
    pub beacon: BeaconFacts,
    /// Of the verifying key's bytes.
    #[serde(with = "hex_serde::fixed")]
    pub verifying_key: [u8; 32],
}

/// Why a manifest's ceremony cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CeremonyFault {
    #[error("it has {found} contributions, 1 to {MAX_PARTICIPANTS} make a ceremony")]
    Contributions { found: usize },
    #[error("contribution {index} does not bear its participant's signature")]
    Signature { index: usize },
    #[error("{name} contributed twice")]
    Twice { name: String },
    #[error("it ended with another verifying key")]
    OtherVerifyingKey,
}

impl CeremonyFacts {
    /// Covers every fact; part of the circuit id.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut parts: Vec<Vec<u8>> = vec![
            self.announcement.to_vec(),
            self.r1cs.to_vec(),
            self.ptau.to_vec(),
            self.circuit_hash.to_vec(),
            (self.contributions.len() as u64).to_le_bytes().to_vec(),
        ];
        for c in &self.contributions {
            parts.push(c.name.clone().into_bytes());
            parts.push(c.participant.to_bytes().to_vec());
            parts.push(c.index.to_le_bytes().to_vec());
            parts.push(c.contribution.to_vec());
            parts.push(c.signature.to_vec());
        }
        parts.push(self.beacon.source.clone().into_bytes());
        parts.push(vec![self.beacon.iterations_log2]);
        parts.push(self.beacon.value.clone());
        parts.push(self.beacon.contribution.to_vec());
        parts.push(self.verifying_key.to_vec());
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        blake3::derive_key("ukehi/ceremony/facts/v1", &frame(b"facts", &parts))
    }

    pub(crate) fn check(&self, verifying_key: &[u8]) -> Result<(), CeremonyFault> {
        let found = self.contributions.len();
        if found == 0 || found > MAX_PARTICIPANTS {
            return Err(CeremonyFault::Contributions { found });
        }
        let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for (index, c) in (1..).zip(&self.contributions) {
            if c.index as usize != index || !c.stands(&self.announcement) {
                return Err(CeremonyFault::Signature { index });
            }
            if !names.insert(&c.name) || !keys.insert(c.participant) {
                return Err(CeremonyFault::Twice {
                    name: c.name.clone(),
                });
            }
        }
        match self.verifying_key == *blake3::hash(verifying_key).as_bytes() {
            true => Ok(()),
            false => Err(CeremonyFault::OtherVerifyingKey),
        }
    }
}

#[cfg(test)]
#[path = "ceremony_tests.rs"]
pub(crate) mod tests;
