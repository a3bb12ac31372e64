//! One decrypted command, shown to somebody who has neither the reading key nor the trail.
//!
//! Invariants: 1. a disclosure has one spelling, white space apart, and every list in it a bound;
//! 2. nothing in it is believed before [`Disclosure::check`]; 3. it reveals one slot: neither the
//! point S nor the key K, which would open the whole batch, is in it or follows from it.
//! Layout and meaning: docs/disclosure.md. Knows nothing of files, nodes or key stores.

mod check;
mod error;
mod make;
mod proof;
mod registry;
mod report;

pub use check::CheckOptions;
pub use error::{DisclosureError, ShownFault};
pub use make::{DiscloseError, Prepared, Unproven, prepare};
pub use registry::{MAX_DISCLOSED_CHANGE_BYTES, MAX_DISCLOSED_CHANGES};
pub use report::{DISCLOSED_SCHEMA, Disclosed};

use crate::batch::{BulkReference, op_fits};
use crate::ids::{Hash, hash_hex};
use crate::log::{Receipt, json};
use registry::{ShownChange, is_bounded};
use serde::{Deserialize, Serialize};
use ukehi_circuits::slot::{Body, DecodedKey, Meta};
use ukehi_circuits::{F, Point, field};
use ukehi_keys::CircuitId;
use ukehi_keys::stream::MAX_CIPHERTEXT_BYTES;

/// Longer texts are refused unread: as many registry changes as there may be, with the longest
/// paths, and beside them a receipt, two long slots, one more in clear and 64 public words stay
/// below, with room for indentation.
pub const MAX_DISCLOSURE_BYTES: usize = 8 * 1024 * 1024;
/// The longest audience, in bytes of UTF-8.
pub const MAX_AUDIENCE_BYTES: usize = 1024;
const SCHEMA: &str = "ukehi/disclosure/v1";

/// An unverified disclosure. Made by [`Unproven::finish`], or read from a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    schema: String,
    /// That the batch stands in the log and was applied; holds the batch's header.
    receipt: Receipt,
    /// The applied registry changes under the receipt's checkpoint, in log order.
    registry: Vec<ShownChange>,
    /// E, x then y: 64 bytes, hex.
    ephemeral: String,
    /// What every active slot shows in clear, in order: its digest stands in the header.
    slot_list: Vec<PublicWord>,
    /// j
    slot: u8,
    /// The active slots of j's group, in order.
    group: Vec<GroupSlot>,
    /// From the group's leaf up to the batch root: siblings of each level, left to right.
    path: Vec<Vec<Element>>,
    /// The batch's own proof, 128 bytes, hex.
    seal_proof: String,
    /// The author's, over header and x: 64 bytes, hex.
    signature: String,
    /// For whom; empty: anyone.
    audience: String,
    /// Key elements, then body elements, in clear.
    plaintext: Vec<Element>,
    /// The key they encode; `null` if they are no key's encoding.
    key: Option<String>,
    /// The value they encode.
    value: String,
    /// The circuit of `open/v1` that the next proof is under.
    open_circuit: CircuitId,
    /// 128 bytes, hex.
    open_proof: String,
}

/// A slot's public word (32 bits) and, for a bulk put, where its value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicWord {
    meta: u32,
    bulk: Option<Bulk>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bulk {
    #[serde(with = "hash_hex")]
    digest: Hash,
    length: u64,
}

/// What the log holds of a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupSlot {
    route: Element,
    /// (old, new); zeros for no cell.
    cell: [Element; 2],
    ciphertext: Vec<Element>,
}

/// A field element: 32 bytes, little-endian, below the modulus, as hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Element(F);

impl Serialize for Element {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        hash_hex::serialize(&field::encode(&self.0), s)
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let bytes = hash_hex::deserialize(d)?;
        field::decode(&bytes)
            .map(Element)
            .map_err(serde::de::Error::custom)
    }
}

impl PublicWord {
    fn of(meta: Meta, bulk: Option<BulkReference>) -> Self {
        let word = field::encode(&meta.to_field());
        Self {
            meta: u32::from_le_bytes([word[0], word[1], word[2], word[3]]),
            bulk: bulk.map(|bulk| Bulk {
                digest: bulk.digest,
                length: bulk.length,
            }),
        }
    }

