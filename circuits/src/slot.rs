//! What one slot holds: a key, a body, and the public word that describes them.
//!
//! Invariants: 1. a key has one encoding, and a pair of elements that is not it decodes to `NonCanonical`, never to
//! some key; 2. decoding a body is total; 3. reserved bits of the public word are zero. Plaintexts are zeroised on
//! drop and have no `Debug`. Knows nothing of encryption.

use crate::field::{self, F, PACKED_LEN};
use crate::shape::Class;
use ark_ff::PrimeField;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Longest key, in bytes: one byte of the two elements' 62 holds the length.
pub const MAX_KEY_LEN: usize = 2 * PACKED_LEN - 1;

/// A key, at most 61 bytes.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SlotKey(Vec<u8>);

/// The key is longer than 61 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key of {len} bytes: at most {MAX_KEY_LEN} fit")]
pub struct KeyTooLong {
    pub len: usize,
}

impl SlotKey {
    pub fn new(bytes: &[u8]) -> Result<Self, KeyTooLong> {
        if bytes.len() > MAX_KEY_LEN {
            return Err(KeyTooLong { len: bytes.len() });
        }
        Ok(SlotKey(bytes.to_vec()))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Element 0: length byte, then bytes 0..30. Element 1: bytes 30..61. Little-endian, unused bytes zero.
    pub(crate) fn elements(&self) -> [F; 2] {
        let mut bytes = Zeroizing::new([0u8; 2 * PACKED_LEN]);
        bytes[0] = self.0.len() as u8;
        bytes[1..=self.0.len()].copy_from_slice(&self.0);
        let half =
            |from: usize| field::pack(bytes[from..from + PACKED_LEN].try_into().expect("31 bytes"));
        [half(0), half(PACKED_LEN)]
    }
}

/// What a decrypted pair of key elements is.
#[derive(Clone, PartialEq, Eq)]
pub enum DecodedKey {
    Canonical(SlotKey),
    /// No key encodes to this pair. It is shown as such and never merged with a real key.
    NonCanonical,
}

/// Decodes a pair of key elements, re-encoding to compare.
pub fn decode_key(elements: &[F; 2]) -> DecodedKey {
    let mut bytes = Zeroizing::new([0u8; 2 * PACKED_LEN]);
    for (half, element) in bytes.chunks_exact_mut(PACKED_LEN).zip(elements) {
        half.copy_from_slice(&field::unpack(element).0);
    }
    let decoded = SlotKey::new(bytes.get(1..=bytes[0] as usize).unwrap_or(&[]));
    match decoded {
        Ok(key) if key.elements() == *elements => DecodedKey::Canonical(key),
        _ => DecodedKey::NonCanonical,
    }
}

/// A body of a size class: its public length, and its elements' bytes.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Body(Vec<u8>);

/// The body does not fit its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a body of {len} bytes: class {class:?} holds {}", class.body_bytes())]
pub struct BodyTooLong {
    pub len: usize,
    pub class: Class,
}

impl Body {
    pub fn new(class: Class, bytes: &[u8]) -> Result<Self, BodyTooLong> {
        if bytes.len() > class.body_bytes() {
            return Err(BodyTooLong {
                len: bytes.len(),
                class,
            });
        }
        Ok(Body(bytes.to_vec()))
    }

    /// The low 248 bits of each element, cut at `len` bytes. Total: bits above 248 and bytes past `len` are ignored.
    pub fn decode(elements: &[F], len: u16) -> Self {
        let mut bytes = Vec::with_capacity(elements.len() * PACKED_LEN);
        for element in elements {
            bytes.extend_from_slice(&field::unpack(element).0);
        }
        // Zeroise what lies past the cut: truncating alone would leave it in the buffer.
        let len = usize::from(len).min(bytes.len());
        bytes[len..].zeroize();
        bytes.truncate(len);
        Body(bytes)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The elements of a class, 31 bytes each, little-endian, zero-padded. The body must fit the class.
    pub(crate) fn elements(&self, class: Class) -> Vec<F> {
        let mut padded = Zeroizing::new(vec![0u8; class.body_bytes()]);
        padded[..self.0.len()].copy_from_slice(&self.0);
        padded
            .chunks_exact(PACKED_LEN)
            .map(|chunk| field::pack(chunk.try_into().expect("31 bytes")))
            .collect()
    }
}

/// What a command does. Zero is not an operation: it marks an inactive slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Op {
    /// The body is the value.
    Put = 1,
    /// Replaces or creates the cell under the key.
    Update = 2,
    /// Reads the cell under the key: applied only while it is the same.
    Guard = 3,
    /// A put whose body refers to a bulk value.
    PutBulk = 4,
}

impl Op {
    /// Every operation.
    pub const ALL: [Op; 4] = [Op::Put, Op::Update, Op::Guard, Op::PutBulk];

