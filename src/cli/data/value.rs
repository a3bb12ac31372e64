//! What goes into each slot of a batch: the value itself, or what opens a bulk value.
//!
//! Invariant: a bulk ciphertext is at a majority of the voters before the batch that names it is
//! sealed: a batch never names what only this client has.

use super::bulk::{BulkOutbox, Network};
use super::input::{Group, Value};
use crate::batch::BulkReference;
use crate::error::Failure;
use std::io::Read;
use std::path::Path;
use ukehi_keys::AuthorKey;
use zeroize::Zeroizing;

/// The body of one slot.
pub struct Slot {
    pub body: Zeroizing<Vec<u8>>,
    pub bulk: Option<BulkReference>,
}

/// The slots of a batch whose circuit holds values of up to `longest` bytes.
pub async fn slots(
    group: &Group,
    longest: usize,
    author: &AuthorKey,
    bulk: &BulkOutbox,
    network: &Network,
) -> Result<Vec<Slot>, Failure> {
    let mut slots = Vec::new();
    for line in &group.lines {
        let (start, mut rest) = open(&line.value, longest)?;
        if start.len() <= longest {
            slots.push(Slot {
                body: start,
                bulk: None,
            });
            continue;
        }
        let mut value = start.chain(&mut *rest);
        let (reference, body) = tokio::task::block_in_place(|| bulk.seal(&line.key, &mut value))?;
        eprintln!(
            "{:?}: {} bytes are too long for a slot: they go as a bulk value",
            line.key, body.plaintext_bytes
        );
        bulk.send(network, author, reference).await?;
        slots.push(Slot {
            body: Zeroizing::new(body.encode().to_vec()),
            bulk: Some(reference),
        });
    }
    Ok(slots)
}

type Start = Zeroizing<Vec<u8>>;

/// At most `limit` + 1 bytes of a value, and the rest to read on.
fn open(value: &Value, limit: usize) -> Result<(Start, Box<dyn Read + '_>), Failure> {
    let unreadable = |path: &Path, e: &std::io::Error| {
        Failure::usage(format!("{}: {e}", path.display()), "name a readable file")
    };
    let (name, mut input): (&Path, Box<dyn Read + '_>) = match value {
        Value::Text(text) => (Path::new("the value"), Box::new(text.as_bytes())),
        Value::File(path) if path == Path::new("-") => (path, Box::new(std::io::stdin().lock())),
        Value::File(path) => {
            let file = std::fs::File::open(path).map_err(|e| unreadable(path, &e))?;
            (path, Box::new(file))
        }
    };
    let mut start = Zeroizing::new(Vec::with_capacity(limit + 1));
    input
        .by_ref()
        .take(limit as u64 + 1)
        .read_to_end(&mut start)
        .map_err(|e| unreadable(name, &e))?;
    Ok((start, input))
}
