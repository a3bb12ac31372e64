//! `ukehi audit`: export a trail, verify it offline, look into it.

mod export;
mod words;

pub use export::export_all;

use super::args::AuditCommand;
use super::connect::load_trust;
use super::disclose;
use super::evidence;
use super::output::{Output, table};
use super::progress::Progress;
use super::readers;
use super::snarkjs;
use crate::audit::show::Show;
use crate::audit::{self, Options, Readable, Report};
use crate::error::Failure;
use export::{Asked, export};
use serde::Serialize;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

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
            prune_grants,
        } => {
            let range = Asked {
                from: from.unwrap_or(0),
                to,
                prune_grants,
            };
            export(&target, &out, &range, output)
        }
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
            let trust = match trust {
                Some(trust) => trust,
                None => beside(&bundle)?,
            };
            snarkjs::export(open(&bundle)?, entry, &out, &trust, output)
        }
        AuditCommand::CheckSnarkjs { dir, trust } => snarkjs::check(&dir, trust.as_deref(), output),
        AuditCommand::Evidence { file, trust } => evidence::verify(&file, &trust, output),
        AuditCommand::Disclose(args) => disclose::disclose(&args, output),
        AuditCommand::CheckDisclosure(args) => disclose::check(&args, output),
    }
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
        let mut text = words::report(&v.report);
        if let Some(readable) = &v.readable {
            text.push_str(&words::readable(readable));
        }
        text
    });
    Ok(())
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

/// The trust root in the bundle's directory.
fn beside(bundle: &Path) -> Result<PathBuf, Failure> {
    let trust = bundle.with_file_name("trust.json");
    match trust.is_file() {
        true => Ok(trust),
        false => Err(Failure::usage(
            format!("there is no {}", trust.display()),
            "name the trust root: --trust TRUST.json",
        )),
    }
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|e| {
        Failure::usage(
            format!("{}: {e}", path.display()),
            "name an exported bundle",
        )
    })
}
