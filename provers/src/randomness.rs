//! Bytes and scalars from the operating system, and from nowhere else: blinding, toxic waste and batch
//! coefficients must not be predictable by whoever chose the witness or the proofs.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use zeroize::{Zeroize, Zeroizing};

/// The operating system gave no randomness. Nothing was proven or judged; try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system's random source failed")]
pub struct RandomnessUnavailable;

pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
    getrandom::fill(bytes).map_err(|_| RandomnessUnavailable)
}

/// A uniform scalar: 512 random bits reduced, so the bias is below 2^-256.
pub(crate) fn scalar() -> Result<Zeroizing<Fr>, RandomnessUnavailable> {
    let mut wide = Zeroizing::new([0u8; 64]);
    fill(wide.as_mut())?;
    Ok(Zeroizing::new(Fr::from_le_bytes_mod_order(wide.as_ref())))
}

/// A uniform scalar for which `accept` holds.
pub(crate) fn scalar_where(accept: impl Fn(&Fr) -> bool) -> Result<Fr, RandomnessUnavailable> {
    loop {
        let mut drawn = scalar()?;
        if accept(&drawn) {
            return Ok(*drawn);
        }
        drawn.zeroize();
    }
}

/// `count` coefficients of 128 random bits.
pub(crate) fn coefficients(count: usize) -> Result<Vec<u128>, RandomnessUnavailable> {
    let mut bytes = vec![0u8; 16 * count];
    fill(&mut bytes)?;
    let (blocks, _) = bytes.as_chunks::<16>();
    Ok(blocks
        .iter()
        .map(|block| u128::from_le_bytes(*block))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::BigInteger;
    use std::collections::HashSet;

    #[test]
    fn coefficients_differ_within_and_between_draws() {
        let mut seen = HashSet::new();
        for _ in 0..4 {
            seen.extend(coefficients(64).unwrap());
        }
        assert_eq!(seen.len(), 256);
        assert!(
            seen.iter().any(|c| c >> 120 != 0),
            "the top byte is never used"
        );
    }

    #[test]
    fn scalars_are_full_width() {
        let widest = (0..64)
            .map(|_| scalar().unwrap().into_bigint().num_bits())
            .max();
        assert!(widest.unwrap() >= 250);
    }

    #[test]
    fn a_refused_scalar_is_drawn_again() {
        let odd = scalar_where(|s| s.into_bigint().is_odd()).unwrap();
        assert!(odd.into_bigint().is_odd());
    }
}
