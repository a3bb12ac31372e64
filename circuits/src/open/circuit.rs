//! The rows of `open/v1`.
//!
//! Invariants: 1. one public input, x_o, and every public value reaches the rows only through it; 2. the rows depend on
//! the class alone; 3. every variable but the given ones is fixed by its rows (the tangent check, and here).
//!
//! **Why each hint is unique.** *Digits of sk*: several strings may spell one scalar mod l; base point and E have order
//! l, so PK and S depend on the scalar alone, and PK fixes it (B8 generates the subgroup). E is not checked to lie in
//! the subgroup: the checker does that. *Slot number*: six booleans, so j = Σ bᵢ·2ⁱ < 64 has one decomposition; its
//! lowest bit is the parity, the rest the group. j enters x_o as that sum, so no row is needed for a j beyond 63: no
//! bits spell it. *Pad*: one product per element, fixed by its row. *Plaintext*: given, and ct = pt + pad is a linear
//! combination, so for one (ct, pad) there is one pt. Curve and hash gadgets argue for their own hints.

use super::statement::OpenStatement;
use super::witness::{GROUP, OpenWitness, place};
use crate::curve::{Fr, Point};
use crate::gadget::edwards::{self, PointNum, ScalarNum};
use crate::gadget::{Builder, Num};
use crate::matrices::{Assignment, AssignmentError, Matrices};
use crate::poseidon::{self, Domain, RATE, gadget::Lane};
use crate::shape::Class;
use crate::{F, cipher};
use ark_ff::{AdditiveGroup, Field};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bits of a slot number.
const SLOT_BITS: usize = 6;

/// What the circuit takes from a statement and a witness.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Inputs {
    #[zeroize(skip)]
    class: Class,
    x: F,
    ctx: F,
    #[zeroize(skip)]
    ephemeral: Point,
    secret: Fr,
    slot: usize,
    meta: F,
    plaintext: Vec<F>,
    audience: F,
}

impl Inputs {
    pub(super) fn new(statement: &OpenStatement, witness: &OpenWitness) -> Self {
        Inputs {
            class: statement.class,
            x: statement.x(),
            ctx: statement.ctx,
            ephemeral: statement.ephemeral,
            secret: witness.secret.0,
            slot: statement.slot,
            meta: statement.meta.to_field(),
            plaintext: statement.plaintext.clone(),
            audience: statement.audience,
        }
    }

    /// Any inputs of the class: rows do not depend on them.
    fn blank(class: Class) -> Self {
        Inputs {
            class,
            x: F::ZERO,
            ctx: F::ZERO,
            ephemeral: Point::base(),
            secret: Fr::ONE,
            slot: 0,
            meta: F::ZERO,
            plaintext: vec![F::ZERO; class.ct_elements()],
            audience: F::ZERO,
        }
    }
}

/// The matrices of `open/v1` for a class.
pub fn circuit_matrices(class: Class) -> Matrices {
    let mut builder = Builder::recording();
    constrain(&mut builder, &Inputs::blank(class));
    let (values, rows) = builder.finish();
    Matrices::from_rows(rows.expect("a recording builder has rows"), values.len())
}

/// The assignment that proves `statement`, without building matrices.
///
/// Every variable but x_o is computed from the secret and the plaintext, so the rows hold unless the computed x_o
/// differs from the statement's; that is checked.
pub fn assignment(
    statement: &OpenStatement,
    witness: &OpenWitness,
) -> Result<Assignment, AssignmentError> {
    let inputs = Inputs::new(statement, witness);
    let mut builder = Builder::assigning(capacity(inputs.class));
    if constrain(&mut builder, &inputs) != inputs.x {
        return Err(AssignmentError::Unsatisfied);
    }
    Ok(Assignment::new(builder.finish().0))
}

/// Room for every variable of a class.
pub(super) fn capacity(class: Class) -> usize {
    let stream = (GROUP * class.ct_elements()).div_ceil(RATE);
    let hash = (8 + 2 * class.ct_elements()).div_ceil(RATE);
    4_352 + 640 * (stream + hash)
}

/// The whole circuit. Returns the x_o it computed; the last row says that it is the public one.
pub(super) fn constrain(builder: &mut Builder, inputs: &Inputs) -> F {
    let public = builder.public(inputs.x);
    let ctx = builder.input(inputs.ctx);
    let ephemeral = PointNum::given(builder, inputs.ephemeral.affine());
    let secret = ScalarNum::new(builder, &inputs.secret);
    let epoch_key = edwards::multiply_base(builder, &secret);
    let shared = edwards::multiply(builder, &secret, &ephemeral);
    let content_key = cipher::constrain_content_key(builder, &shared, &ctx);
    let slot = SlotNumber::new(builder, inputs.slot);
    let pad = slot_pad(builder, &content_key, &slot, inputs.class);

    let meta = builder.input(inputs.meta);
    let plaintext: Vec<Num> = inputs
        .plaintext
        .iter()
        .map(|element| builder.input(*element))
        .collect();
    let ct: Vec<Num> = plaintext
        .iter()
        .zip(&pad)
        .map(|(plain, pad)| plain + pad)
        .collect();
    let audience = builder.input(inputs.audience);

    let head = [
        &ctx,
        &ephemeral.x,
        &ephemeral.y,
        &epoch_key.x,
        &epoch_key.y,
        &slot.number,
        &meta,
    ];
    let lanes: Vec<Lane> = head
        .into_iter()
        .chain(&ct)
        .chain(&plaintext)
        .chain([&audience])
        .map(Lane::from)
        .collect();
    let x = poseidon::gadget::hash(builder, Domain::Open, &lanes);
    let one = builder.constant(F::ONE);
    builder.enforce(&x, &one, &public);
    x.value()
}

/// j = 2·group + parity.
struct SlotNumber {
    number: Num,
    group: Num,
    parity: Num,
}

impl SlotNumber {
    fn new(builder: &mut Builder, slot: usize) -> Self {
        let bits: Vec<Num> = (0..SLOT_BITS)
            .map(|i| builder.boolean(slot >> i & 1 == 1))
            .collect();
        let weighted = |bits: &[Num]| {
            let weights = (0..).map(|i| F::from(1u64 << i));
            builder.sum(weights.zip(bits))
        };
        SlotNumber {
            number: weighted(&bits),
            group: weighted(&bits[1..]),
            parity: bits[0].clone(),
        }
    }
}

/// The slot's part of its group's keystream: one row per element chooses by the parity.
fn slot_pad(builder: &mut Builder, key: &Num, slot: &SlotNumber, class: Class) -> Vec<Num> {
    let (even, odd) = (place(class, 0), place(class, 1));
    let stream = cipher::constrain_keystream(builder, key, &Lane::from(&slot.group), odd.end);
    stream[even]
        .iter()
        .zip(&stream[odd])
        .map(|(even, odd)| builder.select(&slot.parity, odd, even))
        .collect()
}
