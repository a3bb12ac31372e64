//! Sealing: from plaintext commands to a statement and its witness.
//!
//! Invariant: e is fresh for every seal. It mixes the operating system's randomness with the plaintext and the header,
//! so that a repeating generator still does not encrypt two contents under one keystream.

use super::statement::{PublicSlot, SealStatement, StatementError, StatementParts};
use super::witness::{SealWitness, SlotSecret};
use crate::F;
use crate::cipher;
use crate::curve::{Point, Scalar};
use crate::policy::{Opaque, Policy};
use crate::route::{self, RouteSecret};
use crate::shape::{Class, Shape};
use crate::slot::{Body, BodyTooLong, Meta, Op, SlotKey};
use ark_ff::AdditiveGroup;
use zeroize::{Zeroize, Zeroizing};

/// One command before it is sealed.
pub struct SlotPlaintext {
    pub op: Op,
    pub key: SlotKey,
    pub body: Body,
}

/// Why a batch was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("slot {slot}: {source}")]
    Body { slot: usize, source: BodyTooLong },
    /// Among others, two commands on one key: the gate refuses a route twice in a batch.
    #[error(transparent)]
    Statement(#[from] StatementError),
    #[error("the operating system gave no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
}

/// Seals 1 to `shape.slots()` commands to the readers of `epoch_key`, policy `opaque`.
///
/// `ctx` depends on the header alone, so the caller computes it first; `header_digest` is the BLAKE3 of the header and
/// only feeds e. The statement's parts are for the caller to persist before sending: a retry sends the same bytes.
pub fn seal(
    shape: Shape,
    ctx: F,
    epoch_key: &Point,
    k_route: &RouteSecret,
    slots: &[SlotPlaintext],
    header_digest: [u8; 32],
) -> Result<(SealStatement, SealWitness), SealError> {
    let class = shape.class();
    if slots.is_empty() || slots.len() > shape.slots() {
        return Err(StatementError::SlotCount {
            active: slots.len(),
            slots: shape.slots(),
        }
        .into());
    }
    let secrets = secrets(class, slots)?;
    let e = ephemeral(&secrets, &header_digest)?;
    let shared = epoch_key.multiply(&e);
    let key = Zeroizing::new(cipher::content_key(&shared, ctx));
    let mut stream = Zeroizing::new(Vec::new());
    let public_slot = |slot: &SlotPlaintext, secret: &SlotSecret, pad: &[F]| {
        let encrypted = secret.plaintext().zip(pad).map(|(plain, pad)| *plain + pad);
        PublicSlot {
            meta: Meta {
                op: slot.op,
                body_len: slot.body.as_bytes().len() as u16,
                cell_count: 0,
            },
            route: route::route(&secret.key, k_route.0),
            cell: [F::ZERO; 2],
            ct: encrypted.collect(),
        }
    };
    let mut public = Vec::with_capacity(slots.len());
    for (j, (slot, secret)) in slots.iter().zip(&secrets).enumerate() {
        let (group, i) = (j / shape.group_slots(), j % shape.group_slots());
        if i == 0 {
            stream = cipher::keystream(*key, group, shape.stream_len());
        }
        public.push(public_slot(slot, secret, &stream[shape.pad(i)]));
    }
    let statement = SealStatement::new(StatementParts {
        shape,
        ctx,
        ephemeral: e.public_point(),
        epoch_key: *epoch_key,
        route_commitment: k_route.commitment(),
        policy_digest: Opaque.digest(),
        slots: public,
    })?;
    Ok((
        statement,
        SealWitness {
            e,
            k_route: k_route.0,
            slots: secrets,
        },
    ))
}

fn secrets(class: Class, slots: &[SlotPlaintext]) -> Result<Vec<SlotSecret>, SealError> {
    let secret = |(slot, plaintext): (usize, &SlotPlaintext)| {
        let len = plaintext.body.as_bytes().len();
        if len > class.body_bytes() {
            return Err(SealError::Body {
                slot,
                source: BodyTooLong { len, class },
            });
        }
        Ok(SlotSecret {
            key: plaintext.key.elements(),
            body: plaintext.body.elements(class),
        })
    };
    slots.iter().enumerate().map(secret).collect()
}

/// hash-to-scalar(OS randomness ‖ plaintext digest ‖ header digest), not zero.
fn ephemeral(secrets: &[SlotSecret], header_digest: &[u8; 32]) -> Result<Scalar, getrandom::Error> {
    let mut plaintext = blake3::Hasher::new_derive_key("ukehi/seal/v1 plaintext digest");
    for element in secrets.iter().flat_map(SlotSecret::plaintext) {
        plaintext.update(Zeroizing::new(crate::field::encode(element)).as_ref());
    }
    let digest = Zeroizing::new(*plaintext.finalize().as_bytes());
    plaintext.zeroize();
    let mut random = Zeroizing::new([0u8; 64]);
    let mut wide = Zeroizing::new([0u8; 64]);
    loop {
        getrandom::fill(random.as_mut())?;
        let mut hasher = blake3::Hasher::new_derive_key("ukehi/seal/v1 ephemeral scalar");
        hasher
            .update(random.as_ref())
            .update(digest.as_ref())
            .update(header_digest);
        let mut reader = hasher.finalize_xof();
        reader.fill(wide.as_mut());
        reader.zeroize();
        hasher.zeroize();
        if let Some(scalar) = Scalar::from_wide(&wide) {
            return Ok(scalar);
        }
    }
}
