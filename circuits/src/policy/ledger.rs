//! The policy that keeps a sum: what a batch's cells hold afterwards is what they held before.
//!
//! Supply enters only where an admin mints a cell; a cell that a batch creates starts at 0. A guard changes nothing.

use super::{Policy, PolicyViolation, SlotNums, SlotValues};
use crate::F;
use crate::gadget::{Builder, Num};
use crate::shape::CellUse;
use ark_ff::Field;

/// Σ value' = Σ value over the cells of a batch.
pub struct Ledger;

impl Policy for Ledger {
    fn name(&self) -> &str {
        "ledger"
    }

    fn cells(&self) -> CellUse {
        CellUse::Allowed
    }

    fn check(&self, slots: &[SlotValues<'_>]) -> Result<(), PolicyViolation> {
        let sum =
            |of: fn(&SlotValues<'_>) -> u64| slots.iter().map(of).map(u128::from).sum::<u128>();
        if sum(|slot| slot.cell().value) == sum(|slot| slot.cell().new_value) {
            return Ok(());
        }
        Err(PolicyViolation {
            slot: None,
            rule: "the cells' new values do not sum to their old ones",
        })
    }

    // At most 64 values below 2^64 on each side: both sums are integers below 2^70, so equality in F is equality.
    // A slot without a cell has the values 0.
    fn constrain(&self, builder: &mut Builder, _parameters: &[Num], slots: &[SlotNums]) {
        let cells = slots.iter().map(SlotNums::cell);
        let terms = cells.flat_map(|cell| [(F::ONE, &cell.new_value), (-F::ONE, &cell.value)]);
        let difference = builder.sum(terms);
        builder.enforce_zero(&difference);
    }
}
