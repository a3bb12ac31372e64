//! The public side of a seal: what every replica holds, and the hash x that a proof is about.
//!
//! Invariant of a `SealStatement` that was built: it has the counts and lengths of its shape, no route twice, and what
//! its policy demands of public data. Everything below is recomputed from it, nothing is stored beside it.

use crate::F;
use crate::curve::Point;
use crate::policy::{Opaque, Policy, PolicyViolation};
use crate::poseidon::{self, Domain};
use crate::shape::Shape;
use crate::slot::Meta;
use crate::tree;
use ark_ff::AdditiveGroup;
use std::collections::HashMap;

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

/// The parts of a statement before they are checked against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementParts {
    pub shape: Shape,
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

/// A public statement of `seal/v1`, policy `opaque`. Read its parts through `Deref`.
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
    #[error(transparent)]
    Policy(#[from] PolicyViolation),
}

impl SealStatement {
    /// Checks the parts against the shape and the policy.
    pub fn new(parts: StatementParts) -> Result<Self, StatementError> {
        let (slots, class) = (parts.shape.slots(), parts.shape.class());
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
        }
        Opaque.check(parts.policy_digest, &parts.slots)?;
        Ok(SealStatement(parts))
    }

    /// The leaf of group `g < shape.groups()`: per slot route and ciphertext, zeros for an inactive slot.
    pub fn leaf(&self, g: usize) -> F {
        let (shape, elements) = (self.shape, 1 + self.shape.class().ct_elements());
        assert!(g < shape.groups(), "group {g} is outside the batch");
        let mut inputs = vec![F::ZERO; shape.group_slots() * elements];
        let active = self.slots.iter().skip(g * shape.group_slots());
        for (slot, into) in active.zip(inputs.chunks_exact_mut(elements)) {
            into[0] = slot.route;
            into[1..].copy_from_slice(&slot.ct);
        }
        tree::leaf(&inputs)
    }

    /// The root over the leaves of all groups.
    pub fn batch_root(&self) -> F {
        let leaves: Vec<F> = (0..self.shape.groups()).map(|g| self.leaf(g)).collect();
        tree::batch_root(&leaves)
    }

    /// x = H(ctx, E, PK, C_route, P, batch_root): the one public input of a proof.
    pub fn x(&self) -> F {
        let (e, pk) = (&self.ephemeral, &self.epoch_key);
        let inputs = [
            self.ctx,
            e.x(),
            e.y(),
            pk.x(),
            pk.y(),
            self.route_commitment,
            self.policy_digest,
            self.batch_root(),
        ];
        poseidon::hash(Domain::Statement, &inputs)
    }
}
