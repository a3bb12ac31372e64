//! Every operation against arkworks: random values, edge values, and representatives up to the bounds.

use ark_bn254::{FqConfig, FrConfig};
use ark_ff::{AdditiveGroup, Field, One, UniformRand, Zero};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};

use super::super::constants::{limbs, multiple};
use super::*;
use crate::ifma::with_ifma;
use crate::rounds;

/// Runs the body for both fields, with the features enabled, or says why not.
macro_rules! for_both_fields {
    ($check:ident) => {
        with_ifma(|_| {
            // SAFETY: `with_ifma` runs its closure only on a CPU that has the features.
            unsafe {
                $check::<FqConfig>();
                $check::<FrConfig>();
            }
        })
    };
}

fn values<M: MontConfig<4>>(rng: &mut StdRng) -> [ArkField<M>; LANES] {
    let one = ArkField::<M>::one();
    core::array::from_fn(|_| match rng.gen_range(0..8) {
        0 => ArkField::<M>::zero(),
        1 => one,
        2 => -one,
        3 => one.double(),
        4 => ArkField::<M>::from(rng.r#gen::<u64>()),
        // Words of ones in Montgomery form: the longest carries.
        5 => ArkField::<M>::new_unchecked(ark_ff::BigInt([u64::MAX, u64::MAX, u64::MAX, 0])),
        _ => ArkField::<M>::rand(rng),
    })
}

/// The values as read by `from_ark`, plus a random multiple of p in each lane: bound `k` in all.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn spread<M: MontConfig<4>>(rng: &mut StdRng, v: &[ArkField<M>; LANES], k: u64) -> Fp8<M> {
    let mut limbs = Fp8::from_ark(v).canonical().0;
    let extra: [u64; LANES] = core::array::from_fn(|_| match rng.gen_range(0..3) {
        0 => 0,
        1 => k - 1,
        _ => rng.gen_range(0..k),
    });
    for i in 0..5 {
        let added = extra.map(|n| Constants::<M>::times_p(n)[i] as i64);
        // SAFETY: eight words are one vector.
        let added = unsafe { _mm512_loadu_si512(added.as_ptr().cast()) };
        limbs[i] = _mm512_add_epi64(limbs[i], added);
    }
    Fp8::from_limbs(carry(limbs))
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn read<M: MontConfig<4>>(v: Fp8<M>) -> [ArkField<M>; LANES] {
    let mut out = [ArkField::<M>::zero(); LANES];
    v.to_ark(&mut out);
    for element in &out {
        assert!(element.0 < M::MODULUS, "stored values are canonical");
    }
    out
}

/// Every lane is below k·p, limbs normalised.
#[target_feature(enable = "avx512f")]
fn assert_bound<M: MontConfig<4>>(v: &Fp8<M>, k: u64) {
    let bound = limbs(multiple(M::MODULUS.0, k));
    let words: [[u64; LANES]; 5] = v.0.map(|limb| {
        let mut words = [0; LANES];
        // SAFETY: eight words are one vector.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), limb) };
        words
    });
    for lane in 0..LANES {
        let lane: Vec<u64> = words.iter().map(|limb| limb[lane]).collect();
        assert!(
            lane.iter().all(|limb| *limb <= MASK),
            "limbs are normalised"
        );
        assert!(
            lane.iter().rev().lt(bound.iter().rev()),
            "value is below {k} p"
        );
    }
}

fn zip<M: MontConfig<4>>(
    a: &[ArkField<M>; LANES],
    b: &[ArkField<M>; LANES],
    f: impl Fn(ArkField<M>, ArkField<M>) -> ArkField<M>,
) -> [ArkField<M>; LANES] {
    core::array::from_fn(|i| f(a[i], b[i]))
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn arithmetic<M: MontConfig<4>>() {
    let mut rng = StdRng::seed_from_u64(1);
    for _ in 0..rounds(2000) {
        let (a, b) = (values::<M>(&mut rng), values::<M>(&mut rng));
        // Products at the edge of their bound: 12·7 = 84, 42·2, 9·9.
        for (ka, kb) in [(1, 1), (12, 7), (2, 42), (9, 9), (1, 84)] {
            let (x, y) = (spread(&mut rng, &a, ka), spread(&mut rng, &b, kb));
            assert_bound(&x, ka);
            let product = x.mul(y);
            assert_bound(&product, 2);
            assert_eq!(read(product), zip(&a, &b, |a, b| a * b));
        }
        let x = spread(&mut rng, &a, 9);
        assert_bound(&x.square(), 2);
        assert_eq!(read(x.square()), a.map(|a| a.square()));

        let (x, y) = (spread(&mut rng, &a, 42), spread(&mut rng, &b, 42));
        assert_bound(&x.add(y), 84);
        assert_eq!(read(x.add(y)), zip(&a, &b, |a, b| a + b));
        assert_eq!(read(x.double()), a.map(|a| a.double()));
        assert_bound(&x.sub::<42>(y), 84);
        assert_eq!(read(x.sub::<42>(y)), zip(&a, &b, |a, b| a - b));
        assert_bound(&x.neg::<42>(), 43);
        assert_eq!(read(x.neg::<42>()), a.map(|a| -a));
    }
}

#[test]
fn arithmetic_agrees_with_arkworks_up_to_the_bounds() {
    for_both_fields!(arithmetic);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn reduction<M: MontConfig<4>>() {
    let mut rng = StdRng::seed_from_u64(2);
    for _ in 0..rounds(2000) {
        let (a, b) = (values::<M>(&mut rng), values::<M>(&mut rng));
        let x = spread(&mut rng, &a, 84);
        assert_bound(&x.reduce(), 2);
        assert_bound(&x.canonical(), 1);
        assert_eq!(read(x), a);
        assert_eq!(read(x.reduce()), a);
        assert_eq!(read(x.canonical()), a);

        let zeros = (0..LANES).fold(0, |mask, i| mask | u8::from(a[i].is_zero()) << i);
        assert_eq!(x.is_zero(), zeros);
        assert_eq!(x.canonical().is_exactly_zero(), zeros);
        let mask = rng.r#gen::<u8>();
        let chosen = Fp8::select(mask, x, spread(&mut rng, &b, 84));
        let expected = core::array::from_fn(|i| if mask >> i & 1 == 1 { a[i] } else { b[i] });
        assert_eq!(read(chosen), expected);
    }
    assert_eq!(Fp8::<M>::zero().is_zero(), 0xff);
    assert_eq!(read(Fp8::<M>::one()), [ArkField::<M>::one(); LANES]);
    let element = ArkField::<M>::rand(&mut rng);
    assert_eq!(read(Fp8::broadcast(&element)), [element; LANES]);
}

#[test]
fn reduction_and_selection_agree_with_arkworks() {
    for_both_fields!(reduction);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn sums<M: MontConfig<4>>() {
    let mut rng = StdRng::seed_from_u64(3);
    let mut wide = Wide::zero();
    let mut expected = [ArkField::<M>::zero(); LANES];
    for n in 1..=400 {
        let (a, b) = (values::<M>(&mut rng), values::<M>(&mut rng));
        wide = wide.mul_add(spread(&mut rng, &a, 1), spread(&mut rng, &b, 16));
        expected = zip(&expected, &zip(&a, &b, |a, b| a * b), |sum, ab| sum + ab);
        if n == 100 || n == 400 {
            assert_bound(&wide.reduce(), 2 + 16 * n / 84);
            assert_eq!(read(wide.reduce()), expected);
        }
    }
    // a·b − c·d + e·f with columns below zero: e·f ≥ c·d as numbers.
    for _ in 0..rounds(1000) {
        let v: [_; 4] = core::array::from_fn(|_| values::<M>(&mut rng));
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| spread(&mut rng, &v[i], 2));
        let lift = Fp8::from_limbs(Constants::<M>::times_p(2).map(|limb| splat(limb)));
        let difference = Wide::product(a, b)
            .add(Wide::product(lift, lift))
            .sub(Wide::product(c, d));
        let expected = core::array::from_fn(|i| v[0][i] * v[1][i] - v[2][i] * v[3][i]);
        assert_eq!(read(difference.reduce()), expected);
    }
}

#[test]
fn unreduced_sums_of_products_agree_with_arkworks() {
    for_both_fields!(sums);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn own_form<M: MontConfig<4>>() {
    let mut rng = StdRng::seed_from_u64(4);
    for _ in 0..rounds(1000) {
        let (a, b) = (values::<M>(&mut rng), values::<M>(&mut rng));
        let x = Fp8::from_ark_as_is(&a);
        assert_bound(&x, 1);
        let mut out = [ArkField::<M>::zero(); LANES];
        x.to_ark_as_is(&mut out);
        assert_eq!(out, a);
        x.mul(Fp8::from_ark(&b)).to_ark_as_is(&mut out);
        assert_eq!(out, zip(&a, &b, |a, b| a * b));
        assert_bound(&Fp8::from_ark(&b), 16);
        assert_eq!(read(Fp8::from_ark(&b)), b);
    }
}

#[test]
fn data_may_stay_in_the_form_of_arkworks() {
    for_both_fields!(own_form);
}

#[test]
fn the_quotient_of_2_260_by_p_is_84_for_both_fields() {
    assert_eq!(Constants::<FqConfig>::QUOTIENT, 84);
    assert_eq!(Constants::<FrConfig>::QUOTIENT, 84);
}
