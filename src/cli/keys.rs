//! `ukehi keys`: make and list key files and parameters.

pub mod args;

use self::args::KeysCommand;
use super::cells;
use super::ceremony::{self, ParticipantCommand};
use super::output::{Output, table};
use super::passphrase;
use super::readers;
use super::readers::args::{GrantsCommand, ReaderCommand};
use super::registry::args::{AdminCommand, AuthorCommand, EpochCommand, RegistryCommand};
use super::set_up::{circuits, set_up};
use super::{registry, solidity};
use crate::error::Failure;
use crate::registry::Operation;
use serde::Serialize;
use std::path::Path;
use ukehi_keys::keystore::{self, KeystoreError};
use ukehi_keys::{
    AdminKey, AuthorKey, EpochSecret, KdfCost, ParticipantKey, Passphrase, ReaderKey,
};

#[derive(Serialize)]
struct NewKeyFile {
    schema: &'static str,
    kind: &'static str,
    public: String,
    file: String,
}

#[derive(Serialize)]
struct KeyRow {
    kind: String,
    public: String,
    file: String,
}

#[derive(Serialize)]
struct ParametersMade {
    schema: &'static str,
    warning: &'static str,
    circuits: Vec<String>,
    dir: String,
}

pub fn run(command: KeysCommand, output: &Output) -> Result<(), Failure> {
    match command {
        KeysCommand::Author(command) => author(command, output),
        KeysCommand::Epoch(command) => epoch(command, output),
        KeysCommand::Admin(AdminCommand::New { out }) => {
            let key = AdminKey::generate().map_err(Failure::runtime)?;
            save_new("admin", key.public(), &out, output, |pass| {
                keystore::save(&out, &key, pass, KdfCost::Production)
            })
        }
        KeysCommand::Admins(command) => registry::admins(command, output),
        KeysCommand::Circuit(command) => registry::circuit(command, output),
        KeysCommand::Change(command) => registry::change(command, output),
        KeysCommand::Registry(RegistryCommand::Show { target }) => registry::show(&target, output),
        KeysCommand::Participant(ParticipantCommand::New { out }) => {
            let key = ParticipantKey::generate().map_err(Failure::runtime)?;
            save_new("participant", key.public(), &out, output, |pass| {
                keystore::save(&out, &key, pass, KdfCost::Production)
            })
        }
        KeysCommand::Ceremony(command) => ceremony::run(command, output),
        KeysCommand::Reader(ReaderCommand::New { out }) => {
            let key = ReaderKey::generate().map_err(Failure::runtime)?;
            save_new("reader", key.public(), &out, output, |pass| {
                keystore::save(&out, &key, pass, KdfCost::Production)
            })
        }
        KeysCommand::Grant(args) => readers::grant(&args, output),
        KeysCommand::Grants(GrantsCommand::Accept(args)) => readers::accept(&args, output),
        KeysCommand::EraseEpoch(args) => readers::erase(&args, output),
        KeysCommand::Solidity(args) => solidity::run(&args, output),
        KeysCommand::List { dir } => list(&dir, output),
        KeysCommand::Setup {
            dev: _,
            dir,
            circuits,
        } => setup(&dir, &circuits, output),
    }
}

fn author(command: AuthorCommand, output: &Output) -> Result<(), Failure> {
    match command {
        AuthorCommand::New { out } => {
            let key = AuthorKey::generate().map_err(Failure::runtime)?;
            save_new("author", key.public(), &out, output, |pass| {
                keystore::save(&out, &key, pass, KdfCost::Production)
            })
        }
        AuthorCommand::Register { sign, author } => registry::author(&sign, &author, true, output),
        AuthorCommand::Revoke { sign, author } => registry::author(&sign, &author, false, output),
    }
}

