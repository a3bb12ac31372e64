//! Every operation against arkworks: random and edge values, either representative.

use ark_bn254::{FqConfig, FrConfig};
use ark_ff::{AdditiveGroup, Field, One, UniformRand, Zero};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;
use crate::rounds;

fn value<M: MontConfig<4>>(rng: &mut StdRng) -> ArkField<M> {
    let one = ArkField::<M>::one();
    match rng.gen_range(0..8) {
        0 => ArkField::<M>::zero(),
        1 => one,
        2 => -one,
        3 => one.double(),
        4 => ArkField::<M>::from(rng.r#gen::<u64>()),
        // Words of ones in Montgomery form: the longest carries.
        5 => ArkField::<M>::new_unchecked(BigInt([u64::MAX, u64::MAX, u64::MAX, 0])),
        _ => ArkField::<M>::rand(rng),
    }
}

/// The element or its other representative, p more.
fn either<M: MontConfig<4>>(rng: &mut StdRng, element: &ArkField<M>) -> Lazy<M> {
    let lazy = Lazy::from_ark(element);
    match rng.r#gen() {
        true => Lazy::from_words(arithmetic::sum(&lazy.0, &M::MODULUS.0, &[u64::MAX; 4])),
        false => lazy,
    }
}

fn assert_is<M: MontConfig<4>>(lazy: Lazy<M>, expected: ArkField<M>) {
    let below_2p = lazy.0.iter().rev().lt(Lazy::<M>::TWICE_P.iter().rev());
    assert!(below_2p, "every result is below 2p");
    assert_eq!(lazy.to_ark(), expected);
}

fn agrees<M: MontConfig<4>>(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    for _ in 0..rounds(5_000) {
        let [a, b] = [(); 2].map(|()| value::<M>(&mut rng));
        let [x, y] = [a, b].map(|element| either(&mut rng, &element));
        assert_is(x.add(&y), a + b);
        assert_is(x.double(), a.double());
        assert_is(x.sub(&y), a - b);
        assert_is(x.neg(), -a);
        assert_is(x.negated(true), -a);
        assert_is(x.negated(false), a);
        assert_is(x.mul(&y), a * b);
        assert_is(x.square(), a.square());
        assert_is(Lazy::mul_add([&x, &y], [&x, &x]), a * b + a * a);
        assert_eq!(x.is_zero(), a.is_zero());
        match (x.inverse(), a.inverse()) {
            (Some(ours), Some(theirs)) => assert_is(ours, theirs),
            (ours, theirs) => assert!(ours.is_none() && theirs.is_none()),
        }
        assert_eq!(x.sub(&x).canonical(), [0; 4]);
        let sum = Unreduced::product(&x, &y).add(&Unreduced::product(&x, &x));
        assert_is(
            sum.add(&Unreduced::product(&y, &y)).reduce(),
            a * b + a * a + b * b,
        );
    }
    assert!(Lazy::<M>::ZERO.neg().is_exactly_zero());
    assert_eq!(Lazy::<M>::ONE.to_ark(), ArkField::<M>::one());
}

#[test]
fn lazy_elements_compute_as_arkworks_does() {
    agrees::<FqConfig>(1);
    agrees::<FrConfig>(2);
}

fn long_sums<M: MontConfig<4>>() {
    let mut rng = StdRng::seed_from_u64(3);
    for _ in 0..rounds(500) {
        let pairs = [(); CANONICAL_PRODUCTS].map(|()| [value::<M>(&mut rng), value(&mut rng)]);
        let mut p_less_one = M::MODULUS;
        p_less_one.0[0] -= 1;
        let largest = [[ArkField::<M>::new_unchecked(p_less_one); 2]; CANONICAL_PRODUCTS];
        for pairs in [pairs, largest] {
            let (mut sum, mut expected) = (Unreduced::ZERO, ArkField::<M>::zero());
            for [a, b] in pairs {
                let product = Unreduced::product(&Lazy::from_ark(&a), &Lazy::from_ark(&b));
                sum = sum.add(&product);
                expected += a * b;
            }
            assert_is(sum.reduce(), expected);
        }
    }
}

#[test]
fn as_many_canonical_products_as_promised_are_summed_rightly() {
    long_sums::<FqConfig>();
    long_sums::<FrConfig>();
}
