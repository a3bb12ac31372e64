//! Field elements as iden3's files hold them: 32 bytes, little-endian, plain or in Montgomery form (R = 2^256).

use ark_ff::{BigInt, BigInteger, Fp, FpConfig, MontBackend, MontConfig, PrimeField};

type MontField<C> = Fp<MontBackend<C, 4>, 4>;

/// Bytes of a field element.
pub(super) const FIELD_BYTES: usize = 32;

fn integer(bytes: &[u8]) -> BigInt<4> {
    let (words, rest) = bytes.as_chunks::<8>();
    assert!(rest.is_empty() && words.len() == 4, "32 bytes");
    BigInt::new([0, 1, 2, 3].map(|i| u64::from_le_bytes(words[i])))
}

/// The element with these plain bytes, if they are below the modulus.
pub(super) fn from_plain<P: FpConfig<4>>(bytes: &[u8]) -> Option<Fp<P, 4>> {
    Fp::from_bigint(integer(bytes))
}

/// The element whose Montgomery form has these bytes, if they are below the modulus.
pub(super) fn from_montgomery<C: MontConfig<4>>(bytes: &[u8]) -> Option<MontField<C>> {
    let form = integer(bytes);
    // Unchecked means: not brought into Montgomery form, which these bytes are in already.
    (form < C::MODULUS).then(|| MontField::<C>::new_unchecked(form))
}

pub(super) fn plain<P: FpConfig<4>>(element: &Fp<P, 4>) -> [u8; FIELD_BYTES] {
    bytes(&element.into_bigint())
}

pub(super) fn montgomery<P: FpConfig<4>>(element: &Fp<P, 4>) -> [u8; FIELD_BYTES] {
    bytes(&element.0)
}

/// A field's modulus, as the headers carry it.
pub(super) fn modulus<F: PrimeField<BigInt = BigInt<4>>>() -> [u8; FIELD_BYTES] {
    bytes(&F::MODULUS)
}

fn bytes(integer: &BigInt<4>) -> [u8; FIELD_BYTES] {
    let bytes = integer.to_bytes_le();
    bytes.try_into().expect("four words are 32 bytes")
}
