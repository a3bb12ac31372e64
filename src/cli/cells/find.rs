//! Asks nodes for cells, and opens what they show.

use crate::api::{MAX_SCAN_ROWS, Reply, Request};
use crate::cli::connect::Place;
use crate::cli::data::{hold_epoch_of, open_reader, protocol};
use crate::client::KnownRegistry;
use crate::client::Reader;
use crate::client::cells::{FoundCell, ShownCell};
use crate::client::remote::{Remote, RemoteError};
use crate::error::{ExitCode, Failure};
use crate::ids::{KeyspaceId, NodeId};
use ukehi_circuits::slot::SlotKey;

/// Finds the cells of one keyspace.
pub struct Finder {
    pub keyspace: KeyspaceId,
    pub known: KnownRegistry,
    reader: Reader,
}

impl Finder {
    pub async fn open(place: &Place, remote: &mut Remote) -> Result<Self, Failure> {
        let known = place.registry(remote).await?;
        Ok(Self {
            keyspace: place.keyspace()?,
            reader: open_reader(place, &known)?,
            known,
        })
    }

    /// The newest opening of the cell under a key that a node shows.
    pub async fn find(
        &mut self,
        place: &Place,
        remote: &mut Remote,
        key: &SlotKey,
    ) -> Result<Option<FoundCell>, Failure> {
        let route = self.reader.route(key.as_bytes());
        let route = route.expect("a slot's key has a route");
        let keyspace = self.keyspace;
        let ask = remote.ask(|deadline_ms| Request::Cell {
            deadline_ms,
            keyspace,
            route,
        });
        let shown = match ask.await? {
            (_, Reply::NotFound { .. }) => return Ok(None),
            (node, reply) => shown(node, reply)?,
        };
        if shown.route != route {
            return Err(other_cell(shown.entry.record.index));
        }
        let found = self.check(place, remote, &shown).await?;
        // A slot's key and route belong together by its proof: this is a node's mix-up.
        match found.key.as_ref().is_none_or(|k| k == key) {
            true => Ok(Some(found)),
            false => Err(other_cell(found.index)),
        }
    }

    /// Every cell, in tag order.
    pub async fn all(
        &mut self,
        place: &Place,
        remote: &mut Remote,
    ) -> Result<Vec<FoundCell>, Failure> {
        let keyspace = self.keyspace;
        let mut cells: Vec<FoundCell> = Vec::new();
        loop {
            let after = cells.last().map(|cell| cell.route);
            let mut page = Vec::new();
            let ask = |deadline_ms| Request::Cells {
                deadline_ms,
                keyspace,
                after,
                limit: MAX_SCAN_ROWS,
            };
            let take = |reply| match reply {
                Reply::End => Ok(true),
                _ if page.len() == MAX_SCAN_ROWS as usize => Err(RemoteError::Protocol {
                    node: NodeId(0),
                    what: "more rows than asked for".into(),
                }),
                reply => {
                    page.push(reply);
                    Ok(false)
                }
            };
            let node = remote.stream(ask, take).await?;
            let full = page.len() == MAX_SCAN_ROWS as usize;
            for reply in page {
                let shown = shown(node, reply)?;
                // Tags ascend: a node cannot show one cell twice.
                if cells.last().is_some_and(|last| last.route >= shown.route) {
                    return Err(other_cell(shown.entry.record.index));
                }
                cells.push(self.check(place, remote, &shown).await?);
            }
            if !full {
                return Ok(cells);
            }
        }
    }

    async fn check(
        &mut self,
        place: &Place,
        remote: &mut Remote,
        shown: &ShownCell,
    ) -> Result<FoundCell, Failure> {
        // A mint or an epoch behind what is known here: the registry has moved on meanwhile.
        if shown.entry.record.index > self.known.last() {
            let known = place.registry(remote).await?;
            if known.last() > self.known.last() {
                self.reader = open_reader(place, &known)?;
                self.known = known;
            }
        }
        hold_epoch_of(&mut self.reader, place, &shown.entry)?;
        Ok(self.reader.open_cell(self.keyspace, shown)?)
    }
}

/// A key of at most 61 bytes.
pub fn slot_key(text: &str) -> Result<SlotKey, Failure> {
    SlotKey::new(text.as_bytes())
        .map_err(|e| Failure::usage(format!("key {text:?}: {e}"), "a key has at most 61 bytes"))
}

fn shown(node: NodeId, reply: Reply) -> Result<ShownCell, Failure> {
    match reply {
        Reply::Cell {
            route,
            version,
            entry,
            slot,
        } => Ok(ShownCell {
            route,
            version,
            entry,
            slot,
        }),
        other => Err(protocol(node, &other)),
    }
}

fn other_cell(index: u64) -> Failure {
    Failure::new(
        ExitCode::Tampered,
        format!("entry {index} was shown for another cell than it writes to"),
        "do not trust this node; ask another",
    )
}