    fn meta(&self) -> Result<Meta, DisclosureError> {
        Meta::from_field(&F::from(self.meta)).map_err(|e| DisclosureError::Undecodable {
            reason: format!("the public word {}: {e}", self.meta),
        })
    }

    /// Word and reference, if a slot of a batch may show them together.
    fn parts(&self) -> Result<(Meta, Option<BulkReference>), DisclosureError> {
        let undecodable = |what: &str| DisclosureError::Undecodable {
            reason: format!("the public word {}: {what}", self.meta),
        };
        let meta = self.meta()?;
        let bulk = self.bulk.map(|bulk| BulkReference {
            digest: bulk.digest,
            length: bulk.length,
        });
        if !op_fits(meta, bulk.as_ref()) {
            let what = "a bulk reference stands exactly where the operation is a bulk put";
            return Err(undecodable(what));
        }
        if bulk.is_some_and(|bulk| bulk.length > MAX_CIPHERTEXT_BYTES) {
            return Err(undecodable("its bulk value is too long"));
        }
        Ok((meta, bulk))
    }
}

impl Disclosure {
    /// `ukehi/disclosure/v1`, indented.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::write(self)
    }

    /// # Errors
    /// [`DisclosureError::Undecodable`] for anything but what [`Disclosure::to_json`] writes,
    /// white space apart.
    pub fn from_json(text: &str) -> Result<Self, DisclosureError> {
        let undecodable = |reason: String| DisclosureError::Undecodable { reason };
        if text.len() > MAX_DISCLOSURE_BYTES {
            return Err(undecodable("it is too long".into()));
        }
        let disclosure: Self = json::read(text).map_err(undecodable)?;
        if disclosure.schema != SCHEMA {
            return Err(undecodable(format!("its schema is not {SCHEMA}")));
        }
        if !is_bounded(&disclosure.registry) {
            return Err(undecodable("it holds too many registry changes".into()));
        }
        if disclosure.audience.len() > MAX_AUDIENCE_BYTES {
            return Err(undecodable("its audience is too long".into()));
        }
        Ok(disclosure)
    }

    fn ephemeral(&self) -> Result<Point, DisclosureError> {
        Point::from_xy_bytes(&fixed("ephemeral", &self.ephemeral)?).map_err(|e| {
            DisclosureError::Undecodable {
                reason: format!("ephemeral: {e}"),
            }
        })
    }
}

/// Exactly `N` bytes in lower-case hex.
fn fixed<const N: usize>(what: &'static str, text: &str) -> Result<[u8; N], DisclosureError> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes)
        .ok()
        .filter(|()| hex::encode(bytes) == text)
        .map(|()| bytes)
        .ok_or_else(|| DisclosureError::Undecodable {
            reason: format!("{what} is not {N} bytes in lower-case hex"),
        })
}

/// Any number of bytes in lower-case hex.
fn spelled_bytes(what: &'static str, text: &str) -> Result<Vec<u8>, DisclosureError> {
    let bytes = hex::decode(text).ok();
    let bytes = bytes.filter(|bytes| hex::encode(bytes) == text);
    bytes.ok_or_else(|| DisclosureError::Undecodable {
        reason: format!("{what} is not in lower-case hex"),
    })
}

/// Text as it is, other bytes (and text that looks like this) as `hex:` and digits: one string for
/// each sequence of bytes.
fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.starts_with("hex:") => text.to_owned(),
        _ => format!("hex:{}", hex::encode(bytes)),
    }
}

fn shown_key(key: &DecodedKey) -> Option<String> {
    match key {
        DecodedKey::Canonical(key) => Some(shown(key.as_bytes())),
        DecodedKey::NonCanonical => None,
    }
}

fn shown_value(body: &Body) -> String {
    shown(body.as_bytes())
}

fn elements(list: &[F]) -> Vec<Element> {
    list.iter().copied().map(Element).collect()
}

fn plain(list: &[Element]) -> Vec<F> {
    list.iter().map(|element| element.0).collect()
}
