//! `ukehi keys reader|grant|grants|erase-epoch`: readers' subkeys, what is granted to them, and the
//! end of an epoch's secret.

pub mod args;
mod grant;

pub use grant::{accept, grant, grant_newest};

use super::output::Output;
use crate::error::{ExitCode, Failure};
use args::EraseArgs;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use ukehi_keys::keystore::{self, KeystoreError};
use ukehi_keys::{EpochSecret, FileFault, KeyFault, KeyKind, ReaderKey};

/// What destroying files here cannot reach (docs/keys.md).
const LIMITS: [&str; 4] = [
    "copies elsewhere: other readers' machines, backups, exported keys, whatever was read before",
    "what the file system or the disk kept: journals, snapshots, worn blocks of flash",
    "grants in the log to subkeys that still exist: every reader has to destroy its own",
    "proof: nobody can check that a secret is gone; the log can only say that it was announced",
];

#[derive(Serialize)]
struct Erased {
    schema: &'static str,
    keyspace: u32,
    epoch: u32,
    destroyed: Vec<String>,
    /// In sentences, what this did not and cannot do.
    not_reached: [&'static str; 4],
}

/// Where a directory of keys holds an epoch's secret.
pub fn epoch_file(keys: &Path, keyspace: u32, epoch: u32) -> PathBuf {
    keys.join("epochs").join(format!("{keyspace}-{epoch}.key"))
}

/// Where a directory of keys holds the subkey of an epoch.
pub fn reader_file(keys: &Path, keyspace: u32, epoch: u32) -> PathBuf {
    keys.join("readers").join(format!("{keyspace}-{epoch}.key"))
}

pub fn erase(args: &EraseArgs, output: &Output) -> Result<(), Failure> {
    let secret = epoch_file(&args.keys, args.keyspace, args.epoch);
    let subkey = reader_file(&args.keys, args.keyspace, args.epoch);
    let there: Vec<&PathBuf> = [&secret, &subkey]
        .into_iter()
        .filter(|path| path.exists())
        .collect();
    let (keyspace, epoch) = (args.keyspace, args.epoch);
    if there.is_empty() {
        return Err(Failure::new(
            ExitCode::NotFound,
            format!(
                "neither {} nor {} exists",
                secret.display(),
                subkey.display()
            ),
            "check --keys, --keyspace and --epoch",
        ));
    }
    if !args.yes {
        let files: Vec<String> = there.iter().map(|p| p.display().to_string()).collect();
        return Err(Failure::usage(
            format!(
                "this destroys {}: whoever has no other copy never reads epoch {epoch} again",
                files.join(" and ")
            ),
            "add --yes if that is what you want",
        ));
    }
    let mut destroyed = Vec::new();
    for (path, outcome) in [
        (&secret, keystore::destroy::<EpochSecret>(&secret)),
        (&subkey, keystore::destroy::<ReaderKey>(&subkey)),
    ] {
        if was_there(outcome)? {
            destroyed.push(path.display().to_string());
        }
    }
    let erased = Erased {
        schema: "ukehi/epoch-erased/v1",
        keyspace,
        epoch,
        destroyed,
        not_reached: LIMITS,
    };
    output.show(&erased, |e| {
        let mut lines: Vec<String> = e
            .destroyed
            .iter()
            .map(|file| format!("destroyed    {file}"))
            .collect();
        lines.extend(e.not_reached.iter().map(|l| format!("not reached  {l}")));
        lines.push(
            "The trail still verifies; `ukehi audit verify --keys` says which entries stay closed."
                .into(),
        );
        lines.join("\n")
    });
    Ok(())
}

fn was_there(outcome: Result<(), KeystoreError>) -> Result<bool, Failure> {
    match outcome {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.fault, KeyFault::File(FileFault::Missing)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The public keys of the epoch secrets in a directory of keys. Needs no passphrase: key files
/// show their public part, which [`keystore::load`] would check.
pub fn epoch_keys(keys: &Path) -> Result<BTreeSet<[u8; 64]>, Failure> {
    let directory = match keys.join("epochs") {
        epochs if epochs.is_dir() => epochs,
        _ => keys.to_owned(),
    };
    let listing = keystore::list(&directory)?;
    let epochs = listing.keys.iter().filter(|k| k.kind == KeyKind::Epoch);
    Ok(epochs
        .filter_map(|info| hex::decode(&info.public).ok()?.try_into().ok())
        .collect())
}
