//! The proving layer: Groth16 over BN254 for circuits given as plain R1CS matrices.
//!
//! Invariants:
//! 1. a proof leaves this crate only after it verified under the key that made it;
//! 2. every decoder takes exactly one encoding per value: exact length, checked subgroup, no identity
//!    where a protocol element is expected;
//! 3. only a single, strict verification calls a proof bad; the batch product merely narrows the search;
//! 4. one proof occupies one thread; parallelism is between proofs.
//!
//! Knows nothing of statements, commands, consensus, paths or clocks: the circuit is three matrices, the
//! statement is a slice of field elements, a file is something one reads, writes and seeks in.
// Allowed in the rooms of vector code, `kernel::ifma` and `lanes`.
#![deny(unsafe_code)]

pub mod arkworks;
pub mod batch_verify;
pub mod ceremony;
pub mod groth16;
pub mod iden3;
pub mod kernel;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(not(target_arch = "x86_64"))]
#[path = "lanes/absent.rs"]
mod lanes;
pub mod msm;
pub mod ntt;
pub mod pool;
mod priority;
mod r1cs;
mod randomness;

pub use ark_bn254::Fr;
pub use r1cs::{MatrixName, R1cs, R1csError};
pub use randomness::RandomnessUnavailable;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod timings;
#[cfg(all(test, target_os = "linux"))]
mod verify_timings;
