//! The policy that demands nothing: bodies are opaque, there are no cells, P is zero.

use super::{Policy, PolicyNums, PolicyViolation, SlotNums};
use crate::F;
use crate::gadget::Builder;
use crate::poseidon::gadget::Lane;
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

    // Constants in the hashes that make x: another digest or cell gives another x, so no row is needed.
    fn constrain(&self, _builder: &mut Builder, slots: &[SlotNums<'_>]) -> PolicyNums {
        let absent = [Lane::Constant(F::ZERO), Lane::Constant(F::ZERO)];
        PolicyNums {
            digest: Lane::Constant(self.digest()),
            cells: vec![absent; slots.len()],
        }
    }
}
