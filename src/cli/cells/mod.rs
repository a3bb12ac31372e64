//! `ukehi cells`: numbers under keys, whose sum only an admin's mint changes.

pub mod args;
mod find;
mod reseal;
mod show;
mod transfer;

pub use reseal::refuse_to_freeze;

use self::args::CellsCommand;
use self::find::slot_key;
use super::output::Output;
use super::receipt::author_id;
use super::registry::{Session, decide};
use crate::client::cells::mint_blind;
use crate::error::Failure;
use crate::params::route_secret;
use crate::registry::Operation;
use ukehi_circuits::field;
use ukehi_circuits::policy::{Ledger, Policy};
use ukehi_keys::{AuthorId, RouteKey, keystore};

pub fn run(command: CellsCommand, output: &Output) -> Result<(), Failure> {
    match command {
        CellsCommand::Mint {
            sign,
            key,
            value,
            authors,
        } => decide(&sign, output, |session| {
            Ok(Operation::Mint {
                keyspace: session.place.keyspace()?,
                family: Ledger.name().to_owned(),
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

/// The tag a cell stands under: what the log says of its key.
fn route(session: &Session, key: &str) -> Result<[u8; 32], Failure> {
    let key = slot_key(key)?;
    let place = &session.place;
    let path = place.client_dir()?.join("route.key");
    let secret: RouteKey = keystore::load(&path, &place.passphrase()?)?;
    Ok(field::encode(&route_secret(&secret).route(&key)))
}

/// Strictly ascending, as a change holds them.
fn cell_authors(session: &Session, names: &[String]) -> Result<Vec<AuthorId>, Failure> {
    let ids = names.iter().map(|name| author_id(&session.place, name));
    let mut ids = ids.collect::<Result<Vec<_>, _>>()?;
    ids.sort();
    ids.dedup();
    Ok(ids)
}
