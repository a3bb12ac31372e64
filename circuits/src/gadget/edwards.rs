//! BabyJubJub in constraints: complete additions, scalars as signed digits, fixed and variable base.
//!
//! Completeness. a = 168700 is a square and d = 168696 is not, so the affine addition law has no exceptional pair on
//! the curve: its denominators 1 ± d·x₁x₂y₁y₂ never vanish, and the row `denominator · x₃ = numerator` fixes x₃. That
//! holds on the curve only. B8's multiples are constants; the variable base must be checked by whoever verifies (the
//! gate checks that PK is in the prime-order subgroup), and every sum of points on the curve is on the curve.
//!
//! Scalars. 126 digits ±1, ±3 in radix 4 reach every odd integer up to 4^126 − 1. The order l is odd, so one of e,
//! e + l is odd, and 2l < 4^126: every scalar has digits. Several digit strings mean the same e mod l; nothing depends
//! on which, because base and B8 both have order l. No digit is zero, so no table holds the identity.

use super::{Builder, Num};
use crate::F;
use crate::curve::Fr;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup, twisted_edwards::TECurveConfig};
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};
use std::sync::LazyLock;
use taceo_ark_babyjubjub::{EdwardsAffine, EdwardsConfig, EdwardsProjective};
use zeroize::{Zeroize, Zeroizing};

/// Radix-4 digits of a scalar.
pub(crate) const DIGITS: usize = 126;

/// A point whose coordinates are numbers of the circuit.
#[derive(Clone)]
pub(crate) struct PointNum {
    pub x: Num,
    pub y: Num,
}

impl PointNum {
    /// New variables for the coordinates. Not constrained to the curve: see the module text.
    pub(crate) fn unchecked(builder: &mut Builder, point: &EdwardsAffine) -> Self {
        PointNum {
            x: builder.witness(point.x),
            y: builder.witness(point.y),
        }
    }
}

impl PointNum {
    /// A point that is given ([`Builder::input`]); on the curve or not, as above.
    pub(crate) fn given(builder: &mut Builder, point: &EdwardsAffine) -> Self {
        PointNum {
            x: builder.input(point.x),
            y: builder.input(point.y),
        }
    }
}

/// A digit: ±1 or ±3.
#[derive(Clone, Copy, Zeroize)]
struct Digit {
    positive: bool,
    three: bool,
}

impl Digit {
    fn pick(self, one: EdwardsAffine, three: EdwardsAffine) -> EdwardsAffine {
        let point = if self.three { three } else { one };
        if self.positive { point } else { -point }
    }
}

/// A scalar's digits as boolean variables, least significant first.
pub(crate) struct ScalarNum {
    values: Zeroizing<Vec<Digit>>,
    /// (positive, three)
    bits: Vec<(Num, Num)>,
}

impl ScalarNum {
    /// Two boolean rows per digit.
    pub(crate) fn new(builder: &mut Builder, scalar: &Fr) -> Self {
        let values = digits(scalar);
        let bits = values
            .iter()
            .map(|digit| {
                (
                    builder.boolean(digit.positive),
                    builder.boolean(digit.three),
                )
            })
            .collect();
        ScalarNum { values, bits }
    }
}

/// The digits of the odd one of `scalar` and `scalar + l`, least significant first.
fn digits(scalar: &Fr) -> Zeroizing<Vec<Digit>> {
    let mut odd = Zeroizing::new(scalar.into_bigint());
    if odd.is_even() {
        odd.add_with_carry(&Fr::MODULUS);
    }
    // Σ (2bᵢ − 1)·2^i = 2k − (2^252 − 1) for the 252 bits of k, so k = (odd + 2^252 − 1) / 2: for odd numbers that is
    // odd >> 1 with bit 251 set.
    odd.div2();
    let bit = |i: usize| {
        if i == 2 * DIGITS - 1 {
            true
        } else {
            odd.get_bit(i)
        }
    };
    // The pair (low, high) of bits means 2·(±1) + (±1): the high bit is the sign, equal bits make a three.
    let digit = |i: usize| Digit {
        positive: bit(2 * i + 1),
        three: bit(2 * i) == bit(2 * i + 1),
    };
    Zeroizing::new((0..DIGITS).map(digit).collect())
}

