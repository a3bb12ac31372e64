//! Where circuits, provers and key files meet: a circuit one can prove with, and how it is set up.
//!
//! Invariants: 1. a loaded circuit's matrices are the ones its id commits to; 2. what a dev set-up
//! makes says INSECURE in its manifest. Knows nothing of batches or of nodes.

mod name;

pub use name::{CircuitName, UnknownCircuitName};

use crate::batch::{UnusableCircuit, circuit_shape, shape_of};
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
use ukehi_keys::{CircuitId, CircuitParts, CircuitShape, EpochSecret, Manifest, RouteKey, Setup};
use ukehi_provers::groth16::{Assignment, KeyDecodeError, ProvingKey, insecure_dev_setup};
use ukehi_provers::pool::Job;
use ukehi_provers::{R1cs, RandomnessUnavailable};

/// A circuit with all that proving needs.
pub struct Circuit {
    pub id: CircuitId,
    pub shape: Shape,
    pub policy: &'static dyn Policy,
    r1cs: Arc<R1cs>,
    key: Arc<ProvingKey>,
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
    Randomness(#[from] RandomnessUnavailable),
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
            self.key.clone(),
            self.r1cs.clone(),
            Assignment::new(assignment.as_slice().to_vec()),
        )
    }

    /// The proving key, for measurements.
    #[must_use]
    pub fn key(&self) -> &ProvingKey {
        &self.key
    }

    /// The constraints, for measurements.
    #[must_use]
    pub fn r1cs(&self) -> &R1cs {
        &self.r1cs
    }

    fn load(directory: &Path, manifest: &Manifest) -> Result<Self, CircuitError> {
        let id = manifest.circuit_id();
        let shape = shape_of(manifest)?;
        let name = &manifest.shape().policy;
        let unknown = || CircuitError::UnknownPolicy {
            circuit: id,
            policy: name.clone(),
        };
        let policy = policy::named(name).ok_or_else(unknown)?;
        let matrices = circuit_matrices(policy, shape);
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
        let same_key = key.verifying_key().to_bytes() == manifest.verifying_key();
        if !key.belongs_to(&r1cs) || !same_key {
            return Err(CircuitError::OtherKey { circuit: id });
        }
        Ok(Self {
            id,
            shape,
            policy,
            r1cs: Arc::new(r1cs),
            key: Arc::new(key),
        })
    }
}

/// Loads the circuits a cluster registered from a parameters directory.
///
/// # Errors
/// [`CircuitError`]; a registered circuit that is not there is `Missing`.
pub fn load_all(
    directory: &Path,
    registered: &[CircuitId],
) -> Result<Vec<Arc<Circuit>>, CircuitError> {
    let manifests = files::list(directory)?;
    registered
        .iter()
        .map(|id| {
            let manifest = manifests.iter().find(|m| m.circuit_id() == *id);
            let manifest = manifest.ok_or_else(|| CircuitError::Missing {
                circuit: *id,
                directory: directory.display().to_string(),
            })?;
            Circuit::load(directory, manifest).map(Arc::new)
        })
        .collect()
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
        let matrices = name.matrices();
        let matrix_digest = matrix_digest(&matrices);
        let (key, verifying_key) = insecure_dev_setup(&r1cs(matrices), |p| {
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

/// The circuits of this release: every shape under every policy it knows, by the names of their parameters, such as
/// `seal-1-short-opaque`.
pub fn catalogue() -> Vec<(String, &'static dyn Policy, Shape)> {
    let every = policy::SHIPPED
        .into_iter()
        .flat_map(|policy| Shape::ALL.into_iter().map(move |shape| (policy, shape)));
    every
        .map(|(policy, shape)| {
            let name = circuit_name(policy, shape).file_stem();
            let name = name.expect("the names of this release's circuits are plain");
            (name, policy, shape)
        })
        .collect()
}

/// A circuit of [`catalogue`] by its name: its matrices, how manifests name it, and its matrix digest.
///
/// # Errors
/// The names there are.
pub fn circuit_named(name: &str) -> Result<(R1cs, CircuitShape, [u8; 32]), String> {
    let known = catalogue();
    let Some((_, policy, shape)) = known.iter().find(|(known, ..)| known == name) else {
        let names: Vec<String> = known.into_iter().map(|(name, ..)| name).collect();
        return Err(names.join(", "));
    };
    let matrices = circuit_matrices(*policy, *shape);
    let digest = matrix_digest(&matrices);
    Ok((r1cs(matrices), circuit_name(*policy, *shape), digest))
}

/// How manifests name a policy's circuit of a shape.
pub fn circuit_name(policy: &dyn Policy, shape: Shape) -> CircuitShape {
    let cells = policy.cells();
    circuit_shape(policy.name(), Form { shape, cells })
}

fn r1cs(matrices: matrices::Matrices) -> R1cs {
    R1cs::new(
        matrices.a,
        matrices.b,
        matrices.c,
        matrices.num_instance_variables,
        matrices.num_witness_variables,
    )
    .expect("a seal circuit is far below the prover's limits")
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
