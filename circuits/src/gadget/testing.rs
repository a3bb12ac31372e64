//! What tests of gadgets share: element strategies and a satisfaction check of a builder.

use super::{Builder, Num};
use crate::F;
use crate::matrices::{Matrices, is_satisfied};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use proptest::prelude::*;

/// Any field element, with the edges more often than chance would have them.
pub(crate) fn element() -> impl Strategy<Value = F> {
    prop_oneof![
        1 => Just(F::ZERO),
        1 => Just(F::ONE),
        1 => Just(-F::ONE),
        9 => prop::array::uniform32(any::<u8>()).prop_map(|bytes| F::from_le_bytes_mod_order(&bytes)),
    ]
}

/// The first row the builder's own values violate.
pub(crate) fn first_violation(builder: Builder) -> Option<usize> {
    let (values, rows) = builder.finish();
    let matrices = Matrices::from_rows(rows.expect("the builder records rows"), values.len());
    is_satisfied(&matrices, &values)
}

/// Variables that can move alone, all others fixed, without violating a row.
pub(crate) fn variables_free_alone(matrices: &Matrices, values: &[F]) -> Vec<usize> {
    let mut rows_of = vec![Vec::new(); values.len()];
    for row in 0..matrices.num_constraints {
        for matrix in [&matrices.a, &matrices.b, &matrices.c] {
            matrix[row]
                .iter()
                .for_each(|(_, variable)| rows_of[*variable].push(row));
        }
    }
    let mut values = values.to_vec();
    let mut free = Vec::new();
    for variable in 2..values.len() {
        let original = values[variable];
        values[variable] += F::from(0x5eed_u64);
        if rows_of[variable]
            .iter()
            .all(|row| matrices.row_holds(*row, &values))
        {
            free.push(variable);
        }
        values[variable] = original;
    }
    free
}

impl Num {
    /// The one variable this number is.
    pub(crate) fn variable(&self) -> usize {
        let [(_, variable)] = self.terms[..] else {
            panic!("not a single variable");
        };
        variable
    }
}