    /// Whether a command of this operation has a cell.
    pub const fn has_cell(self) -> bool {
        matches!(self, Op::Update | Op::Guard)
    }
}

/// A slot's public word: op (8 bits), body length in bytes (16), cell count (8), from the lowest bit; the rest zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Meta {
    pub op: Op,
    pub body_len: u16,
    pub cell_count: u8,
}

/// Why an element is not a public word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetaError {
    #[error("reserved bits are set")]
    Reserved,
    #[error("operation {op} is unknown")]
    UnknownOp { op: u8 },
}

impl Meta {
    pub fn to_field(self) -> F {
        F::from(
            u64::from(self.op as u8)
                | u64::from(self.body_len) << 8
                | u64::from(self.cell_count) << 24,
        )
    }

    pub fn from_field(element: &F) -> Result<Self, MetaError> {
        let limbs = element.into_bigint().0;
        if limbs[1..] != [0; 3] || limbs[0] >> 32 != 0 {
            return Err(MetaError::Reserved);
        }
        let code = limbs[0] as u8;
        let op = Op::ALL.into_iter().find(|op| *op as u8 == code);
        let op = op.ok_or(MetaError::UnknownOp { op: code })?;
        Ok(Meta {
            op,
            body_len: (limbs[0] >> 8) as u16,
            cell_count: (limbs[0] >> 24) as u8,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadget::testing::element;
    use ark_ff::{AdditiveGroup, Field};
    use proptest::prelude::*;

    fn is_noncanonical(elements: [F; 2]) -> bool {
        decode_key(&elements) == DecodedKey::NonCanonical
    }

    proptest! {
        #[test]
        fn keys_come_back(bytes in prop::collection::vec(any::<u8>(), 0..=MAX_KEY_LEN)) {
            let key = SlotKey::new(&bytes).unwrap();
            prop_assert!(decode_key(&key.elements()) == DecodedKey::Canonical(key));
        }

        #[test]
        fn any_pair_decodes_to_its_only_key_or_to_none(a in element(), b in element()) {
            if let DecodedKey::Canonical(key) = decode_key(&[a, b]) {
                prop_assert_eq!(key.elements(), [a, b]);
            }
        }

        #[test]
        fn bodies_come_back_and_decoding_is_total(
            bytes in prop::collection::vec(any::<u8>(), 0..=155),
            wild in prop::collection::vec(element(), 5),
            len in any::<u16>(),
        ) {
            let body = Body::new(Class::Short, &bytes).unwrap();
            let elements = body.elements(Class::Short);
            prop_assert_eq!(elements.len(), 5);
            prop_assert!(Body::decode(&elements, bytes.len() as u16) == body);
            prop_assert_eq!(Body::decode(&wild, len).as_bytes().len(), usize::from(len).min(155));
        }

        #[test]
        fn meta_comes_back(op in prop::sample::select(&Op::ALL[..]), body_len in any::<u16>(), cell_count in any::<u8>()) {
            let meta = Meta { op, body_len, cell_count };
            prop_assert_eq!(Meta::from_field(&meta.to_field()), Ok(meta));
        }
    }

    #[test]
    fn a_padded_overlong_or_oversized_key_is_noncanonical() {
        let mut bytes = [0u8; PACKED_LEN];
        bytes[0] = 62;
        assert!(is_noncanonical([field::pack(&bytes), F::ZERO]), "length 62");
        bytes[0] = 255;
        assert!(
            is_noncanonical([field::pack(&bytes), F::ZERO]),
            "length 255"
        );
        let [first, second] = SlotKey::new(b"key").unwrap().elements();
        assert!(
            is_noncanonical([first, second + F::ONE]),
            "a byte past the key's end"
        );
        let high = F::from(2u8).pow([248u64]);
        assert!(is_noncanonical([first + high, second]), "a bit above 248");
        assert!(SlotKey::new(&[0; 62]).is_err());
    }

    #[test]
    fn reserved_bits_and_unknown_operations_are_refused() {
        let meta = Meta {
            op: Op::Put,
            body_len: 3,
            cell_count: 0,
        }
        .to_field();
        assert_eq!(
            Meta::from_field(&(meta + F::from(1u64 << 32))),
            Err(MetaError::Reserved)
        );
        assert_eq!(
            Meta::from_field(&(meta + F::from(2u8).pow([200u64]))),
            Err(MetaError::Reserved)
        );
        assert_eq!(
            Meta::from_field(&F::from(5u8)),
            Err(MetaError::UnknownOp { op: 5 })
        );
        assert_eq!(
            Meta::from_field(&F::ZERO),
            Err(MetaError::UnknownOp { op: 0 })
        );
    }
}
