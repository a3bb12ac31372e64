//! What a policy sees of a slot, natively and in rows.
//!
//! Invariant: both views show the same. A body element is only seen through a range check, because a reader sees its
//! low 248 bits: a policy that judged a larger element would judge something no reader gets.

use crate::F;
use crate::cells;
use crate::field::{self, PACKED_LEN};
use crate::gadget::{Builder, Num};
use crate::slot::Op;
use zeroize::Zeroize;

/// An active slot, natively.
pub struct SlotValues<'a> {
    /// The slot's place in the batch.
    pub slot: usize,
    pub(crate) cell: Option<CellValues>,
    pub(crate) body: &'a [F],
}

/// The operation and the cell of an active slot. Without a cell both values are 0.
pub struct CellValues {
    pub op: Op,
    /// An update of a cell that did not exist: `value` is 0.
    pub created: bool,
    pub value: u64,
    pub new_value: u64,
}

impl Drop for CellValues {
    fn drop(&mut self) {
        self.value.zeroize();
        self.new_value.zeroize();
    }
}

impl SlotValues<'_> {
    /// Operation and cell. Panics if the policy has no cells.
    pub fn cell(&self) -> &CellValues {
        self.cell.as_ref().expect("a policy with cells sees them")
    }

    /// Body element `element` as an integer; `None` if it is 2^64 or more. Panics beyond the class's elements.
    pub fn body_u64(&self, element: usize) -> Option<u64> {
        cells::as_u64(&self.body[element])
    }

    /// The 31 bytes of body element `element`; `None` if it is 2^248 or more.
    pub fn body_bytes(&self, element: usize) -> Option<[u8; PACKED_LEN]> {
        let (bytes, exact) = field::unpack(&self.body[element]);
        exact.then_some(bytes)
    }
}

/// A slot in rows. Every flag is 0 or 1, and all are 0 in an inactive slot.
pub struct SlotNums {
    /// 1 in an active slot; the constant 1 in slot 0.
    pub active: Num,
    pub(crate) cell: Option<CellNums>,
    pub(crate) body: Vec<Num>,
}

/// The operation and the cell of a slot in rows. At most one of the first four flags is 1.
pub struct CellNums {
    pub put: Num,
    pub put_bulk: Num,
    pub update: Num,
    pub guard: Num,
    /// 1 in an update of a cell that did not exist: `value` is 0.
    pub created: Num,
    /// Below 2^64, like `new_value`; 0 without a cell.
    pub value: Num,
    /// Equal to `value` under guard.
    pub new_value: Num,
}

impl CellNums {
    /// 1 in a slot with a cell.
    pub fn present(&self) -> Num {
        &self.update + &self.guard
    }
}

impl SlotNums {
    /// Operation and cell. Panics if the policy has no cells.
    pub fn cell(&self) -> &CellNums {
        self.cell.as_ref().expect("a policy with cells sees them")
    }

    /// Body element `element`, checked to be below 2^64, where `when` is 1 and the slot active; 0 elsewhere. 67 rows.
    pub fn body_u64(&self, builder: &mut Builder, element: usize, when: &Num) -> Num {
        self.body_below(builder, element, 64, when)
    }

    /// Body element `element`, checked to be below 2^248: its 31 bytes, little-endian. Otherwise as
    /// [`Self::body_u64`]. 251 rows.
    pub fn body_bytes(&self, builder: &mut Builder, element: usize, when: &Num) -> Num {
        self.body_below(builder, element, 8 * PACKED_LEN, when)
    }

    // An inactive slot's body is encrypted nowhere, so a prover may choose it: it never leaves this function.
    fn body_below(&self, builder: &mut Builder, element: usize, bits: usize, when: &Num) -> Num {
        let shown = builder.product(&self.active, when);
        let number = builder.product(&shown, &self.body[element]);
        builder.range_check(&number, bits);
        number
    }
}
