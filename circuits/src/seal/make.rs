//! Sealing: from plaintext commands to a statement and its witness.
//!
//! Invariant: e is fresh for every seal. It mixes the operating system's randomness with the plaintext and the header,
//! so that a repeating generator still does not encrypt two contents under one keystream.

use super::cell::CellSetting;
use super::command::SlotPlaintext;
use super::statement::{PublicSlot, SealStatement, StatementError, StatementParts};
use super::witness::{SealWitness, SlotSecret, WitnessError, slot_values};
use crate::cells::{self, CellOpening};
use crate::curve::{Point, Scalar};
use crate::policy::{self, Policy};
use crate::route::{self, RouteSecret};
use crate::shape::{Class, Form, Shape};
use crate::slot::{BodyTooLong, Meta, Op};
use crate::{F, cipher};
use zeroize::{Zeroize, Zeroizing};

/// Why a batch was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("slot {slot}: {source}")]
    Body { slot: usize, source: BodyTooLong },
    /// Among others, two commands on one key: the gate refuses a route twice in a batch.
    #[error(transparent)]
    Statement(#[from] StatementError),
    #[error("slot {slot}: the cell's version cannot grow any more")]
    VersionExhausted { slot: usize },
    /// A cell's or the policy's rule is broken.
    #[error(transparent)]
    Rule(#[from] WitnessError),
    #[error("the operating system gave no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
}

/// A batch sealed but not yet proven.
pub struct SealedCommands {
    pub statement: SealStatement,
    pub witness: SealWitness,
    /// By slot: what opens the cell that an update leaves behind.
    pub openings: Vec<Option<CellOpening>>,
}

/// Seals 1 to `shape.slots()` commands to the readers of `epoch_key` under a policy.
///
/// `ctx` depends on the header alone, so the caller computes it first; `header_digest` is the BLAKE3 of the header and
/// only feeds e. The statement's parts are for the caller to persist before sending: a retry sends the same bytes.
pub fn seal(
    policy: &dyn Policy,
    shape: Shape,
    ctx: F,
    epoch_key: &Point,
    k_route: &RouteSecret,
    slots: &[SlotPlaintext],
    header_digest: [u8; 32],
) -> Result<SealedCommands, SealError> {
    if slots.is_empty() || slots.len() > shape.slots() {
        return Err(StatementError::SlotCount {
            active: slots.len(),
            slots: shape.slots(),
        }
        .into());
    }
    let (metas, secrets) = secrets(shape.class(), slots)?;
    let e = ephemeral(&secrets, &header_digest)?;
    let shared = epoch_key.multiply(&e);
    let key = Zeroizing::new(cipher::content_key(&shared, ctx));
    let mut public = Vec::with_capacity(slots.len());
    let mut openings = Vec::with_capacity(slots.len());
    let mut views = Vec::with_capacity(slots.len());
    let mut stream = Zeroizing::new(Vec::new());
    for (j, (secret, meta)) in secrets.iter().zip(metas).enumerate() {
        let (group, i) = (j / shape.group_slots(), j % shape.group_slots());
        if i == 0 {
            stream = cipher::keystream(*key, group, shape.stream_len());
        }
        let (pad, blind) = (&stream[shape.pad(i)], stream[shape.blind(i)]);
        let slot = public_slot(policy, secret, meta, k_route, pad, blind);
        let opening = slots[j].next_opening(blind);
        if meta.op == Op::Update && opening.is_none() {
            return Err(SealError::VersionExhausted { slot: j });
        }
        openings.push(opening);
        views.push(slot_values(policy, j, secret, &slot, blind)?);
        public.push(slot);
    }
    let statement = SealStatement::new(StatementParts {
        form: Form {
            shape,
            cells: policy.cells(),
        },
        ctx,
        ephemeral: e.public_point(),
        epoch_key: *epoch_key,
        route_commitment: k_route.commitment(),
        policy_digest: policy::digest(policy),
        slots: public,
    })?;
    policy.check(&views).map_err(WitnessError::Policy)?;
    drop(views);
    Ok(SealedCommands {
        statement,
        witness: SealWitness {
            e,
            k_route: k_route.0,
            slots: secrets,
        },
        openings,
    })
}

pub(super) fn public_slot(
    policy: &dyn Policy,
    secret: &SlotSecret,
    meta: Meta,
    k_route: &RouteSecret,
    pad: &[F],
    next_blind: F,
) -> PublicSlot {
    let route = route::route(&secret.key, k_route.0);
    let encrypted = secret.plaintext().zip(pad).map(|(plain, pad)| *plain + pad);
    let setting = CellSetting {
        family: cells::family(policy.name()),
        route,
        first: secret.body[0],
        next_blind,
    };
    PublicSlot {
        meta,
        route,
        cell: secret.cell.commitments(meta.op, &setting),
        ct: encrypted.collect(),
    }
}

fn secrets(
    class: Class,
    slots: &[SlotPlaintext],
) -> Result<(Vec<Meta>, Vec<SlotSecret>), SealError> {
    let secret = |(slot, plaintext): (usize, &SlotPlaintext)| {
        plaintext
            .secret(class)
            .map_err(|source| SealError::Body { slot, source })
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
