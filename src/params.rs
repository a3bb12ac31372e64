//! Where circuits, provers and key files meet: a circuit one can prove with, and how it is set up.
//!
//! Invariants: 1. a loaded circuit's matrices are the ones its id commits to; 2. what a dev set-up
//! makes says INSECURE in its manifest. Knows nothing of batches or of nodes.

mod name;
mod open;

pub use name::{CircuitName, UnknownCircuitName};
pub use open::{OpenCircuit, OpenProveError, load_open};

use crate::batch::{CircuitKind, UnusableCircuit, form_of, kind_of};
use ark_ff::{BigInteger, PrimeField};
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use ukehi_circuits::matrices::{self, circuit_matrices, matrix_digest};
use ukehi_circuits::policy::{self, Policy};
use ukehi_circuits::route::RouteSecret;
use ukehi_circuits::shape::{Form, Shape};
use ukehi_circuits::{Scalar, field};
use ukehi_keys::params::{self as files, ParamsError};
use ukehi_keys::{CircuitId, CircuitParts, EpochSecret, Manifest, RouteKey, Setup};
use ukehi_provers::groth16::{
    Assignment, KeyDecodeError, Prover, ProverOptions, ProvingKey, insecure_dev_setup,
};
use ukehi_provers::kernel::{Kernel, KernelError};
use ukehi_provers::pool::Job;
use ukehi_provers::{R1cs, RandomnessUnavailable};

/// A circuit with all that proving needs.
pub struct Circuit {
    pub id: CircuitId,
    pub shape: Shape,
    pub policy: &'static dyn Policy,
    prover: Arc<Prover>,
}

/// Why parameters cannot be made or used.
#[derive(Debug, Error)]
pub enum CircuitError {
    #[error(transparent)]
    Files(#[from] ParamsError),
    #[error(transparent)]
    Unusable(#[from] UnusableCircuit),
    #[error(
        "circuit {circuit}: this release has no policy {policy}, so it can verify its proofs but not make them"
    )]
    UnknownPolicy { circuit: CircuitId, policy: String },
    #[error(
        "circuit {circuit}: this release's matrices have the digest {found}, the manifest says {expected}: use a matching release"
    )]
    OtherMatrices {
        circuit: CircuitId,
        expected: String,
        found: String,
    },
    #[error("circuit {circuit}: the proving key does not decode: {source}")]
    Key {
        circuit: CircuitId,
        source: KeyDecodeError,
    },
    #[error("circuit {circuit}: the proving key does not belong to the circuit")]
    OtherKey { circuit: CircuitId },
    #[error(transparent)]
    Kernel(#[from] KernelError),
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    #[error("{directory} has no {shape} that this cluster registered: no disclosure can be proven")]
    NoOpenCircuit { shape: String, directory: String },
    #[error("circuit {circuit} of this cluster is not in {directory}")]
    Missing {
        circuit: CircuitId,
        directory: String,
    },
}

impl Circuit {
    /// A pool job that proves `assignment`, which is zeroised with it.
    #[must_use]
    pub fn job(&self, assignment: &matrices::Assignment) -> Job {
        Job::prove(
            self.prover.clone(),
            Assignment::new(assignment.as_slice().to_vec()),
        )
    }

    /// Shared by all jobs, with its tables.
    #[must_use]
    pub fn prover(&self) -> &Prover {
        &self.prover
    }

    /// The proving key, for measurements.
    #[must_use]
    pub fn key(&self) -> &ProvingKey {
        self.prover.key()
    }

    /// The constraints, for measurements.
    #[must_use]
    pub fn r1cs(&self) -> &R1cs {
        self.prover
            .r1cs()
            .expect("a circuit is loaded with its constraints")
    }

    /// Loads a circuit of a policy of one's own, which this release has no name for.
    ///
    /// # Errors
    /// [`CircuitError`]; [`CircuitError::OtherMatrices`] if the parameters were made for other rules, and
    /// [`CircuitError::UnknownPolicy`] if they are another policy's.
    pub fn of_policy(
        directory: &Path,
        manifest: &Manifest,
        policy: &'static dyn Policy,
        options: &ProverOptions,
    ) -> Result<Self, CircuitError> {
        let id = manifest.circuit_id();
        let Form { shape, cells } = form_of(manifest)?;
        let named = &manifest.shape().policy;
        if named != policy.name() || cells != policy.cells() {
            return Err(CircuitError::UnknownPolicy {
                circuit: id,
                policy: named.clone(),
            });
        }
        let matrices = circuit_matrices(policy, shape);
        let prover = load_prover(directory, manifest, matrices, options)?;
        Ok(Self {
            id,
            shape,
            policy,
            prover: Arc::new(prover),
        })
    }

    fn load(
        directory: &Path,
        manifest: &Manifest,
        options: &ProverOptions,
    ) -> Result<Self, CircuitError> {
        let name = &manifest.shape().policy;
        let policy = policy::named(name).ok_or_else(|| CircuitError::UnknownPolicy {
            circuit: manifest.circuit_id(),
            policy: name.clone(),
        })?;
        Self::of_policy(directory, manifest, policy, options)
    }
}

