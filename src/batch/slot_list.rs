//! What is public of a batch's slots beside routes and ciphertexts, and the digest that binds it.
//!
//! The circuit does not see a slot's public word or its bulk reference. The header carries their
//! digest, ctx is a hash of the header, K hashes ctx and x hashes ctx: another list is another
//! statement. Invariant: one encoding of a list. Knows nothing of bulk values' contents.

use crate::ids::Hash;
use crate::wire::{Reader, WireError, Writer};
use ukehi_circuits::F;
use ukehi_circuits::slot::{Meta, Op};
use ukehi_keys::stream::MAX_CIPHERTEXT_BYTES;

/// Where a bulk value's ciphertext is: its BLAKE3 digest and its length in bytes, at most
/// [`MAX_CIPHERTEXT_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BulkReference {
    pub digest: Hash,
    pub length: u64,
}

/// BLAKE3 over, for each active slot in order: meta as u32 ‖ u8 has_bulk ‖ (digest ‖ length u64).
#[must_use]
pub fn slot_list(slots: impl IntoIterator<Item = (Meta, Option<BulkReference>)>) -> Hash {
    let mut w = Writer::new();
    for (meta, bulk) in slots {
        write_slot_public(&mut w, meta, bulk.as_ref());
    }
    blake3::derive_key("ukehi/slot-list/v1", &w.finish())
}

/// A bulk reference stands exactly where the operation is a bulk put.
pub(crate) fn op_fits(meta: Meta, bulk: Option<&BulkReference>) -> bool {
    (meta.op == Op::PutBulk) == bulk.is_some()
}

pub(super) fn write_slot_public(w: &mut Writer, meta: Meta, bulk: Option<&BulkReference>) {
    w.u8(meta.op as u8).u16(meta.body_len).u8(meta.cell_count);
    w.bool(bulk.is_some());
    if let Some(bulk) = bulk {
        w.raw(&bulk.digest).u64(bulk.length);
    }
}

pub(super) fn read_slot_public(
    r: &mut Reader<'_>,
) -> Result<(Meta, Option<BulkReference>), WireError> {
    // Its four bytes are the public word's 32 bits, from the lowest.
    let word = r.u32("meta")?;
    let meta = Meta::from_field(&F::from(word)).map_err(|_| WireError::Unknown {
        field: "meta",
        found: u64::from(word),
    })?;
    let bulk = match r.bool("has_bulk")? {
        false => None,
        true => Some(BulkReference::read(r)?),
    };
    Ok((meta, bulk))
}

impl BulkReference {
    /// # Errors
    /// [`WireError`]; a length beyond [`MAX_CIPHERTEXT_BYTES`] is `TooLong`.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let digest = r.array("bulk digest")?;
        let length = r.u64("bulk length")?;
        match length <= MAX_CIPHERTEXT_BYTES {
            true => Ok(Self { digest, length }),
            false => Err(WireError::TooLong {
                field: "bulk length",
                found: length,
                limit: MAX_CIPHERTEXT_BYTES as usize,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUT: Meta = Meta {
        op: Op::Put,
        body_len: 5,
        cell_count: 0,
    };
    const BULK: Meta = Meta {
        op: Op::PutBulk,
        body_len: 72,
        cell_count: 0,
    };
    const REFERENCE: BulkReference = BulkReference {
        digest: [9; 32],
        length: 70_000,
    };

    #[test]
    fn lists_that_differ_in_anything_have_other_digests() {
        let longer = BulkReference {
            length: 70_001,
            ..REFERENCE
        };
        let other = BulkReference {
            digest: [8; 32],
            ..REFERENCE
        };
        let lists = [
            vec![(PUT, None)],
            vec![(PUT, None), (PUT, None)],
            vec![(BULK, Some(REFERENCE))],
            vec![(BULK, Some(longer))],
            vec![(BULK, Some(other))],
            vec![(BULK, None)],
            vec![(PUT, Some(REFERENCE))],
            vec![(PUT, None), (BULK, Some(REFERENCE))],
            vec![(BULK, Some(REFERENCE)), (PUT, None)],
        ];
        let digests: std::collections::BTreeSet<_> =
            lists.iter().map(|l| slot_list(l.iter().copied())).collect();
        assert_eq!(digests.len(), lists.len());
    }

    #[test]
    fn a_list_of_one_put_is_hashed_as_the_protocol_says() {
        let bytes = [1, 5, 0, 0, 0];
        assert_eq!(
            slot_list([(PUT, None)]),
            blake3::derive_key("ukehi/slot-list/v1", &bytes)
        );
    }

    #[test]
    fn the_public_part_comes_back_and_a_length_beyond_the_bound_is_refused() {
        for (meta, bulk) in [(PUT, None), (BULK, Some(REFERENCE))] {
            let mut w = Writer::new();
            write_slot_public(&mut w, meta, bulk.as_ref());
            let bytes = w.finish();
            let mut r = Reader::new(&bytes);
            assert_eq!(read_slot_public(&mut r), Ok((meta, bulk)));
            assert_eq!(r.end(), Ok(()));
        }
        let mut w = Writer::new();
        let too_long = BulkReference {
            length: MAX_CIPHERTEXT_BYTES + 1,
            ..REFERENCE
        };
        write_slot_public(&mut w, BULK, Some(&too_long));
        let bytes = w.finish();
        assert!(matches!(
            read_slot_public(&mut Reader::new(&bytes)),
            Err(WireError::TooLong { .. })
        ));
    }
}
