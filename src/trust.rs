//! The trust root: all an auditor, an author or a node takes for granted.
//!
//! Invariants: 1. its circuits are exactly those of its genesis, each with the verifying key its
//! id commits to; 2. everything else is checked against it. Knows nothing of secrets.

use crate::batch::{BatchVerifier, Groth16Verifier, UnusableCircuit};
use crate::genesis::{Genesis, GenesisError};
use crate::ids::{ClusterId, EpochId, KeyspaceId, ShardId};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use ukehi_circuits::policy::{Opaque, Policy};
use ukehi_keys::{CircuitId, Manifest};

const SCHEMA: &str = "ukehi/trust/v1";
/// 4,096 authors and 64 circuits stay far below.
const MAX_TRUST_BYTES: u64 = 4 * 1024 * 1024;
/// Stands in trust.json where a circuit's set-up was for development.
const WARNING: &str = "INSECURE: a circuit of this cluster comes from a one-party set-up; whoever ran it can forge proofs";

/// Genesis and the manifests of its circuits.
#[derive(Debug, Clone)]
pub struct TrustRoot {
    pub genesis: Genesis,
    /// In genesis's order.
    pub circuits: Vec<Manifest>,
}

/// Why a file is no trust root.
#[derive(Debug, Error)]
pub enum TrustError {
    #[error("{path}: {source}")]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path} is larger than {MAX_TRUST_BYTES} bytes")]
    TooLarge { path: PathBuf },
    #[error("{path}: {reason}")]
    Malformed { path: PathBuf, reason: String },
    #[error("{path}: the genesis has cluster id {found}, the file says {expected}")]
    WrongClusterId {
        path: PathBuf,
        expected: ClusterId,
        found: ClusterId,
    },
    #[error("{path}: {source}")]
    Genesis { path: PathBuf, source: GenesisError },
    #[error("circuit {circuit} of the genesis has no manifest in the trust root")]
    MissingCircuit { circuit: CircuitId },
    #[error(transparent)]
    Circuit(#[from] UnusableCircuit),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    cluster: ClusterId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
    genesis: Genesis,
    circuits: Vec<Manifest>,
}

impl TrustRoot {
    /// Reads and checks trust.json.
    ///
    /// # Errors
    /// [`TrustError`], naming the file.
    pub fn load(path: &Path) -> Result<Self, TrustError> {
        let unreadable = |source| TrustError::Unreadable {
            path: path.to_owned(),
            source,
        };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_TRUST_BYTES {
            return Err(TrustError::TooLarge {
                path: path.to_owned(),
            });
        }
        Self::from_json(&std::fs::read(path).map_err(unreadable)?, path)
    }

    fn from_json(bytes: &[u8], path: &Path) -> Result<Self, TrustError> {
        let malformed = |reason: String| TrustError::Malformed {
            path: path.to_owned(),
            reason,
        };
        let file: File = serde_json::from_slice(bytes).map_err(|e| malformed(e.to_string()))?;
        if file.schema != SCHEMA {
            return Err(malformed(format!(
                "schema is {:?}, this release reads {SCHEMA:?}",
                file.schema
            )));
        }
        file.genesis.check().map_err(|source| TrustError::Genesis {
            path: path.to_owned(),
            source,
        })?;
        let found = file.genesis.cluster_id();
        if found != file.cluster {
            return Err(TrustError::WrongClusterId {
                path: path.to_owned(),
                expected: file.cluster,
                found,
            });
        }
        let circuits = file
            .genesis
            .circuits
            .iter()
            .map(|id| {
                let manifest = file.circuits.iter().find(|m| m.circuit_id() == *id);
                manifest
                    .cloned()
                    .ok_or(TrustError::MissingCircuit { circuit: *id })
            })
            .collect::<Result<_, _>>()?;
        let trust = Self {
            genesis: file.genesis,
            circuits,
        };
        let warning = (!trust.insecure_circuits().is_empty()).then_some(WARNING);
        if file.warning.as_deref() != warning {
            return Err(malformed(
                "its warning does not fit its circuits' set-ups".into(),
            ));
        }
        Ok(trust)
    }

    /// Writes trust.json; says INSECURE in it where that is so.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn save(&self, path: &Path) -> Result<(), std::io::Error> {
        let file = File {
            schema: SCHEMA.into(),
            cluster: self.genesis.cluster_id(),
            warning: (!self.insecure_circuits().is_empty()).then(|| WARNING.into()),
            genesis: self.genesis.clone(),
            circuits: self.circuits.clone(),
        };
        let mut json = serde_json::to_vec_pretty(&file).expect("strings, numbers and lists");
        json.push(b'\n');
        // Written whole or not at all: its presence says that a testnet is complete.
        let temporary = path.with_extension("tmp");
        std::fs::write(&temporary, json)?;
        std::fs::File::open(&temporary)?.sync_all()?;
        std::fs::rename(&temporary, path)
    }

    /// The circuits whose set-up one party could have subverted.
    #[must_use]
    pub fn insecure_circuits(&self) -> Vec<CircuitId> {
        let insecure = self.circuits.iter().filter(|m| m.require_secure().is_err());
        insecure.map(Manifest::circuit_id).collect()
    }

    /// The verifier of these circuits' proofs.
    ///
    /// # Errors
    /// [`TrustError::Circuit`].
    pub fn proof_verifier(&self) -> Result<Groth16Verifier, TrustError> {
        Ok(Groth16Verifier::new(&self.circuits)?)
    }

    /// The gate's first stage for a shard of this cluster.
    ///
    /// # Errors
    /// [`TrustError::Circuit`].
    pub fn batch_verifier(&self, shard: ShardId) -> Result<BatchVerifier, TrustError> {
        let proofs = Arc::new(self.proof_verifier()?);
        Ok(BatchVerifier::new(
            Arc::new(self.genesis.clone()),
            shard,
            proofs,
        ))
    }

    /// The keyspace and epoch to write plain values to: the last `opaque` one of the first keyspace.
    #[must_use]
    pub fn newest_epoch(&self) -> Option<(KeyspaceId, EpochId)> {
        let keyspace = self.genesis.keyspaces.first()?;
        let mut newest = keyspace.epochs.iter().rev();
        let epoch = newest.find(|e| e.policy == Opaque.name())?;
        Some((keyspace.id, epoch.id))
    }
}
