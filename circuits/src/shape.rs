//! Which circuit: how many slots a batch has, and the size class of a slot.
//!
//! Invariant: a `Shape` that exists has a circuit. Knows nothing of what is in a slot.

/// Size class of a slot's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Class {
    /// A body of 5 elements (155 bytes), a ciphertext of 7.
    Short,
}

impl Class {
    /// Field elements of a key.
    pub const KEY_ELEMENTS: usize = 2;

    /// Field elements of a body.
    pub const fn body_elements(self) -> usize {
        match self {
            Class::Short => 5,
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

    /// The class's byte in a circuit id.
    pub const fn id(self) -> u8 {
        match self {
            Class::Short => 1,
        }
    }
}

/// A batch shape that has a circuit: 1 or 8 slots, short class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape {
    slots: usize,
    class: Class,
}

/// No circuit exists for this shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no circuit for {slots} slots of class {class:?}")]
pub struct UnknownShape {
    pub slots: usize,
    pub class: Class,
}

impl Shape {
    /// One short command.
    pub const SINGLE: Shape = Shape {
        slots: 1,
        class: Class::Short,
    };
    /// Eight short commands.
    pub const EIGHT: Shape = Shape {
        slots: 8,
        class: Class::Short,
    };

    /// The shape of `slots` slots of `class`, if it has a circuit.
    pub const fn new(slots: usize, class: Class) -> Result<Self, UnknownShape> {
        match (slots, class) {
            (1 | 8, Class::Short) => Ok(Shape { slots, class }),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shapes_with_a_circuit_exist() {
        assert_eq!(Shape::new(1, Class::Short), Ok(Shape::SINGLE));
        assert_eq!(Shape::new(8, Class::Short), Ok(Shape::EIGHT));
        for slots in [0, 2, 7, 9, 64] {
            assert_eq!(
                Shape::new(slots, Class::Short),
                Err(UnknownShape {
                    slots,
                    class: Class::Short
                })
            );
        }
    }
}
