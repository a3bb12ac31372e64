//! The circuit's field and its wire form: 32 bytes, little-endian, strictly below the modulus.
//!
//! Invariant: one element has one encoding. `x` and `x + p` must never both decode, or two different byte strings
//! would carry one proof. Knows nothing of what an element stands for.

use ark_ff::{BigInt, BigInteger, PrimeField};

/// The scalar field of BN254: base field of BabyJubJub, field of every circuit here.
pub type F = ark_bn254::Fr;

/// Bytes of one encoded element.
pub const ENCODED_LEN: usize = 32;

/// Bytes one element can carry as data: any 31 bytes are below the modulus.
pub const PACKED_LEN: usize = 31;

/// The bytes are an integer that is not below the modulus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a canonical field element: the integer is not below the modulus")]
pub struct NonCanonical;

/// Decodes 32 little-endian bytes; an integer at or above the modulus is an error, never reduced.
pub fn decode(bytes: &[u8; ENCODED_LEN]) -> Result<F, NonCanonical> {
    decode_below::<F>(bytes)
}

/// The 32 little-endian bytes of `element`.
pub fn encode(element: &F) -> [u8; ENCODED_LEN] {
    encode_integer(element)
}

/// 31 bytes as one element, little-endian: always below the modulus.
pub fn pack(bytes: &[u8; PACKED_LEN]) -> F {
    let mut wide = [0u8; ENCODED_LEN];
    wide[..PACKED_LEN].copy_from_slice(bytes);
    decode(&wide).expect("2^248 is below the modulus")
}

/// The low 248 bits of an element, little-endian, and whether nothing was above them.
pub fn unpack(element: &F) -> ([u8; PACKED_LEN], bool) {
    let wide = encode(element);
    let mut low = [0u8; PACKED_LEN];
    low.copy_from_slice(&wide[..PACKED_LEN]);
    (low, wide[PACKED_LEN] == 0)
}

pub(crate) fn decode_below<P>(bytes: &[u8; ENCODED_LEN]) -> Result<P, NonCanonical>
where
    P: PrimeField<BigInt = BigInt<4>>,
{
    let mut limbs = [0u64; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
    }
    P::from_bigint(BigInt::new(limbs)).ok_or(NonCanonical)
}

pub(crate) fn encode_integer<P: PrimeField>(element: &P) -> [u8; ENCODED_LEN] {
    let mut out = [0u8; ENCODED_LEN];
    let bytes = element.into_bigint().to_bytes_le();
    out[..bytes.len()].copy_from_slice(&bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::AdditiveGroup;
    use proptest::prelude::*;

    #[test]
    fn the_modulus_and_everything_above_is_refused() {
        let modulus: [u8; 32] = F::MODULUS.to_bytes_le().try_into().unwrap();
        assert_eq!(decode(&modulus), Err(NonCanonical));
        assert_eq!(decode(&[0xff; 32]), Err(NonCanonical));
        let mut below = modulus;
        below[0] -= 1;
        assert_eq!(decode(&below), Ok(-F::from(1u8)));
        assert_eq!(decode(&[0; 32]), Ok(F::ZERO));
    }

    proptest! {
        #[test]
        fn encoding_is_a_bijection(bytes in prop::array::uniform32(any::<u8>())) {
            if let Ok(element) = decode(&bytes) {
                prop_assert_eq!(encode(&element), bytes);
            }
        }

        #[test]
        fn packed_bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 31)) {
            let bytes: [u8; 31] = bytes.try_into().unwrap();
            prop_assert_eq!(unpack(&pack(&bytes)), (bytes, true));
        }
    }
}
