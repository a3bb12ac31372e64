//! Circuits by what they are for, as people write them: POLICY/CLASS/SLOTS, such as `ledger/short/8`.
//!
//! Invariant: a name stands for a circuit of this release, so its matrices can be built.

use super::circuit_name;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use ukehi_circuits::matrices::{Matrices, circuit_matrices};
use ukehi_circuits::policy::{self, Policy};
use ukehi_circuits::shape::{Class, Shape};
use ukehi_keys::CircuitShape;

/// A circuit of `seal/v1`.
#[derive(Clone, Copy)]
pub struct CircuitName {
    policy: &'static dyn Policy,
    shape: Shape,
}

/// The text names no circuit of this release.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "there is no circuit {text:?}: write POLICY/CLASS/SLOTS with opaque or ledger, short or long, 1, 8 or 64"
)]
pub struct UnknownCircuitName {
    pub text: String,
}

impl CircuitName {
    /// What measurements and most tests need: one short command, and eight, without a policy.
    #[must_use]
    pub fn opaque_short() -> Vec<Self> {
        Self::several(&["opaque/short/1", "opaque/short/8"])
    }

    /// What a testnet is made with.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        Self::several(&[
            "opaque/short/1",
            "opaque/short/8",
            "opaque/long/1",
            "ledger/short/8",
        ])
    }

    /// Every circuit of this release.
    #[must_use]
    pub fn all() -> Vec<Self> {
        policy::SHIPPED
            .into_iter()
            .flat_map(|policy| Shape::ALL.map(|shape| Self { policy, shape }))
            .collect()
    }

    fn several(names: &[&str]) -> Vec<Self> {
        let parse = |name: &&str| name.parse().expect("a name of this release");
        names.iter().map(parse).collect()
    }

    #[must_use]
    pub fn policy(&self) -> &'static dyn Policy {
        self.policy
    }

    pub(super) fn matrices(&self) -> Matrices {
        circuit_matrices(self.policy, self.shape)
    }

    /// How manifests and circuit ids name it.
    #[must_use]
    pub fn manifest_shape(&self) -> CircuitShape {
        circuit_name(self.policy, self.shape)
    }
}

impl FromStr for CircuitName {
    type Err = UnknownCircuitName;

    fn from_str(text: &str) -> Result<Self, UnknownCircuitName> {
        let read = || {
            let (policy, rest) = text.split_once('/')?;
            let (class, slots) = rest.split_once('/')?;
            let class = Class::ALL.into_iter().find(|c| c.name() == class)?;
            let shape = Shape::new(slots.parse().ok()?, class).ok()?;
            let policy = policy::named(policy)?;
            Some(Self { policy, shape })
        };
        // Only the one spelling: "08" slots are none.
        let name = read().filter(|name: &Self| name.to_string() == text);
        name.ok_or_else(|| UnknownCircuitName {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for CircuitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, slots) = (self.shape.class().name(), self.shape.slots());
        write!(f, "{}/{class}/{slots}", self.policy.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_circuit_has_one_name_and_comes_back() {
        let all = CircuitName::all();
        assert_eq!(all.len(), policy::SHIPPED.len() * Shape::ALL.len());
        for name in &all {
            let text = name.to_string();
            assert_eq!(text.parse::<CircuitName>().unwrap().to_string(), text);
        }
        for name in CircuitName::usual() {
            assert!(all.iter().any(|n| n.to_string() == name.to_string()));
        }
        for text in [
            "",
            "opaque",
            "opaque/short/2",
            "none/short/1",
            "opaque/short/08",
        ] {
            assert!(text.parse::<CircuitName>().is_err(), "{text}");
        }
    }
}
