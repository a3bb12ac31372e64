//! `ceremony.json`: what is said before anybody contributes, and signed with every contribution.

use super::error::CeremonyError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use ukehi_keys::{MAX_PARTICIPANTS, ParticipantId};
use ukehi_provers::ceremony::{MAX_BEACON_ITERATIONS_LOG2, MIN_BEACON_ITERATIONS_LOG2};

const SCHEMA: &str = "ukehi/ceremony/v1";
/// In characters; names become file names, and names of contributions.
const MAX_NAME: usize = 32;
/// Of the words that say where the beacon will come from.
pub const MAX_SOURCE_BYTES: usize = 1024;
/// Names of files that are not participants'.
const RESERVED: [&str; 2] = ["initial", "beacon"];

/// A participant by name and key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedParticipant {
    pub name: String,
    pub key: ParticipantId,
}

/// Which public randomness will close the ceremony.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncedBeacon {
    pub source: String,
    pub iterations_log2: u8,
}

/// Digests are plain BLAKE3, in hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    schema: String,
    /// A circuit of this system by the name of its parameters, such as `seal-1-short-opaque`.
    pub circuit: Option<String>,
    pub r1cs: String,
    pub ptau: String,
    pub participants: Vec<ListedParticipant>,
    pub beacon: AnnouncedBeacon,
}

impl Announcement {
    pub(super) fn new(
        circuit: Option<String>,
        participants: Vec<ListedParticipant>,
        beacon: AnnouncedBeacon,
    ) -> Self {
        Self {
            schema: SCHEMA.into(),
            circuit,
            r1cs: String::new(),
            ptau: String::new(),
            participants,
            beacon,
        }
    }

    /// With what the files turned out to be.
    pub(super) fn with_digests(self, r1cs: &[u8; 32], ptau: &[u8; 32]) -> Self {
        Self {
            r1cs: hex::encode(r1cs),
            ptau: hex::encode(ptau),
            ..self
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("strings, numbers and lists");
        bytes.push(b'\n');
        bytes
    }

    pub(super) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, CeremonyError> {
        let refused = |reason: String| CeremonyError::Announcement {
            path: path.to_owned(),
            reason,
        };
        let read: Self = serde_json::from_slice(bytes)
            .map_err(|e| refused(format!("it does not read as an announcement: {e}")))?;
        if read.to_bytes() != bytes {
            return Err(refused("it is not written as announcements are".into()));
        }
        read.check().map_err(refused)?;
        Ok(read)
    }

    /// What is wrong with it, in words.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.schema != SCHEMA {
            return Err(format!("its schema is {:?}, not {SCHEMA}", self.schema));
        }
        let found = self.participants.len();
        if found == 0 || found > MAX_PARTICIPANTS {
            return Err(format!(
                "it names {found} participants; 1 to {MAX_PARTICIPANTS} make a ceremony"
            ));
        }
        let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for ListedParticipant { name, key } in &self.participants {
            if !is_name(name) || RESERVED.contains(&name.as_str()) {
                return Err(format!(
                    "{name:?} is no participant's name: 1 to {MAX_NAME} of a-z, 0-9 and -, not {RESERVED:?}"
                ));
            }
            if !names.insert(name) || !keys.insert(key) {
                return Err(format!("{name} or their key is named twice"));
            }
        }
        let allowed = MIN_BEACON_ITERATIONS_LOG2..=MAX_BEACON_ITERATIONS_LOG2;
        if !allowed.contains(&self.beacon.iterations_log2) {
            return Err(format!(
                "a beacon takes 2^{} to 2^{} iterations",
                allowed.start(),
                allowed.end()
            ));
        }
        let source = self.beacon.source.trim().len();
        if source == 0 || self.beacon.source.len() > MAX_SOURCE_BYTES {
            return Err(format!(
                "the beacon's source takes 1 to {MAX_SOURCE_BYTES} bytes to say"
            ));
        }
        Ok(())
    }

    pub(super) fn participant(&self, name: &str) -> Option<&ListedParticipant> {
        self.participants.iter().find(|p| p.name == name)
    }
}

pub(super) fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(plain)
}