fn epoch(command: EpochCommand, output: &Output) -> Result<(), Failure> {
    match command {
        EpochCommand::New { out } => {
            let key = EpochSecret::generate().map_err(Failure::runtime)?;
            save_new("epoch", key.public(), &out, output, |pass| {
                keystore::save(&out, &key, pass, KdfCost::Production)
            })
        }
        EpochCommand::Open {
            sign,
            policy,
            expires,
        } => registry::open_epoch(&sign, &policy, expires, output),
        EpochCommand::Rotate {
            sign,
            old,
            grace,
            expires,
            grant,
        } => {
            registry::rotate_epoch(&sign, old, grace, expires, output)?;
            match grant.is_empty() {
                true => Ok(()),
                false => readers::grant_newest(&sign, &grant, output),
            }
        }
        EpochCommand::Expire { sign, epoch, at } => {
            let expire = |keyspace, epoch| Operation::ExpireEpoch {
                keyspace,
                epoch,
                at,
            };
            registry::epoch(&sign, epoch, expire, output)
        }
        EpochCommand::Revoke { sign, epoch } => {
            let revoke = |keyspace, epoch| Operation::RevokeEpoch { keyspace, epoch };
            registry::epoch(&sign, epoch, revoke, output)
        }
        EpochCommand::Erase {
            sign,
            epoch,
            freeze_cells,
        } => {
            if !freeze_cells {
                cells::refuse_to_freeze(&sign.target, epoch)?;
            }
            let erase = |keyspace, epoch| Operation::EraseEpoch { keyspace, epoch };
            registry::epoch(&sign, epoch, erase, output)
        }
    }
}

/// Encrypts a new key under a passphrase asked for, and prints its public half.
fn save_new(
    kind: &'static str,
    public: impl ToString,
    file: &Path,
    output: &Output,
    save: impl FnOnce(&Passphrase) -> Result<(), KeystoreError>,
) -> Result<(), Failure> {
    save(&passphrase::obtain_new()?)?;
    let made = NewKeyFile {
        schema: "ukehi/key-made/v1",
        kind,
        public: public.to_string(),
        file: file.display().to_string(),
    };
    output.show(&made, |m| {
        format!("{} key {}\nin {}", m.kind, m.public, m.file)
    });
    Ok(())
}

fn list(dir: &Path, output: &Output) -> Result<(), Failure> {
    let mut rows = Vec::new();
    let mut refused = Vec::new();
    // A testnet's client directory keeps admins, authors and epochs in directories of their own.
    for dir in [
        dir.to_owned(),
        dir.join("admins"),
        dir.join("authors"),
        dir.join("epochs"),
        dir.join("readers"),
    ] {
        if !dir.is_dir() {
            continue;
        }
        let listing = keystore::list(&dir)?;
        rows.extend(listing.keys.into_iter().map(|k| KeyRow {
            kind: format!("{:?}", k.kind).to_lowercase(),
            public: k.public,
            file: k.path.display().to_string(),
        }));
        refused.extend(listing.refused.iter().map(ToString::to_string));
    }
    let listed = serde_json::json!({ "schema": "ukehi/keys/v1", "keys": rows, "refused": refused });
    output.show(&listed, |_| {
        let cells = rows.iter().map(|r| {
            let short = r.public.chars().take(24).collect();
            vec![r.kind.clone(), short, r.file.clone()]
        });
        let mut text = table(&["kind", "public", "file"], cells);
        for reason in &refused {
            text.push_str(&format!("\nrefused: {reason}"));
        }
        text
    });
    match refused.first() {
        Some(reason) => Err(Failure::configuration(
            reason,
            "restore the file from a backup, or remove it",
        )),
        None => Ok(()),
    }
}

fn setup(dir: &Path, names: &[String], output: &Output) -> Result<(), Failure> {
    std::fs::create_dir_all(dir).map_err(|e| {
        Failure::configuration(format!("{}: {e}", dir.display()), "choose another --dir")
    })?;
    let manifests = set_up(dir, &circuits(names)?)?;
    let made = ParametersMade {
        schema: "ukehi/params-made/v1",
        warning: ukehi_keys::INSECURE_DEV_WARNING,
        circuits: manifests
            .iter()
            .map(|m| m.circuit_id().to_string())
            .collect(),
        dir: dir.display().to_string(),
    };
    output.show(&made, |m| {
        format!("{}\n{}\nin {}", m.warning, m.circuits.join("\n"), m.dir)
    });
    Ok(())
}
