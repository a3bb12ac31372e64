//! The policy that demands nothing: bodies are opaque, there are no cells, P is zero.

use super::{Policy, PolicyViolation, SlotNums, SlotValues};
use crate::gadget::{Builder, Num};
use crate::shape::CellUse;

/// No rule on contents.
pub struct Opaque;

impl Policy for Opaque {
    fn name(&self) -> &str {
        "opaque"
    }

    fn cells(&self) -> CellUse {
        CellUse::None
    }

    fn check(&self, _slots: &[SlotValues<'_>]) -> Result<(), PolicyViolation> {
        Ok(())
    }

    fn constrain(&self, _builder: &mut Builder, _parameters: &[Num], _slots: &[SlotNums]) {}
}
