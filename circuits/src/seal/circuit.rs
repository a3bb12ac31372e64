//! The rows of `seal/v1`.
//!
//! Invariants: 1. one public input, x, and every public value reaches the rows only through it; 2. the rows depend on
//! the shape alone; 3. every variable but the inputs of a statement and the plaintexts is fixed by its rows.
//!
//! Why the root binds n. Flags are boolean, slot 0 has none (it is active), and a flag may be 1 only if the one before
//! is, so the active slots are a prefix. An inactive slot's leaf is the constant EMPTY, an active one's is `H_Leaf` of
//! a different length: they differ unless Poseidon collides. So the leaves, hence the root, determine the flags.
//!
//! What the rows leave to the verifier: that PK and E are points of the prime-order subgroup, and that meta is well
//! formed. All three are public.

use super::statement::SealStatement;
use super::witness::SealWitness;
use crate::curve::{Fr, Point};
use crate::gadget::edwards::{self, PointNum, ScalarNum};
use crate::gadget::{Builder, Num, Rows};
use crate::matrices::AssignmentError;
use crate::policy::{Opaque, Policy, SlotNums};
use crate::poseidon::{self, Domain, gadget::Lane};
use crate::shape::{Class, Shape};
use crate::{F, cipher, route, tree};
use ark_ff::{AdditiveGroup, Field};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError, Variable,
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// What the circuit takes from a statement and a witness, padded to the shape.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Inputs {
    #[zeroize(skip)]
    shape: Shape,
    pub(crate) x: F,
    ctx: F,
    #[zeroize(skip)]
    epoch_key: Point,
    e: Fr,
    k_route: F,
    active: usize,
    slots: Vec<SlotInputs>,
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct SlotInputs {
    meta: F,
    key: [F; 2],
    body: Vec<F>,
}

impl SlotInputs {
    fn blank(class: Class) -> Self {
        SlotInputs {
            meta: F::ZERO,
            key: [F::ZERO; 2],
            body: vec![F::ZERO; class.body_elements()],
        }
    }
}

impl Inputs {
    pub(crate) fn new(
        statement: &SealStatement,
        witness: &SealWitness,
    ) -> Result<Self, AssignmentError> {
        let counts = (statement.slots.len(), witness.slots.len());
        if counts.0 != counts.1 {
            return Err(AssignmentError::SlotCount {
                statement: counts.0,
                witness: counts.1,
            });
        }
        let mut inputs = Self::blank(statement.shape);
        inputs.x = statement.x();
        inputs.ctx = statement.ctx;
        inputs.epoch_key = statement.epoch_key;
        inputs.e = witness.e.0;
        inputs.k_route = witness.k_route;
        inputs.active = counts.0;
        for ((slot, public), secret) in inputs
            .slots
            .iter_mut()
            .zip(&statement.slots)
            .zip(&witness.slots)
        {
            slot.meta = public.meta.to_field();
            slot.key = secret.key;
            slot.body.copy_from_slice(&secret.body);
        }
        Ok(inputs)
    }

    /// Any inputs of the shape: rows do not depend on them.
    pub(crate) fn blank(shape: Shape) -> Self {
        Inputs {
            shape,
            x: F::ZERO,
            ctx: F::ZERO,
            epoch_key: Point::base(),
            e: Fr::ONE,
            k_route: F::ZERO,
            active: shape.slots(),
            slots: (0..shape.slots())
                .map(|_| SlotInputs::blank(shape.class()))
                .collect(),
        }
    }
}

/// Values and rows.
pub(crate) fn record(inputs: &Inputs) -> (Zeroizing<Vec<F>>, Rows) {
    let mut builder = Builder::recording();
    constrain(&mut builder, inputs);
    let (values, rows) = builder.finish();
    (values, rows.expect("a recording builder has rows"))
}

/// Values only, and the x that the circuit computes (the assignment holds the statement's).
pub(crate) fn assign(inputs: &Inputs) -> (Zeroizing<Vec<F>>, F) {
    let capacity = capacity(inputs.shape);
    let mut builder = Builder::assigning(capacity);
    let computed = constrain(&mut builder, inputs);
    let (values, _) = builder.finish();
    debug_assert!(values.len() <= capacity, "the witness buffer never grows");
    (values, computed)
}

/// Room for every variable of a shape.
pub(super) fn capacity(shape: Shape) -> usize {
    6_144 + 1_152 * shape.slots()
}

