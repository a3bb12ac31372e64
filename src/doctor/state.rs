//! The stored state against the one the entries lead to, row by row.

use super::Check;
use crate::audit::Replay;
use crate::ids::ShardId;
use crate::keyspace::bulk;
use crate::kv::{Column, Read, StoreError, shard_key};
use crate::log::tree;

pub(super) const NAME: &str = "state";
pub(super) const UNIT: &str = "rows of tree, keys, cells, sessions, registry";

/// Rows read at once.
const CHUNK: usize = 1024;

type Part = (Column, Vec<u8>, Vec<u8>);

pub(super) fn check(store: &dyn Read, replay: &Replay<'_>, shard: ShardId) -> Check {
    let mut check = Check::new(NAME, UNIT);
    let replayed = replay.state().expect("replayed from genesis");
    for part in parts(shard) {
        let compared = one_way(replayed, store, &part, |key| {
            format!("{} lacks the row {key}, or has another", part.0.name())
        })
        .and_then(|(rows, missing)| {
            check.examined += rows;
            let (_, surplus) = one_way(store, replayed, &part, |key| {
                format!("{} has the row {key}, which no entry made", part.0.name())
            })?;
            Ok([missing, surplus].concat())
        });
        match compared {
            // A row that differs is found from both sides; once is enough.
            Ok(faults) if !faults.is_empty() => check.fault(&faults[0]),
            Ok(_) => {}
            Err(error) => check.fault(error),
        }
    }
    check
}

/// What the state machine and the log write, and nothing else does.
fn parts(shard: ShardId) -> Vec<Part> {
    let whole = |column| {
        let next = ShardId(shard.0 + 1);
        (column, shard_key(shard, &[]), shard_key(next, &[]))
    };
    let mut parts: Vec<Part> = [
        Column::State,
        Column::Cells,
        Column::Sessions,
        Column::Registry,
    ]
    .map(whole)
    .into();
    let [nodes, size] = tree::key_range(shard);
    parts.push((Column::Tree, nodes.0, nodes.1));
    parts.push((Column::Tree, size.0, size.1));
    let (from, to) = bulk::reference_range(shard);
    parts.push((Column::Bulk, from, to));
    parts
}

/// How many rows `left` has, and a fault for each that `right` does not have alike.
fn one_way(
    left: &dyn Read,
    right: &dyn Read,
    (column, from, to): &Part,
    fault: impl Fn(&str) -> String,
) -> Result<(u64, Vec<String>), StoreError> {
    let (mut rows, mut faults) = (0, Vec::new());
    let mut from = from.clone();
    loop {
        let chunk = left.range(*column, &from, to, CHUNK)?;
        let Some((last, _)) = chunk.last() else {
            return Ok((rows, faults));
        };
        from.clone_from(last);
        from.push(0);
        for (key, value) in chunk {
            rows += 1;
            if right.get(*column, &key)?.as_ref() != Some(&value) {
                faults.push(fault(&hex::encode(&key)));
            }
        }
    }
}
