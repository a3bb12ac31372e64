//! A sealed batch as it travels and as the Raft log holds it.
//!
//! Invariants: 1. decoding is exact: one encoding per batch, no trailing bytes, every element
//! below p, every point in the prime-order subgroup; 2. x is recomputed, never carried.
//! Knows nothing of registries: whether the batch is acceptable is `verify`'s and apply's to say.

use super::header::{Header, read_field, read_point};
use super::slot_list::{BulkReference, read_slot_public, slot_list, write_slot_public};
use crate::ids::Hash;
use crate::wire::{Reader, WireError, Writer};
use ukehi_circuits::{
    F,
    curve::Point,
    field,
    seal::{PublicSlot, SealStatement, StatementError, StatementParts},
    shape::Form,
};

/// The largest shape's slots and the long class's ciphertext elements (statement.md).
const MAX_SLOTS: usize = 64;
const MAX_CT_ELEMENTS: usize = 37;

/// More than any shape of this release needs; the bound every reader of batches applies.
pub const MAX_BATCH_BYTES: usize = 128 * 1024;
/// Domain of the author's signature over header and x.
pub const SIGNATURE_DOMAIN: &[u8] = b"ukehi/batch-signature/v1";
/// A compressed Groth16 proof: A 32, B 64, C 32 bytes.
pub const PROOF_BYTES: usize = 128;

/// Header, ephemeral point, active slots, proof, author's signature.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedBatch {
    pub header: Header,
    /// E = e·B8.
    pub ephemeral: Point,
    /// The n active slots, in order.
    pub slots: Vec<PublicSlot>,
    /// Beside each slot, where its value is if the slot is a bulk put.
    pub bulk: Vec<Option<BulkReference>>,
    pub proof: [u8; PROOF_BYTES],
    pub signature: [u8; 64],
}

impl std::fmt::Debug for SealedBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "SealedBatch({} seq {}, {} slots)",
            self.header.author,
            self.header.author_seq,
            self.slots.len()
        )
    }
}

impl SealedBatch {
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&self.header.to_bytes());
        w.raw(&self.ephemeral.to_bytes());
        for (slot, bulk) in self.slots.iter().zip(&self.bulk) {
            write_slot_public(&mut w, slot.meta, bulk.as_ref());
            w.raw(&field::encode(&slot.route));
            // An absent cell is (0, 0) and takes no bytes; the count is in the meta.
            if slot.meta.cell_count > 0 {
                w.raw(&field::encode(&slot.cell[0]));
                w.raw(&field::encode(&slot.cell[1]));
            }
            w.u16(u16::try_from(slot.ct.len()).expect("a slot has at most 37 elements"));
            for element in &slot.ct {
                w.raw(&field::encode(element));
            }
        }
        w.raw(&self.proof).raw(&self.signature);
        w.finish()
    }

    /// # Errors
    /// [`WireError`] naming the field; input beyond [`MAX_BATCH_BYTES`] is refused unread.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > MAX_BATCH_BYTES {
            return Err(WireError::TooLong {
                field: "batch",
                found: bytes.len() as u64,
                limit: MAX_BATCH_BYTES,
            });
        }
        let mut r = Reader::new(bytes);
        let header = Header::read(&mut r)?;
        let ephemeral = read_point(&mut r, "ephemeral")?;
        let count = usize::from(header.slots);
        if count == 0 || count > MAX_SLOTS {
            return Err(WireError::Unknown {
                field: "slots",
                found: u64::from(header.slots),
            });
        }
        let (mut slots, mut bulk) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for _ in 0..count {
            let (slot, reference) = read_slot(&mut r)?;
            slots.push(slot);
            bulk.push(reference);
        }
        let proof = r.array("proof")?;
        let signature = r.array("signature")?;
        r.end()?;
        Ok(Self {
            header,
            ephemeral,
            slots,
            bulk,
            proof,
            signature,
        })
    }

    /// BLAKE3 of the bytes: what a proposer signs and the gate memoises. Never an identity of the
    /// command (a Groth16 proof can be re-randomised); that is x.
    #[must_use]
    pub fn digest(bytes: &[u8]) -> Hash {
        blake3::derive_key("ukehi/batch-digest/v1", bytes)
    }

    /// The statement the proof is about, under the circuit's form.
    ///
    /// # Errors
    /// [`StatementError`] if the slots do not fit the form or its class, or if two have one route.
    pub fn statement(&self, form: Form) -> Result<SealStatement, StatementError> {
        SealStatement::new(StatementParts {
            form,
            ctx: self.header.ctx(),
            ephemeral: self.ephemeral,
            epoch_key: self.header.epoch_key,
            route_commitment: self.header.route_commitment,
            policy_digest: self.header.policy_digest,
            slots: self.slots.clone(),
        })
    }

    /// The digest of what the slots show in clear; a batch's header must carry this one.
    #[must_use]
    pub fn slot_list(&self) -> Hash {
        let metas = self.slots.iter().map(|slot| slot.meta);
        slot_list(metas.zip(self.bulk.iter().copied()))
    }

    /// What the author signs: the canonical header and x.
    #[must_use]
    pub fn signed_parts(&self, x: &F) -> (Vec<u8>, [u8; 32]) {
        (self.header.to_bytes(), field::encode(x))
    }
}

fn read_slot(r: &mut Reader<'_>) -> Result<(PublicSlot, Option<BulkReference>), WireError> {
    let (meta, bulk) = read_slot_public(r)?;
    let route = read_field(r, "route")?;
    let cell = if meta.cell_count > 0 {
        [read_field(r, "cell old")?, read_field(r, "cell new")?]
    } else {
        [F::from(0u64); 2]
    };
    let count = usize::from(r.u16("ciphertext elements")?);
    if count > MAX_CT_ELEMENTS {
        return Err(WireError::TooLong {
            field: "ciphertext elements",
            found: count as u64,
            limit: MAX_CT_ELEMENTS,
        });
    }
    let ct = (0..count)
        .map(|_| read_field(r, "ciphertext"))
        .collect::<Result<_, _>>()?;
    let slot = PublicSlot {
        meta,
        route,
        cell,
        ct,
    };
    Ok((slot, bulk))
}
