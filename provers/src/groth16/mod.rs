//! Groth16 (<https://eprint.iacr.org/2016/260>) over BN254 with the circom reduction, everywhere: keys, proofs,
//! the prover, ark-groth16's beside it as the reference, and the strict verifier.

mod assignment;
mod error;
mod key_codec;
mod keys;
mod proof;
mod proof_many;
mod prover;
mod reduction;
pub mod reference;
mod setup;
mod verify;

pub use assignment::Assignment;
pub use error::ProveError;
pub use key_codec::KeyDecodeError;
pub use keys::{KeyError, KeyPart, ProvingKey, VerifyingKey};
pub use proof::{Groth16Proof, PROOF_BYTES, ProofDecodeError, ProofElement};
pub use prover::{
    CacheUse, Cores, ProofStage, Prover, ProverOptions, TableBudget, TableCache, TableFacts,
    TableState, ZkeyProverError,
};
pub use reduction::CircomReduction;
pub use setup::{SetupProgress, SetupStage, insecure_dev_setup};
pub use verify::{PreparedVerifyingKey, VerifyError, verify};
