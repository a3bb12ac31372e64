//! `ukehi keys registry show`.

use super::submit::Session;
use crate::cli::args::Target;
use crate::cli::output::{Output, table};
use crate::error::Failure;
use crate::ids::{KeyspaceId, LogIndex};
use crate::log::Outcome;
use crate::registry::{
    AdminSet, AppliedChange, AuthorStanding, EpochStanding, Family, GrantRecord,
};
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
    /// A mint that the cells refused used up its number too.
    outcome: Outcome,
}

impl From<&AppliedChange> for Change {
    fn from(change: &AppliedChange) -> Self {
        Self {
            number: change.number,
            index: change.index,
            what: change.what,
            digest: hex::encode(change.digest),
            outcome: change.outcome,
        }
    }
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
        changes: registry.changes().iter().map(Change::from).collect(),
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
    let void = |change: &&Change| change.outcome != Outcome::Applied;
    for change in shown.changes.iter().filter(void) {
        rows.push(vec![
            "shard".into(),
            "change".into(),
            format!("{}, a {}: {}", change.number, change.what, change.outcome),
            change.index.to_string(),
            "never applied".into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn change(number: u64, outcome: Outcome) -> Change {
        Change::from(&AppliedChange {
            index: 10 + number,
            number,
            digest: [7; 32],
            what: "mint",
            outcome,
        })
    }

    #[test]
    fn a_mint_that_the_cells_refused_is_shown_as_refused() {
        let changes = vec![change(1, Outcome::Applied), change(2, Outcome::CellLive)];
        let shown = Shown {
            schema: "ukehi/registry/v1",
            last_change: 12,
            admins: AdminSet {
                since: 0,
                keys: Vec::new(),
                threshold: 1,
            },
            keyspaces: Vec::new(),
            circuits: Vec::new(),
            changes,
        };
        let json = serde_json::to_value(&shown).unwrap();
        let outcomes = [0, 1].map(|at| json["changes"][at]["outcome"].clone());
        assert_eq!(outcomes, ["applied", "cell_live"]);
        let text = render(&shown);
        assert!(
            text.contains(&format!("2, a mint: {}", Outcome::CellLive)),
            "{text}"
        );
        assert!(!text.contains("1, a mint"), "{text}");
    }
}
