//! `ukehi audit export`: a trail from one node into one file.

use crate::api::{Reply, Request};
use crate::audit::{BundleWriter, RawChange, Start};
use crate::cli::args::Target;
use crate::cli::connect::{Place, runtime};
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::client::remote::RemoteError;
use crate::error::{ExitCode, Failure};
use crate::ids::NodeId;
use crate::log::EntryKind;
use crate::node::SHARD;
use crate::registry::Change;
use serde::Serialize;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Exported {
    schema: &'static str,
    bundle: String,
    from: u64,
    to: u64,
    checkpoint_size: u64,
}

/// The whole trail of a testnet, for measurements.
pub fn export_all(dir: &Path, out: &Path) -> Result<(), Failure> {
    let place = Place::find(&Target::of_dir(dir))?;
    let whole = Asked {
        from: 0,
        to: None,
        prune_grants: false,
    };
    runtime()?.block_on(fetch(&place, out, &whole)).map(drop)
}

/// What the bundle shall hold.
pub struct Asked {
    pub from: u64,
    /// To the newest checkpoint without it.
    pub to: Option<u64>,
    /// Without the payloads of grants: their leaves hold digests of the rest only.
    pub prune_grants: bool,
}

impl Asked {
    fn payload(&self, kind: EntryKind, payload: Vec<u8>) -> Vec<u8> {
        let prunes = self.prune_grants && kind == EntryKind::Registry;
        // What does not decode is the audit's to name.
        match prunes.then(|| Change::from_bytes(&payload)) {
            Some(Ok(change)) => change.pruned().to_bytes(),
            _ => payload,
        }
    }
}

pub fn export(target: &Target, out: &Path, asked: &Asked, output: &Output) -> Result<(), Failure> {
    let place = Place::find(target)?;
    // A temporary file beside the target: a broken-off export never looks like a bundle.
    let temporary = out.with_extension("part");
    let fetched = runtime()?.block_on(async {
        let (start, node, note) = fetch(&place, &temporary, asked).await?;
        // A trail of another history than this client has seen is a fork, not an export.
        place.cluster().await?.compare(node, &note).await?;
        Ok::<_, Failure>(start)
    });
    let exported = match fetched {
        Ok(start) => Exported {
            schema: "ukehi/audit-export/v1",
            bundle: out.display().to_string(),
            from: start.from,
            to: start.to,
            checkpoint_size: start.size,
        },
        Err(failure) => {
            let _ = std::fs::remove_file(&temporary);
            return Err(failure);
        }
    };
    std::fs::rename(&temporary, out).map_err(|e| cannot_write(out, &e))?;
    output.show(&exported, |e| {
        format!(
            "entries {}..{} under the checkpoint at size {} -> {}\nVerify them: ukehi audit verify {} --trust TRUST.json",
            e.from, e.to, e.checkpoint_size, e.bundle, e.bundle
        )
    });
    Ok(())
}

/// Streams the entries from one node straight into the file.
async fn fetch(
    place: &Place,
    path: &Path,
    asked: &Asked,
) -> Result<(Start, NodeId, String), Failure> {
    let cluster = place.trust.genesis.cluster_id();
    let genesis = place.trust.genesis.canonical_bytes();
    let mut writer = None;
    let mut started: Option<(Start, String)> = None;
    let mut failed = None;
    let mut progress = Progress::new("export", 1);
    let mut remote = place.remote();
    let each = |reply: Reply| -> Result<bool, RemoteError> {
        let write = || -> Result<bool, Failure> {
            match reply {
                Reply::ExportStart {
                    from,
                    to,
                    size,
                    left,
                    right,
                    note,
                } => {
                    let same = asked.from == from && asked.to.is_none_or(|asked| asked == to);
                    if !same || from > to || started.is_some() {
                        return Err(out_of_order("another range"));
                    }
                    let start = Start {
                        cluster,
                        genesis: genesis.clone(),
                        shard: SHARD,
                        from,
                        to,
                        size,
                        left,
                        right,
                        registry: Vec::new(),
                    };
                    progress.set_total(to - from);
                    started = Some((start, note));
                    Ok(false)
                }
                // The registry changes before a range.
                Reply::Entry { entry, .. } if writer.is_none() => {
                    let (start, _) = started.as_mut().ok_or_else(|| out_of_order("a change"))?;
                    start.registry.push(RawChange {
                        record: entry.record,
                        change: asked.payload(entry.record.kind, entry.payload),
                        inclusion: entry.inclusion,
                    });
                    Ok(false)
                }
                Reply::ExportEntry { record, payload } => {
                    if writer.is_none() {
                        let (start, _) =
                            started.as_ref().ok_or_else(|| out_of_order("an entry"))?;
                        let file = File::create(path).map_err(|e| cannot_write(path, &e))?;
                        writer = Some(BundleWriter::new(BufWriter::new(file), start)?);
                    }
                    let writer = writer.as_mut().expect("just made");
                    writer.entry(&record, &asked.payload(record.kind, payload))?;
                    progress.add(1);
                    Ok(false)
                }
                Reply::End => {
                    let (Some(writer), Some((_, note))) = (writer.take(), &started) else {
                        return Err(out_of_order("the end"));
                    };
                    let file = writer.finish(note)?;
                    let file = file
                        .into_inner()
                        .map_err(|e| cannot_write(path, e.error()))?;
                    file.sync_all().map_err(|e| cannot_write(path, &e))?;
                    Ok(true)
                }
                other => Err(out_of_order(&format!("{other:?}"))),
            }
        };
        // The stream's own error type cannot carry a failed file write: it is kept beside it.
        write().or_else(|failure| {
            failed = Some(failure);
            Ok(true)
        })
    };
    let node = remote
        .stream(
            |_| Request::Export {
                from: asked.from,
                to: asked.to,
            },
            each,
        )
        .await?;
    if let Some(failure) = failed {
        return Err(failure);
    }
    progress.finish();
    started
        .map(|(start, note)| (start, node, note))
        .ok_or_else(|| out_of_order("nothing"))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    let path = PathBuf::from(path);
    Failure::new(
        ExitCode::Runtime,
        format!("{}: {error}", path.display()),
        "choose another --out or free disk space",
    )
}

fn out_of_order(what: &str) -> Failure {
    Failure::new(
        ExitCode::Tampered,
        format!("the node answered {what} out of order"),
        "do not trust this node; ask another",
    )
}
