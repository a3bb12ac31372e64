//! One random history, three stores: the memory store, RocksDB and a plain map must agree, so that
//! what the simulator runs on cannot drift from what a node runs on.
#![cfg(feature = "node")]

use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use ukehi::ids::ClusterId;
use ukehi::kv::{Column, Overlay, Pair, Read, WriteBatch};
use ukehi::store::{MemoryStore, RocksStore, Store};

const CLUSTER: ClusterId = ClusterId([7; 32]);

type Write = (Column, Vec<u8>, Option<Vec<u8>>);
type Model = BTreeMap<(Column, Vec<u8>), Vec<u8>>;

#[derive(Debug, Clone)]
enum Op {
    Commit { writes: Vec<Write>, sync: bool },
    Get(Column, Vec<u8>),
    Range(Column, Vec<u8>, Vec<u8>, usize),
    RangeThroughOverlay(Vec<Write>, Column, Vec<u8>, Vec<u8>, usize),
    Reopen,
}

fn column() -> impl Strategy<Value = Column> {
    // Three columns, so that histories collide; Meta holds the store's identity as well.
    prop::sample::select(vec![Column::Entries, Column::State, Column::Meta])
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    // Few and short: prefixes of each other, the empty key, bytes at both ends.
    vec(prop::sample::select(vec![0u8, 1, 0x7f, 0xfe]), 0..4)
}

fn write() -> impl Strategy<Value = Write> {
    let value = prop::option::weighted(0.7, vec(any::<u8>(), 0..40));
    (column(), key(), value)
}

fn op() -> impl Strategy<Value = Op> {
    let commit = (vec(write(), 0..6), any::<bool>());
    let range = (column(), key(), key(), 0..8usize);
    let overlay = (vec(write(), 0..4), column(), key(), key(), 0..8usize);
    prop_oneof![
        4 => commit.prop_map(|(writes, sync)| Op::Commit { writes, sync }),
        3 => (column(), key()).prop_map(|(c, k)| Op::Get(c, k)),
        3 => range.prop_map(|(c, a, b, n)| Op::Range(c, a, b, n)),
        1 => overlay.prop_map(|(w, c, a, b, n)| {
            let (from, to) = if a < b { (a, b) } else { (b, a) };
            Op::RangeThroughOverlay(w, c, from, to, n)
        }),
        1 => Just(Op::Reopen),
    ]
}

fn batch(writes: &[Write]) -> WriteBatch {
    let mut batch = WriteBatch::new();
    for (column, key, value) in writes.iter().cloned() {
        match value {
            Some(value) => batch.put(column, key, value),
            None => batch.delete(column, key),
        }
    }
    batch
}

fn apply(model: &mut Model, writes: &[Write]) {
    for (column, key, value) in writes.iter().cloned() {
        match value {
            Some(value) => model.insert((column, key), value),
            None => model.remove(&(column, key)),
        };
    }
}

fn model_range(model: &Model, column: Column, from: &[u8], to: &[u8], limit: usize) -> Vec<Pair> {
    model
        .iter()
        .filter(|((c, k), _)| *c == column && k.as_slice() >= from && k.as_slice() < to)
        .take(limit)
        .map(|((_, k), v)| (k.clone(), v.clone()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_memory_store_and_rocksdb_answer_alike(ops in vec(op(), 1..40)) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut rocks = Some(RocksStore::open(directory.path(), CLUSTER).expect("a new store"));
        let memory = MemoryStore::new();
        let mut model = Model::new();
        for op in ops {
            if matches!(op, Op::Reopen) {
                drop(rocks.take());
                rocks = Some(RocksStore::open(directory.path(), CLUSTER).expect("our own store"));
                continue;
            }
            let disk = rocks.as_ref().expect("reopened at once");
            let stores: [&dyn Store; 2] = [&memory, disk];
            match op {
                Op::Commit { writes, sync } => {
                    let batch = batch(&writes);
                    for store in stores {
                        prop_assert_eq!(store.commit(&batch, sync), Ok(()));
                    }
                    apply(&mut model, &writes);
                }
                Op::Get(column, key) => {
                    let expected = model.get(&(column, key.clone())).cloned();
                    for store in stores {
                        prop_assert_eq!(store.get(column, &key), Ok(expected.clone()));
                    }
                }
                Op::Range(column, from, to, n) => {
                    let expected = model_range(&model, column, &from, &to, n);
                    for store in stores {
                        prop_assert_eq!(store.range(column, &from, &to, n), Ok(expected.clone()));
                    }
                }
                Op::RangeThroughOverlay(writes, column, from, to, n) => {
                    let mut after = model.clone();
                    apply(&mut after, &writes);
                    let expected = model_range(&after, column, &from, &to, n);
                    let bases: [&dyn Read; 2] = [&memory, disk];
                    for base in bases {
                        let mut pending = batch(&writes);
                        let overlay = Overlay::new(base, &mut pending);
                        prop_assert_eq!(overlay.range(column, &from, &to, n), Ok(expected.clone()));
                    }
                }
                Op::Reopen => unreachable!("handled above"),
            }
        }
    }
}
