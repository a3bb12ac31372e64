//! A policy of one's own: a dose in a cell stays within a prescribed range, and changes by at most a step.
//!
//! Rules, for each update of a cell: least ≤ value' ≤ most, and |value' − value| ≤ step unless the update creates the
//! cell. A guard changes nothing and is not judged. Uses `ukehi_circuits` alone.

use ukehi_circuits::gadget::{Builder, Num};
use ukehi_circuits::policy::{Policy, PolicyViolation, SlotNums, SlotValues};
use ukehi_circuits::slot::Op;
use ukehi_circuits::{CellUse, F};

/// Doses in micrograms. The three numbers are public, and below 2^64 because they are u64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoseRange {
    pub least: u64,
    pub most: u64,
    /// How far one update may go, either way.
    pub step: u64,
}

pub const OUT_OF_RANGE: &str = "the dose is outside the prescribed range";
pub const TOO_FAR: &str = "the dose changes by more than a step";

impl Policy for DoseRange {
    fn name(&self) -> &str {
        "dose_range"
    }

    fn cells(&self) -> CellUse {
        CellUse::Allowed
    }

    fn parameters(&self) -> Vec<F> {
        [self.least, self.most, self.step].map(F::from).to_vec()
    }

    fn check(&self, slots: &[SlotValues<'_>]) -> Result<(), PolicyViolation> {
        for slot in slots {
            let cell = slot.cell();
            if cell.op != Op::Update {
                continue;
            }
            let broken = |rule| PolicyViolation {
                slot: Some(slot.slot),
                rule,
            };
            if !(self.least..=self.most).contains(&cell.new_value) {
                return Err(broken(OUT_OF_RANGE));
            }
            if !cell.created && cell.new_value.abs_diff(cell.value) > self.step {
                return Err(broken(TOO_FAR));
            }
        }
        Ok(())
    }

    // No variable of our own, so nothing that could have two values: `enforce_at_most` decomposes b − a into bits, and
    // in F a number below 2^65 has one such decomposition. Values are below 2^64 by the statement, parameters because
    // an honest P is made of u64s; so differences of them lie within ±2^65, and a negative one, being p − d with
    // d ≤ 2^65, has no 65 bits. In an inactive slot and under every other operation both flags are 0, which satisfies.
    fn constrain(&self, builder: &mut Builder, parameters: &[Num], slots: &[SlotNums]) {
        let [least, most, step] = parameters else {
            unreachable!("`parameters` gives three")
        };
        for cell in slots.iter().map(SlotNums::cell) {
            let (old, new) = (&cell.value, &cell.new_value);
            builder.enforce_at_most(least, new, 64, &cell.update);
            builder.enforce_at_most(new, most, 64, &cell.update);
            // `created` is 1 in updates only: 1 or 0.
            let existed = &cell.update - &cell.created;
            builder.enforce_at_most(new, &(old + step), 65, &existed);
            builder.enforce_at_most(old, &(new + step), 65, &existed);
        }
    }
}
