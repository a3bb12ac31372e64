//! The public side of a seal: what every replica holds, and the hash x that a proof is about.
//!
//! Invariant of a `SealStatement` that was built: it has the counts and lengths of its shape, no route twice, no route
//! of zero, and cells where its operations have them. That needs no policy: a node checks statements under policies whose
//! code it does not have. Everything below is recomputed from it, nothing is stored beside it.

use crate::F;
use crate::cells::VALUE_BYTES;
use crate::curve::Point;
use crate::poseidon::{self, Domain};
use crate::shape::{CellUse, Form};
use crate::slot::{Meta, Op};
use crate::tree;
use ark_ff::AdditiveGroup;
use std::collections::HashMap;
use std::ops::Range;

/// The public part of an active slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicSlot {
    pub meta: Meta,
    pub route: F,
    /// (old, new); (0, 0) for no cell.
    pub cell: [F; 2],
    /// Key elements, then body elements: as many as the class says.
    pub ct: Vec<F>,
}

impl PublicSlot {
    fn check_cell(&self, cells: CellUse) -> Result<(), CellFault> {
        let (op, [old, new]) = (self.meta.op, self.cell);
        if op.has_cell() && cells == CellUse::None {
            return Err(CellFault::NotAllowed);
        }
        let (expected, found) = (u8::from(op.has_cell()), self.meta.cell_count);
        if expected != found {
            return Err(CellFault::Count { expected, found });
        }
        if !op.has_cell() {
            let absent = [old, new] == [F::ZERO; 2];
            return absent.then_some(()).ok_or(CellFault::NotAbsent);
        }
        let body_len = self.meta.body_len;
        match op {
            _ if usize::from(body_len) < VALUE_BYTES => Err(CellFault::BodyLength { body_len }),
            Op::Guard if old != new => Err(CellFault::GuardChanges),
            Op::Guard if old == F::ZERO => Err(CellFault::ZeroGuard),
            _ if new == F::ZERO => Err(CellFault::ZeroNew),
            _ => Ok(()),
        }
    }
}

/// The parts of a statement before they are checked against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementParts {
    pub form: Form,
    /// trunc248 of the header's BLAKE3.
    pub ctx: F,
    /// E = e·B8
    pub ephemeral: Point,
    /// PK
    pub epoch_key: Point,
    /// C_route
    pub route_commitment: F,
    /// P
    pub policy_digest: F,
    /// The active slots, from slot 0.
    pub slots: Vec<PublicSlot>,
}

/// A public statement of `seal/v1`. Read its parts through `Deref`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealStatement(pub(super) StatementParts);

impl std::ops::Deref for SealStatement {
    type Target = StatementParts;
    fn deref(&self) -> &StatementParts {
        &self.0
    }
}

/// Why parts do not make a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    #[error("{active} active slots in a batch of {slots}")]
    SlotCount { active: usize, slots: usize },
    #[error("slot {slot}: a ciphertext of {elements} elements, the class has {expected}")]
    CiphertextLength {
        slot: usize,
        elements: usize,
        expected: usize,
    },
    #[error("slot {slot}: a body of {body_len} bytes, the class holds {capacity}")]
    BodyLength {
        slot: usize,
        body_len: u16,
        capacity: usize,
    },
    /// Only inactive slots have it, so it would hide that the slot is one (`seal/circuit.rs`).
    #[error("slot {slot}: a route of zero")]
    ZeroRoute { slot: usize },
    #[error("slots {first} and {second} have the same route")]
    DuplicateRoute { first: usize, second: usize },
    #[error("slot {slot}: {fault}")]
    Cell { slot: usize, fault: CellFault },
}

