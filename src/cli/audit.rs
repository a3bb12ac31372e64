//! `ukehi audit`: export a trail, verify it offline, look into it.

use super::args::{AuditCommand, Target};
use super::connect::{Place, load_trust, runtime};
use super::disclose;
use super::output::{Output, table};
use super::progress::Progress;
use super::readers;
use super::snarkjs;
use crate::api::{Reply, Request};
use crate::audit::show::Show;
use crate::audit::{self, BundleWriter, Comparison, Options, RawChange, Readable, Report, Start};
use crate::client::remote::RemoteError;
use crate::error::{ExitCode, Failure};
use crate::ids::NodeId;
use crate::node::SHARD;
use serde::Serialize;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Exported {
    schema: &'static str,
    bundle: String,
    from: u64,
    to: u64,
    checkpoint_size: u64,
}

/// A report, and with `--keys` what can be read.
#[derive(Serialize)]
struct Verified {
    #[serde(flatten)]
    report: Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    readable: Option<Readable>,
}

pub fn run(command: AuditCommand, output: &Output) -> Result<(), Failure> {
    match command {
        AuditCommand::Export {
            target,
            out,
            from,
            to,
        } => export(&target, &out, from, to, output),
        AuditCommand::Verify {
            bundle,
            trust,
            allow_insecure_setup,
            keys,
            checkpoint,
        } => verify(
            &bundle,
            &trust,
            allow_insecure_setup,
            keys.as_deref(),
            checkpoint.as_deref(),
            output,
        ),
        AuditCommand::Show { bundle, entry } => show(&bundle, entry, output),
        AuditCommand::Snarkjs {
            bundle,
            entry,
            out,
            trust,
        } => {
            let trust = trust.unwrap_or_else(|| bundle.with_file_name("trust.json"));
            snarkjs::export(open(&bundle)?, entry, &out, &trust, output)
        }
        AuditCommand::CheckSnarkjs { dir, trust } => snarkjs::check(&dir, trust.as_deref(), output),
        AuditCommand::Disclose(args) => disclose::disclose(&args, output),
        AuditCommand::CheckDisclosure(args) => disclose::check(&args, output),
    }
}

/// The whole trail of a testnet, for measurements.
pub fn export_all(dir: &Path, out: &Path) -> Result<(), Failure> {
    let place = Place::find(&Target::of_dir(dir))?;
    runtime()?.block_on(fetch(&place, out, 0, None)).map(drop)
}

