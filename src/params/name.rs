//! Circuits by the names their parameters' files have, such as `seal-1-short-opaque`.
//!
//! Invariants: 1. the matrices of a name's circuit can be built; 2. a text names circuits of this release only: one of
//! a policy of one's own is made with [`CircuitName::seal`].

use crate::batch::{circuit_shape, open_name};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use ukehi_circuits::matrices::{Matrices, circuit_matrices};
use ukehi_circuits::open;
use ukehi_circuits::policy::{self, Policy};
use ukehi_circuits::shape::{Class, Form, Shape};
use ukehi_keys::CircuitShape;

/// A circuit of this release, or of a policy of one's own.
#[derive(Clone, Copy)]
pub struct CircuitName(Circuit);

#[derive(Clone, Copy)]
enum Circuit {
    Seal {
        policy: &'static dyn Policy,
        shape: Shape,
    },
    Open(Class),
}

/// The text names no circuit of this release.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("this release has no circuit {text:?}; it has {}", known())]
pub struct UnknownCircuitName {
    pub text: String,
}

impl CircuitName {
    /// What measurements and most tests need: one short command, and eight, without a policy.
    #[must_use]
    pub fn opaque_short() -> Vec<Self> {
        Self::several(&["seal-1-short-opaque", "seal-8-short-opaque"])
    }

    /// What a testnet is made with.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        Self::several(&[
            "seal-1-short-opaque",
            "seal-8-short-opaque",
            "seal-1-long-opaque",
            "seal_cells-8-short-ledger",
            "open-1-short-none",
        ])
    }

    /// Every circuit of this release.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let seal = policy::SHIPPED
            .into_iter()
            .flat_map(|policy| Shape::ALL.map(|shape| Self(Circuit::Seal { policy, shape })));
        let open = Class::ALL.map(|class| Self(Circuit::Open(class)));
        seal.chain(open).collect()
    }

    fn several(names: &[&str]) -> Vec<Self> {
        let parse = |name: &&str| name.parse().expect("a name of this release");
        names.iter().map(parse).collect()
    }

    /// The circuit of batches of this shape under a policy, be it this release's or not. The policy's name must be
    /// plain (a-z, 0-9 and _), or no parameters can be written.
    #[must_use]
    pub fn seal(policy: &'static dyn Policy, shape: Shape) -> Self {
        Self(Circuit::Seal { policy, shape })
    }

    /// The policy of a batch's circuit; a disclosure's has none.
    #[must_use]
    pub fn policy(&self) -> Option<&'static dyn Policy> {
        match self.0 {
            Circuit::Seal { policy, .. } => Some(policy),
            Circuit::Open(_) => None,
        }
    }

    /// The shape of a batch's circuit; a disclosure's has none.
    #[must_use]
    pub fn shape(&self) -> Option<Shape> {
        match self.0 {
            Circuit::Seal { shape, .. } => Some(shape),
            Circuit::Open(_) => None,
        }
    }

    pub(super) fn matrices(&self) -> Matrices {
        match self.0 {
            Circuit::Seal { policy, shape } => circuit_matrices(policy, shape),
            Circuit::Open(class) => open::circuit_matrices(class),
        }
    }

    /// How manifests and circuit ids name it.
    #[must_use]
    pub fn manifest_shape(&self) -> CircuitShape {
        match self.0 {
            Circuit::Seal { policy, shape } => {
                let cells = policy.cells();
                circuit_shape(policy.name(), Form { shape, cells })
            }
            Circuit::Open(class) => open_name(class),
        }
    }
}

fn known() -> String {
    let names: Vec<String> = CircuitName::all().iter().map(ToString::to_string).collect();
    names.join(", ")
}

impl FromStr for CircuitName {
    type Err = UnknownCircuitName;

    fn from_str(text: &str) -> Result<Self, UnknownCircuitName> {
        let all = CircuitName::all().into_iter();
        let mut found = all.filter(|name| name.to_string() == text);
        found.next().ok_or_else(|| UnknownCircuitName {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for CircuitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stem = self.manifest_shape().file_stem();
        f.write_str(&stem.expect("the names of this release's circuits are plain"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_circuit_has_a_name_of_its_own_and_comes_back() {
        let all = CircuitName::all();
        let names: BTreeSet<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), all.len());
        for text in &names {
            assert_eq!(text.parse::<CircuitName>().unwrap().to_string(), *text);
        }
        for name in CircuitName::usual() {
            assert!(names.contains(&name.to_string()));
        }
        for text in ["", "opaque", "seal-2-short-opaque", "seal-08-short-opaque"] {
            assert!(text.parse::<CircuitName>().is_err(), "{text}");
        }
    }
}
