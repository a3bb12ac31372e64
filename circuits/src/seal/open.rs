//! Opening: what a reader of an epoch does with a statement. Needs no proof and no witness.
//!
//! Invariant: decoding never fails on a statement that was built; a malformed key is reported as such.

use super::statement::{PublicSlot, SealStatement};
use crate::F;
use crate::cells::{self, CellOpening};
use crate::cipher;
use crate::curve::Scalar;
use crate::shape::Class;
use crate::slot::{Body, DecodedKey, Meta, Op, decode_key};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A command as a reader sees it.
pub struct Opened {
    pub meta: Meta,
    pub key: DecodedKey,
    pub body: Body,
    /// What a cell command says of its cell.
    pub cell: Option<OpenedCell>,
}

/// A cell as a reader sees it in one command. Zeroised on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct OpenedCell {
    value: u64,
    /// None under guard: the opening is the one before.
    next_blind: Option<F>,
}

impl OpenedCell {
    /// The cell's value after the command.
    pub fn value(&self) -> u64 {
        self.value
    }

    /// What opens the cell after an update, given its new version: the number of updates since it was created, or
    /// since it was minted plus the minted version. `None` under guard, which leaves the opening as it was.
    pub fn opening(&self, version: u64) -> Option<CellOpening> {
        self.next_blind
            .map(|blind| CellOpening::new(self.value, version, blind))
    }
}

/// The secret is not the epoch's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("the secret does not belong to the statement's epoch key")]
    WrongSecret,
}

/// Decrypts every active slot with the epoch's secret, after checking that it is: secret·B8 = PK.
pub fn open(secret: &Scalar, statement: &SealStatement) -> Result<Vec<Opened>, OpenError> {
    if secret.public_point() != statement.epoch_key {
        return Err(OpenError::WrongSecret);
    }
    let shared = statement.ephemeral.multiply(secret);
    let key = Zeroizing::new(cipher::content_key(&shared, statement.ctx));
    let open_slot = |slot: &PublicSlot, pad: &[F], blind: F| {
        let plain = slot.ct.iter().zip(pad).map(|(ct, pad)| *ct - pad);
        let plain: Zeroizing<Vec<F>> = Zeroizing::new(plain.collect());
        let (key, body) = plain.split_at(Class::KEY_ELEMENTS);
        // A proof says that the value is below 2^64; an unproven statement may hold anything.
        let cell = cells::as_u64(&body[0]).filter(|_| slot.meta.op.has_cell());
        let next_blind = (slot.meta.op == Op::Update).then_some(blind);
        Opened {
            meta: slot.meta,
            key: decode_key(key.try_into().expect("a key is two elements")),
            body: Body::decode(body, slot.meta.body_len),
            cell: cell.map(|value| OpenedCell { value, next_blind }),
        }
    };
    let shape = statement.form.shape;
    let mut opened = Vec::with_capacity(statement.slots.len());
    for (g, group) in statement.slots.chunks(shape.group_slots()).enumerate() {
        let stream = cipher::keystream(*key, g, shape.stream_len());
        for (i, slot) in group.iter().enumerate() {
            opened.push(open_slot(
                slot,
                &stream[shape.pad(i)],
                stream[shape.blind(i)],
            ));
        }
    }
    Ok(opened)
}
