//! Which circuit: how many slots a batch has, the size class of a slot, and how slots form groups.
//!
//! Invariant: a `Shape` that exists has a circuit. Knows nothing of what is in a slot.

use std::ops::Range;

/// Size class of a slot's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// A body of 5 elements (155 bytes), a ciphertext of 7.
    Short,
    /// A body of 35 elements (1,085 bytes), a ciphertext of 37.
    Long,
}

impl Class {
    /// Every class, smallest first.
    pub const ALL: [Class; 2] = [Class::Short, Class::Long];

    /// Field elements of a key.
    pub const KEY_ELEMENTS: usize = 2;

    /// Field elements of a body.
    pub const fn body_elements(self) -> usize {
        match self {
            Class::Short => 5,
            Class::Long => 35,
        }
    }

    /// Field elements of a ciphertext: key, then body.
    pub const fn ct_elements(self) -> usize {
        Self::KEY_ELEMENTS + self.body_elements()
    }

    /// Bytes a body can hold.
    pub const fn body_bytes(self) -> usize {
        self.body_elements() * crate::field::PACKED_LEN
    }

    /// The class's name in a manifest and a circuit id.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Short => "short",
            Class::Long => "long",
        }
    }
}

/// A batch shape that has a circuit: 1, 8 or 64 slots of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape {
    slots: usize,
    class: Class,
}

/// No circuit exists for this shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no circuit for {slots} slots of class {}", class.name())]
pub struct UnknownShape {
    pub slots: usize,
    pub class: Class,
}

impl Shape {
    /// One short command.
    pub const SINGLE: Shape = Shape::of(1, Class::Short);
    /// Eight short commands.
    pub const EIGHT: Shape = Shape::of(8, Class::Short);
    /// Sixty-four short commands.
    pub const SIXTY_FOUR: Shape = Shape::of(64, Class::Short);

    /// Every shape, short class first, by slots.
    pub const ALL: [Shape; 6] = [
        Shape::SINGLE,
        Shape::EIGHT,
        Shape::SIXTY_FOUR,
        Shape::of(1, Class::Long),
        Shape::of(8, Class::Long),
        Shape::of(64, Class::Long),
    ];

    const fn of(slots: usize, class: Class) -> Self {
        Shape { slots, class }
    }

    /// The shape of `slots` slots of `class`, if it has a circuit.
    pub const fn new(slots: usize, class: Class) -> Result<Self, UnknownShape> {
        match slots {
            1 | 8 | 64 => Ok(Shape { slots, class }),
            _ => Err(UnknownShape { slots, class }),
        }
    }

    /// Slots in the batch, active or not.
    pub const fn slots(self) -> usize {
        self.slots
    }

    /// Size class of every slot.
    pub const fn class(self) -> Class {
        self.class
    }

    /// Slots of a group: two share a keystream and a leaf, or one if the batch has only one.
    pub const fn group_slots(self) -> usize {
        if self.slots == 1 { 1 } else { 2 }
    }

    /// Groups in the batch: the leaves of its tree.
    pub const fn groups(self) -> usize {
        self.slots / self.group_slots()
    }

    /// Elements of a group's keystream: each slot's pad, then one element a slot for its cell's blinding.
    pub(crate) const fn stream_len(self) -> usize {
        self.group_slots() * (self.class.ct_elements() + 1)
    }

    /// Where in its group's keystream the pad of a group's slot `i` is.
    pub(crate) const fn pad(self, i: usize) -> Range<usize> {
        let len = self.class.ct_elements();
        i * len..(i + 1) * len
    }

    /// Where in its group's keystream the next blinding of a group's slot `i` is.
    pub(crate) const fn blind(self, i: usize) -> usize {
        self.group_slots() * self.class.ct_elements() + i
    }
}

/// Whether a circuit's commands may have cells. Part of the statement's form: leaves then cover operations and cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CellUse {
    None,
    /// At most one cell a slot.
    Allowed,
}

/// What a verifier must know of a circuit to recompute x, whatever its policy: shape and use of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Form {
    pub shape: Shape,
    pub cells: CellUse,
}

impl Form {
    /// Of a circuit whose commands have no cells. Said by name: x is another one under the form with cells.
    pub const fn without_cells(shape: Shape) -> Self {
        Form {
            shape,
            cells: CellUse::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shapes_with_a_circuit_exist() {
        for shape in Shape::ALL {
            assert_eq!(Shape::new(shape.slots(), shape.class()), Ok(shape));
        }
        for (slots, class) in [0, 2, 7, 9, 63, 65, 512]
            .into_iter()
            .zip(Class::ALL.into_iter().cycle())
        {
            assert_eq!(Shape::new(slots, class), Err(UnknownShape { slots, class }));
        }
    }

    #[test]
    fn pads_and_blindings_tile_a_keystream() {
        for shape in Shape::ALL {
            let pads = (0..shape.group_slots()).flat_map(|i| shape.pad(i));
            let blinds = (0..shape.group_slots()).map(|i| shape.blind(i));
            let all: Vec<usize> = pads.chain(blinds).collect();
            assert_eq!(all, (0..shape.stream_len()).collect::<Vec<_>>());
            assert_eq!(shape.groups() * shape.group_slots(), shape.slots());
        }
    }
}
