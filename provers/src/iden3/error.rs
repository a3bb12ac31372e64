//! What can be wrong with a file of iden3's formats.

use std::fmt;
use std::io;

use crate::R1csError;

/// Which of the formats is meant, by the four bytes it starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    R1cs,
    Ptau,
    Zkey,
    Wtns,
}

impl FileKind {
    pub(super) fn magic(self) -> &'static [u8; 4] {
        match self {
            Self::R1cs => b"r1cs",
            Self::Ptau => b"ptau",
            Self::Zkey => b"zkey",
            Self::Wtns => b"wtns",
        }
    }

    /// The newest version this crate reads; also the one it writes.
    pub(super) fn version(self) -> u32 {
        match self {
            Self::R1cs | Self::Ptau | Self::Zkey => 1,
            Self::Wtns => 2,
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::R1cs => ".r1cs",
            Self::Ptau => ".ptau",
            Self::Zkey => ".zkey",
            Self::Wtns => ".wtns",
        })
    }
}

/// Why bytes are not a file of their kind. Offsets and lengths are in bytes.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("it cannot be read or written: {0}")]
    Io(#[from] io::Error),
    #[error("it is not a {expected} file")]
    Kind { expected: FileKind },
    #[error("it is a {kind} file of version {found}, this release reads version {known}")]
    Version {
        kind: FileKind,
        found: u32,
        known: u32,
    },
    #[error("it ends inside {what}: it is cut short")]
    Truncated { what: &'static str },
    #[error("{excess} bytes follow its last section")]
    Trailing { excess: u64 },
    #[error("it has no section {id}")]
    SectionMissing { id: u32 },
    #[error("section {id} occurs twice")]
    SectionTwice { id: u32 },
    #[error("section {id} has {found} bytes, its content asks for {expected}")]
    SectionLength { id: u32, expected: u64, found: u64 },
    #[error("{what} is {found}, at most {limit} is read")]
    Limit {
        what: &'static str,
        found: u64,
        limit: u64,
    },
    #[error("it is not over BN254")]
    Curve,
    #[error("its BLAKE3 digest is {}, not the given {}", hex(found), hex(expected))]
    Digest { expected: [u8; 32], found: [u8; 32] },
    #[error("its proof system has the number {found}; Groth16 is 1")]
    ProofSystem { found: u32 },
    #[error("section {id}, point {index} is not a point of the prime-order subgroup")]
    NotInGroup { id: u32, index: u64 },
    #[error("section {id}: a field element is not below the modulus")]
    NotReduced { id: u32 },
    #[error("constraint {constraint} names wire {wire} twice in one combination")]
    WireTwice { constraint: usize, wire: u32 },
    #[error("{what}")]
    Malformed { what: &'static str },
    #[error(transparent)]
    R1cs(#[from] R1csError),
}

fn hex(digest: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*digest).to_hex().to_string()
}
