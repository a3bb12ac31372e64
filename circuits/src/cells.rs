//! Cells: one number kept under a route, known to the log by a commitment only.
//!
//! Invariants: 1. a commitment names its policy's family and its route, so it opens in no other circuit and under no
//! other key; 2. the version grows by one with every update, so no commitment repeats; 3. an opening is zeroised on drop
//! and has no `Debug`. Knows nothing of how a policy relates the numbers, nor of what a store holds.

use crate::F;
use crate::field::PACKED_LEN;
use crate::gadget::{Builder, Num};
use crate::poseidon::{self, Domain, gadget::Lane};
use crate::shape::Class;
use crate::slot::{Body, BodyTooLong};
use ark_ff::PrimeField;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes at the start of a cell command's body that hold the new value: 8, little-endian, then 23 zeros.
pub const VALUE_BYTES: usize = PACKED_LEN;

/// The family of a policy: trunc248(BLAKE3("ukehi/family/v1" ‖ name)).
pub fn family(name: &str) -> F {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"ukehi/family/v1").update(name.as_bytes());
    let digest = hasher.finalize();
    crate::field::pack(
        digest.as_bytes()[..PACKED_LEN]
            .try_into()
            .expect("31 bytes"),
    )
}

/// `H_Cell(family, id, value, version, blind)`. `id` is the route the cell stands under.
///
/// What an admin mints has a public opening; everyone recomputes its commitment with this.
pub fn commitment(family: F, id: F, value: u64, version: u64, blind: F) -> F {
    hash(family, id, F::from(value), F::from(version), blind)
}

pub(crate) fn hash(family: F, id: F, value: F, version: F, blind: F) -> F {
    poseidon::hash(Domain::Cell, &[family, id, value, version, blind])
}

/// Twin of [`hash`]; the family is a constant of the circuit.
pub(crate) fn constrain(builder: &mut Builder, family: F, opening: [&Num; 4]) -> Num {
    let mut lanes = vec![Lane::Constant(family)];
    lanes.extend(opening.into_iter().map(Lane::from));
    poseidon::gadget::hash(builder, Domain::Cell, &lanes)
}

/// What opens a cell's commitment, beside the family and the route.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct CellOpening {
    value: u64,
    version: u64,
    blind: F,
}

impl CellOpening {
    pub fn new(value: u64, version: u64, blind: F) -> Self {
        CellOpening {
            value,
            version,
            blind,
        }
    }

    pub fn value(&self) -> u64 {
        self.value
    }

    /// 1 for a cell an update created, one more with each further update; a minted cell starts where its admin says.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn blind(&self) -> F {
        self.blind
    }

    /// The commitment this opens.
    pub fn commitment(&self, family: F, id: F) -> F {
        commitment(family, id, self.value, self.version, self.blind)
    }
}

/// The body of a cell command: the value's element, then the memo. At most `class.body_bytes() - 31` bytes of memo.
pub fn encode_body(class: Class, value: u64, memo: &[u8]) -> Result<Body, BodyTooLong> {
    let mut bytes = Zeroizing::new(vec![0u8; VALUE_BYTES + memo.len()]);
    bytes[..8].copy_from_slice(&value.to_le_bytes());
    bytes[VALUE_BYTES..].copy_from_slice(memo);
    Body::new(class, &bytes)
}

/// The value and the memo of a cell command's body; `None` if it does not start with a value's 31 bytes.
pub fn decode_body(body: &Body) -> Option<(u64, &[u8])> {
    let (value, memo) = body.as_bytes().split_at_checked(VALUE_BYTES)?;
    let (low, high) = value.split_at(8);
    let low = u64::from_le_bytes(low.try_into().expect("8 bytes"));
    high.iter().all(|byte| *byte == 0).then_some((low, memo))
}

/// An element as an integer below 2^64, if it is one.
pub(crate) fn as_u64(element: &F) -> Option<u64> {
    let limbs = element.into_bigint().0;
    (limbs[1..] == [0; 3]).then_some(limbs[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_and_its_memo_come_back(value in any::<u64>(), memo in prop::collection::vec(any::<u8>(), 0..=124)) {
            let body = encode_body(Class::Short, value, &memo).unwrap();
            prop_assert_eq!(decode_body(&body), Some((value, memo.as_slice())));
        }
    }

    #[test]
    fn a_body_that_does_not_start_with_a_value_is_none() {
        let body = |bytes: &[u8]| Body::new(Class::Short, bytes).unwrap();
        assert_eq!(decode_body(&body(&[0; 30])), None);
        let mut bytes = [0u8; 31];
        bytes[8] = 1;
        assert_eq!(decode_body(&body(&bytes)), None, "2^64");
        assert!(encode_body(Class::Short, 1, &[0; 125]).is_err());
    }

    #[test]
    fn a_commitment_depends_on_each_of_its_parts() {
        let base = [1u64, 2, 3, 4, 5];
        let of = |p: [u64; 5]| commitment(F::from(p[0]), F::from(p[1]), p[2], p[3], F::from(p[4]));
        for at in 0..5 {
            let mut other = base;
            other[at] += 10;
            assert_ne!(of(other), of(base));
        }
        assert_ne!(family("ledger"), family("ledger2"));
    }
}
