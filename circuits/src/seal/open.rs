//! Opening: what a reader of an epoch does with a statement. Needs no proof and no witness.
//!
//! Invariant: decoding never fails on a statement that was built; a malformed key is reported as such.

use super::statement::{PublicSlot, SealStatement};
use crate::F;
use crate::cipher;
use crate::curve::Scalar;
use crate::shape::Class;
use crate::slot::{Body, DecodedKey, Meta, decode_key};
use zeroize::Zeroizing;

/// A command as a reader sees it.
pub struct Opened {
    pub meta: Meta,
    pub key: DecodedKey,
    pub body: Body,
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
    let open_slot = |slot: &PublicSlot, pad: &[F]| {
        let plain = slot.ct.iter().zip(pad).map(|(ct, pad)| *ct - pad);
        let plain: Zeroizing<Vec<F>> = Zeroizing::new(plain.collect());
        let (key, body) = plain.split_at(Class::KEY_ELEMENTS);
        Opened {
            meta: slot.meta,
            key: decode_key(key.try_into().expect("a key is two elements")),
            body: Body::decode(body, slot.meta.body_len),
        }
    };
    let shape = statement.shape;
    let mut opened = Vec::with_capacity(statement.slots.len());
    for (g, group) in statement.slots.chunks(shape.group_slots()).enumerate() {
        let stream = cipher::keystream(*key, g, shape.stream_len());
        for (i, slot) in group.iter().enumerate() {
            opened.push(open_slot(slot, &stream[shape.pad(i)]));
        }
    }
    Ok(opened)
}
