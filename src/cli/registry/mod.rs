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
use crate::error::Failure;
use crate::ids::{EpochId, KeyspaceId};
use crate::params;
use crate::registry::{EpochOpening, MAX_MANIFEST_BYTES, Operation};
use std::path::Path;
use ukehi_keys::{AdminId, CircuitId, EpochScope, EpochSecret, KdfCost, RouteKey, keystore};

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

pub fn open_epoch(sign: &SignArgs, expires: Option<u64>, output: &Output) -> Result<(), Failure> {
    decide(sign, output, |session| {
        let keyspace = session.place.keyspace()?;
        let opening = new_epoch(session, keyspace, expires)?;
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
            None => session.place.newest_epoch(&session.known)?.1,
        };
        let old_expires = session.applied()?.saturating_add(grace);
        Ok(Operation::RotateEpoch {
            keyspace,
            opening: new_epoch(session, keyspace, expires)?,
            old,
            old_expires,
        })
    })
}

/// Makes the keyspace's next epoch: its secret in client/epochs, and the proof of holding it.
fn new_epoch(
    session: &Session,
    keyspace: KeyspaceId,
    expires: Option<u64>,
) -> Result<EpochOpening, Failure> {
    let registry = session.known.registry();
    let last = registry.epochs(keyspace).last();
    let (Some(last), Some(id)) = (last, registry.next_epoch(keyspace)) else {
        return Err(Failure::configuration(
            format!("keyspace {keyspace} takes no further epoch"),
            "check `ukehi keys registry show`",
        ));
    };
    let place = &session.place;
    let pass = place.passphrase()?;
    let route: RouteKey = keystore::load(&place.client_dir()?.join("route.key"), &pass)?;
    let path = place.epoch_file(keyspace, id)?;
    // A file of this name is of an opening that was not decided: its secret has sealed nothing.
    let secret = match path.exists() {
        true => keystore::load(&path, &pass)?,
        false => {
            let secret = EpochSecret::generate().map_err(Failure::runtime)?;
            keystore::save(&path, &secret, &pass, KdfCost::Interactive)?;
            secret
        }
    };
    let scope = EpochScope {
        cluster: place.trust.genesis.cluster_id().0,
        keyspace: keyspace.0,
        epoch: id.0,
    };
    let possession = secret.prove_possession(&scope).map_err(Failure::runtime)?;
    Ok(EpochOpening {
        id,
        key: secret.public(),
        route_commitment: params::route_commitment(&route),
        policy: last.policy.clone(),
        policy_digest: last.policy_digest,
        expires,
        possession,
    })
}

pub fn circuit(command: CircuitCommand, output: &Output) -> Result<(), Failure> {
    match command {
        CircuitCommand::Activate { sign, manifest } => decide(&sign, output, |_| {
            let manifest = read_bounded(&manifest, MAX_MANIFEST_BYTES)?;
            Ok(Operation::ActivateCircuit { manifest })
        }),
        CircuitCommand::Retire { sign, circuit } => decide(&sign, output, |_| {
            let mut id = [0; 32];
            hex::decode_to_slice(&circuit, &mut id).map_err(|e| {
                Failure::usage(
                    format!("{circuit:?} is no circuit id: {e}"),
                    "give 64 hex digits, as `ukehi keys registry show` lists them",
                )
            })?;
            let circuit = CircuitId(id);
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