fn export(
    target: &Target,
    out: &Path,
    from: Option<u64>,
    to: Option<u64>,
    output: &Output,
) -> Result<(), Failure> {
    let place = Place::find(target)?;
    // A temporary file beside the target: a broken-off export never looks like a bundle.
    let temporary = out.with_extension("part");
    let fetched = runtime()?.block_on(fetch(&place, &temporary, from.unwrap_or(0), to));
    let exported = match fetched {
        Ok((start, _)) => Exported {
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
    asked_from: u64,
    asked_to: Option<u64>,
) -> Result<(Start, NodeId), Failure> {
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
                    let asked = asked_from == from && asked_to.is_none_or(|asked| asked == to);
                    if !asked || from > to || started.is_some() {
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
                        change: entry.payload,
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
                    writer.entry(&record, &payload)?;
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
                from: asked_from,
                to: asked_to,
            },
            each,
        )
        .await?;
    if let Some(failure) = failed {
        return Err(failure);
    }
    progress.finish();
    started
        .map(|(start, _)| (start, node))
        .ok_or_else(|| out_of_order("nothing"))
}

fn verify(
    bundle: &Path,
    trust: &Path,
    allow_insecure_setup: bool,
    keys: Option<&Path>,
    checkpoint: Option<&Path>,
    output: &Output,
) -> Result<(), Failure> {
    let trust = load_trust(trust)?;
    let checkpoint = checkpoint.map(std::fs::read_to_string).transpose();
    let checkpoint = checkpoint.map_err(|e| {
        Failure::usage(
            format!("--checkpoint: {e}"),
            "name a file with a signed note",
        )
    })?;
    let options = Options {
        allow_insecure_setup,
        checkpoint,
    };
    let file = open(bundle)?;
    let mut progress = Progress::new("audit", 1);
    let report = audit::verify(BufReader::new(file), &trust, &options, &mut |p| {
        progress.set_total(p.total);
        progress.set(p.done);
    })?;
    progress.finish();
    let readable = match keys {
        Some(keys) => {
            let known = readers::epoch_keys(keys)?;
            Some(audit::readable(BufReader::new(open(bundle)?), &known)?)
        }
        None => None,
    };
    let verified = Verified { report, readable };
    output.show(&verified, |v| {
        let mut text = render(&v.report);
        if let Some(readable) = &v.readable {
            text.push_str(&render_readable(readable));
        }
        text
    });
    Ok(())
}

fn render_readable(readable: &Readable) -> String {
    let mut text = format!(
        "\nreadable    {} batches, with the epoch keys in --keys",
        readable.readable_entries
    );
    for closed in &readable.closed_epochs {
        let mut places: Vec<String> = closed
            .ranges
            .iter()
            .map(|(from, to)| match from == to {
                true => from.to_string(),
                false => format!("{from} to {to}"),
            })
            .collect();
        if closed.more_ranges > 0 {
            places.push(format!("{} more runs", closed.more_ranges));
        }
        text.push_str(&format!(
            "\nclosed      {} batches of keyspace {} epoch {}: nobody here can open entries {}",
            closed.entries,
            closed.keyspace,
            closed.epoch,
            places.join(", ")
        ));
    }
    text
}

fn render(report: &Report) -> String {
    let cosigners: Vec<String> = report
        .cosigners
        .iter()
        .map(|c| format!("node {}", c.node))
        .collect();
    let outcomes: Vec<String> = report
        .tally
        .outcomes
        .iter()
        .map(|o| format!("{} {}", o.batches, o.outcome))
        .collect();
    let mut lines = vec![
        "VERIFIED, with no decryption key and no node".to_owned(),
        format!("cluster     {}", report.cluster),
        format!(
            "entries     {}..{} of {}",
            report.from, report.to, report.size
        ),
        format!("root        {}", hex::encode(report.root)),
        format!(
            "cosigned    {} ({} of {} needed)",
            cosigners.join(", "),
            cosigners.len(),
            report.majority
        ),
        format!(
            "batches     {} ({}), {} commands applied, {} authors",
            report.tally.batches,
            outcomes.join(", "),
            report.tally.commands_applied,
            report.tally.authors.len()
        ),
        format!(
            "outcomes    {}",
            if report.outcomes_recomputed {
                "recomputed from the entries"
            } else {
                "not recomputed: that needs the trail from genesis on"
            }
        ),
    ];
    for supply in &report.supply {
        lines.push(format!(
            "supply      {} in {} mints of {} in keyspace {}",
            supply.value, supply.mints, supply.family, supply.keyspace
        ));
    }
    match report.comparison {
        Some(Comparison::Agrees { size }) => {
            lines.push(format!(
                "compared    the other checkpoint, of size {size}, agrees"
            ));
        }
        Some(Comparison::NotComparable { size }) => lines.push(format!(
            "compared    the other checkpoint, of size {size}, cannot be compared with this bundle"
        )),
        None => {}
    }
    if !report.insecure_circuits.is_empty() {
        lines.push(format!(
            "WARNING     {} circuits come from an INSECURE set-up: whoever ran it can forge proofs",
            report.insecure_circuits.len()
        ));
    }
    lines.extend(
        report
            .limits
            .iter()
            .map(|limit| format!("not shown   {limit}")),
    );
    lines.join("\n")
}

fn show(bundle: &Path, entry: Option<u64>, output: &Output) -> Result<(), Failure> {
    let show = Show::open(BufReader::new(open(bundle)?))?;
    if let Some(index) = entry {
        let document = show.entry(index)?;
        output.show(&document, |d| {
            serde_json::to_string_pretty(d).expect("strings, numbers and lists")
        });
        return Ok(());
    }
    let listing = show.listing()?;
    output.show(&listing, |listing| {
        let rows = listing.entries.iter().map(|row| {
            let batch = row.batch.as_ref();
            let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
            vec![
                row.index.to_string(),
                format!("{:?}", row.kind),
                row.outcome.to_string(),
                or_dash(batch.map(|b| b.author.to_string()[..12].to_owned())),
                or_dash(batch.map(|b| b.author_seq.to_string())),
                or_dash(batch.map(|b| b.slots.to_string())),
            ]
        });
        let header = ["entry", "kind", "outcome", "author", "seq", "commands"];
        format!(
            "{}\nnothing here was verified; that is `ukehi audit verify`",
            table(&header, rows)
        )
    });
    Ok(())
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|e| {
        Failure::usage(
            format!("{}: {e}", path.display()),
            "name an exported bundle",
        )
    })
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
