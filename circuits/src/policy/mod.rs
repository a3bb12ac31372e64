//! What a keyspace demands of a batch beyond being readable and routed: a gadget and its native twin.
//!
//! This is the library's extension point: a [`Policy`] of your own gives circuits of its own. `docs/policies.md` walks
//! through one. Invariants: 1. whatever `constrain` enforces, `check` finds, and the reverse; 2. the rows of a policy
//! depend on its name and the shape alone, never on parameters or values. Knows nothing of encryption.

mod ledger;
mod opaque;
mod view;

pub use ledger::Ledger;
pub use opaque::Opaque;
pub use view::{CellNums, CellValues, SlotNums, SlotValues};

use crate::F;
use crate::cells;
use crate::gadget::{Builder, Num};
use crate::poseidon::{self, Domain, gadget::Lane};
use crate::shape::CellUse;
use ark_ff::AdditiveGroup;

/// A policy of a keyspace.
pub trait Policy: Send + Sync {
    /// The policy's name in manifests: a-z, 0-9 and _. It also names the family of its cells: another name, other cells.
    fn name(&self) -> &str;

    /// Whether commands may have cells. Fixed for a name.
    fn cells(&self) -> CellUse;

    /// The public parameters, which a keyspace registers by their digest P. Their number is fixed for a name.
    fn parameters(&self) -> Vec<F> {
        Vec::new()
    }

    /// The policy natively, over the active slots in order.
    fn check(&self, slots: &[SlotValues<'_>]) -> Result<(), PolicyViolation>;

    /// The policy as rows, over every slot of the shape. Parameters are the `parameters` given, never `self`'s: one
    /// circuit serves them all. An inactive slot has every flag and value 0 and must satisfy the rows.
    fn constrain(&self, builder: &mut Builder, parameters: &[Num], slots: &[SlotNums]);
}

/// P: `H_Policy(family, parameters)`, or 0 for a policy without parameters.
pub fn digest(policy: &dyn Policy) -> F {
    let mut inputs = policy.parameters();
    if inputs.is_empty() {
        return F::ZERO;
    }
    inputs.insert(0, cells::family(policy.name()));
    poseidon::hash(Domain::Policy, &inputs)
}

/// Twin of [`digest`].
pub(crate) fn constrain_digest(
    builder: &mut Builder,
    policy: &dyn Policy,
    parameters: &[Num],
) -> Lane {
    if parameters.is_empty() {
        return Lane::Constant(F::ZERO);
    }
    let mut lanes = vec![Lane::Constant(cells::family(policy.name()))];
    lanes.extend(parameters.iter().map(Lane::from));
    Lane::Num(poseidon::gadget::hash(builder, Domain::Policy, &lanes))
}

/// The policies this library ships.
pub const SHIPPED: [&dyn Policy; 2] = [&Opaque, &Ledger];

/// A policy this library ships, by its name.
pub fn named(name: &str) -> Option<&'static dyn Policy> {
    SHIPPED.into_iter().find(|policy| policy.name() == name)
}

/// A batch breaks its keyspace's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyViolation {
    /// The slot at fault, if it is one slot's.
    pub slot: Option<usize>,
    /// The rule it breaks, in words.
    pub rule: &'static str,
}

impl std::fmt::Display for PolicyViolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.slot {
            Some(slot) => write!(f, "slot {slot}: {}", self.rule),
            None => f.write_str(self.rule),
        }
    }
}

impl std::error::Error for PolicyViolation {}
