//! A checkpoint's text: a C2SP signed note of three lines and one line per cosignature.
//!
//! ```text
//! ukehi/<cluster, 64 hex digits>/<shard>
//! <size>
//! <root, base64>
//!
//! — ukehi/<cluster>/node-<id> <base64(key id ‖ time u64 BE ‖ signature)>
//! ```
//!
//! Invariants: 1. a signed checkpoint has exactly one text, and no other text is read; 2. what is
//! read as a note has had every cosignature verified. C2SP lets a reader skip signatures of
//! strangers; here they are refused, or a note could be changed and still be the same.
//! Knows nothing of trees or of who sent the note.

use super::checkpoint::{Checkpoint, CheckpointError, Cosignature, SignedCheckpoint};
use crate::genesis::Genesis;
use crate::ids::{ClusterId, NodeId, ShardId};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::str::FromStr;

/// The longest note that is read: [`crate::genesis::MAX_NODES`] cosignatures need 13.4 KiB.
pub const MAX_NOTE_BYTES: usize = 16 * 1024;
const COSIGNATURE_BYTES: usize = 4 + 8 + 64;

impl Checkpoint {
    /// The three lines that are signed, each with its newline (C2SP tlog-checkpoint, Note text).
    #[must_use]
    pub fn note_text(&self) -> String {
        let root = STANDARD.encode(self.root);
        format!("{}\n{}\n{root}\n", self.origin(), self.size)
    }

    fn from_note_text(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.lines();
        let mut line = |part| lines.next().ok_or(CheckpointError::Malformed { part });
        let (origin, size, root) = (line("origin")?, line("size")?, line("root")?);
        let (cluster, shard) = origin
            .strip_prefix("ukehi/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or(CheckpointError::Malformed { part: "origin" })?;
        let mut cluster_id = [0; 32];
        hex::decode_to_slice(cluster, &mut cluster_id)
            .map_err(|_| CheckpointError::Malformed { part: "origin" })?;
        Ok(Self {
            cluster: ClusterId(cluster_id),
            shard: ShardId(number(shard, "origin")?),
            size: number(size, "size")?,
            root: decode(root, "root")?,
        })
    }
}

impl SignedCheckpoint {
    /// The text, readable by any C2SP tool. Without a cosignature it is not a note.
    #[must_use]
    pub fn to_note(&self) -> String {
        let mut note = self.checkpoint.note_text();
        note.push('\n');
        for cosignature in &self.cosignatures {
            let mut bytes = Vec::with_capacity(COSIGNATURE_BYTES);
            bytes.extend_from_slice(&cosignature.key_id);
            bytes.extend_from_slice(&cosignature.time.to_be_bytes());
            bytes.extend_from_slice(&cosignature.signature);
            let name = self.checkpoint.key_name(cosignature.node);
            note.push_str(&format!("— {name} {}\n", STANDARD.encode(bytes)));
        }
        note
    }

    /// Reads a note and verifies every cosignature on it. How many there are is not judged: see
    /// [`SignedCheckpoint::has_majority`].
    ///
    /// # Errors
    /// [`CheckpointError`]; a note beyond [`MAX_NOTE_BYTES`] is refused unread.
    pub fn from_note(note: &str, trust: &Genesis) -> Result<Self, CheckpointError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(CheckpointError::TooLong {
                found: note.len(),
                limit: MAX_NOTE_BYTES,
            });
        }
        let (text, signatures) = note
            .split_once("\n\n")
            .ok_or(CheckpointError::Malformed { part: "blank line" })?;
        let mut signed = Self::new(Checkpoint::from_note_text(text)?);
        for line in signatures.lines() {
            let cosignature = read_cosignature(&signed.checkpoint, line)?;
            signed.cosignatures.push(cosignature);
        }
        let in_order = signed
            .cosignatures
            .is_sorted_by(|before, after| before.node < after.node);
        if signed.cosignatures.is_empty() || !in_order {
            return Err(CheckpointError::Malformed {
                part: "list of cosignatures",
            });
        }
        // Leading zeroes, other line ends, upper-case digits, further lines: whatever the parsers
        // above let pass is caught here.
        if signed.to_note() != note {
            return Err(CheckpointError::Malformed { part: "spelling" });
        }
        signed.verify(trust)?;
        Ok(signed)
    }
}

fn read_cosignature(checkpoint: &Checkpoint, line: &str) -> Result<Cosignature, CheckpointError> {
    const LINE: CheckpointError = CheckpointError::Malformed {
        part: "cosignature line",
    };
    let (name, blob) = line
        .strip_prefix("— ")
        .and_then(|rest| rest.split_once(' '))
        .ok_or(LINE)?;
    let node = name.rsplit_once("/node-").ok_or(LINE)?.1;
    let node = NodeId(number(node, "cosignature line")?);
    if name != checkpoint.key_name(node) {
        return Err(LINE);
    }
    let bytes: [u8; COSIGNATURE_BYTES] = decode(blob, "cosignature line")?;
    let (key_id, rest) = bytes.split_at(4);
    let (time, signature) = rest.split_at(8);
    Ok(Cosignature {
        node,
        key_id: key_id.try_into().expect("split at 4"),
        time: u64::from_be_bytes(time.try_into().expect("split at 8")),
        signature: signature.try_into().expect("64 bytes remain of 76"),
    })
}

fn number<T: FromStr>(text: &str, part: &'static str) -> Result<T, CheckpointError> {
    text.parse()
        .map_err(|_| CheckpointError::Malformed { part })
}

fn decode<const N: usize>(text: &str, part: &'static str) -> Result<[u8; N], CheckpointError> {
    STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(CheckpointError::Malformed { part })
}

#[cfg(test)]
#[path = "note_tests.rs"]
mod tests;