/// 4^i·B8 and 3·4^i·B8.
static BASE_TABLE: LazyLock<Vec<(EdwardsAffine, EdwardsAffine)>> = LazyLock::new(|| {
    let mut power = EdwardsProjective::generator();
    let mut points = Vec::with_capacity(2 * DIGITS);
    for _ in 0..DIGITS {
        points.extend([power, power + power.double()]);
        power = power.double().double();
    }
    EdwardsProjective::normalize_batch(&points)
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect()
});

/// `scalar · B8`: 7 rows per digit.
pub(crate) fn multiply_base(builder: &mut Builder, scalar: &ScalarNum) -> PointNum {
    let mut running = Zeroizing::new(Vec::with_capacity(DIGITS));
    let mut sum = EdwardsProjective::ZERO;
    for (digit, (one, three)) in scalar.values.iter().zip(BASE_TABLE.iter()) {
        sum += digit.pick(*one, *three);
        running.push(sum);
    }
    let running = Zeroizing::new(EdwardsProjective::normalize_batch(&running));

    let mut accumulator: Option<PointNum> = None;
    for (i, (one, three)) in BASE_TABLE.iter().enumerate() {
        let (positive, is_three) = &scalar.bits[i];
        let x = &(is_three * (three.x - one.x)) + &builder.constant(one.x);
        let y = &(is_three * (three.y - one.y)) + &builder.constant(one.y);
        let picked = PointNum {
            x: signed(builder, positive, &x),
            y,
        };
        accumulator = Some(match accumulator {
            None => picked,
            Some(sum) => add(builder, &sum, &picked, &running[i]),
        });
    }
    accumulator.expect("a scalar has digits")
}

/// `scalar · base`: 19 rows per digit. `base` must be on the curve: see the module text.
pub(crate) fn multiply(builder: &mut Builder, scalar: &ScalarNum, base: &PointNum) -> PointNum {
    // Not bytes from outside: a `Point`, checked when it was decoded, or the blank circuit's base.
    let affine = EdwardsAffine::new_unchecked(base.x.value(), base.y.value());
    let doubled = affine.into_group().double();
    let table = EdwardsProjective::normalize_batch(&[doubled, doubled + affine]);

    let mut running = Zeroizing::new(Vec::with_capacity(3 * DIGITS));
    let mut sum = EdwardsProjective::ZERO;
    for digit in scalar.values.iter().rev() {
        running.push(sum.double());
        running.push(sum.double().double());
        sum = sum.double().double() + digit.pick(affine, table[1]);
        running.push(sum);
    }
    let running = Zeroizing::new(EdwardsProjective::normalize_batch(&running));

    let twice = double(builder, base, &table[0]);
    let thrice = add(builder, &twice, base, &table[1]);
    let mut accumulator: Option<PointNum> = None;
    for ((positive, is_three), hints) in scalar.bits.iter().rev().zip(running.chunks_exact(3)) {
        let x = builder.select(is_three, &thrice.x, &base.x);
        let y = builder.select(is_three, &thrice.y, &base.y);
        let picked = PointNum {
            x: signed(builder, positive, &x),
            y,
        };
        accumulator = Some(match accumulator {
            None => picked,
            Some(sum) => {
                let sum = double(builder, &sum, &hints[0]);
                let sum = double(builder, &sum, &hints[1]);
                add(builder, &sum, &picked, &hints[2])
            }
        });
    }
    accumulator.expect("a scalar has digits")
}

/// `x` or `−x`: −(x, y) is (−x, y). One row.
fn signed(builder: &mut Builder, positive: &Num, x: &Num) -> Num {
    let sign = &(positive * F::from(2u8)) - &builder.constant(F::ONE);
    builder.product(&sign, x)
}

