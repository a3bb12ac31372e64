//! The second phase of the Groth16 set-up for one circuit, as snarkjs 0.7.6 runs it (Bowe, Gabizon, Miers,
//! <https://eprint.iacr.org/2017/1050>): a key from a circuit and the powers of τ, contributions to its δ, a beacon, and
//! the checks of all of it.
//!
//! Invariants: 1. what is made here snarkjs makes byte for byte from the same input; 2. every check by random
//! combination has coefficients of 128 bits from the operating system, drawn after the points are fixed; 3. a share
//! is zeroised with the step that used it.
//! Knows nothing of who the contributors are, nor whether the circuit is the right one.

mod blake;
mod chain;
mod combine;
mod contribute;
mod dev_powers;
mod dev_zkey;
mod initial;
mod meter;
mod oracle;
mod powers;
mod powers_chain;
mod transcript;
mod verify;

pub use chain::{ChainFault, verify_chain};
pub use contribute::{ContributeError, ToxicShare, apply_beacon, contribute};
pub use dev_powers::insecure_dev_powers;
pub use dev_zkey::insecure_dev_zkey;
pub use initial::{InitialError, initial_zkey};
pub use oracle::{MAX_BEACON_BYTES, MAX_BEACON_ITERATIONS_LOG2, MIN_BEACON_ITERATIONS_LOG2};
pub use powers::{PowersError, PowersReport, PowersStep, verify_powers};
pub use powers_chain::ChainError as PowersChainError;
pub use transcript::contribution_hash;
pub use verify::{ZkeyReport, ZkeyVerifyError, verify_zkey};

/// Told (done, total) in units of work now and then; only their ratio means anything.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

#[cfg(test)]
mod tests;
