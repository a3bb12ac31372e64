//! The formats of iden3's tools, snarkjs first among them: how strangers check what this crate makes, and how
//! what they make gets in.
//!
//! Invariant: nothing is taken from such a file that this crate's own decoders would refuse: canonical numbers,
//! points in the prime-order subgroups, exact counts, bounded sizes. Knows nothing of who wrote a file.

pub mod json;
pub mod solidity;
