//! The cell of a slot, twice: as a native check and as rows.
//!
//! Rows see the operation of a slot as five booleans that sum to the slot's flag, and the leaf holds
//! put + 2·update + 3·guard + 4·put_bulk, which is 0 to 4 and so fixes them. `created` is fixed by the public old
//! commitment: 0 if it is 1, a Poseidon digest if it is 0. Where no old cell exists its value, version and blinding are
//! 0 by rows; where one exists the digest fixes them. The version needs no range: it starts at 0 or where an admin
//! minted it and grows by one an update. The new value is the first element of the encrypted body and the new blinding
//! an element of the keystream, so a reader can open the new cell and go on.

use crate::F;
use crate::cells;
use crate::gadget::{Builder, Num};
use crate::policy::{CellNums, CellValues};
use crate::slot::Op;
use ark_ff::{AdditiveGroup, Field};
use zeroize::Zeroize;

/// A cell's old opening; all zero where there is none.
#[derive(Zeroize, Default)]
pub(crate) struct CellSecret {
    /// The command is an update of a cell that does not exist.
    pub created: bool,
    pub value: F,
    pub version: F,
    pub blind: F,
}

/// Which rule on a cell a witness breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CellRule {
    #[error("the old opening of no cell is not zero")]
    Absent,
    #[error("only an update creates a cell")]
    Created,
    #[error("a value is not below 2^64")]
    Range,
    #[error("a guard changes its cell")]
    Guard,
    #[error("the old commitment is not its opening's")]
    Old,
    #[error("the new commitment is not that of the new value")]
    New,
}

/// What a cell's commitments are made of beside its openings.
pub(super) struct CellSetting<T> {
    pub family: F,
    pub route: T,
    /// Element 0 of the body.
    pub first: T,
    /// The slot's blinding element of the keystream.
    pub next_blind: T,
}

impl CellSecret {
    /// The commitments (old, new) of an operation.
    pub(super) fn commitments(&self, op: Op, setting: &CellSetting<F>) -> [F; 2] {
        if !op.has_cell() {
            return [F::ZERO; 2];
        }
        let hash = |value, version, blind| {
            cells::hash(setting.family, setting.route, value, version, blind)
        };
        let old = if self.created {
            F::ZERO
        } else {
            hash(self.value, self.version, self.blind)
        };
        let new = match op {
            Op::Guard => old,
            _ => hash(setting.first, self.version + F::ONE, setting.next_blind),
        };
        [old, new]
    }

    /// Every rule of a cell, natively; twin of [`constrain`].
    pub(super) fn check(
        &self,
        op: Op,
        public: [F; 2],
        setting: &CellSetting<F>,
    ) -> Result<CellValues, CellRule> {
        if self.created && op != Op::Update {
            return Err(CellRule::Created);
        }
        let nothing = self.value == F::ZERO && self.version == F::ZERO && self.blind == F::ZERO;
        if (self.created || !op.has_cell()) && !nothing {
            return Err(CellRule::Absent);
        }
        let new_value = if op.has_cell() {
            setting.first
        } else {
            F::ZERO
        };
        let (Some(value), Some(new_value)) =
            (cells::as_u64(&self.value), cells::as_u64(&new_value))
        else {
            return Err(CellRule::Range);
        };
        if op == Op::Guard && value != new_value {
            return Err(CellRule::Guard);
        }
        let [old, new] = self.commitments(op, setting);
        if old != public[0] {
            return Err(CellRule::Old);
        }
        if new != public[1] {
            return Err(CellRule::New);
        }
        Ok(CellValues {
            op,
            created: self.created,
            value,
            new_value,
        })
    }
}

/// Flags of put, update, guard and bulk put: booleans that sum to `active`.
fn operation(builder: &mut Builder, active: &Num, op: Option<Op>) -> [Num; 4] {
    let [update, guard, put_bulk] =
        [Op::Update, Op::Guard, Op::PutBulk].map(|flag| builder.boolean(op == Some(flag)));
    let put = &(&(active - &update) - &guard) - &put_bulk;
    builder.enforce_boolean(&put);
    [put, update, guard, put_bulk]
}

/// Twin of [`CellSecret::check`]. Returns the policy's view and what the leaf takes: op, old, new.
pub(super) fn constrain(
    builder: &mut Builder,
    active: &Num,
    op: Option<Op>,
    secret: &CellSecret,
    setting: &CellSetting<Num>,
) -> (CellNums, [Num; 3]) {
    let one = builder.constant(F::ONE);
    let [put, update, guard, put_bulk] = operation(builder, active, op);
    let created = builder.boolean(secret.created);
    let not_update = builder.product(&created, &(&one - &update));
    builder.enforce_zero(&not_update);

    let present = &update + &guard;
    let value = builder.input(secret.value);
    builder.range_check(&value, 64);
    let new_value = builder.product(&present, &setting.first);
    builder.range_check(&new_value, 64);
    let (version, blind) = (builder.input(secret.version), builder.input(secret.blind));
    let exists = &present - &created;
    let (absent, zero) = (&one - &exists, builder.constant(F::ZERO));
    for old in [&value, &version, &blind] {
        builder.enforce(&absent, old, &zero);
    }
    builder.enforce(&guard, &(&new_value - &value), &zero);

    let (family, route) = (setting.family, &setting.route);
    let old = cells::constrain(builder, family, [route, &value, &version, &blind]);
    let next = [route, &new_value, &(&version + &one), &setting.next_blind];
    let new = cells::constrain(builder, family, next);
    let old = builder.product(&exists, &old);
    let updated = builder.product(&update, &new);
    let guarded = builder.product(&guard, &old);
    let code = builder.sum(
        [(1u64, &put), (2, &update), (3, &guard), (4, &put_bulk)]
            .map(|(code, flag)| (F::from(code), flag)),
    );
    let leaf = [code, old, &updated + &guarded];
    let view = CellNums {
        put,
        put_bulk,
        update,
        guard,
        created,
        value,
        new_value,
    };
    (view, leaf)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrices::{Matrices, is_satisfied};

    #[test]
    fn an_active_slot_has_one_operation_and_an_inactive_one_none() {
        let mut builder = Builder::recording();
        let active = builder.witness(F::ONE);
        operation(&mut builder, &active, None);
        let (values, rows) = builder.finish();
        let matrices = Matrices::from_rows(rows.unwrap(), values.len());
        for pattern in 0u32..16 {
            let mut assignment = values.to_vec();
            // Variables 2 to 5: active, update, guard, put_bulk.
            (0..4).for_each(|at| assignment[2 + at] = F::from(pattern >> at & 1));
            let (active, flags) = (pattern & 1, (pattern >> 1).count_ones());
            let holds = is_satisfied(&matrices, &assignment).is_none();
            assert_eq!(holds, flags <= active, "{pattern:04b}");
        }
    }
}
