//! What the circuit takes from a statement and a witness, padded to the shape.

use super::cell::CellSecret;
use super::statement::SealStatement;
use super::witness::{SealWitness, SlotSecret};
use crate::F;
use crate::curve::{Fr, Point};
use crate::matrices::AssignmentError;
use crate::policy::Policy;
use crate::shape::Shape;
use ark_ff::{AdditiveGroup, Field};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The values behind the circuit's free variables.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Inputs {
    #[zeroize(skip)]
    pub(crate) shape: Shape,
    pub(crate) x: F,
    pub(crate) ctx: F,
    #[zeroize(skip)]
    pub(crate) epoch_key: Point,
    pub(crate) e: Fr,
    pub(crate) k_route: F,
    /// How many of the slots are active, from slot 0.
    pub(crate) active: usize,
    pub(crate) slots: Vec<SlotSecret>,
}

impl Inputs {
    pub(crate) fn new(
        policy: &dyn Policy,
        statement: &SealStatement,
        witness: &SealWitness,
    ) -> Result<Self, AssignmentError> {
        if policy.cells() != statement.form.cells {
            return Err(AssignmentError::OtherPolicy);
        }
        let counts = (statement.slots.len(), witness.slots.len());
        if counts.0 != counts.1 {
            return Err(AssignmentError::SlotCount {
                statement: counts.0,
                witness: counts.1,
            });
        }
        let mut inputs = Self::blank(statement.form.shape);
        inputs.x = statement.x();
        inputs.ctx = statement.ctx;
        inputs.epoch_key = statement.epoch_key;
        inputs.e = witness.e.0;
        inputs.k_route = witness.k_route;
        inputs.active = counts.0;
        for (slot, secret) in inputs.slots.iter_mut().zip(&witness.slots) {
            slot.op = secret.op;
            slot.key = secret.key;
            slot.body.copy_from_slice(&secret.body);
            slot.cell = CellSecret { ..secret.cell };
        }
        Ok(inputs)
    }

    /// Any inputs of the shape: rows do not depend on them.
    pub(crate) fn blank(shape: Shape) -> Self {
        let blank = |_| SlotSecret {
            op: None,
            key: [F::ZERO; 2],
            body: vec![F::ZERO; shape.class().body_elements()],
            cell: CellSecret::default(),
        };
        Inputs {
            shape,
            x: F::ZERO,
            ctx: F::ZERO,
            epoch_key: Point::base(),
            e: Fr::ONE,
            k_route: F::ZERO,
            active: shape.slots(),
            slots: (0..shape.slots()).map(blank).collect(),
        }
    }
}
