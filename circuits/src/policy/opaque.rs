//! The policy that demands nothing: bodies are opaque, there are no cells, P is zero.

use super::{Policy, PolicyViolation};
use crate::F;
use crate::seal::PublicSlot;
use ark_ff::AdditiveGroup;

/// No rule on contents.
pub struct Opaque;

impl Policy for Opaque {
    const FAMILY: u8 = 0;

    fn digest(&self) -> F {
        F::ZERO
    }

    fn check(&self, digest: F, slots: &[PublicSlot]) -> Result<(), PolicyViolation> {
        if digest != self.digest() {
            return Err(PolicyViolation::Digest);
        }
        match slots
            .iter()
            .position(|slot| slot.meta.cell_count != 0 || slot.cell != [F::ZERO; 2])
        {
            Some(slot) => Err(PolicyViolation::UnexpectedCell { slot }),
            None => Ok(()),
        }
    }
}
