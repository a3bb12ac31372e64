//! The files of iden3's tools (circom, snarkjs 0.7.6) for Groth16 over BN254: `.r1cs`, `.wtns`, `.ptau`, `.zkey`, the JSON
//! of keys and proofs, and a contract that verifies: how strangers check what this crate makes, and how theirs gets in.
//!
//! Invariants: 1. what is written is byte for byte what snarkjs writes for the same content; 2. what is read is
//! in its one encoding: field elements below the modulus, points on the curve and in the subgroup, sections
//! once each and of exactly the length their counts ask for, nothing after the last; 3. memory is bounded by the
//! file's own length, never by a count inside it.
//! Knows nothing of ceremonies, or of who made a file.

mod coefficients;
mod contributions;
mod digest;
mod error;
pub mod json;
mod points;
mod ptau;
mod ptau_write;
mod r1cs;
mod scalars;
mod sections;
pub mod solidity;
mod subgroup;
mod wtns;
mod zkey;

pub(crate) use coefficients::encode_coefficients;
pub use contributions::{
    Contribution, ContributionKind, MAX_CONTRIBUTIONS, MAX_NAME_BYTES, PhaseTwo, TRANSCRIPT_BYTES,
};
pub use digest::file_digest;
pub use error::{FileError, FileKind};
pub use points::Iden3Point;
pub use ptau::{MAX_POWER, PARTIAL_HASH_BYTES, Ptau, PtauContribution, PtauPublicKey, PtauSection};
pub use ptau_write::{PtauContent, write_ptau};
pub(crate) use r1cs::one_term_per_wire;
pub use r1cs::{read_r1cs, write_r1cs};
pub use wtns::{read_wtns, write_wtns};
pub use zkey::{Zkey, ZkeyHeader, ZkeySection};
