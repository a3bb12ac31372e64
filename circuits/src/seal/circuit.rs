//! The rows of `seal/v1`.
//!
//! Invariants: 1. one public input, x, and every public value reaches the rows only through it; 2. the rows depend on
//! the shape alone; 3. every variable but the inputs of a statement and the plaintexts is fixed by its rows.
//!
//! Why nothing hides in an inactive slot. Each slot but the first has a boolean flag that multiplies its route and
//! every element of its ciphertext in the leaf. A verifier fills in zeros from slot n on, and refuses a route of zero
//! before (`SealStatement::new`). The root binds the elements of every leaf, so a flag of 0 below n would need a public
//! route of 0, and a flag of 1 from n on a key and k_route that hash to the route 0: a preimage under Poseidon. Thus the
//! flags are 1 exactly below n. Slot 0 is always active and has none. n itself and each slot's public word are in the
//! header, hence in ctx, hence in x and in K.
//!
//! What the rows leave to the verifier: that PK and E are points of the prime-order subgroup, that public words are
//! well formed, and that they are the header's. All are public.

use super::group::{SlotSetting, group_leaf};
use super::inputs::Inputs;
use super::statement::SealStatement;
use super::witness::SealWitness;
use crate::gadget::edwards::{self, PointNum, ScalarNum};
use crate::gadget::{Builder, Rows};
use crate::matrices::AssignmentError;
use crate::poseidon::{self, Domain, gadget::Lane};
use crate::shape::Shape;
use crate::{F, cipher, route, tree};
use ark_ff::{AdditiveGroup, Field};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError, Variable,
};
use zeroize::Zeroizing;

/// Values and rows.
pub(crate) fn record(inputs: &Inputs) -> (Zeroizing<Vec<F>>, Rows) {
    let mut builder = Builder::recording();
    constrain(&mut builder, inputs);
    let (values, rows) = builder.finish();
    (values, rows.expect("a recording builder has rows"))
}

/// Values only, and the x that the circuit computes (the assignment holds the statement's).
pub(crate) fn assign(inputs: &Inputs) -> (Zeroizing<Vec<F>>, F) {
    let mut builder = Builder::assigning(capacity(inputs.shape));
    let computed = constrain(&mut builder, inputs);
    let (values, _) = builder.finish();
    (values, computed)
}

/// Room for every variable of a shape.
pub(super) fn capacity(shape: Shape) -> usize {
    let blocks = shape.stream_len().div_ceil(poseidon::RATE);
    6_144 + shape.groups() * (640 + 1_280 * blocks)
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

    let setting = SlotSetting {
        shape: inputs.shape,
        content_key,
        k_route,
    };
    let mut leaves = Vec::with_capacity(inputs.shape.groups());
    for (g, slots) in inputs.slots.chunks(inputs.shape.group_slots()).enumerate() {
        leaves.push(group_leaf(builder, &setting, g, slots, inputs.active));
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
    lanes.extend([Lane::Constant(F::ZERO), Lane::from(&root)]);
    let x = poseidon::gadget::hash(builder, Domain::Statement, &lanes);
    let one = builder.constant(F::ONE);
    builder.enforce(&x, &one, &public);
    x.value()
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
