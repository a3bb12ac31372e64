//! Synthetic circuits by family and size: what provers are compared on.
//!
//! Invariants: 1. an instance's domain is 2^size: it has more constraints than half of that and no more than all;
//! 2. the same family and size always give the same circuit and the same witness; 3. the assignment satisfies it.
//! Knows nothing of keys or files ([`files`]).

mod builder;
mod facts;
pub mod files;
mod poseidon;
mod sha;
mod sparse;

pub use facts::Facts;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use ukehi_provers::groth16::Assignment;
use ukehi_provers::{Fr, R1cs};

/// Sizes on offer, as log2 of the domain.
pub const SIZES: std::ops::RangeInclusive<u32> = 10..=20;

/// How a circuit's rows and its witness look, which is what provers differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// A chain of Poseidon permutations (t = 3) with linear layers inlined: dense rows, full-width scalars.
    Poseidon,
    /// Rounds like SHA-256's: almost every variable is a bit, rows are short.
    Sha,
    /// One term in each of A, B and C: the least that rows can hold; full-width scalars.
    Sparse,
}

/// The family and size of a synthetic instance's name.
#[must_use]
pub fn size_of(instance: &str) -> Option<(Family, u32)> {
    let (family, size) = instance.rsplit_once('-')?;
    Some((family.parse().ok()?, size.parse().ok()?))
}

/// A circuit with a satisfying assignment.
pub struct Instance {
    pub r1cs: R1cs,
    pub assignment: Assignment,
}

impl Family {
    pub const ALL: [Family; 3] = [Family::Poseidon, Family::Sha, Family::Sparse];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Family::Poseidon => "poseidon",
            Family::Sha => "sha",
            Family::Sparse => "sparse",
        }
    }

    /// The instance of domain 2^`size`.
    ///
    /// # Panics
    /// If `size` is not in [`SIZES`].
    #[must_use]
    pub fn instance(self, size: u32) -> Instance {
        assert!(SIZES.contains(&size), "sizes are 10 to 20");
        // The constant and the public input have rows of their own in the domain.
        let rows = (1usize << size) - 2;
        let builder = match self {
            Family::Poseidon => poseidon::chain(rows),
            Family::Sha => sha::rounds(rows),
            Family::Sparse => sparse::products(rows),
        };
        builder.finish()
    }

    /// What an instance of this family is called.
    #[must_use]
    pub fn at(self, size: u32) -> String {
        format!("{}-{size}", self.name())
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no family of circuits is called {0:?}; there are poseidon, sha and sparse")]
pub struct UnknownFamily(pub String);

impl FromStr for Family {
    type Err = UnknownFamily;

    fn from_str(text: &str) -> Result<Self, UnknownFamily> {
        let mut all = Family::ALL.into_iter();
        all.find(|f| f.name() == text)
            .ok_or_else(|| UnknownFamily(text.to_owned()))
    }
}

impl Instance {
    /// The statement: the public inputs, without the constant.
    #[must_use]
    pub fn inputs(&self) -> &[Fr] {
        &self.assignment.as_slice()[1..self.r1cs.instance_variables()]
    }

    #[must_use]
    pub fn facts(&self) -> Facts {
        Facts::of(&self.r1cs, self.assignment.as_slice())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
