//! The constraint builder: numbers that carry a value and, when rows are wanted, a linear combination.
//!
//! What a policy is written with: [`Builder::product`], [`Builder::select`], [`Builder::boolean`], [`Builder::sum`],
//! [`Builder::range_check`], [`Builder::enforce`], and `+`, `-`, `* F` on [`Num`]s, which cost no rows. A variable made
//! by [`Builder::witness`] is a hint: the rows that use it must leave it one value only, and a comment should say why.
//!
//! One code path serves set-up and proving: without rows, `Num` is plain arithmetic and costs about what the native
//! hash costs. Invariants: 1. variables are numbered in allocation order, 0 is the constant one, 1 the public input,
//! whether rows are recorded or not; 2. which rows exist depends on the shape alone, never on a value.
//! Knows nothing of seals, and nothing of any proof system.

pub(crate) mod edwards;
mod integer;
mod notes;
#[cfg(test)]
pub(crate) mod testing;

use crate::F;
pub use integer::MAX_BITS;

use ark_ff::{AdditiveGroup, Field};
use std::ops::{Add, Mul, Sub};
use zeroize::{Zeroize, Zeroizing};

/// One row of a constraint matrix: (coefficient, variable), by increasing variable, no zero coefficient.
pub(crate) type Row = Vec<(F, usize)>;

const ONE: usize = 0;
const PUBLIC: usize = 1;

/// The rows of `A·z ∘ B·z = C·z`.
#[derive(Default)]
pub(crate) struct Rows {
    pub a: Vec<Row>,
    pub b: Vec<Row>,
    pub c: Vec<Row>,
}

/// Collects the variables of a circuit, and its rows if asked to.
pub struct Builder {
    values: Zeroizing<Vec<F>>,
    rows: Option<Rows>,
    violated: bool,
    notes: notes::Notes,
}

impl Builder {
    /// Values only: what a prover needs for each proof. Room for `capacity` variables is reserved at once.
    pub(crate) fn assigning(capacity: usize) -> Self {
        let mut values = Vec::with_capacity(capacity);
        values.extend([F::ONE, F::ZERO]);
        Builder {
            values: Zeroizing::new(values),
            rows: None,
            violated: false,
            notes: notes::Notes::default(),
        }
    }

    /// Values and rows: what set-up needs, once per circuit.
    pub(crate) fn recording() -> Self {
        Builder {
            rows: Some(Rows::default()),
            ..Self::assigning(0)
        }
    }

    /// Whether rows are recorded. Gadgets skip building linear combinations that only rows would use.
    pub(crate) fn is_recording(&self) -> bool {
        self.rows.is_some()
    }

    /// The full assignment, one first, and the rows if recorded.
    pub(crate) fn finish(self) -> (Zeroizing<Vec<F>>, Option<Rows>) {
        (self.values, self.rows)
    }

    /// [`Self::finish`] of a recording builder, with what was noted about the variables.
    pub(crate) fn finish_recording(self) -> (Zeroizing<Vec<F>>, Rows, notes::Notes) {
        let rows = self.rows.expect("a recording builder has rows");
        (self.values, rows, self.notes)
    }

    /// A constant.
    pub fn constant(&self, value: F) -> Num {
        let terms = if self.is_recording() && value != F::ZERO {
            vec![(value, ONE)]
        } else {
            Row::new()
        };
        Num { value, terms }
    }

    /// A new private variable.
    pub fn witness(&mut self, value: F) -> Num {
        self.reserve();
        self.values.push(value);
        self.variable(self.values.len() - 1, value)
    }

    /// Moves the values into a larger buffer if theirs is full. `Vec` would leave an unzeroised copy behind.
    fn reserve(&mut self) {
        if self.values.len() == self.values.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * self.values.len()));
            larger.extend_from_slice(&self.values);
            self.values = larger;
        }
    }

    /// The one public input, given its value.
    pub(crate) fn public(&mut self, value: F) -> Num {
        self.values[PUBLIC] = value;
        self.variable(PUBLIC, value)
    }

    fn variable(&self, index: usize, value: F) -> Num {
        let terms = if self.is_recording() {
            vec![(F::ONE, index)]
        } else {
            Row::new()
        };
        Num { value, terms }
    }

    /// Whether the values given so far violate a row.
    pub(crate) fn is_violated(&self) -> bool {
        self.violated
    }

    /// The row `a · b = c`.
    pub fn enforce(&mut self, a: &Num, b: &Num, c: &Num) {
        self.violated |= a.value * b.value != c.value;
        self.push_row(a, b, c);
    }

    fn push_row(&mut self, a: &Num, b: &Num, c: &Num) {
        if let Some(rows) = &mut self.rows {
            rows.a.push(a.terms.clone());
            rows.b.push(b.terms.clone());
            rows.c.push(c.terms.clone());
        }
    }

    /// A new variable holding `a · b`: one row.
    pub fn product(&mut self, a: &Num, b: &Num) -> Num {
        let product = self.witness(a.value * b.value);
        self.push_row(a, b, &product);
        product
    }

    /// A new variable that is 0 or 1: one row.
    pub fn boolean(&mut self, value: bool) -> Num {
        let bit = self.witness(F::from(value));
        let complement = &self.constant(F::ONE) - &bit;
        let zero = self.constant(F::ZERO);
        self.push_row(&bit, &complement, &zero);
        bit
    }

    /// `if_one` where `bit` is 1, `if_zero` where it is 0; `bit` must be boolean. One row.
    pub fn select(&mut self, bit: &Num, if_one: &Num, if_zero: &Num) -> Num {
        let difference = if_one - if_zero;
        &self.product(bit, &difference) + if_zero
    }

    /// Σ coefficientᵢ·numᵢ.
    pub fn sum<'a>(&self, terms: impl IntoIterator<Item = (F, &'a Num)>) -> Num {
        let mut value = F::ZERO;
        let mut merged = Row::new();
        for (coefficient, num) in terms {
            value += coefficient * num.value;
            merged.extend(
                num.terms
                    .iter()
                    .map(|(c, variable)| (*c * coefficient, *variable)),
            );
        }
        merged.sort_unstable_by_key(|(_, variable)| *variable);
        merged.dedup_by(|next, kept| {
            let same = next.1 == kept.1;
            if same {
                kept.0 += next.0;
            }
            same
        });
        merged.retain(|(coefficient, _)| *coefficient != F::ZERO);
        Num {
            value,
            terms: merged,
        }
    }
}

