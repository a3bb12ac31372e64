//! From an operation to a decided change: number it, sign it, send it, and wait until a cosigned
//! checkpoint shows what became of it.

use super::args::SignArgs;
use super::file::{self, ChangeFile};
use crate::cli::args::Target;
use crate::cli::connect::{Place, runtime};
use crate::cli::output::Output;
use crate::client::{Cluster, KnownRegistry};
use crate::error::{ExitCode, Failure};
use crate::log::Outcome;
use crate::registry::{Change, Operation, Unsigned};
use serde::Serialize;
use tokio::runtime::Runtime;
use ukehi_keys::{Manifest, keystore};

/// A cluster, its registry as of now, and a way to ask it.
pub struct Session {
    pub place: Place,
    cluster: Cluster,
    runtime: Runtime,
}

#[derive(Serialize)]
struct Decided {
    schema: &'static str,
    what: &'static str,
    number: u64,
    digest: String,
    index: u64,
    outcome: Outcome,
}

impl Session {
    pub fn open(target: &Target) -> Result<Self, Failure> {
        let place = Place::find(target)?;
        let runtime = runtime()?;
        let cluster = runtime.block_on(place.cluster())?;
        Ok(Self {
            place,
            cluster,
            runtime,
        })
    }

    pub fn known(&self) -> &KnownRegistry {
        self.cluster.known()
    }

    /// Of the circuits of genesis and of those the log activated.
    pub fn manifests(&self) -> Vec<&Manifest> {
        let genesis = self.place.trust.circuits.iter();
        let live = self.known().registry().manifests();
        genesis.chain(live.map(|m| &**m)).collect()
    }

    /// An entry the cluster has applied; it may have gone on since.
    pub fn applied(&mut self) -> Result<u64, Failure> {
        let (applied, _) = self.runtime.block_on(self.cluster.head(None))?;
        Ok(applied)
    }

    /// The registry's next change, not yet signed; `payload` for a grant only.
    pub fn change(&self, operation: Operation, payload: Vec<u8>) -> Change {
        let registry = self.known().registry();
        Unsigned {
            cluster: self.place.trust.genesis.cluster_id(),
            shard: registry.shard(),
            number: registry.next_number(),
            operation,
        }
        .unsigned(payload)
    }

    /// Signs with the named admin keys, or with as many of client/admins as the threshold asks for.
    pub fn sign(&self, change: &mut Change, names: &[String]) -> Result<(), Failure> {
        let dir = self.place.client_dir()?.join("admins");
        let keys = self.place.keys()?;
        if !names.is_empty() {
            for name in names {
                change.sign(&keys.admin(name)?);
            }
            return Ok(());
        }
        let admins = self.known().registry().admins();
        let here = keystore::list(&dir)?.keys.into_iter().filter(|info| {
            let mut ids = admins.keys.iter();
            ids.any(|id| id.to_string() == info.public)
        });
        for info in here.take(usize::from(admins.threshold)) {
            let name = info.path.file_stem().unwrap_or_default();
            change.sign(&keys.admin(&name.to_string_lossy())?);
        }
        match change.signatures.is_empty() {
            false => Ok(()),
            true => Err(Failure::configuration(
                format!("{} holds no admin key of this cluster", dir.display()),
                "put an admin's key file there, or name it with --admin",
            )),
        }
    }

    /// Sends a signed change and prints what became of it, verified under a cosigned checkpoint.
    pub fn submit(&mut self, change: &Change, output: &Output) -> Result<(), Failure> {
        let threshold = self.known().registry().admins().threshold;
        if change.signatures.len() < usize::from(threshold) {
            return Err(Failure::new(
                ExitCode::Refused,
                format!(
                    "{} of the {threshold} admins it takes have signed",
                    change.signatures.len()
                ),
                "write the change with --sign-only --out FILE, let others `ukehi keys change sign FILE`",
            ));
        }
        let record = self.runtime.block_on(self.cluster.decide(change))?;
        let decided = Decided {
            schema: "ukehi/registry-change/v1",
            what: change.content.operation.name(),
            number: change.content.number,
            digest: hex::encode(change.digest()),
            index: record.index,
            outcome: record.outcome,
        };
        output.show(&decided, |d| {
            format!(
                "{} (change {}): entry {}, {}",
                d.what, d.number, d.index, d.outcome
            )
        });
        if decided.outcome != Outcome::Applied {
            return Err(Failure::new(
                ExitCode::Refused,
                format!("entry {}: {}", decided.index, decided.outcome),
                "the refusal is recorded in the log and changes nothing; see `ukehi keys registry show`",
            ));
        }
        Ok(())
    }
}

/// Makes the operation a change, signs it, and sends it or writes it for others to sign.
pub fn decide(
    sign: &SignArgs,
    output: &Output,
    operation: impl FnOnce(&mut Session) -> Result<Operation, Failure>,
) -> Result<(), Failure> {
    let mut session = Session::open(&sign.target)?;
    let operation = operation(&mut session)?;
    let mut change = session.change(operation, Vec::new());
    session.sign(&mut change, &sign.admins)?;
    finish(&mut session, &change, sign, output)
}

/// Sends a signed change, or writes it where `--sign-only` says so.
pub fn finish(
    session: &mut Session,
    change: &Change,
    sign: &SignArgs,
    output: &Output,
) -> Result<(), Failure> {
    match &sign.out {
        Some(path) if sign.sign_only => {
            let threshold = session.known().registry().admins().threshold;
            let file = ChangeFile::new(change, threshold);
            file.write(path)?;
            output.show(&file, ChangeFile::summary);
            Ok(())
        }
        _ => session.submit(change, output),
    }
}

pub fn sign_file(
    path: &std::path::Path,
    target: &Target,
    admin: &str,
    output: &Output,
) -> Result<(), Failure> {
    let mut change = file::read(path)?;
    let session = Session::open(target)?;
    let expected = session.place.trust.genesis.cluster_id();
    if change.content.cluster != expected {
        return Err(Failure::new(
            ExitCode::Untrusted,
            "the change is for another cluster",
            "sign it with that cluster's --dir",
        ));
    }
    session.sign(&mut change, &[admin.to_owned()])?;
    let file = ChangeFile::new(&change, session.known().registry().admins().threshold);
    file.write(path)?;
    output.show(&file, ChangeFile::summary);
    Ok(())
}

pub fn submit_file(
    path: &std::path::Path,
    target: &Target,
    output: &Output,
) -> Result<(), Failure> {
    let change = file::read(path)?;
    Session::open(target)?.submit(&change, output)
}
