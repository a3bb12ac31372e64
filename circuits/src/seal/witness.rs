//! The secret side of a seal, and the native check that it belongs to a statement.
//!
//! Invariant: `check` accepts exactly the pairs that satisfy the circuit's rows.

use super::statement::SealStatement;
use crate::F;
use crate::cipher;
use crate::curve::Scalar;
use crate::policy::{Opaque, Policy, PolicyViolation};
use crate::route;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// e, k_route, and each active slot's plaintext. Zeroised on drop; never cloned, printed or stored.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SealWitness {
    pub(crate) e: Scalar,
    pub(crate) k_route: F,
    pub(crate) slots: Vec<SlotSecret>,
}

/// A slot's plaintext as field elements.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct SlotSecret {
    pub key: [F; 2],
    pub body: Vec<F>,
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
    #[error("the ephemeral point is not e·B8")]
    Ephemeral,
    #[error("the route commitment is not that of k_route")]
    RouteCommitment,
    #[error("slot {slot}: the route is not that of its key")]
    Route { slot: usize },
    #[error("slot {slot}: the ciphertext is not its plaintext's under the epoch key")]
    Ciphertext { slot: usize },
    #[error(transparent)]
    Policy(#[from] PolicyViolation),
}

impl SealWitness {
    /// Every rule of `seal/v1`, natively.
    pub fn check(&self, statement: &SealStatement) -> Result<(), WitnessError> {
        if self.slots.len() != statement.slots.len() {
            return Err(WitnessError::SlotCount {
                statement: statement.slots.len(),
                witness: self.slots.len(),
            });
        }
        if self.e.public_point() != statement.ephemeral {
            return Err(WitnessError::Ephemeral);
        }
        if route::commitment(self.k_route) != statement.route_commitment {
            return Err(WitnessError::RouteCommitment);
        }
        Opaque.check(statement.policy_digest, &statement.slots)?;
        let shared = statement.epoch_key.multiply(&self.e);
        let key = Zeroizing::new(cipher::content_key(&shared, statement.ctx));
        let shape = statement.shape;
        let mut stream = Zeroizing::new(Vec::new());
        for (slot, (secret, public)) in self.slots.iter().zip(&statement.slots).enumerate() {
            let (group, i) = (slot / shape.group_slots(), slot % shape.group_slots());
            if i == 0 {
                stream = cipher::keystream(*key, group, shape.stream_len());
            }
            if route::route(&secret.key, self.k_route) != public.route {
                return Err(WitnessError::Route { slot });
            }
            let expected = secret
                .plaintext()
                .zip(&stream[shape.pad(i)])
                .map(|(plain, stream)| *plain + stream);
            if secret.plaintext().count() != public.ct.len()
                || !expected.eq(public.ct.iter().copied())
            {
                return Err(WitnessError::Ciphertext { slot });
            }
        }
        Ok(())
    }
}
