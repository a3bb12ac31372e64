//! `ukehi keys author|epoch|circuit|admins|change|registry`: change the registry, or show it.

pub mod args;
mod file;
mod show;
mod submit;

pub use show::show;
pub use submit::{Session, decide, finish};

use self::args::{AdminsCommand, ChangeCommand, CircuitCommand, SignArgs};
use super::connect::Place;
use super::output::Output;
use super::receipt::author_id;
use super::solidity::circuit_named;
use crate::error::Failure;
use crate::ids::{EpochId, KeyspaceId};
use crate::registry::{EpochOpening, MAX_MANIFEST_BYTES, Operation};
use std::path::Path;
use ukehi_circuits::field;
use ukehi_circuits::policy::{self, Opaque, Policy};
use ukehi_keys::{AdminId, keystore};

pub fn author(
    sign: &SignArgs,
    author: &str,
    register: bool,
    output: &Output,
) -> Result<(), Failure> {
    decide(sign, output, |session| {
        let keyspace = session.place.keyspace()?;
        let author = author_id(&session.place, author)?;
        Ok(match register {
            true => Operation::RegisterAuthor { keyspace, author },
            false => Operation::RevokeAuthor { keyspace, author },
        })
    })
}

/// An operation on one known epoch of the keyspace.
pub fn epoch(
    sign: &SignArgs,
    epoch: u32,
    operation: impl FnOnce(KeyspaceId, EpochId) -> Operation,
    output: &Output,
) -> Result<(), Failure> {
    decide(sign, output, |session| {
        Ok(operation(session.place.keyspace()?, EpochId(epoch)))
    })
}

pub fn open_epoch(
    sign: &SignArgs,
    policy: &str,
    expires: Option<u64>,
    output: &Output,
) -> Result<(), Failure> {
    decide(sign, output, |session| {
        let keyspace = session.place.keyspace()?;
        let opening = new_epoch(session, keyspace, policy, expires)?;
        Ok(Operation::OpenEpoch { keyspace, opening })
    })
}

pub fn rotate_epoch(
    sign: &SignArgs,
    old: Option<u32>,
    grace: u64,
    expires: Option<u64>,
    output: &Output,
) -> Result<(), Failure> {
    decide(sign, output, |session| {
        let keyspace = session.place.keyspace()?;
        let old = match old {
            Some(old) => EpochId(old),
            None => {
                session
                    .place
                    .newest_epoch(session.known(), Opaque.name())?
                    .1
            }
        };
        let standing = session.known().registry().epoch(keyspace, old);
        let policy = standing.map_or(Opaque.name(), |e| &e.policy).to_owned();
        let old_expires = session.applied()?.saturating_add(grace);
        Ok(Operation::RotateEpoch {
            keyspace,
            opening: new_epoch(session, keyspace, &policy, expires)?,
            old,
            old_expires,
        })
    })
}

/// Makes the keyspace's next epoch: its secret in client/epochs, and the proof of holding it.
fn new_epoch(
    session: &Session,
    keyspace: KeyspaceId,
    policy: &str,
    expires: Option<u64>,
) -> Result<EpochOpening, Failure> {
    let registry = session.known().registry();
    // Of a policy this release does not have, an earlier epoch tells the parameters.
    let earlier = registry
        .epochs(keyspace)
        .filter(|e| e.policy == policy)
        .last();
    let known = policy::named(policy).map(|p| field::encode(&policy::digest(p)));
    let Some(policy_digest) = earlier.map(|e| e.policy_digest).or(known) else {
        return Err(Failure::usage(
            format!("this release has no policy {policy:?}"),
            "name one the keyspace had an epoch of, or opaque or ledger",
        ));
    };
    let keys = session.place.keys()?;
    let policy = (policy, policy_digest);
    Ok(keys.next_epoch(session.known(), keyspace, policy, expires)?)
}

pub fn circuit(command: CircuitCommand, output: &Output) -> Result<(), Failure> {
    match command {
        CircuitCommand::Activate { sign, manifest } => decide(&sign, output, |_| {
            let manifest = read_bounded(&manifest, MAX_MANIFEST_BYTES)?;
            Ok(Operation::ActivateCircuit { manifest })
        }),
        CircuitCommand::Retire { sign, circuit } => decide(&sign, output, |session| {
            let circuit = circuit_named(&session.manifests(), &circuit)?.circuit_id();
            Ok(Operation::RetireCircuit { circuit })
        }),
    }
}

pub fn admins(command: AdminsCommand, output: &Output) -> Result<(), Failure> {
    let AdminsCommand::Set {
        sign,
        members,
        threshold,
    } = command;
    decide(&sign, output, |session| {
        let mut ids = members
            .iter()
            .map(|key| admin_id(&session.place, key))
            .collect::<Result<Vec<AdminId>, Failure>>()?;
        ids.sort();
        ids.dedup();
        if threshold == 0 || usize::from(threshold) > ids.len() {
            return Err(Failure::usage(
                format!("--threshold {threshold} of {} different keys", ids.len()),
                "ask for at least 1 and at most all of them",
            ));
        }
        Ok(Operation::SetAdmins {
            keys: ids,
            threshold,
        })
    })
}

pub fn change(command: ChangeCommand, output: &Output) -> Result<(), Failure> {
    match command {
        ChangeCommand::Sign {
            file,
            target,
            admin,
        } => submit::sign_file(&file, &target, &admin, output),
        ChangeCommand::Submit { file, target } => submit::submit_file(&file, &target, output),
    }
}

/// 64 hex digits, or the name of a key file; its public part needs no passphrase.
fn admin_id(place: &Place, text: &str) -> Result<AdminId, Failure> {
    let mut bytes = [0; 32];
    if hex::decode_to_slice(text, &mut bytes).is_err() {
        let path = place.client_dir()?.join("admins");
        let path = path.join(format!("{text}.key"));
        let next = "give a key's name in client/admins, or 64 hex digits";
        let info = keystore::inspect(&path).map_err(|e| Failure::configuration(e, next))?;
        hex::decode_to_slice(&info.public, &mut bytes).map_err(|_| {
            Failure::configuration(format!("{} is no admin's key", path.display()), next)
        })?;
    }
    AdminId::from_bytes(&bytes).map_err(|e| Failure::usage(e, "check the hex digits"))
}

fn read_bounded(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let unreadable = |what: String| {
        Failure::usage(
            format!("{}: {what}", path.display()),
            "name another file, or check its permissions",
        )
    };
    let size = std::fs::metadata(path)
        .map_err(|e| unreadable(e.to_string()))?
        .len();
    if size > limit as u64 {
        return Err(unreadable(format!(
            "it has {size} bytes, at most {limit} are allowed"
        )));
    }
    std::fs::read(path).map_err(|e| unreadable(e.to_string()))
}
