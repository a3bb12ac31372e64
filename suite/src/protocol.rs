//! What the suite and a prover's process say to each other: a line of JSON each way, over stdin and stdout.
//!
//! The process loads its instance and says [`Reply::Ready`]; then every [`Request`] gets one [`Reply`]; it ends when
//! its stdin does. Invariants: 1. the time in a reply begins when the request was read and ends with the last proof,
//! loading and printing not among it; 2. the statement is never taken from a reply: the suite knows what it asked for.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A line's bound in bytes: a reply holds [`MAX_PROOFS`] proofs at most.
pub const MAX_LINE_BYTES: usize = 1 << 20;
/// Proofs one request may ask for.
pub const MAX_PROOFS: usize = 1024;

/// The files of an instance, as iden3's tools have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceFiles {
    pub r1cs: PathBuf,
    pub zkey: PathBuf,
    /// BLAKE3 of the key's file, in hex: who knows it need not check its points.
    pub zkey_digest: String,
    pub wtns: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// `repeats` proofs, one after the other, each on `threads` threads.
    Latency { threads: usize, repeats: usize },
    /// `repeats` proofs on each of `threads` threads at the same time.
    Throughput { threads: usize, repeats: usize },
    /// The peak of resident memory is forgotten, where the system can do that.
    ForgetPeak,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reply {
    Ready {
        /// What it is, with its version.
        prover: String,
        load_ms: f64,
    },
    Proofs {
        /// From the first proof's begin to the last one's end.
        ms: f64,
        /// Each in its 128 bytes (arkworks' compressed form), in hex.
        proofs: Vec<String>,
        /// Parts of the work and their milliseconds a proof, where the prover tells.
        #[serde(default)]
        stages: Vec<(String, f64)>,
    },
    Forgotten,
    /// This prover does not do that.
    Refused {
        why: String,
    },
}
