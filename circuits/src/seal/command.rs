//! A command before it is sealed.

use super::cell::CellSecret;
use super::witness::SlotSecret;
use crate::F;
use crate::cells::{self, CellOpening};
use crate::shape::Class;
use crate::slot::{Body, BodyTooLong, Meta, Op, SlotKey};
use zeroize::Zeroizing;

/// One command before it is sealed.
pub struct SlotPlaintext {
    pub key: SlotKey,
    pub command: Command,
}

/// What a command does. The memo of a cell command follows its value in the body.
pub enum Command {
    Put(Body),
    /// The body refers to a bulk value.
    PutBulk(Body),
    /// Gives the cell under the key a new value. `old` is `None` for a cell that does not exist.
    Update {
        old: Option<CellOpening>,
        value: u64,
        memo: Zeroizing<Vec<u8>>,
    },
    /// Shows that the cell under the key has a value, and is applied only while it has.
    Guard {
        cell: CellOpening,
        memo: Zeroizing<Vec<u8>>,
    },
}

impl SlotPlaintext {
    /// A plain put.
    pub fn put(key: SlotKey, body: Body) -> Self {
        SlotPlaintext {
            key,
            command: Command::Put(body),
        }
    }

    /// The operation.
    pub fn op(&self) -> Op {
        match self.command {
            Command::Put(_) => Op::Put,
            Command::PutBulk(_) => Op::PutBulk,
            Command::Update { .. } => Op::Update,
            Command::Guard { .. } => Op::Guard,
        }
    }

    /// The public word this command will have. A header covers it, so callers need it before they seal.
    pub fn meta(&self, class: Class) -> Result<Meta, BodyTooLong> {
        Ok(meta(self.op(), &*self.body(class)?))
    }

    /// The body that is encrypted, checked against the class.
    fn body(&self, class: Class) -> Result<std::borrow::Cow<'_, Body>, BodyTooLong> {
        use std::borrow::Cow::{Borrowed, Owned};
        match &self.command {
            Command::Put(body) | Command::PutBulk(body) => {
                let len = body.as_bytes().len();
                let fits = len <= class.body_bytes();
                fits.then_some(Borrowed(body))
                    .ok_or(BodyTooLong { len, class })
            }
            Command::Update { value, memo, .. } => {
                cells::encode_body(class, *value, memo).map(Owned)
            }
            Command::Guard { cell, memo } => {
                cells::encode_body(class, cell.value(), memo).map(Owned)
            }
        }
    }

    /// The public word and the elements.
    pub(super) fn secret(&self, class: Class) -> Result<(Meta, SlotSecret), BodyTooLong> {
        let body = self.body(class)?;
        let opened = |opening: &CellOpening| CellSecret {
            created: false,
            value: F::from(opening.value()),
            version: F::from(opening.version()),
            blind: opening.blind(),
        };
        let cell = match &self.command {
            Command::Put(_) | Command::PutBulk(_) => CellSecret::default(),
            Command::Update { old: None, .. } => CellSecret {
                created: true,
                ..CellSecret::default()
            },
            Command::Update { old: Some(old), .. } => opened(old),
            Command::Guard { cell, .. } => opened(cell),
        };
        let secret = SlotSecret {
            op: Some(self.op()),
            key: self.key.elements(),
            body: body.elements(class),
            cell,
        };
        Ok((meta(self.op(), &body), secret))
    }

    /// The opening an update leaves behind, given its blinding; `None` for other commands.
    pub(super) fn next_opening(&self, blind: F) -> Option<CellOpening> {
        match &self.command {
            Command::Update { old, value, .. } => {
                let version = old.as_ref().map_or(0, CellOpening::version);
                Some(CellOpening::new(*value, version.checked_add(1)?, blind))
            }
            _ => None,
        }
    }
}

fn meta(op: Op, body: &Body) -> Meta {
    Meta {
        op,
        body_len: u16::try_from(body.as_bytes().len()).expect("a class holds less than 2^16 bytes"),
        cell_count: u8::from(op.has_cell()),
    }
}
