//! The secret side of a seal, and the native check that it belongs to a statement.
//!
//! Invariant: `check` accepts exactly the pairs that satisfy the circuit's rows.

use super::cell::{CellRule, CellSecret, CellSetting};
use super::statement::{PublicSlot, SealStatement};
use crate::F;
use crate::curve::Scalar;
use crate::policy::{self, Policy, PolicyViolation, SlotValues};
use crate::shape::CellUse;
use crate::slot::Op;
use crate::{cells, cipher, route};
use ark_ff::AdditiveGroup;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// e, k_route, and each active slot's plaintext. Zeroised on drop; never cloned, printed or stored.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SealWitness {
    pub(crate) e: Scalar,
    pub(crate) k_route: F,
    pub(crate) slots: Vec<SlotSecret>,
}

/// A slot's plaintext as field elements, and its cell's old opening. Without an operation in an inactive slot.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct SlotSecret {
    #[zeroize(skip)]
    pub op: Option<Op>,
    pub key: [F; 2],
    pub body: Vec<F>,
    pub cell: CellSecret,
}

impl SlotSecret {
    /// Key, then body: the order of the ciphertext.
    pub(crate) fn plaintext(&self) -> impl Iterator<Item = &F> {
        self.key.iter().chain(&self.body)
    }
}

/// Which rule a witness breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    #[error("the witness has {witness} slots, the statement {statement}")]
    SlotCount { statement: usize, witness: usize },
    #[error("the policy and the statement do not agree on cells")]
    OtherPolicy,
    #[error("the ephemeral point is not e·B8")]
    Ephemeral,
    #[error("the route commitment is not that of k_route")]
    RouteCommitment,
    #[error("the policy digest is not that of the policy's parameters")]
    PolicyDigest,
    #[error("slot {slot}: the operation is another")]
    Operation { slot: usize },
    #[error("slot {slot}: the route is not that of its key")]
    Route { slot: usize },
    #[error("slot {slot}: the ciphertext is not its plaintext's under the epoch key")]
    Ciphertext { slot: usize },
    #[error("slot {slot}: {rule}")]
    Cell { slot: usize, rule: CellRule },
    #[error(transparent)]
    Policy(#[from] PolicyViolation),
}

impl SealWitness {
    /// Every rule of `seal/v1` and of the policy, natively.
    pub fn check(
        &self,
        policy: &dyn Policy,
        statement: &SealStatement,
    ) -> Result<(), WitnessError> {
        if self.slots.len() != statement.slots.len() {
            return Err(WitnessError::SlotCount {
                statement: statement.slots.len(),
                witness: self.slots.len(),
            });
        }
        if policy.cells() != statement.form.cells {
            return Err(WitnessError::OtherPolicy);
        }
        if self.e.public_point() != statement.ephemeral {
            return Err(WitnessError::Ephemeral);
        }
        if route::commitment(self.k_route) != statement.route_commitment {
            return Err(WitnessError::RouteCommitment);
        }
        if policy::digest(policy) != statement.policy_digest {
            return Err(WitnessError::PolicyDigest);
        }
        let shared = statement.epoch_key.multiply(&self.e);
        let key = Zeroizing::new(cipher::content_key(&shared, statement.ctx));
        let shape = statement.form.shape;
        let mut stream = Zeroizing::new(Vec::new());
        let mut views = Vec::with_capacity(self.slots.len());
        for (slot, (secret, public)) in self.slots.iter().zip(&statement.slots).enumerate() {
            let (group, i) = (slot / shape.group_slots(), slot % shape.group_slots());
            if i == 0 {
                stream = cipher::keystream(*key, group, shape.stream_len());
            }
            self.check_slot(slot, public, &stream[shape.pad(i)])?;
            views.push(slot_values(
                policy,
                slot,
                secret,
                public,
                stream[shape.blind(i)],
            )?);
        }
        Ok(policy.check(&views)?)
    }

    fn check_slot(&self, slot: usize, public: &PublicSlot, pad: &[F]) -> Result<(), WitnessError> {
        let secret = &self.slots[slot];
        if route::route(&secret.key, self.k_route) != public.route {
            return Err(WitnessError::Route { slot });
        }
        let expected = secret.plaintext().zip(pad).map(|(plain, pad)| *plain + pad);
        if secret.plaintext().count() != public.ct.len() || !expected.eq(public.ct.iter().copied())
        {
            return Err(WitnessError::Ciphertext { slot });
        }
        Ok(())
    }
}

/// Checks a slot's cell and shows the slot to a policy.
pub(super) fn slot_values<'a>(
    policy: &dyn Policy,
    slot: usize,
    secret: &'a SlotSecret,
    public: &PublicSlot,
    next_blind: F,
) -> Result<SlotValues<'a>, WitnessError> {
    let op = public.meta.op;
    if secret.op != Some(op) {
        return Err(WitnessError::Operation { slot });
    }
    let body = secret.body.as_slice();
    let cell = match policy.cells() {
        CellUse::None => None,
        CellUse::Allowed => {
            let setting = CellSetting {
                family: cells::family(policy.name()),
                route: public.route,
                first: body.first().copied().unwrap_or(F::ZERO),
                next_blind,
            };
            let checked = secret.cell.check(op, public.cell, &setting);
            Some(checked.map_err(|rule| WitnessError::Cell { slot, rule })?)
        }
    };
    Ok(SlotValues { slot, cell, body })
}
