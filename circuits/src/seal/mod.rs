//! `seal/v1`: a batch of commands, encrypted to an epoch's readers, and the statement that it is.
//!
//! Four types: [`SealStatement`] is public, [`SealWitness`] secret, [`SealCircuit`] the rows that relate them, and
//! [`SealWitness::check`] the same relation natively. [`seal`] makes the first two; [`open`] is the reader.
//! Knows nothing of headers beyond their digests, nor of proofs.

pub(crate) mod circuit;
mod group;
pub(crate) mod inputs;
mod make;
mod open;
mod statement;
#[cfg(test)]
mod tests;
mod witness;

pub use circuit::SealCircuit;
pub use make::{SealError, SlotPlaintext, seal};
pub use open::{OpenError, Opened, open};
pub use statement::{PublicSlot, SealStatement, StatementError, StatementParts};
pub use witness::{SealWitness, WitnessError};