/// A number of the circuit: its value, and its linear combination if rows are recorded.
#[derive(Clone)]
pub struct Num {
    value: F,
    terms: Row,
}

impl Num {
    /// The value under the current witness. Only hints may use it: whether a row exists, and its coefficients, must
    /// never depend on it.
    pub fn value(&self) -> F {
        self.value
    }
}

impl Drop for Num {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl Add for &Num {
    type Output = Num;
    fn add(self, other: &Num) -> Num {
        Num {
            value: self.value + other.value,
            terms: merge(&self.terms, &other.terms, F::ONE),
        }
    }
}

impl Sub for &Num {
    type Output = Num;
    fn sub(self, other: &Num) -> Num {
        Num {
            value: self.value - other.value,
            terms: merge(&self.terms, &other.terms, -F::ONE),
        }
    }
}

impl Mul<F> for &Num {
    type Output = Num;
    fn mul(self, factor: F) -> Num {
        let scaled = self
            .terms
            .iter()
            .map(|(coefficient, variable)| (*coefficient * factor, *variable));
        Num {
            value: self.value * factor,
            terms: scaled.filter(|(c, _)| *c != F::ZERO).collect(),
        }
    }
}

/// `left + factor·right`, both sorted by variable.
fn merge(left: &[(F, usize)], right: &[(F, usize)], factor: F) -> Row {
    let mut out = Row::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let (coefficient, variable) = match (left.peek(), right.peek()) {
            (None, None) => return out,
            (Some(&&(l, i)), Some(&&(r, j))) if i == j => {
                left.next();
                right.next();
                (l + factor * r, i)
            }
            (Some(&&(l, i)), other) if other.is_none_or(|&&(_, j)| i < j) => {
                left.next();
                (l, i)
            }
            (_, Some(&&(r, j))) => {
                right.next();
                (factor * r, j)
            }
            (Some(_), None) => {
                unreachable!("the second arm takes every left term when the right is exhausted")
            }
        };
        if coefficient != F::ZERO {
            out.push((coefficient, variable));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{element, first_violation};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn linear_combinations_evaluate_to_their_value(a in element(), b in element(), k in element()) {
            let mut builder = Builder::recording();
            let (x, y) = (builder.witness(a), builder.witness(b));
            let sum = builder.sum([(k, &x), (F::ONE, &y), (k, &x), (-k, &builder.constant(a))]);
            let other = &(&(&x * k) + &y) - &(&x * F::ZERO);
            prop_assert_eq!(other.value() , k * a + b);
            prop_assert_eq!(sum.value(), k * a + b);
            // The same numbers as rows: sum · 1 = value.
            let one = builder.constant(F::ONE);
            let expected = builder.witness(k * a + b);
            builder.enforce(&sum, &one, &expected);
            builder.enforce(&other, &one, &expected);
            prop_assert_eq!(first_violation(builder), None);
        }
    }

    #[test]
    fn a_boolean_is_only_zero_or_one() {
        // Nothing else uses the bit, so that only its own row can object.
        for (bit, satisfied) in [(0u8, true), (1, true), (2, false)] {
            let mut builder = Builder::recording();
            let num = builder.boolean(false);
            builder.values[num.terms[0].1] = F::from(bit);
            assert_eq!(first_violation(builder).is_none(), satisfied, "{bit}");
        }
    }

    #[test]
    fn a_selection_follows_its_bit_and_nothing_else() {
        for (bit, chosen, forged) in [(false, 9u8, false), (true, 5, false), (true, 5, true)] {
            let mut builder = Builder::recording();
            let bit = builder.boolean(bit);
            let (a, b) = (
                builder.constant(F::from(5u8)),
                builder.constant(F::from(9u8)),
            );
            let selected = builder.select(&bit, &a, &b);
            assert_eq!(selected.value(), F::from(chosen));
            if forged {
                let product = builder.values.len() - 1;
                builder.values[product] = F::ZERO;
            }
            assert_eq!(first_violation(builder).is_some(), forged);
        }
    }
}
