//! `ukehi bulk repair`: gives the nodes that were down during an upload the ciphertexts they lack.
//!
//! Invariant: what is passed on has the digest the log names. Needs no key that reads, and an author's to sign the upload.

use super::bulk::Network;
use super::post::author_or_only;
use crate::batch::{BulkReference, SealedBatch};
use crate::cli::args::BulkCommand;
use crate::cli::connect::{Place, runtime};
use crate::cli::output::{Output, table};
use crate::error::{ExitCode, Failure};
use crate::ids::NodeId;
use serde::Serialize;
use std::collections::BTreeSet;
use ukehi_keys::AuthorKey;

#[derive(Serialize)]
struct Repaired {
    schema: &'static str,
    /// Bulk values that stand under some key now.
    values: usize,
    repairs: Vec<Repair>,
    /// Nodes that did not answer: what they lack is not known.
    unreachable: Vec<NodeId>,
}

#[derive(Serialize)]
struct Repair {
    digest: String,
    bytes: u64,
    /// Who has it now, and had not.
    nodes: Vec<NodeId>,
    /// Why it could not be given to all.
    failed: Option<String>,
}

pub fn run(command: BulkCommand, output: &Output) -> Result<(), Failure> {
    let BulkCommand::Repair { target, author } = command;
    let place = Place::find(&target)?;
    let author = author_or_only(&place, author.as_ref())?;
    let author = place.keys()?.author(&author)?;
    let repaired = runtime()?.block_on(repair(&place, &author))?;
    output.show(&repaired, words);
    let failed = repaired.repairs.iter().filter(|r| r.failed.is_some());
    match (failed.count(), repaired.unreachable.len()) {
        (0, 0) => Ok(()),
        (failed, silent) => Err(Failure::new(
            ExitCode::Incomplete,
            format!("{failed} bulk values are not at every node, {silent} nodes did not answer"),
            "check `ukehi status`, and run it again when all are up",
        )),
    }
}

async fn repair(place: &Place, author: &AuthorKey) -> Result<Repaired, Failure> {
    let mut cluster = place.cluster().await?;
    let rows = cluster.scan(usize::MAX).await?;
    // What an older value of a key named is not looked for: no command reads it.
    let named: BTreeSet<BulkReference> = rows
        .iter()
        .filter_map(|(entry, slot)| {
            let batch = SealedBatch::from_bytes(&entry.payload).ok()?;
            *batch.bulk.get(usize::from(*slot))?
        })
        .collect();
    let network = Network::of(place);
    let mut repaired = Repaired {
        schema: "ukehi/bulk-repair/v1",
        values: named.len(),
        repairs: Vec::new(),
        unreachable: Vec::new(),
    };
    for reference in named {
        let lacking = network.lacking(reference, &mut repaired.unreachable).await;
        if !lacking.is_empty() {
            let given = network.give(author, reference, &lacking).await;
            repaired.repairs.push(Repair {
                digest: hex::encode(reference.digest),
                bytes: reference.length,
                failed: given.as_ref().err().map(|failure| failure.what.clone()),
                nodes: match given {
                    Ok(()) => lacking.iter().map(|endpoint| endpoint.node).collect(),
                    Err(_) => Vec::new(),
                },
            });
        }
    }
    Ok(repaired)
}

fn words(repaired: &Repaired) -> String {
    let rows = repaired.repairs.iter().map(|r| {
        let nodes: Vec<String> = r.nodes.iter().map(ToString::to_string).collect();
        let outcome = r.failed.clone().unwrap_or_else(|| nodes.join(", "));
        vec![r.digest[..16].to_owned(), r.bytes.to_string(), outcome]
    });
    format!(
        "{}\n{} bulk values, {} of them were missing somewhere",
        table(&["digest", "bytes", "given to node"], rows),
        repaired.values,
        repaired.repairs.len()
    )
}
