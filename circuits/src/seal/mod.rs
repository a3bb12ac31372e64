//! `seal/v1`: a batch of commands, encrypted to an epoch's readers, and the statement that it is.
//!
//! Four types: [`SealStatement`] is public, [`SealWitness`] secret, [`SealCircuit`] the rows that relate them, and
//! [`SealWitness::check`] the same relation natively. [`seal`] makes the first two; [`open`] is the reader.
//! Knows nothing of headers beyond their digests, nor of proofs.

mod cell;
pub(crate) mod circuit;
mod command;
mod group;
pub(crate) mod inputs;
mod make;
mod open;
mod statement;
#[cfg(test)]
mod tests;
mod witness;

pub use cell::CellRule;
pub use circuit::SealCircuit;
pub use command::{Command, SlotPlaintext};
pub use make::{SealError, SealedCommands, seal};
pub use open::{OpenError, Opened, OpenedCell, open};
pub use statement::{CellFault, PublicSlot, SealStatement, StatementError, StatementParts};
pub use witness::{SealWitness, WitnessError};
