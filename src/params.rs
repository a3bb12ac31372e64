//! Where circuits, provers and key files meet: a circuit one can prove with, and how it is set up.
//!
//! Invariants: 1. a loaded circuit's matrices are the ones its id commits to; 2. what a dev set-up
//! makes says INSECURE in its manifest. Knows nothing of batches or of nodes.

mod open;

pub use open::{OpenCircuit, OpenProveError, load_open};

use crate::batch::{
    CircuitKind, SHAPES, UnusableCircuit, circuit_shape, kind_of, open_name, shape_name,
};
use ark_ff::{BigInteger, PrimeField};
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use ukehi_circuits::matrices::{self, circuit_matrices, matrix_digest};
use ukehi_circuits::open as disclosure;
use ukehi_circuits::policy::{self, Opaque, Policy};
use ukehi_circuits::route::RouteSecret;
use ukehi_circuits::shape::{Class, Form, Shape};
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

    fn load(directory: &Path, manifest: &Manifest, shape: Shape) -> Result<Self, CircuitError> {
        let id = manifest.circuit_id();
        let name = &manifest.shape().policy;
        let unknown = || CircuitError::UnknownPolicy {
            circuit: id,
            policy: name.clone(),
        };
        let policy = policy::named(name).ok_or_else(unknown)?;
        let (r1cs, key) = load_keys(directory, manifest, circuit_matrices(policy, shape))?;
        Ok(Self {
            id,
            shape,
            policy,
            r1cs: Arc::new(r1cs),
            key: Arc::new(key),
        })
    }
}

/// The constraints and the proving key of a manifest's circuit, which has these matrices.
fn load_keys(
    directory: &Path,
    manifest: &Manifest,
    matrices: matrices::Matrices,
) -> Result<(R1cs, ProvingKey), CircuitError> {
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
    let same_key = key.verifying_key().to_bytes() == manifest.verifying_key();
    if !key.belongs_to(&r1cs) || !same_key {
        return Err(CircuitError::OtherKey { circuit: id });
    }
    Ok((r1cs, key))
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
    let manifests = files::list(directory)?;
    let mut circuits = Vec::new();
    for id in registered {
        let manifest = manifests.iter().find(|m| m.circuit_id() == *id);
        let manifest = manifest.ok_or_else(|| CircuitError::Missing {
            circuit: *id,
            directory: directory.display().to_string(),
        })?;
        if let CircuitKind::Seal(form) = kind_of(manifest)? {
            circuits.push(Arc::new(Circuit::load(directory, manifest, form.shape)?));
        }
    }
    Ok(circuits)
}

/// Makes parameters for every shape of [`SHAPES`] and for disclosing from each of their classes,
/// alone, from the system's randomness: INSECURE, since whoever runs it could forge proofs. `progress` gets (done, total) in group elements.
///
/// # Errors
/// [`CircuitError`]; existing files are never overwritten.
pub fn insecure_dev_params(
    directory: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<Vec<Manifest>, CircuitError> {
    let mut classes: Vec<Class> = SHAPES.iter().map(|shape| shape.class()).collect();
    classes.sort_unstable();
    classes.dedup();
    let sealing = SHAPES.map(|shape| (shape_name(shape), circuit_matrices(&Opaque, shape)));
    let opening = classes
        .into_iter()
        .map(|class| (open_name(class), disclosure::circuit_matrices(class)));
    let circuits: Vec<(CircuitShape, [u8; 32], R1cs)> = sealing
        .into_iter()
        .chain(opening)
        .map(|(name, matrices)| (name, matrix_digest(&matrices), r1cs(matrices)))
        .collect();
    // The smaller circuits' shares are told from their domains before their set-ups run.
    let weights: Vec<u64> = circuits.iter().map(|c| c.2.domain_size() as u64).collect();
    let total: u64 = weights.iter().sum();
    let mut before = 0;
    let mut manifests = Vec::new();
    for ((name, digest, r1cs), weight) in circuits.iter().zip(weights) {
        let (key, verifying_key) = insecure_dev_setup(r1cs, |p| {
            progress(
                before + weight * p.done as u64 / p.total.max(1) as u64,
                total,
            );
        })?;
        before += weight;
        let parts = CircuitParts {
            shape: name.clone(),
            matrix_digest: *digest,
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
            let name = stem(&circuit_name(policy, shape));
            (name, policy, shape)
        })
        .collect()
}

fn stem(shape: &CircuitShape) -> String {
    let name = shape.file_stem();
    name.expect("the names of this release's circuits are plain")
}

/// A circuit of [`catalogue`], or of `open/v1`, by its name: its matrices, how manifests name it, and its matrix digest.
///
/// # Errors
/// The names there are.
pub fn circuit_named(name: &str) -> Result<(R1cs, CircuitShape, [u8; 32]), String> {
    let opening = Class::ALL.map(|class| (stem(&open_name(class)), class));
    if let Some((_, class)) = opening.iter().find(|(known, _)| known == name) {
        let matrices = disclosure::circuit_matrices(*class);
        let digest = matrix_digest(&matrices);
        return Ok((r1cs(matrices), open_name(*class), digest));
    }
    let known = catalogue();
    let Some((_, policy, shape)) = known.iter().find(|(known, ..)| known == name) else {
        let sealing = known.into_iter().map(|(name, ..)| name);
        let names: Vec<String> = sealing.chain(opening.map(|(name, _)| name)).collect();
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
