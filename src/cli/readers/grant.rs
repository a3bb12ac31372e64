//! `ukehi keys grant` and `ukehi keys grants accept`: an epoch's secret on its way to a reader,
//! through the log.

use super::args::{AcceptArgs, GrantArgs};
use super::epoch_keys;
use crate::cli::output::{Output, table};
use crate::cli::registry::args::SignArgs;
use crate::cli::registry::{Session, finish};
use crate::client::grants::{Accepted, ShownGrant, accept as open_grants};
use crate::error::{ExitCode, Failure};
use crate::ids::{EpochId, KeyspaceId};
use crate::registry::{Operation, grant_payload_digest};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;
use ukehi_circuits::policy::{Opaque, Policy};
use ukehi_keys::keystore::{self, KdfCost};
use ukehi_keys::{EpochScope, EpochSecret, ReaderId, ReaderKey, RouteKey, grant};

#[derive(Serialize)]
struct AcceptedGrants {
    schema: &'static str,
    reader: ReaderId,
    grants: Vec<AcceptedGrant>,
}

#[derive(Serialize)]
struct AcceptedGrant {
    keyspace: KeyspaceId,
    epoch: EpochId,
    /// Where the secret is now; absent if it was refused.
    file: Option<String>,
    /// Whether the grant brought the route key: without it no key can be looked up.
    route_key: bool,
    refused: Option<String>,
}

/// Grants one reader one epoch, or all from `--from-epoch` on.
pub fn grant(args: &GrantArgs, output: &Output) -> Result<(), Failure> {
    let reader = reader_id(&args.reader)?;
    let mut session = Session::open(&args.sign.target)?;
    let (keyspace, newest) = session.place.newest_epoch(session.known(), Opaque.name())?;
    let last = args.epoch.map_or(newest, EpochId);
    let first = args.from_epoch.map_or(last, EpochId);
    if first > last {
        return Err(Failure::usage(
            format!("--from-epoch {first} lies behind epoch {last}"),
            "name the first epoch the reader may read, and the last",
        ));
    }
    if args.sign.sign_only && first != last {
        return Err(Failure::usage(
            "a file for other admins to sign holds one change",
            "grant one epoch at a time with --sign-only",
        ));
    }
    for epoch in (first.0..=last.0).map(EpochId) {
        grant_one(&mut session, &args.sign, keyspace, epoch, reader, output)?;
    }
    Ok(())
}

/// Grants the newest epoch to each of these readers: what follows a rotation.
pub fn grant_newest(sign: &SignArgs, readers: &[String], output: &Output) -> Result<(), Failure> {
    let readers: Vec<ReaderId> = readers
        .iter()
        .map(|text| reader_id(text))
        .collect::<Result<_, _>>()?;
    let mut session = Session::open(&sign.target)?;
    let (keyspace, epoch) = session.place.newest_epoch(session.known(), Opaque.name())?;
    for reader in readers {
        grant_one(&mut session, sign, keyspace, epoch, reader, output)?;
    }
    Ok(())
}

fn grant_one(
    session: &mut Session,
    sign: &SignArgs,
    keyspace: KeyspaceId,
    epoch: EpochId,
    reader: ReaderId,
    output: &Output,
) -> Result<(), Failure> {
    let place = &session.place;
    let standing = session.known().registry().epoch(keyspace, epoch);
    let standing = standing.ok_or_else(|| {
        Failure::new(
            ExitCode::NotFound,
            format!("keyspace {keyspace} has no epoch {epoch}"),
            "see `ukehi keys registry show`",
        )
    })?;
    let pass = place.passphrase()?;
    let secret: EpochSecret = keystore::load(&place.epoch_file(keyspace, epoch)?, &pass)?;
    if secret.public() != standing.key {
        return Err(Failure::configuration(
            format!("the secret here is not that of epoch {epoch} in the registry"),
            "use the keys of this cluster (--keys)",
        ));
    }
    let route: RouteKey = keystore::load(&place.client_dir()?.join("route.key"), &pass)?;
    let scope = EpochScope {
        cluster: place.trust.genesis.cluster_id().0,
        keyspace: keyspace.0,
        epoch: epoch.0,
    };
    let granter = granter(session, &sign.admins)?;
    let payload = grant::wrap(&secret, Some(&route), &scope, &reader, &granter)
        .map_err(|e| Failure::usage(e, "ask the reader for the key again"))?;
    let operation = Operation::Grant {
        keyspace,
        epoch,
        reader: reader.to_bytes(),
        payload_digest: grant_payload_digest(&payload),
    };
    let mut change = session.change(operation, payload);
    session.sign(&mut change, &sign.admins)?;
    finish(session, &change, sign, output)
}

