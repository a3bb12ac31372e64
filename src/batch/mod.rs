//! Sealed batches: their header, their bytes, and the checks that make one a [`VerifiedBatch`].

mod groth16;
mod header;
mod kind;
mod sealed;
mod slot_list;
pub mod verify;

pub use groth16::{Groth16Verifier, UnusableCircuit, circuit_shape, form_of, shape_name};
pub use header::{Anchor, HEADER_BYTES, Header};
pub use kind::{CircuitKind, OPEN_STATEMENT, kind_of, open_name};
pub use sealed::{MAX_BATCH_BYTES, SIGNATURE_DOMAIN, SealedBatch};
pub(crate) use slot_list::op_fits;
pub use slot_list::{BulkReference, slot_list};
pub use verify::{BatchVerifier, Fault, NotYet, ProofItem, ProofVerifier, Verdict, VerifiedBatch};
