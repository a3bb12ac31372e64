//! The assembly against plain Rust, word by word.
#![allow(unsafe_code)]

use super::*;
use crate::rounds;
use ark_bn254::{FqConfig, FrConfig};
use ark_ff::MontConfig;
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};

/// Any words below 2p: the longest carries, zeros, and random ones.
fn below_2p(rng: &mut StdRng, p: &[u64; 4]) -> [u64; 4] {
    let mut words = [0; 4].map(|_: u64| match rng.gen_range(0..4) {
        0 => 0,
        1 => u64::MAX,
        _ => rng.r#gen(),
    });
    words[3] %= 2 * p[3];
    words
}

#[test]
fn the_assembly_gives_the_same_words_as_plain_rust() {
    let mut rng = StdRng::seed_from_u64(1);
    for (p, minus_inverse) in [
        (FqConfig::MODULUS.0, FqConfig::INV),
        (FrConfig::MODULUS.0, FrConfig::INV),
    ] {
        let modulus = Modulus { p, minus_inverse };
        for _ in 0..rounds(20_000) {
            let [a, b, bound] = [(); 3].map(|()| below_2p(&mut rng, &p));
            let t = words::product(&a, &b);
            assert_eq!(sum(&a, &b, &bound), words::sum(&a, &b, &bound));
            let u = words::product(&b, &bound);
            assert_eq!(wide_sum(&t, &u), words::wide_sum(&t, &u));
            let expected = words::difference(&a, &b, &bound);
            assert_eq!(difference(&a, &b, &bound), expected);
            if !available() {
                continue;
            }
            // SAFETY: just asked.
            unsafe {
                assert_eq!(product_adx(&a, &b), t);
                assert_eq!(reduce_adx(&t, &modulus), words::reduce(&t, &modulus));
                assert_eq!(mul_adx(&a, &b, &modulus), words::mul(&a, &b, &modulus));
                let pairs = [[&a, &b], [&bound, &a]];
                assert_eq!(
                    mul_add_adx(pairs[0], pairs[1], &modulus),
                    words::mul_add(pairs[0], pairs[1], &modulus)
                );
            }
        }
    }
    if !available() {
        println!("skipped: products, for this CPU has no ADX");
    }
}
