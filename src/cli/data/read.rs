//! `ukehi get` and `ukehi scan`: fetch, verify against the trust root, decrypt.

use super::bulk::{Network, bulk_of};
use crate::api::{MAX_SCAN_ROWS, ProvenEntry, Reply, Request};
use crate::batch::SealedBatch;
use crate::cli::args::{GetArgs, ScanArgs};
use crate::cli::connect::{Place, runtime};
use crate::cli::output::{Output, table};
use crate::client::remote::RemoteError;
use crate::client::{KnownRegistry, Opened, ReadError, Reader};
use crate::error::{ExitCode, Failure};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use ukehi_circuits::slot::DecodedKey;
use ukehi_keys::{AuthorId, keystore};

#[derive(Serialize)]
struct Got {
    schema: &'static str,
    #[serde(flatten)]
    row: Row,
    /// Where `--out` had the value written.
    file: Option<String>,
}

#[derive(Serialize)]
struct Scanned {
    schema: &'static str,
    order: &'static str,
    rows: Vec<Row>,
    /// Rows under epochs whose secret is not here: verified, but closed.
    closed: usize,
}

#[derive(Serialize)]
struct Row {
    key: String,
    /// Text, or "hex:" and digits where the bytes are not UTF-8; null for a bulk value.
    value: Option<String>,
    /// The length of a bulk value.
    bulk_bytes: Option<u64>,
    author: AuthorId,
    seq: u64,
    index: u64,
    slot: u8,
    /// The cosigned checkpoint the entry was shown to be under.
    checkpoint_size: u64,
}

pub fn get(args: &GetArgs, output: &Output) -> Result<(), Failure> {
    let place = Place::find(&args.target)?;
    let runtime = runtime()?;
    let mut remote = place.remote();
    let known = runtime.block_on(place.registry(&mut remote))?;
    let mut reader = open_reader(&place, &known)?;
    let route = reader.route(args.key.as_bytes()).map_err(|e| {
        Failure::usage(
            format!("key {:?}: {e}", args.key),
            "a key has at most 61 bytes",
        )
    })?;
    let ask = remote.ask(|deadline_ms| Request::Get { deadline_ms, route });
    let (node, reply) = runtime.block_on(ask)?;
    let (entry, slot) = match reply {
        Reply::Entry { entry, slot } => (entry, slot),
        Reply::NotFound { applied } => {
            return Err(Failure::new(
                ExitCode::NotFound,
                format!(
                    "node {node} has nothing under {:?} up to entry {applied}",
                    args.key
                ),
                "check the key; a node could also hide it, another may tell",
            ));
        }
        other => {
            return Err(Failure::from(RemoteError::Protocol {
                node,
                what: format!("{other:?}"),
            }));
        }
    };
    hold_epoch_of(&mut reader, &place, &entry)?;
    let opened = reader.open(&entry, slot, Some(&route))?;
    if !matches!(&opened.key, DecodedKey::Canonical(key) if key.as_bytes() == args.key.as_bytes()) {
        return Err(Failure::new(
            ExitCode::Tampered,
            format!(
                "entry {}: the slot under this route holds another key",
                opened.index
            ),
            "do not trust this node; ask another",
        ));
    }
    let row = row(&opened)?;
    let file = match (&args.out, row.bulk_bytes) {
        (Some(out), Some(_)) => {
            runtime.block_on(Network::of(&place).fetch(&opened, out))?;
            Some(out)
        }
        (Some(out), None) => {
            write_out(out, opened.body.as_bytes())?;
            Some(out)
        }
        (None, Some(bytes)) => {
            return Err(Failure::usage(
                format!("{:?} holds a bulk value of {bytes} bytes", args.key),
                "say where to write it: --out FILE",
            ));
        }
        (None, None) => None,
    };
    let got = Got {
        schema: "ukehi/get/v1",
        file: file.map(|f| f.display().to_string()),
        row,
    };
    output.show(&got, |g| match (&g.file, &g.row.value) {
        (Some(file), _) => format!("written to {file}"),
        (None, value) => value.clone().unwrap_or_default(),
    });
    Ok(())
}

fn write_out(out: &Path, value: &[u8]) -> Result<(), Failure> {
    std::fs::write(out, value).map_err(|e| Failure::runtime(format!("{}: {e}", out.display())))
}

