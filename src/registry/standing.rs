//! What the registry says of one author, epoch, circuit, and of the admins: since when, until when.
//!
//! Invariant: a fact decided by the entry at index i holds for the entries behind it, i + 1 and on.

use crate::ids::{EpochId, Hash, LogIndex};
use serde::Serialize;
use std::sync::Arc;
use ukehi_keys::{AdminId, AuthorId, EpochPublicKey, Manifest};

/// Whether the entry at `since` decided for the one at `index`.
fn holds(since: LogIndex, index: LogIndex) -> bool {
    since < index
}

/// An author of one keyspace; genesis registers at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AuthorStanding {
    pub registered_at: LogIndex,
    pub revoked_at: Option<LogIndex>,
}

impl AuthorStanding {
    #[must_use]
    pub fn is_known_at(&self, index: LogIndex) -> bool {
        holds(self.registered_at, index)
    }

    #[must_use]
    pub fn is_revoked_at(&self, index: LogIndex) -> bool {
        self.revoked_at.is_some_and(|at| holds(at, index))
    }
}

/// One reader key of a keyspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EpochStanding {
    pub id: EpochId,
    pub key: EpochPublicKey,
    #[serde(with = "crate::ids::hash_hex")]
    pub route_commitment: [u8; 32],
    /// The policy family of the circuits that may seal to it.
    pub policy: String,
    #[serde(with = "crate::ids::hash_hex")]
    pub policy_digest: [u8; 32],
    pub opened_at: LogIndex,
    /// The last index at which a batch may be applied under it.
    pub expires: Option<LogIndex>,
    pub revoked_at: Option<LogIndex>,
    /// Where the destruction of its secret was announced.
    pub erased_at: Option<LogIndex>,
}

impl EpochStanding {
    #[must_use]
    pub fn is_known_at(&self, index: LogIndex) -> bool {
        holds(self.opened_at, index)
    }

    #[must_use]
    pub fn is_revoked_at(&self, index: LogIndex) -> bool {
        self.revoked_at.is_some_and(|at| holds(at, index))
    }

    #[must_use]
    pub fn is_erased_at(&self, index: LogIndex) -> bool {
        self.erased_at.is_some_and(|at| holds(at, index))
    }

    #[must_use]
    pub fn is_expired_at(&self, index: LogIndex) -> bool {
        self.expires.is_some_and(|last| index > last)
    }

    /// Whether a batch may be applied under it.
    #[must_use]
    pub fn is_open_at(&self, index: LogIndex) -> bool {
        self.is_known_at(index)
            && !self.is_revoked_at(index)
            && !self.is_erased_at(index)
            && !self.is_expired_at(index)
    }
}

/// A circuit the cluster accepts proofs of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircuitStanding {
    pub activated_at: LogIndex,
    pub retired_at: Option<LogIndex>,
    /// Of one the log activated; genesis's are in the trust root.
    pub manifest: Option<Arc<Manifest>>,
}

impl CircuitStanding {
    #[must_use]
    pub fn is_known_at(&self, index: LogIndex) -> bool {
        holds(self.activated_at, index)
    }

    #[must_use]
    pub fn is_retired_at(&self, index: LogIndex) -> bool {
        self.retired_at.is_some_and(|at| holds(at, index))
    }
}

/// Who may change the registry behind `since`, and how many of them must agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdminSet {
    pub since: LogIndex,
    pub keys: Vec<AdminId>,
    pub threshold: u8,
}

/// An epoch's secret, wrapped to one reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GrantRecord {
    pub granted_at: LogIndex,
    pub epoch: EpochId,
    /// X25519.
    #[serde(with = "crate::ids::hash_hex")]
    pub reader: [u8; 32],
    #[serde(with = "crate::ids::hash_hex")]
    pub payload_digest: Hash,
    /// Empty where it was pruned.
    #[serde(skip)]
    pub payload: Vec<u8>,
}

/// Cells of one policy, and who may make them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Family {
    pub registered_at: LogIndex,
    pub policy: String,
    pub authors: Vec<AuthorId>,
}

impl Family {
    #[must_use]
    pub fn is_known_at(&self, index: LogIndex) -> bool {
        holds(self.registered_at, index)
    }
}

/// A cell that an admin entry made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MintRecord {
    pub minted_at: LogIndex,
    pub family: String,
    pub value: u64,
    #[serde(with = "crate::ids::hash_hex")]
    pub blind: [u8; 32],
    /// A batch had created the cell before: nothing was minted.
    pub void: bool,
}