/// The admin whose signature the change will carry in any case.
fn granter(session: &Session, names: &[String]) -> Result<[u8; 32], Failure> {
    let dir = session.place.client_dir()?.join("admins");
    let here: BTreeSet<String> = match names.first() {
        Some(name) => BTreeSet::from([keystore::inspect(&dir.join(format!("{name}.key")))?.public]),
        None => {
            let listing = keystore::list(&dir)?.keys.into_iter();
            listing.map(|info| info.public).collect()
        }
    };
    let admins = &session.known().registry().admins().keys;
    let found = admins.iter().find(|id| here.contains(&id.to_string()));
    found.map(|id| id.to_bytes()).ok_or_else(|| {
        Failure::configuration(
            format!("{} holds no admin key of this cluster", dir.display()),
            "put an admin's key file there, or name it with --admin",
        )
    })
}

/// Finds the grants to a subkey, opens them and keeps what they give.
pub fn accept(args: &AcceptArgs, output: &Output) -> Result<(), Failure> {
    let session = Session::open(&args.target)?;
    let pass = session.place.passphrase()?;
    let key: ReaderKey = keystore::load(&args.reader_key, &pass)?;
    let cluster = session.place.trust.genesis.cluster_id();
    let shown = shown_grants(&session);
    let opened = open_grants(cluster, &key, &shown);
    if opened.is_empty() {
        return Err(Failure::new(
            ExitCode::NotFound,
            format!("the log holds no grant to {}", key.public()),
            "ask an admin: ukehi keys grant --reader PUB --epoch E",
        ));
    }
    let mut grants = Vec::new();
    for (keyspace, epoch, outcome) in opened {
        let (file, route_key, refused) = match outcome {
            Ok(accepted) => {
                let file = keep(&session, &accepted)?;
                (Some(file), accepted.route.is_some(), None)
            }
            Err(refused) => (None, false, Some(refused.to_string())),
        };
        grants.push(AcceptedGrant {
            keyspace,
            epoch,
            file,
            route_key,
            refused,
        });
    }
    let none = grants.iter().all(|grant| grant.file.is_none());
    let accepted = AcceptedGrants {
        schema: "ukehi/grants-accepted/v1",
        reader: key.public(),
        grants,
    };
    output.show(&accepted, |a| {
        let rows = a.grants.iter().map(|grant| {
            let outcome = grant.refused.clone().or_else(|| grant.file.clone());
            vec![
                grant.keyspace.to_string(),
                grant.epoch.to_string(),
                outcome.unwrap_or_default(),
            ]
        });
        table(&["keyspace", "epoch", "secret"], rows)
    });
    match none {
        false => Ok(()),
        true => Err(Failure::new(
            ExitCode::Refused,
            "no grant gives a secret",
            "ask an admin for new grants",
        )),
    }
}

fn shown_grants(session: &Session) -> Vec<ShownGrant> {
    let registry = session.known().registry();
    let mut shown = Vec::new();
    for keyspace in registry.keyspaces() {
        for record in registry.grants(keyspace) {
            // The fold takes no grant of an epoch it does not know.
            let Some(standing) = registry.epoch(keyspace, record.epoch) else {
                continue;
            };
            let admins = &registry.admins_at(record.granted_at).keys;
            shown.push(ShownGrant {
                keyspace,
                epoch: record.epoch,
                epoch_key: standing.key,
                route_commitment: standing.route_commitment,
                reader: ReaderId::from_bytes(record.reader),
                payload: record.payload.clone(),
                admins: admins.iter().map(|id| id.to_bytes()).collect(),
            });
        }
    }
    shown
}

/// Stores what a grant gave, where it is not here already; returns the secret's file.
fn keep(session: &Session, accepted: &Accepted) -> Result<String, Failure> {
    let place = &session.place;
    let pass = place.passphrase()?;
    let path = place.epoch_file(accepted.keyspace, accepted.epoch)?;
    let directory = path.parent().expect("an epoch's file is in client/epochs");
    make(directory)?;
    if !epoch_keys(place.client_dir()?)?.contains(&accepted.secret.public().to_bytes()) {
        keystore::save(&path, &accepted.secret, &pass, KdfCost::Interactive)?;
    }
    let route = place.client_dir()?.join("route.key");
    if let Some(key) = &accepted.route
        && !route.exists()
    {
        keystore::save(&route, key, &pass, KdfCost::Interactive)?;
    }
    Ok(path.display().to_string())
}

fn make(directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)
        .map_err(|e| Failure::runtime(format!("{}: {e}", directory.display())))
}

fn reader_id(text: &str) -> Result<ReaderId, Failure> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|e| {
        Failure::usage(
            format!("{text:?} is no reader's public key: {e}"),
            "give the 64 hex digits that `ukehi keys reader new` printed",
        )
    })?;
    Ok(ReaderId::from_bytes(bytes))
}