pub fn scan(args: &ScanArgs, output: &Output) -> Result<(), Failure> {
    let place = Place::find(&args.target)?;
    let runtime = runtime()?;
    let entries = runtime.block_on(fetch(&place, args.limit.unwrap_or(usize::MAX)))?;
    // After the rows: what they stand on is then known too.
    let known = runtime.block_on(place.registry(&mut place.remote()))?;
    let mut reader = open_reader(&place, &known)?;
    let mut rows = Vec::new();
    let mut closed = 0;
    let mut last_route = None;
    for (entry, slot) in &entries {
        hold_epoch_of(&mut reader, &place, entry)?;
        let opened = reader.open(entry, *slot, None);
        let route = route_of(entry, *slot);
        // Tags ascend: a node cannot show one row twice.
        if last_route >= route {
            return Err(Failure::new(
                ExitCode::Tampered,
                format!("entry {}: rows are not in tag order", entry.record.index),
                "do not trust this node; ask another",
            ));
        }
        last_route = route;
        match opened {
            Err(ReadError::OtherEpoch { .. }) => closed += 1,
            opened => rows.push(row(&opened?)?),
        }
    }
    let scanned = Scanned {
        schema: "ukehi/scan/v1",
        order: "tag",
        rows,
        closed,
    };
    output.show(&scanned, |s| {
        let rows = s.rows.iter().map(|r| {
            vec![
                r.key.clone(),
                match (&r.value, r.bulk_bytes) {
                    (Some(value), _) => value.clone(),
                    (None, bytes) => format!("(bulk, {} bytes)", bytes.unwrap_or_default()),
                },
                r.index.to_string(),
                r.author.to_string()[..12].to_owned(),
            ]
        });
        let mut text = format!(
            "{}\n{} keys, in tag order (not in the order of the keys)",
            table(&["key", "value", "entry", "author"], rows),
            s.rows.len()
        );
        if s.closed > 0 {
            text.push_str(&format!(
                "\n{} more are under epochs whose secret is not here",
                s.closed
            ));
        }
        text
    });
    Ok(())
}

/// Pages through the routes.
async fn fetch(place: &Place, limit: usize) -> Result<Vec<(ProvenEntry, u8)>, Failure> {
    let mut remote = place.remote();
    let mut entries: Vec<(ProvenEntry, u8)> = Vec::new();
    let mut after = None;
    while entries.len() < limit {
        let page = (limit - entries.len()).min(MAX_SCAN_ROWS as usize) as u32;
        let before = entries.len();
        let rows = &mut entries;
        let node = remote
            .stream(
                |deadline_ms| Request::Scan {
                    deadline_ms,
                    after,
                    limit: page,
                },
                |reply| match reply {
                    Reply::Entry { entry, slot } if rows.len() - before < page as usize => {
                        rows.push((entry, slot));
                        Ok(false)
                    }
                    Reply::End => Ok(true),
                    other => Err(RemoteError::Protocol {
                        node: crate::ids::NodeId(0),
                        what: format!("{other:?}"),
                    }),
                },
            )
            .await?;
        if entries.len() - before < page as usize {
            break;
        }
        let (entry, slot) = entries.last().expect("a full page has a last row");
        let route = route_of(entry, *slot).ok_or_else(|| {
            Failure::from(RemoteError::Protocol {
                node,
                what: "a row without its slot".into(),
            })
        })?;
        after = Some(route);
    }
    Ok(entries)
}

fn open_reader(place: &Place, known: &KnownRegistry) -> Result<Reader, Failure> {
    let route = keystore::load(&place.client_dir()?.join("route.key"), &place.passphrase()?)?;
    let verifier = Arc::new(known.verifier().clone());
    let registry = Arc::new(known.registry().clone());
    Ok(Reader::new(route, verifier, registry))
}

/// Opens the key file of the epoch an entry says it was sealed to, once.
fn hold_epoch_of(reader: &mut Reader, place: &Place, entry: &ProvenEntry) -> Result<(), Failure> {
    // What does not decode, or was sealed to another key, is the reader's to name.
    let Ok(batch) = SealedBatch::from_bytes(&entry.payload) else {
        return Ok(());
    };
    let header = &batch.header;
    if reader.holds(&header.epoch_key.to_bytes()) {
        return Ok(());
    }
    let path = place.epoch_file(header.keyspace, header.epoch)?;
    // Who was not granted this epoch: the reader names it.
    if path.exists() {
        reader.hold(keystore::load(&path, &place.passphrase()?)?);
    }
    Ok(())
}

/// The tag a row stands under, canonical little-endian, as its batch shows it.
fn route_of(entry: &ProvenEntry, slot: u8) -> Option<[u8; 32]> {
    let batch = SealedBatch::from_bytes(&entry.payload).ok()?;
    let slot = batch.slots.get(usize::from(slot))?;
    Some(ukehi_circuits::field::encode(&slot.route))
}

fn row(opened: &Opened) -> Result<Row, Failure> {
    let bulk_bytes = match opened.bulk {
        Some(_) => Some(bulk_of(opened)?.1.plaintext_bytes),
        None => None,
    };
    Ok(Row {
        key: match &opened.key {
            DecodedKey::Canonical(key) => text(key.as_bytes()),
            DecodedKey::NonCanonical => "noncanonical-key".into(),
        },
        // The body of a bulk put holds its content key: never shown.
        value: match bulk_bytes {
            Some(_) => None,
            None => Some(text(opened.body.as_bytes())),
        },
        bulk_bytes,
        author: opened.author,
        seq: opened.author_seq,
        index: opened.index,
        slot: opened.slot,
        checkpoint_size: opened.checkpoint.checkpoint.size,
    })
}

fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("hex:{}", hex::encode(bytes)),
    }
}
