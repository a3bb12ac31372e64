//! The rows of `seal/v1`.
//!
//! Invariants: 1. one public input, x, and every public value reaches the rows only through it; 2. the rows depend on
//! the policy and the shape alone; 3. every variable but the inputs of a statement and the plaintexts is fixed by its rows.
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

use super::group::{BatchSetting, group_rows};
use super::inputs::Inputs;
use super::statement::SealStatement;
use super::witness::SealWitness;
use crate::gadget::edwards::{self, PointNum, ScalarNum};
use crate::gadget::{Builder, Num, Rows};
use crate::matrices::AssignmentError;
use crate::policy::{self, Policy};
use crate::poseidon::{self, Domain, gadget::Lane};
use crate::shape::{CellUse, Shape};
use crate::{F, cells, cipher, route, tree};
use ark_ff::Field;
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError, Variable,
};
use zeroize::Zeroizing;

/// Values and rows.
pub(crate) fn record(policy: &dyn Policy, inputs: &Inputs) -> (Zeroizing<Vec<F>>, Rows) {
    let mut builder = Builder::recording();
    constrain(&mut builder, policy, inputs);
    let (values, rows) = builder.finish();
    (values, rows.expect("a recording builder has rows"))
}

/// Values only, and whether they violate a row.
pub(crate) fn assign(policy: &dyn Policy, inputs: &Inputs) -> (Zeroizing<Vec<F>>, bool) {
    let mut builder = Builder::assigning(capacity(policy, inputs.shape));
    constrain(&mut builder, policy, inputs);
    let violated = builder.is_violated();
    let (values, _) = builder.finish();
    (values, violated)
}

/// Room for the variables of a shape; more only if the policy's own rows need it.
pub(super) fn capacity(policy: &dyn Policy, shape: Shape) -> usize {
    let blocks = shape.stream_len().div_ceil(poseidon::RATE);
    let cells = match policy.cells() {
        CellUse::None => 0,
        CellUse::Allowed => 400 + 820 * shape.group_slots(),
    };
    6_144 + shape.groups() * (640 + 1_280 * blocks + cells)
}

/// The whole circuit; the last row says that the x it computed is the public one.
pub(crate) fn constrain(builder: &mut Builder, policy: &dyn Policy, inputs: &Inputs) {
    let public = builder.public(inputs.x);
    let ctx = builder.input(inputs.ctx);
    let epoch_key = PointNum::given(builder, inputs.epoch_key.affine());
    let e = ScalarNum::new(builder, &inputs.e);
    let ephemeral = edwards::multiply_base(builder, &e);
    let shared = edwards::multiply(builder, &e, &epoch_key);
    let content_key = cipher::constrain_content_key(builder, &shared, &ctx);
    let k_route = builder.input(inputs.k_route);
    let route_commitment = route::constrain_commitment(builder, &k_route);

    let allowed = policy.cells() == CellUse::Allowed;
    let setting = BatchSetting {
        shape: inputs.shape,
        family: allowed.then(|| cells::family(policy.name())),
        content_key,
        k_route,
        active: inputs.active,
    };
    let mut leaves = Vec::with_capacity(inputs.shape.groups());
    let mut views = Vec::with_capacity(inputs.shape.slots());
    for (g, slots) in inputs.slots.chunks(inputs.shape.group_slots()).enumerate() {
        let (leaf, slots) = group_rows(builder, &setting, g, slots);
        leaves.push(leaf);
        views.extend(slots);
    }
    let root = tree::constrain_batch_root(builder, leaves);
    let parameters = policy.parameters();
    let parameters: Vec<Num> = parameters.into_iter().map(|p| builder.input(p)).collect();
    let policy_digest = policy::constrain_digest(builder, policy, &parameters);
    policy.constrain(builder, &parameters, &views);

    let nums = [
        &ctx,
        &ephemeral.x,
        &ephemeral.y,
        &epoch_key.x,
        &epoch_key.y,
        &route_commitment,
    ];
    let mut lanes: Vec<Lane> = nums.into_iter().map(Lane::from).collect();
    lanes.extend([policy_digest, Lane::from(&root)]);
    let x = poseidon::gadget::hash(builder, Domain::Statement, &lanes);
    let one = builder.constant(F::ONE);
    builder.enforce(&x, &one, &public);
}

/// `seal/v1` for arkworks: the same rows and variables as [`crate::matrices`], handed to a constraint system.
pub struct SealCircuit<'a> {
    policy: &'a dyn Policy,
    inputs: Inputs,
    has_witness: bool,
}

impl<'a> SealCircuit<'a> {
    /// The circuit with a witness.
    pub fn new(
        policy: &'a dyn Policy,
        statement: &SealStatement,
        witness: &SealWitness,
    ) -> Result<Self, AssignmentError> {
        Ok(SealCircuit {
            policy,
            inputs: Inputs::new(policy, statement, witness)?,
            has_witness: true,
        })
    }

    /// The circuit without a witness, for set-up.
    pub fn blank(policy: &'a dyn Policy, shape: Shape) -> Self {
        SealCircuit {
            policy,
            inputs: Inputs::blank(shape),
            has_witness: false,
        }
    }
}

impl ConstraintSynthesizer<F> for SealCircuit<'_> {
    fn generate_constraints(self, cs: ConstraintSystemRef<F>) -> Result<(), SynthesisError> {
        if !self.has_witness && !cs.is_in_setup_mode() {
            return Err(SynthesisError::AssignmentMissing);
        }
        let mut builder = if cs.should_construct_matrices() {
            Builder::recording()
        } else {
            Builder::assigning(capacity(self.policy, self.inputs.shape))
        };
        constrain(&mut builder, self.policy, &self.inputs);
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
