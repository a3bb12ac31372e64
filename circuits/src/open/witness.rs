//! The secret side of a disclosure, and the native check that it belongs to a statement.
//!
//! Invariant: `check` accepts exactly the pairs that satisfy the circuit's rows.

use super::statement::{OpenParts, OpenStatement, OpenStatementError};
use crate::F;
use crate::cipher;
use crate::curve::{Point, Scalar};
use crate::seal::SealStatement;
use crate::shape::Class;
use std::ops::Range;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Slots that share a keystream. A batch of one slot has the first half of the same keystream.
pub(super) const GROUP: usize = 2;

/// An epoch's secret. Zeroised on drop; never cloned, printed or stored.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct OpenWitness {
    pub(super) secret: Scalar,
}

/// Which rule a witness breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenWitnessError {
    #[error("the secret is not the epoch key's")]
    EpochKey,
    #[error("the plaintext is not what the ciphertext decrypts to")]
    Plaintext,
}

/// Why nothing was disclosed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DiscloseError {
    #[error("the secret does not belong to the statement's epoch key")]
    WrongSecret,
    #[error("the batch has {active} commands, slot {slot} is not one of them")]
    NoSlot { slot: usize, active: usize },
    #[error(transparent)]
    Statement(#[from] OpenStatementError),
}

impl OpenWitness {
    pub fn new(secret: Scalar) -> Self {
        OpenWitness { secret }
    }

    /// Every rule of `open/v1`, natively.
    pub fn check(&self, statement: &OpenStatement) -> Result<(), OpenWitnessError> {
        if self.secret.public_point() != statement.epoch_key {
            return Err(OpenWitnessError::EpochKey);
        }
        let pad = pad(
            &self.secret,
            &statement.ephemeral,
            statement.ctx,
            statement.slot,
            statement.class,
        );
        let opened = statement
            .ct
            .iter()
            .zip(pad.iter())
            .map(|(ct, pad)| *ct - pad);
        if opened.eq(statement.plaintext.iter().copied()) {
            Ok(())
        } else {
            Err(OpenWitnessError::Plaintext)
        }
    }
}

/// Opens slot `slot` of a sealed batch with the epoch's secret, for `audience` (see [`super::audience`]).
pub fn disclose(
    secret: Scalar,
    sealed: &SealStatement,
    slot: usize,
    audience: F,
) -> Result<(OpenStatement, OpenWitness), DiscloseError> {
    if secret.public_point() != sealed.epoch_key {
        return Err(DiscloseError::WrongSecret);
    }
    let public = sealed.slots.get(slot).ok_or(DiscloseError::NoSlot {
        slot,
        active: sealed.slots.len(),
    })?;
    let class = sealed.form.shape.class();
    let pad = pad(&secret, &sealed.ephemeral, sealed.ctx, slot, class);
    let statement = OpenStatement::new(OpenParts {
        class,
        ctx: sealed.ctx,
        ephemeral: sealed.ephemeral,
        epoch_key: sealed.epoch_key,
        slot,
        meta: public.meta,
        ct: public.ct.clone(),
        plaintext: public
            .ct
            .iter()
            .zip(pad.iter())
            .map(|(ct, pad)| *ct - pad)
            .collect(),
        audience,
    })?;
    Ok((statement, OpenWitness { secret }))
}

/// Where in its group's keystream the pad of a slot with parity `parity` lies.
pub(super) fn place(class: Class, parity: usize) -> Range<usize> {
    let len = class.ct_elements();
    parity * len..(parity + 1) * len
}

fn pad(secret: &Scalar, ephemeral: &Point, ctx: F, slot: usize, class: Class) -> Zeroizing<Vec<F>> {
    let key = Zeroizing::new(cipher::content_key(&ephemeral.multiply(secret), ctx));
    let place = place(class, slot % GROUP);
    let stream = cipher::keystream(*key, slot / GROUP, place.end);
    Zeroizing::new(stream[place].to_vec())
}
