//! `ukehi keys registry show`.

use super::submit::Session;
use crate::cli::args::Target;
use crate::cli::output::{Output, table};
use crate::error::Failure;
use crate::ids::{KeyspaceId, LogIndex};
use crate::registry::{AdminSet, AuthorStanding, EpochStanding, Family, GrantRecord};
use serde::Serialize;
use ukehi_keys::{AuthorId, CircuitId, Manifest, Setup};

#[derive(Serialize)]
struct Shown {
    schema: &'static str,
    /// The last entry that changed it, as far as the node asked showed.
    last_change: LogIndex,
    admins: AdminSet,
    keyspaces: Vec<Keyspace>,
    circuits: Vec<Circuit>,
    changes: Vec<Change>,
}

#[derive(Serialize)]
struct Keyspace {
    keyspace: KeyspaceId,
    authors: Vec<Author>,
    epochs: Vec<EpochStanding>,
    grants: Vec<GrantRecord>,
    /// Policies whose cells it has.
    families: Vec<Family>,
}

#[derive(Serialize)]
struct Author {
    author: AuthorId,
    #[serde(flatten)]
    standing: AuthorStanding,
}

#[derive(Serialize)]
struct Circuit {
    circuit: String,
    /// The name of its parameters' files.
    name: String,
    /// Who made its keys: `ceremony` and the participants, or `INSECURE`.
    set_up: String,
    activated_at: LogIndex,
    retired_at: Option<LogIndex>,
}

#[derive(Serialize)]
struct Change {
    number: u64,
    index: LogIndex,
    what: &'static str,
    digest: String,
}

pub fn show(target: &Target, output: &Output) -> Result<(), Failure> {
    let session = Session::open(target)?;
    let shown = shown(&session);
    output.show(&shown, render);
    Ok(())
}

fn shown(session: &Session) -> Shown {
    let registry = session.known().registry();
    let manifests = session.manifests();
    Shown {
        schema: "ukehi/registry/v1",
        last_change: session.known().last(),
        admins: registry.admins().clone(),
        keyspaces: registry
            .keyspaces()
            .map(|keyspace| Keyspace {
                keyspace,
                authors: registry
                    .authors(keyspace)
                    .map(|(author, standing)| Author {
                        author: *author,
                        standing: *standing,
                    })
                    .collect(),
                epochs: registry.epochs(keyspace).cloned().collect(),
                grants: registry.grants(keyspace).to_vec(),
                families: registry.families(keyspace).cloned().collect(),
            })
            .collect(),
        circuits: registry
            .circuits()
            .map(|(id, standing)| Circuit {
                circuit: id.to_string(),
                name: named(&manifests, id).0,
                set_up: named(&manifests, id).1,
                activated_at: standing.activated_at,
                retired_at: standing.retired_at,
            })
            .collect(),
        changes: registry
            .changes()
            .iter()
            .map(|change| Change {
                number: change.number,
                index: change.index,
                what: change.what,
                digest: hex::encode(change.digest),
            })
            .collect(),
    }
}

/// A circuit's name and set-up in words.
fn named(manifests: &[&Manifest], id: &CircuitId) -> (String, String) {
    let manifest = manifests.iter().find(|m| m.circuit_id() == *id);
    let manifest = manifest.expect("every circuit came with its manifest");
    let set_up = match manifest.setup() {
        Setup::InsecureDev { .. } => "INSECURE".to_owned(),
        Setup::Ceremony(facts) => {
            let names = facts.contributions.iter().map(|c| c.name.as_str());
            format!("ceremony of {}", names.collect::<Vec<_>>().join(", "))
        }
    };
    (manifest.shape().file_stem().unwrap_or_default(), set_up)
}

fn render(shown: &Shown) -> String {
    let at = |index: Option<LogIndex>, what: &str| {
        index.map_or(String::new(), |index| format!("{what} {index}"))
    };
    let mut rows = Vec::new();
    for keyspace in &shown.keyspaces {
        let place = format!("keyspace {}", keyspace.keyspace);
        for author in &keyspace.authors {
            rows.push(vec![
                place.clone(),
                "author".into(),
                author.author.to_string()[..16].to_owned(),
                author.standing.registered_at.to_string(),
                at(author.standing.revoked_at, "revoked at"),
            ]);
        }
        for epoch in &keyspace.epochs {
            let ends = [
                at(epoch.expires, "expires after"),
                at(epoch.revoked_at, "revoked at"),
                at(epoch.erased_at, "erased at"),
            ];
            let ends = ends.into_iter().filter(|e| !e.is_empty());
            rows.push(vec![
                place.clone(),
                "epoch".into(),
                format!("{} ({})", epoch.id, epoch.policy),
                epoch.opened_at.to_string(),
                ends.collect::<Vec<_>>().join(", "),
            ]);
        }
        for grant in &keyspace.grants {
            rows.push(vec![
                place.clone(),
                "grant".into(),
                format!(
                    "epoch {} to {}",
                    grant.epoch,
                    &hex::encode(grant.reader)[..16]
                ),
                grant.granted_at.to_string(),
                String::new(),
            ]);
        }
        for family in &keyspace.families {
            rows.push(vec![
                place.clone(),
                "cells".into(),
                format!("{} ({} authors)", family.policy, family.authors.len()),
                family.registered_at.to_string(),
                String::new(),
            ]);
        }
    }
    for circuit in &shown.circuits {
        rows.push(vec![
            "shard".into(),
            "circuit".into(),
            format!(
                "{} {} ({})",
                &circuit.circuit[..8],
                circuit.name,
                circuit.set_up
            ),
            circuit.activated_at.to_string(),
            at(circuit.retired_at, "retired at"),
        ]);
    }
    format!(
        "{}\n{} of {} admins sign a change; {} changes so far, the last at entry {}",
        table(&["in", "what", "which", "since", "until"], rows),
        shown.admins.threshold,
        shown.admins.keys.len(),
        shown.changes.len(),
        shown.last_change
    )
}
