//! Opening: what a reader of an epoch does with a statement. Needs no proof and no witness.
//!
//! Invariant: decoding never fails on a statement that was built; a malformed key is reported as such.

use super::statement::SealStatement;
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
    let open_slot = |(j, slot): (usize, &super::PublicSlot)| {
        let stream = Zeroizing::new(cipher::keystream(
            *key,
            j,
            slot.meta.to_field(),
            slot.ct.len(),
        ));
        let plain: Zeroizing<Vec<F>> = Zeroizing::new(
            slot.ct
                .iter()
                .zip(stream.iter())
                .map(|(ct, stream)| *ct - stream)
                .collect(),
        );
        let (key, body) = plain.split_at(Class::KEY_ELEMENTS);
        Opened {
            meta: slot.meta,
            key: decode_key(key.try_into().expect("a key is two elements")),
            body: Body::decode(body, slot.meta.body_len),
        }
    };
    Ok(statement.slots.iter().enumerate().map(open_slot).collect())
}
