//! What a circuit is for: its statement, and the shape or class of it.
//!
//! Invariant: a batch is judged under circuits of `seal/v1` alone; a proof of another statement is
//! no proof of a batch, whatever its public input. Knows nothing of keys or proofs.

use super::groth16::{UnusableCircuit, form_of};
use ukehi_circuits::shape::{Class, Form};
use ukehi_keys::{CircuitShape, Manifest};

/// The statement of selective disclosure, part of every such circuit's id.
pub const OPEN_STATEMENT: &str = "open/v1";
/// It has no policy.
const NO_POLICY: &str = "none";

/// A circuit of this release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitKind {
    /// `seal/v1`, with or without cells: a batch of this form.
    Seal(Form),
    /// `open/v1`: one slot of a batch of this class, disclosed.
    Open(Class),
}

/// What the manifest's circuit is for.
///
/// # Errors
/// [`UnusableCircuit::Shape`] for one this release does not have.
pub fn kind_of(manifest: &Manifest) -> Result<CircuitKind, UnusableCircuit> {
    let open = Class::ALL
        .into_iter()
        .find(|class| open_name(*class) == *manifest.shape());
    match open {
        Some(class) => Ok(CircuitKind::Open(class)),
        None => form_of(manifest).map(CircuitKind::Seal),
    }
}

/// How manifests and circuit ids name the disclosure circuit of a class.
#[must_use]
pub fn open_name(class: Class) -> CircuitShape {
    CircuitShape {
        statement: OPEN_STATEMENT.into(),
        policy: NO_POLICY.into(),
        slots: 1,
        class: class.name().into(),
    }
}