/// How circuits prove unless told otherwise: the best kernel there is, a quarter of memory for tables, no cache.
///
/// # Errors
/// [`CircuitError::Kernel`] if the environment asks for a kernel that is not to be had.
pub fn default_options() -> Result<ProverOptions, CircuitError> {
    Ok(ProverOptions::new(Kernel::detect()?))
}

/// The prover of a manifest's circuit, which has these matrices.
fn load_prover(
    directory: &Path,
    manifest: &Manifest,
    matrices: matrices::Matrices,
    options: &ProverOptions,
) -> Result<Prover, CircuitError> {
    let id = manifest.circuit_id();
    let found = matrix_digest(&matrices);
    if found != *manifest.matrix_digest() {
        return Err(CircuitError::OtherMatrices {
            circuit: id,
            expected: hex::encode(manifest.matrix_digest()),
            found: hex::encode(found),
        });
    }
    let r1cs = r1cs(matrices);
    let bytes = files::load_proving_key(directory, manifest)?;
    let key = ProvingKey::from_bytes(&bytes).map_err(|source| CircuitError::Key {
        circuit: id,
        source,
    })?;
    if key.verifying_key().to_bytes() != manifest.verifying_key() {
        return Err(CircuitError::OtherKey { circuit: id });
    }
    Prover::new(Arc::new(key), Arc::new(r1cs), options.clone())
        .map_err(|_| CircuitError::OtherKey { circuit: id })
}

/// Loads the batch circuits a cluster registered from a parameters directory; those of other
/// statements have loaders of their own.
///
/// # Errors
/// [`CircuitError`]; a registered circuit that is not there is `Missing`.
pub fn load_all(
    directory: &Path,
    registered: &[CircuitId],
) -> Result<Vec<Arc<Circuit>>, CircuitError> {
    load_all_with(directory, registered, &default_options()?)
}

/// The same, with a say in how they prove. All share the options' budget.
///
/// # Errors
/// As [`load_all`].
pub fn load_all_with(
    directory: &Path,
    registered: &[CircuitId],
    options: &ProverOptions,
) -> Result<Vec<Arc<Circuit>>, CircuitError> {
    let manifests = files::list(directory)?;
    let mut circuits = Vec::new();
    for id in registered {
        let manifest = manifests.iter().find(|m| m.circuit_id() == *id);
        let manifest = manifest.ok_or_else(|| CircuitError::Missing {
            circuit: *id,
            directory: directory.display().to_string(),
        })?;
        if let CircuitKind::Seal(_) = kind_of(manifest)? {
            circuits.push(Arc::new(Circuit::load(directory, manifest, options)?));
        }
    }
    Ok(circuits)
}

/// Makes parameters for these circuits, alone, from the system's randomness: INSECURE, since
/// whoever runs it could forge proofs. `progress` gets the circuit under way and (done, total) in
/// group elements of it.
///
/// # Errors
/// [`CircuitError`]; existing files are never overwritten.
pub fn insecure_dev_params(
    directory: &Path,
    names: &[CircuitName],
    mut progress: impl FnMut(&CircuitName, u64, u64),
) -> Result<Vec<Manifest>, CircuitError> {
    let mut manifests = Vec::new();
    for name in names {
        let (r1cs, matrix_digest) = constraints(name);
        let (key, verifying_key) = insecure_dev_setup(&r1cs, |p| {
            progress(name, p.done as u64, p.total.max(1) as u64);
        })?;
        let parts = CircuitParts {
            shape: name.manifest_shape(),
            matrix_digest,
            verifying_key: verifying_key.to_bytes(),
            setup: Setup::insecure_dev(),
        };
        manifests.push(files::write(directory, parts, &key.to_bytes())?);
    }
    Ok(manifests)
}

/// A circuit of this release: its constraints and its matrix digest.
#[must_use]
pub fn constraints(name: &CircuitName) -> (R1cs, [u8; 32]) {
    let matrices = name.matrices();
    let digest = matrix_digest(&matrices);
    (r1cs(matrices), digest)
}

fn r1cs(matrices: matrices::Matrices) -> R1cs {
    R1cs::new(
        matrices.a,
        matrices.b,
        matrices.c,
        matrices.num_instance_variables,
        matrices.num_witness_variables,
    )
    .expect("our circuits are far below the prover's limits")
}

/// The circuits' form of a route key.
#[must_use]
pub fn route_secret(key: &RouteKey) -> RouteSecret {
    let bytes = zeroize::Zeroizing::new(field::encode(key.element()));
    RouteSecret::from_bytes(&bytes).expect("a route key is a canonical field element")
}

/// C_route, as genesis holds it.
#[must_use]
pub fn route_commitment(key: &RouteKey) -> [u8; 32] {
    field::encode(&route_secret(key).commitment())
}

/// The circuits' form of an epoch's secret.
#[must_use]
pub fn epoch_scalar(secret: &EpochSecret) -> Scalar {
    let bytes = zeroize::Zeroizing::new(secret.scalar().into_bigint().to_bytes_le());
    let bytes = bytes
        .as_slice()
        .try_into()
        .expect("four limbs are 32 bytes");
    Scalar::from_bytes(bytes).expect("an epoch secret is a non-zero scalar")
}
