//! `ukehi cells get` and `list`.

use super::{finder, slot_key};
use crate::cli::args::Target;
use crate::cli::connect::{Place, runtime};
use crate::cli::output::{Output, table};
use crate::client::cells::{FoundCell, Origin};
use crate::error::{ExitCode, Failure};
use crate::ids::{EpochId, KeyspaceId};
use crate::registry::Registry;
use serde::Serialize;
use ukehi_keys::AuthorId;

#[derive(Serialize)]
struct Got {
    schema: &'static str,
    #[serde(flatten)]
    row: Row,
}

#[derive(Serialize)]
struct Listed {
    schema: &'static str,
    order: &'static str,
    cells: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    /// Absent where no batch has written to the cell since its mint, and where it cannot be read.
    key: Option<String>,
    route: String,
    policy: String,
    /// Absent where the secret of its epoch is not here.
    value: Option<u64>,
    version: u64,
    /// The epoch its newest value is sealed to; absent for a mint, which everybody reads.
    epoch: Option<EpochId>,
    index: u64,
    slot: u8,
    /// Who may write to it; absent where all authors of the family may.
    authors: Option<Vec<AuthorId>>,
}

pub fn get(target: &Target, key: &str, output: &Output) -> Result<(), Failure> {
    let place = Place::find(target)?;
    let name = slot_key(key)?;
    let (found, cluster) = runtime()?.block_on(async {
        let mut cluster = place.cluster().await?;
        let found = finder(&place, &cluster)?.find(&mut cluster, &name).await?;
        Ok::<_, Failure>((found, cluster))
    })?;
    let found = found.ok_or_else(|| no_cell(key))?;
    if found.opening.is_none() {
        return Err(unreadable(key, &found));
    }
    let mut row = row(&found, cluster.known().registry(), place.keyspace()?);
    row.key = Some(key.to_owned());
    let got = Got {
        schema: "ukehi/cell/v1",
        row,
    };
    output.show(&got, |g| g.row.value.unwrap_or_default().to_string());
    Ok(())
}

pub fn list(target: &Target, output: &Output) -> Result<(), Failure> {
    let place = Place::find(target)?;
    let (cells, cluster) = runtime()?.block_on(async {
        let mut cluster = place.cluster().await?;
        let cells = finder(&place, &cluster)?.all(&mut cluster).await?;
        Ok::<_, Failure>((cells, cluster))
    })?;
    let (registry, keyspace) = (cluster.known().registry(), place.keyspace()?);
    let listed = Listed {
        schema: "ukehi/cells/v1",
        order: "tag",
        cells: cells
            .iter()
            .map(|cell| row(cell, registry, keyspace))
            .collect(),
    };
    output.show(&listed, |l| {
        let rows = l.cells.iter().map(|r| {
            let epoch = r.epoch.map_or("minted".to_owned(), |e| e.to_string());
            let value = r.value.map(|v| v.to_string());
            vec![
                r.key
                    .clone()
                    .unwrap_or_else(|| format!("{}…", &r.route[..16])),
                value.unwrap_or_else(|| "not readable here".into()),
                r.version.to_string(),
                epoch,
                r.index.to_string(),
            ]
        });
        format!(
            "{}\n{} cells, in tag order",
            table(&["key or tag", "value", "version", "epoch", "entry"], rows),
            l.cells.len()
        )
    });
    Ok(())
}

fn row(found: &FoundCell, registry: &Registry, keyspace: KeyspaceId) -> Row {
    let authors = registry.cell_authors(keyspace, &found.route, u64::MAX);
    let key = found.key.as_ref().map(|key| name(key.as_bytes()));
    Row {
        key,
        route: hex::encode(found.route),
        policy: found.policy.clone(),
        value: found.opening.as_ref().map(|o| o.value()),
        version: found.version,
        epoch: match found.origin {
            Origin::Sealed(epoch) => Some(epoch),
            Origin::Minted => None,
        },
        index: found.index,
        slot: found.slot,
        authors: authors.filter(|a| !a.is_empty()).map(<[AuthorId]>::to_vec),
    }
}

/// A key in words: its text, or the digits of its bytes.
pub fn name(key: &[u8]) -> String {
    match std::str::from_utf8(key) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("hex:{}", hex::encode(key)),
    }
}

pub fn no_cell(key: &str) -> Failure {
    Failure::new(
        ExitCode::NotFound,
        format!("there is no cell {key:?}"),
        "see `ukehi cells list`; an admin makes one: `ukehi cells mint`",
    )
}

pub fn unreadable(key: &str, found: &FoundCell) -> Failure {
    let epoch = match found.origin {
        Origin::Sealed(epoch) => format!("epoch {epoch}"),
        Origin::Minted => "its mint".into(),
    };
    Failure::configuration(
        format!("the cell {key:?} is sealed to {epoch}, whose secret is not here"),
        "get a grant of that epoch: `ukehi keys grants accept`",
    )
}