/// The whole circuit. Returns the x it computed; the last row says that it is the public one.
fn constrain(builder: &mut Builder, inputs: &Inputs) -> F {
    let public = builder.public(inputs.x);
    let ctx = builder.witness(inputs.ctx);
    let epoch_key = PointNum::unchecked(builder, inputs.epoch_key.affine());
    let e = ScalarNum::new(builder, &inputs.e);
    let ephemeral = edwards::multiply_base(builder, &e);
    let shared = edwards::multiply(builder, &e, &epoch_key);
    let content_key = cipher::constrain_content_key(builder, &shared, &ctx);
    let k_route = builder.witness(inputs.k_route);
    let route_commitment = route::constrain_commitment(builder, &k_route);

    let metas: Vec<Num> = inputs
        .slots
        .iter()
        .map(|slot| builder.witness(slot.meta))
        .collect();
    let flags = active_flags(builder, inputs);
    let flag_of = |j: usize| j.checked_sub(1).map(|at| &flags[at]);
    let views: Vec<SlotNums<'_>> = metas
        .iter()
        .enumerate()
        .map(|(j, meta)| SlotNums {
            meta,
            active: flag_of(j),
        })
        .collect();
    let policy = Opaque.constrain(builder, &views);

    let mut leaves = Vec::with_capacity(inputs.slots.len());
    for (j, (slot, cell)) in inputs.slots.iter().zip(policy.cells).enumerate() {
        let leaf = slot_leaf(builder, slot, j, &metas[j], &content_key, &k_route, cell);
        leaves.push(match flag_of(j) {
            None => leaf,
            Some(active) => {
                let empty = builder.constant(tree::empty_leaf());
                builder.select(active, &leaf, &empty)
            }
        });
    }
    let root = tree::constrain_batch_root(builder, leaves);

    let nums = [
        &ctx,
        &ephemeral.x,
        &ephemeral.y,
        &epoch_key.x,
        &epoch_key.y,
        &route_commitment,
    ];
    let mut lanes: Vec<Lane> = nums.into_iter().map(Lane::from).collect();
    lanes.extend([policy.digest, Lane::from(&root)]);
    let x = poseidon::gadget::hash(builder, Domain::Statement, &lanes);
    let one = builder.constant(F::ONE);
    builder.enforce(&x, &one, &public);
    x.value()
}

/// Flags of slots 1 and up: boolean, and monotone by `flag · (1 − previous) = 0`.
fn active_flags(builder: &mut Builder, inputs: &Inputs) -> Vec<Num> {
    let mut flags: Vec<Num> = Vec::with_capacity(inputs.slots.len() - 1);
    for j in 1..inputs.slots.len() {
        let flag = builder.boolean(j < inputs.active);
        if let Some(previous) = flags.last() {
            let inactive = &builder.constant(F::ONE) - previous;
            let zero = builder.constant(F::ZERO);
            builder.enforce(&flag, &inactive, &zero);
        }
        flags.push(flag);
    }
    flags
}

/// Encrypts and routes one slot and hashes its leaf.
fn slot_leaf(
    builder: &mut Builder,
    slot: &SlotInputs,
    j: usize,
    meta: &Num,
    content_key: &Num,
    k_route: &Num,
    cell: [Lane; 2],
) -> Num {
    let key = slot.key.map(|element| builder.witness(element));
    let body: Vec<Num> = slot
        .body
        .iter()
        .map(|element| builder.witness(*element))
        .collect();
    let route = route::constrain_route(builder, &key, k_route);
    let stream = cipher::constrain_keystream(builder, content_key, j, meta, key.len() + body.len());
    let ct: Vec<Num> = key
        .iter()
        .chain(&body)
        .zip(&stream)
        .map(|(plain, stream)| plain + stream)
        .collect();
    tree::constrain_leaf(builder, meta, &route, cell, &ct)
}

/// `seal/v1` for arkworks: the same rows and variables as [`crate::matrices`], handed to a constraint system.
pub struct SealCircuit {
    inputs: Inputs,
    has_witness: bool,
}

impl SealCircuit {
    /// The circuit with a witness.
    pub fn new(statement: &SealStatement, witness: &SealWitness) -> Result<Self, AssignmentError> {
        Ok(SealCircuit {
            inputs: Inputs::new(statement, witness)?,
            has_witness: true,
        })
    }

    /// The circuit without a witness, for set-up.
    pub fn blank(shape: Shape) -> Self {
        SealCircuit {
            inputs: Inputs::blank(shape),
            has_witness: false,
        }
    }
}

impl ConstraintSynthesizer<F> for SealCircuit {
    fn generate_constraints(self, cs: ConstraintSystemRef<F>) -> Result<(), SynthesisError> {
        if !self.has_witness && !cs.is_in_setup_mode() {
            return Err(SynthesisError::AssignmentMissing);
        }
        let mut builder = if cs.should_construct_matrices() {
            Builder::recording()
        } else {
            Builder::assigning(capacity(self.inputs.shape))
        };
        constrain(&mut builder, &self.inputs);
        let (values, rows) = builder.finish();
        let mut variables = vec![Variable::One, cs.new_input_variable(|| Ok(values[1]))?];
        for value in &values[2..] {
            variables.push(cs.new_witness_variable(|| Ok(*value))?);
        }
        let Some(rows) = rows else { return Ok(()) };
        let combination = |row: &[(F, usize)]| {
            LinearCombination(row.iter().map(|(c, at)| (*c, variables[*at])).collect())
        };
        for ((a, b), c) in rows.a.iter().zip(&rows.b).zip(&rows.c) {
            cs.enforce_r1cs_constraint(|| combination(a), || combination(b), || combination(c))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrices::{Matrices, is_satisfied};

    #[test]
    fn active_slots_are_a_prefix() {
        let mut builder = Builder::recording();
        active_flags(&mut builder, &Inputs::blank(Shape::EIGHT));
        let (values, rows) = builder.finish();
        let matrices = Matrices::from_rows(rows.unwrap(), values.len());
        let mut assignment = values.to_vec();
        for pattern in 0u32..128 {
            for slot in 0..7 {
                assignment[2 + slot] = F::from(pattern >> slot & 1);
            }
            let is_prefix = (pattern + 1).is_power_of_two();
            assert_eq!(
                is_satisfied(&matrices, &assignment).is_none(),
                is_prefix,
                "{pattern:07b}"
            );
        }
        assignment[2] = F::from(2u8);
        assert!(
            is_satisfied(&matrices, &assignment).is_some(),
            "a flag of two"
        );
    }
}
