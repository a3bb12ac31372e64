//! Groth16 (<https://eprint.iacr.org/2016/260>) over BN254 with the circom reduction, everywhere: keys, proofs,
//! the plain prover and the strict verifier.

mod assignment;
mod key_codec;
mod keys;
mod proof;
mod prove;
mod reduction;
mod setup;
mod verify;

pub use assignment::Assignment;
pub use key_codec::KeyDecodeError;
pub use keys::{KeyError, KeyPart, ProvingKey, VerifyingKey};
pub use proof::{Groth16Proof, PROOF_BYTES, ProofDecodeError, ProofElement};
pub use prove::{ProveError, prove};
pub use reduction::CircomReduction;
pub(crate) use reduction::ab_minus_c;
pub use setup::{SetupProgress, SetupStage, insecure_dev_setup};
pub use verify::{PreparedVerifyingKey, VerifyError, verify};