/// What is wrong with a slot's public cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CellFault {
    #[error("this circuit has no cells")]
    NotAllowed,
    #[error("a command of this operation has {expected} cells, not {found}")]
    Count { expected: u8, found: u8 },
    #[error("a command without a cell has commitments")]
    NotAbsent,
    #[error("a new commitment of zero")]
    ZeroNew,
    #[error("a guard of a cell that does not exist")]
    ZeroGuard,
    #[error("a guard changes its cell")]
    GuardChanges,
    #[error("a body of {body_len} bytes cannot hold a cell's value")]
    BodyLength { body_len: u16 },
}

impl SealStatement {
    /// Checks the parts against the form.
    pub fn new(parts: StatementParts) -> Result<Self, StatementError> {
        let (slots, class) = (parts.form.shape.slots(), parts.form.shape.class());
        if parts.slots.is_empty() || parts.slots.len() > slots {
            return Err(StatementError::SlotCount {
                active: parts.slots.len(),
                slots,
            });
        }
        let mut routes = HashMap::with_capacity(parts.slots.len());
        for (slot, public) in parts.slots.iter().enumerate() {
            let (elements, expected) = (public.ct.len(), class.ct_elements());
            if elements != expected {
                return Err(StatementError::CiphertextLength {
                    slot,
                    elements,
                    expected,
                });
            }
            let (body_len, capacity) = (public.meta.body_len, class.body_bytes());
            if usize::from(body_len) > capacity {
                return Err(StatementError::BodyLength {
                    slot,
                    body_len,
                    capacity,
                });
            }
            if public.route == F::ZERO {
                return Err(StatementError::ZeroRoute { slot });
            }
            if let Some(first) = routes.insert(public.route, slot) {
                return Err(StatementError::DuplicateRoute {
                    first,
                    second: slot,
                });
            }
            public
                .check_cell(parts.form.cells)
                .map_err(|fault| StatementError::Cell { slot, fault })?;
        }
        Ok(SealStatement(parts))
    }

    /// The leaf of group `g < shape.groups()`: per slot route and ciphertext, then, in a form with cells, per slot
    /// operation and commitments; zeros for an inactive slot.
    pub fn leaf(&self, g: usize) -> F {
        assert!(
            g < self.form.shape.groups(),
            "group {g} is outside the batch"
        );
        self.leaves(g..g + 1)[0]
    }

    fn leaves(&self, groups: Range<usize>) -> Vec<F> {
        let shape = self.form.shape;
        let elements = 1 + shape.class().ct_elements();
        let slots = shape.group_slots() * groups.start..shape.group_slots() * groups.end;
        let mut inputs = vec![F::ZERO; slots.len() * elements];
        let mut cells = vec![[F::ZERO; 3]; slots.len()];
        let active = self.slots.iter().skip(slots.start);
        for ((slot, into), cell) in active
            .zip(inputs.chunks_exact_mut(elements))
            .zip(&mut cells)
        {
            into[0] = slot.route;
            into[1..].copy_from_slice(&slot.ct);
            *cell = [F::from(slot.meta.op as u8), slot.cell[0], slot.cell[1]];
        }
        let leaves = tree::leaves(shape.group_slots() * elements, &inputs);
        match self.form.cells {
            CellUse::None => leaves,
            CellUse::Allowed => tree::cell_leaves(&leaves, &cells),
        }
    }

    /// The root over the leaves of all groups.
    pub fn batch_root(&self) -> F {
        tree::batch_root(&self.leaves(0..self.form.shape.groups()))
    }

    /// x = H(ctx, E, PK, C_route, P, batch_root): the one public input of a proof.
    pub fn x(&self) -> F {
        self.x_over(self.batch_root())
    }

    /// x with another batch root than the one of these slots: for a checker that holds one group of a batch and the
    /// path from it.
    pub fn x_over(&self, batch_root: F) -> F {
        let (e, pk) = (&self.ephemeral, &self.epoch_key);
        let inputs = [
            self.ctx,
            e.x(),
            e.y(),
            pk.x(),
            pk.y(),
            self.route_commitment,
            self.policy_digest,
            batch_root,
        ];
        poseidon::hash(Domain::Statement, &inputs)
    }
}
