//! What a change may do.
//!
//! Knows nothing of who may have it done, or of what it does: that is the fold.

mod bytes;

pub(super) use bytes::read_key;

use crate::ids::{EpochId, Hash, KeyspaceId, LogIndex};
use ukehi_keys::{AdminId, AuthorId, CircuitId, EpochPublicKey, PossessionProof};

/// Bound on a circuit's manifest, most of it the verifying key.
pub const MAX_MANIFEST_BYTES: usize = 64 * 1024;
/// Bound on a grant's detached payload: the HPKE encapsulation and the wrapped secret.
pub const MAX_GRANT_PAYLOAD_BYTES: usize = 512;
/// Authors of one cell or one family.
pub const MAX_CELL_AUTHORS: usize = 256;

/// A reader key and what every batch sealed to it must show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochOpening {
    /// The keyspace's next id: one above its highest.
    pub id: EpochId,
    /// PK on BabyJubJub.
    pub key: EpochPublicKey,
    /// C_route, one canonical field element.
    pub route_commitment: [u8; 32],
    /// The policy family of the circuits that may seal to it, such as `opaque`.
    pub policy: String,
    /// P, one canonical field element.
    pub policy_digest: [u8; 32],
    /// The last index at which a batch may be applied under it.
    pub expires: Option<LogIndex>,
    /// That whoever opens it holds its secret, bound to cluster, keyspace and id.
    pub possession: PossessionProof,
}

/// One thing a change does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    RegisterAuthor {
        keyspace: KeyspaceId,
        author: AuthorId,
    },
    /// For ever: the key is never registered in this keyspace again.
    RevokeAuthor {
        keyspace: KeyspaceId,
        author: AuthorId,
    },
    OpenEpoch {
        keyspace: KeyspaceId,
        opening: EpochOpening,
    },
    /// Opens one and lets another end, in one change.
    RotateEpoch {
        keyspace: KeyspaceId,
        opening: EpochOpening,
        old: EpochId,
        /// The last index at which a batch may be applied under the old one.
        old_expires: LogIndex,
    },
    /// Never later than it would have ended anyway.
    ExpireEpoch {
        keyspace: KeyspaceId,
        epoch: EpochId,
        /// The last index at which a batch may be applied.
        at: LogIndex,
    },
    RevokeEpoch {
        keyspace: KeyspaceId,
        epoch: EpochId,
    },
    /// Announces that the secret was destroyed; nobody can check that.
    EraseEpoch {
        keyspace: KeyspaceId,
        epoch: EpochId,
    },
    ActivateCircuit {
        /// The JSON of a `ukehi_keys::Manifest`.
        manifest: Vec<u8>,
    },
    /// For ever.
    RetireCircuit {
        circuit: CircuitId,
    },
    SetAdmins {
        keys: Vec<AdminId>,
        threshold: u8,
    },
    /// An epoch's secret, wrapped to a reader's key in the change's detached payload.
    Grant {
        keyspace: KeyspaceId,
        epoch: EpochId,
        /// X25519.
        reader: [u8; 32],
        /// [`grant_payload_digest`] of the payload.
        payload_digest: Hash,
    },
    /// Cells of this policy, and who may make them.
    RegisterFamily {
        keyspace: KeyspaceId,
        policy: String,
        authors: Vec<AuthorId>,
    },
    /// A cell with a value from outside: the only way supply enters a family.
    Mint {
        keyspace: KeyspaceId,
        family: String,
        /// The cell's id, one canonical field element.
        route: [u8; 32],
        value: u64,
        /// One canonical field element.
        blind: [u8; 32],
        /// Who may change the cell; all authors of the family if empty.
        authors: Vec<AuthorId>,
    },
    SetCellAuthors {
        keyspace: KeyspaceId,
        route: [u8; 32],
        /// All authors of the family if empty.
        authors: Vec<AuthorId>,
    },
}

/// What a grant holds of its payload, BLAKE3.
#[must_use]
pub fn grant_payload_digest(payload: &[u8]) -> Hash {
    blake3::derive_key("ukehi/grant-payload/v1", payload)
}

impl Operation {
    /// The operation's name in words, as status and lists show it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::RegisterAuthor { .. } => "register author",
            Self::RevokeAuthor { .. } => "revoke author",
            Self::OpenEpoch { .. } => "open epoch",
            Self::RotateEpoch { .. } => "rotate epoch",
            Self::ExpireEpoch { .. } => "expire epoch",
            Self::RevokeEpoch { .. } => "revoke epoch",
            Self::EraseEpoch { .. } => "erase epoch",
            Self::ActivateCircuit { .. } => "activate circuit",
            Self::RetireCircuit { .. } => "retire circuit",
            Self::SetAdmins { .. } => "set admins",
            Self::Grant { .. } => "grant",
            Self::RegisterFamily { .. } => "register family",
            Self::Mint { .. } => "mint",
            Self::SetCellAuthors { .. } => "set cell authors",
        }
    }

    /// The epoch it opens, and where.
    #[must_use]
    pub fn opening(&self) -> Option<(KeyspaceId, &EpochOpening)> {
        match self {
            Self::OpenEpoch { keyspace, opening }
            | Self::RotateEpoch {
                keyspace, opening, ..
            } => Some((*keyspace, opening)),
            _ => None,
        }
    }

    /// `None` for what concerns the whole shard: circuits and admins.
    #[must_use]
    pub fn keyspace(&self) -> Option<KeyspaceId> {
        match self {
            Self::ActivateCircuit { .. } | Self::RetireCircuit { .. } | Self::SetAdmins { .. } => {
                None
            }
            Self::RegisterAuthor { keyspace, .. }
            | Self::RevokeAuthor { keyspace, .. }
            | Self::OpenEpoch { keyspace, .. }
            | Self::RotateEpoch { keyspace, .. }
            | Self::ExpireEpoch { keyspace, .. }
            | Self::RevokeEpoch { keyspace, .. }
            | Self::EraseEpoch { keyspace, .. }
            | Self::Grant { keyspace, .. }
            | Self::RegisterFamily { keyspace, .. }
            | Self::Mint { keyspace, .. }
            | Self::SetCellAuthors { keyspace, .. } => Some(*keyspace),
        }
    }
}
