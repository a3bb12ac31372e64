//! Elements of the two 4-limb prime fields (BN254's F, BabyJubJub's scalars) as 32 bytes,
//! little-endian.
//!
//! Invariant: decoding is canonical: a number of the modulus or more is refused, never reduced.

use crate::entropy::{EntropyError, random};
use ark_ff::{BigInt, PrimeField};

pub(crate) fn decode<F: PrimeField<BigInt = BigInt<4>>>(bytes: &[u8; 32]) -> Option<F> {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_le_bytes(chunk.try_into().expect("chunks_exact(8) gives 8 bytes"));
    }
    F::from_bigint(BigInt::new(limbs))
}

pub(crate) fn encode<F: PrimeField<BigInt = BigInt<4>>>(element: &F) -> [u8; 32] {
    let mut out = [0; 32];
    for (chunk, limb) in out.chunks_exact_mut(8).zip(element.into_bigint().0) {
        chunk.copy_from_slice(&limb.to_le_bytes());
    }
    out
}

/// 64 uniform bytes give a bias below 2^-256.
pub(crate) fn reduce_wide<F: PrimeField>(bytes: &[u8; 64]) -> F {
    F::from_le_bytes_mod_order(bytes)
}

pub(crate) fn random_non_zero<F: PrimeField>() -> Result<F, EntropyError> {
    loop {
        let element: F = reduce_wide(&*random()?);
        if !element.is_zero() {
            return Ok(element);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::Fr;
    use ark_ff::{BigInteger, Field};
    use proptest::prelude::*;

    #[test]
    fn the_modulus_and_what_lies_above_it_are_refused() {
        let p = Fr::MODULUS;
        let mut below = p;
        below.sub_with_borrow(&BigInt::from(1u64));
        let to_bytes = |n: BigInt<4>| <[u8; 32]>::try_from(n.to_bytes_le()).unwrap();
        assert_eq!(decode::<Fr>(&to_bytes(below)), Some(-Fr::from(1u64)));
        assert_eq!(decode::<Fr>(&to_bytes(p)), None);
        let mut above = p;
        above.add_with_carry(&BigInt::from(1u64));
        assert_eq!(decode::<Fr>(&to_bytes(above)), None);
        assert_eq!(decode::<Fr>(&[0xff; 32]), None);
    }

    proptest! {
        #[test]
        fn what_decodes_encodes_to_the_same_bytes(bytes: [u8; 32]) {
            if let Some(element) = decode::<Fr>(&bytes) {
                prop_assert_eq!(encode(&element), bytes);
            }
        }

        #[test]
        fn wide_reduction_agrees_with_two_halves(low: [u8; 32], high: [u8; 32]) {
            let mut wide = [0; 64];
            wide[..32].copy_from_slice(&low);
            wide[32..].copy_from_slice(&high);
            let two_to_256 = Fr::from(2u64).pow([256u64]);
            let half = |b: &[u8; 32]| Fr::from_le_bytes_mod_order(b);
            prop_assert_eq!(reduce_wide::<Fr>(&wide), half(&low) + half(&high) * two_to_256);
        }
    }
}
