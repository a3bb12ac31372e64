//! `ukehi cells`: numbers under keys, whose sum only an admin's mint changes.

pub mod args;
mod attempt;
mod put;
mod reseal;
mod show;
mod transfer;

pub use put::put_guarded;
pub use reseal::refuse_to_freeze;

use self::args::CellsCommand;
use super::connect::Place;
use super::output::Output;
use super::receipt::author_id;
use super::registry::{Session, decide};
use crate::client::cells::mint_blind;
use crate::client::{CellFinder, Cluster};
use crate::error::Failure;
use crate::genesis::is_policy_name;
use crate::params::route_secret;
use crate::registry::Operation;
use ukehi_circuits::field;
use ukehi_circuits::policy::{Opaque, Policy};
use ukehi_circuits::slot::SlotKey;
use ukehi_keys::AuthorId;

pub fn run(command: CellsCommand, output: &Output) -> Result<(), Failure> {
    match command {
        CellsCommand::Family {
            sign,
            policy,
            authors,
        } => decide(&sign, output, |session| {
            register_family(session, policy, &authors)
        }),
        CellsCommand::Mint {
            sign,
            key,
            value,
            family,
            authors,
        } => decide(&sign, output, |session| {
            Ok(Operation::Mint {
                keyspace: session.place.keyspace()?,
                family,
                route: route(session, &key)?,
                value,
                blind: mint_blind().map_err(Failure::runtime)?,
                authors: cell_authors(session, &authors)?,
            })
        }),
        CellsCommand::Authors { sign, key, authors } => decide(&sign, output, |session| {
            let authors = match authors.iter().any(|a| a == "all") {
                true => Vec::new(),
                false => cell_authors(session, &authors)?,
            };
            Ok(Operation::SetCellAuthors {
                keyspace: session.place.keyspace()?,
                route: route(session, &key)?,
                authors,
            })
        }),
        CellsCommand::Transfer(args) => transfer::transfer(&args, output),
        CellsCommand::Get { target, key } => show::get(&target, &key, output),
        CellsCommand::List { target } => show::list(&target, output),
        CellsCommand::Reseal(args) => reseal::reseal(&args, output),
    }
}

fn register_family(
    session: &Session,
    policy: String,
    authors: &[String],
) -> Result<Operation, Failure> {
    if !is_policy_name(&policy) {
        return Err(Failure::usage(
            format!("{policy:?} is no policy's name"),
            "name one of a-z, 0-9 and _, such as ledger",
        ));
    }
    if policy == Opaque.name() {
        return Err(Failure::usage(
            "opaque has no cells",
            "name a policy that has, such as ledger",
        ));
    }
    let keyspace = session.place.keyspace()?;
    let authors = match authors.is_empty() {
        false => cell_authors(session, authors)?,
        true => {
            let all = session.known().registry().authors(keyspace);
            let all = all.filter(|(_, standing)| standing.revoked_at.is_none());
            let mut all: Vec<AuthorId> = all.map(|(author, _)| *author).collect();
            all.sort();
            all
        }
    };
    Ok(Operation::RegisterFamily {
        keyspace,
        policy,
        authors,
    })
}

/// The tag a cell stands under: what the log says of its key.
fn route(session: &Session, key: &str) -> Result<[u8; 32], Failure> {
    let key = slot_key(key)?;
    let secret = session.place.keys()?.route()?;
    Ok(field::encode(&route_secret(&secret).route(&key)))
}

/// A key of at most 61 bytes.
fn slot_key(text: &str) -> Result<SlotKey, Failure> {
    SlotKey::new(text.as_bytes())
        .map_err(|e| Failure::usage(format!("key {text:?}: {e}"), "a key has at most 61 bytes"))
}

/// The cells of the cluster's keyspace, opened with the keys at hand.
fn finder(place: &Place, cluster: &Cluster) -> Result<CellFinder, Failure> {
    Ok(CellFinder::new(cluster, place.keys()?, place.keyspace()?)?)
}

/// Strictly ascending, as a change holds them.
fn cell_authors(session: &Session, names: &[String]) -> Result<Vec<AuthorId>, Failure> {
    let ids = names.iter().map(|name| author_id(&session.place, name));
    let mut ids = ids.collect::<Result<Vec<_>, _>>()?;
    ids.sort();
    ids.dedup();
    Ok(ids)
}