/// The complete addition law, 6 rows; `sum` is the hint.
fn add(builder: &mut Builder, p: &PointNum, q: &PointNum, sum: &EdwardsAffine) -> PointNum {
    let a = EdwardsConfig::COEFF_A;
    let beta = builder.product(&p.x, &q.y);
    let gamma = builder.product(&p.y, &q.x);
    let delta = builder.product(&(&p.y - &(&p.x * a)), &(&q.x + &q.y));
    let tau = &builder.product(&beta, &gamma) * EdwardsConfig::COEFF_D;
    let one = builder.constant(F::ONE);
    let out = PointNum::unchecked(builder, sum);
    builder.enforce(&(&one + &tau), &out.x, &(&beta + &gamma));
    // y₁y₂ − a·x₁x₂ = δ + a·β − γ
    builder.enforce(&(&one - &tau), &out.y, &(&(&delta + &(&beta * a)) - &gamma));
    out
}

/// Doubling, 5 rows. On the curve a·x² + y² = 1 + d·x²y², so the denominators are those of the addition law.
fn double(builder: &mut Builder, p: &PointNum, doubled: &EdwardsAffine) -> PointNum {
    let xy = builder.product(&p.x, &p.y);
    let axx = &builder.product(&p.x, &p.x) * EdwardsConfig::COEFF_A;
    let yy = builder.product(&p.y, &p.y);
    let two = builder.constant(F::from(2u8));
    let out = PointNum::unchecked(builder, doubled);
    let norm = &axx + &yy;
    builder.enforce(&norm, &out.x, &(&xy * F::from(2u8)));
    builder.enforce(&(&two - &norm), &out.y, &(&yy - &axx));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadget::testing::{first_violation, variables_free_alone};
    use crate::matrices::Matrices;
    use proptest::prelude::*;

    fn scalar() -> impl Strategy<Value = Fr> {
        prop_oneof![
            1 => Just(Fr::ONE),
            1 => Just(-Fr::ONE),
            1 => Just(Fr::from(2u8)),
            4 => prop::array::uniform32(any::<u8>()).prop_map(|bytes| Fr::from_le_bytes_mod_order(&bytes)),
        ]
    }

    #[test]
    fn the_curve_is_complete_a_is_a_square_and_d_is_not() {
        assert!(EdwardsConfig::COEFF_A.legendre().is_qr());
        assert!(EdwardsConfig::COEFF_D.legendre().is_qnr());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn digits_spell_the_scalar(scalar in scalar()) {
            let four = Fr::from(4u8);
            let value = digits(&scalar).iter().rev().fold(Fr::ZERO, |sum, digit| {
                let size = Fr::from(if digit.three { 3u8 } else { 1 });
                sum * four + if digit.positive { size } else { -size }
            });
            prop_assert_eq!(value, scalar);
        }

        #[test]
        fn the_gadget_multiplies_as_the_native_code_does(e in scalar(), s in scalar()) {
            let base = (EdwardsAffine::generator() * s).into_affine();
            let mut builder = Builder::recording();
            let digits = ScalarNum::new(&mut builder, &e);
            let fixed = multiply_base(&mut builder, &digits);
            let base_num = PointNum::unchecked(&mut builder, &base);
            let variable = multiply(&mut builder, &digits, &base_num);
            let expected = (EdwardsAffine::generator() * e).into_affine();
            prop_assert_eq!((fixed.x.value(), fixed.y.value()), (expected.x, expected.y));
            let expected = (base * e).into_affine();
            prop_assert_eq!((variable.x.value(), variable.y.value()), (expected.x, expected.y));
            prop_assert_eq!(first_violation(builder), None);
        }
    }

    #[test]
    fn no_variable_of_a_multiplication_but_the_base_moves_alone() {
        let mut builder = Builder::recording();
        let digits = ScalarNum::new(&mut builder, &Fr::from(123_456_789u64));
        let base = PointNum::unchecked(&mut builder, &EdwardsAffine::generator());
        multiply_base(&mut builder, &digits);
        multiply(&mut builder, &digits, &base);
        let (values, rows) = builder.finish();
        let matrices = Matrices::from_rows(rows.unwrap(), values.len());
        assert_eq!(
            variables_free_alone(&matrices, &values),
            Vec::<usize>::new()
        );
    }
}
