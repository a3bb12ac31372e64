//! The public side of a disclosure: what is shown, of which slot, to whom.
//!
//! Invariant of an `OpenStatement` that was built: its lists have the lengths of its class and its slot number is one
//! that a batch can have. It holds a plaintext, disclosed but not to everybody: zeroised on drop, no `Debug`.

use crate::F;
use crate::curve::Point;
use crate::field;
use crate::poseidon::{self, Domain};
use crate::shape::Class;
use crate::slot::{Body, DecodedKey, Meta, decode_key};
use zeroize::{Zeroize, Zeroizing};

/// Slot numbers are below this: two slots a group, 32 groups.
pub const MAX_SLOTS: usize = 64;

/// The parts of a disclosure before they are checked.
pub struct OpenParts {
    pub class: Class,
    /// trunc248 of the header's BLAKE3.
    pub ctx: F,
    /// E
    pub ephemeral: Point,
    /// PK
    pub epoch_key: Point,
    /// j
    pub slot: usize,
    pub meta: Meta,
    /// Key elements, then body elements, as the log holds them.
    pub ct: Vec<F>,
    /// The same elements in clear.
    pub plaintext: Vec<F>,
    /// For whom: see [`audience`].
    pub audience: F,
}

impl Drop for OpenParts {
    fn drop(&mut self) {
        self.plaintext.zeroize();
    }
}

/// A public statement of `open/v1`. Read its parts through `Deref`.
pub struct OpenStatement(pub(super) OpenParts);

impl std::ops::Deref for OpenStatement {
    type Target = OpenParts;
    fn deref(&self) -> &OpenParts {
        &self.0
    }
}

/// Why parts do not make a disclosure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenStatementError {
    #[error("slot {slot}: a batch has at most {MAX_SLOTS} slots")]
    Slot { slot: usize },
    #[error("a {what} of {elements} elements, the class has {expected}")]
    Length {
        what: &'static str,
        elements: usize,
        expected: usize,
    },
    #[error("a body of {body_len} bytes, the class holds {capacity}")]
    BodyLength { body_len: u16, capacity: usize },
}

impl OpenStatement {
    /// Checks the parts against the class.
    pub fn new(parts: OpenParts) -> Result<Self, OpenStatementError> {
        if parts.slot >= MAX_SLOTS {
            return Err(OpenStatementError::Slot { slot: parts.slot });
        }
        let expected = parts.class.ct_elements();
        for (what, list) in [("ciphertext", &parts.ct), ("plaintext", &parts.plaintext)] {
            if list.len() != expected {
                return Err(OpenStatementError::Length {
                    what,
                    elements: list.len(),
                    expected,
                });
            }
        }
        let (body_len, capacity) = (parts.meta.body_len, parts.class.body_bytes());
        if usize::from(body_len) > capacity {
            return Err(OpenStatementError::BodyLength { body_len, capacity });
        }
        Ok(OpenStatement(parts))
    }

    /// x_o: the one public input of a proof.
    pub fn x(&self) -> F {
        let (e, pk) = (&self.ephemeral, &self.epoch_key);
        let mut inputs = Zeroizing::new(Vec::with_capacity(8 + 2 * self.ct.len()));
        inputs.extend([self.ctx, e.x(), e.y(), pk.x(), pk.y()]);
        inputs.extend([F::from(self.slot as u64), self.meta.to_field()]);
        inputs.extend_from_slice(&self.ct);
        inputs.extend_from_slice(&self.plaintext);
        inputs.push(self.audience);
        poseidon::hash(Domain::Open, &inputs)
    }

    /// The disclosed key.
    pub fn key(&self) -> DecodedKey {
        let (key, _) = self.plaintext.split_at(Class::KEY_ELEMENTS);
        decode_key(key.try_into().expect("a key is two elements"))
    }

    /// The disclosed body, decoded as every reader decodes it.
    pub fn body(&self) -> Body {
        Body::decode(&self.plaintext[Class::KEY_ELEMENTS..], self.meta.body_len)
    }

    /// Whether key and body are all that the slot holds: its author padded with zeros, as honest authors do.
    pub fn is_exact(&self) -> bool {
        let body = Zeroizing::new(self.body().elements(self.class));
        matches!(self.key(), DecodedKey::Canonical(_))
            && body[..] == self.plaintext[Class::KEY_ELEMENTS..]
    }
}

/// The element that stands for an audience: trunc248(BLAKE3("ukehi/audience/v1" ‖ text)). Empty text: anyone.
pub fn audience(text: &str) -> F {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"ukehi/audience/v1").update(text.as_bytes());
    let digest = hasher.finalize();
    let low: [u8; field::PACKED_LEN] = digest.as_bytes()[..field::PACKED_LEN]
        .try_into()
        .expect("31 of 32 bytes");
    field::pack(&low)
}
