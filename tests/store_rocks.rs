//! What the store on disk refuses, and what it keeps.
#![cfg(feature = "node")]

use rocksdb::{DB, Options};
use std::fs;
use std::path::{Path, PathBuf};
use ukehi::ids::ClusterId;
use ukehi::kv::{Column, Read, StoreError, WriteBatch};
use ukehi::store::{OpenError, RocksStore, Store};

const CLUSTER: ClusterId = ClusterId([1; 32]);
const OTHER: ClusterId = ClusterId([2; 32]);

fn put(store: &RocksStore, column: Column, key: &[u8], value: &[u8]) {
    let mut batch = WriteBatch::new();
    batch.put(column, key.to_vec(), value.to_vec());
    store.commit(&batch, true).expect("the disk works");
}

fn refusal(path: &Path, cluster: ClusterId) -> OpenError {
    RocksStore::open(path, cluster)
        .err()
        .expect("the store must not open")
}

/// The same files without our layer: what an outside hand would change.
fn raw(path: &Path) -> DB {
    let names = Column::ALL.map(Column::name);
    DB::open_cf(&Options::default(), path, names).expect("RocksDB itself opens")
}

fn newest_wal(path: &Path) -> PathBuf {
    let mut logs: Vec<PathBuf> = fs::read_dir(path)
        .expect("the store's directory")
        .map(|entry| entry.expect("an entry").path())
        .filter(|file| file.extension().is_some_and(|e| e == "log"))
        .collect();
    logs.sort();
    logs.pop().expect("a write-ahead log")
}

#[test]
fn synced_data_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let store = RocksStore::open(dir.path(), CLUSTER).unwrap();
    put(&store, Column::Entries, b"entry", &[9; 300_000]);
    drop(store);
    let store = RocksStore::open(dir.path(), CLUSTER).unwrap();
    assert_eq!(
        store.get(Column::Entries, b"entry"),
        Ok(Some(vec![9; 300_000]))
    );
}

#[test]
fn a_batch_of_several_columns_is_one_write() {
    let dir = tempfile::tempdir().unwrap();
    let store = RocksStore::open(dir.path(), CLUSTER).unwrap();
    let mut batch = WriteBatch::new();
    for column in Column::ALL {
        batch.put(column, b"k".to_vec(), column.name().as_bytes().to_vec());
    }
    store.commit(&batch, true).unwrap();
    for column in Column::ALL {
        let expected = column.name().as_bytes().to_vec();
        assert_eq!(store.get(column, b"k"), Ok(Some(expected)));
    }
}

#[test]
fn an_inverted_range_is_empty() {
    let dir = tempfile::tempdir().unwrap();
    let store = RocksStore::open(dir.path(), CLUSTER).unwrap();
    put(&store, Column::Tree, b"m", b"v");
    assert_eq!(store.range(Column::Tree, b"z", b"a", 10), Ok(vec![]));
    assert_eq!(store.range(Column::Tree, b"m", b"m", 10), Ok(vec![]));
}

#[test]
fn a_flipped_byte_in_a_value_is_damage_to_get_and_to_range() {
    let dir = tempfile::tempdir().unwrap();
    let store = RocksStore::open(dir.path(), CLUSTER).unwrap();
    put(&store, Column::Raft, b"hard-state", b"term 5, vote 2");
    drop(store);

    let db = raw(dir.path());
    let raft = db.cf_handle("raft").unwrap();
    let mut stored = db.get_cf(raft, b"hard-state").unwrap().unwrap();
    stored[5] ^= 1;
    db.put_cf(raft, b"hard-state", &stored).unwrap();
    drop(db);

    let damaged = StoreError::Damaged {
        column: "raft",
        key: hex::encode(b"hard-state"),
    };
    let store = RocksStore::open(dir.path(), CLUSTER).unwrap();
    assert_eq!(store.get(Column::Raft, b"hard-state"), Err(damaged.clone()));
    assert_eq!(store.range(Column::Raft, b"a", b"z", 5), Err(damaged));
}

#[test]
fn a_value_moved_to_another_key_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let store = RocksStore::open(dir.path(), CLUSTER).unwrap();
    put(&store, Column::State, b"from", b"value");
    drop(store);
    let db = raw(dir.path());
    let state = db.cf_handle("state").unwrap();
    let stored = db.get_cf(state, b"from").unwrap().unwrap();
    db.put_cf(state, b"to", stored).unwrap();
    drop(db);
    let store = RocksStore::open(dir.path(), CLUSTER).unwrap();
    assert!(matches!(
        store.get(Column::State, b"to"),
        Err(StoreError::Damaged { .. })
    ));
}

#[test]
fn a_directory_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _store = RocksStore::open(dir.path(), CLUSTER).unwrap();
    assert_eq!(
        refusal(dir.path(), CLUSTER),
        OpenError::InUse {
            path: dir.path().to_owned()
        }
    );
}

/// Run by `a_directory_another_process_uses_is_refused`, in a process of its own.
#[test]
#[ignore = "the second process of another test"]
fn second_process() {
    let path = PathBuf::from(std::env::var_os("UKEHI_TEST_STORE").expect("set by the parent"));
    assert!(matches!(refusal(&path, CLUSTER), OpenError::InUse { .. }));
}

#[test]
fn a_directory_another_process_uses_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _store = RocksStore::open(dir.path(), CLUSTER).unwrap();
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "second_process"])
        .env("UKEHI_TEST_STORE", dir.path())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_directory_of_another_cluster_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(RocksStore::open(dir.path(), CLUSTER).unwrap());
    assert_eq!(
        refusal(dir.path(), OTHER),
        OpenError::OtherCluster {
            path: dir.path().to_owned(),
            expected: OTHER,
            found: CLUSTER,
        }
    );
    drop(RocksStore::open(dir.path(), CLUSTER).expect("and is left as it was"));
}

#[test]
fn rows_without_an_identity_are_damage() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    let db = DB::open_cf(&options, dir.path(), Column::ALL.map(Column::name)).unwrap();
    let tree = db.cf_handle("tree").unwrap();
    db.put_cf(tree, b"k", b"v").unwrap();
    drop(db);
    assert!(matches!(
        refusal(dir.path(), CLUSTER),
        OpenError::Damaged { .. }
    ));
}

#[test]
fn a_log_cut_within_its_last_record_is_torn_and_not_silently_shorter() {
    let dir = tempfile::tempdir().unwrap();
    let store = RocksStore::open(dir.path(), CLUSTER).unwrap();
    put(&store, Column::Entries, b"1", b"first");
    put(&store, Column::Entries, b"2", &[7; 500]);
    drop(store);
    let wal = newest_wal(dir.path());
    let len = fs::metadata(&wal).unwrap().len();
    let file = fs::OpenOptions::new().write(true).open(&wal).unwrap();
    file.set_len(len - 100).unwrap();
    let refusal = refusal(dir.path(), CLUSTER);
    assert!(matches!(refusal, OpenError::Torn { .. }), "{refusal:?}");
}

#[test]
fn a_flipped_byte_in_the_log_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let store = RocksStore::open(dir.path(), CLUSTER).unwrap();
    put(&store, Column::Entries, b"1", &[7; 500]);
    put(&store, Column::Entries, b"2", b"second");
    drop(store);
    let wal = newest_wal(dir.path());
    let mut bytes = fs::read(&wal).unwrap();
    let start = bytes.windows(16).position(|w| w == [7; 16]);
    bytes[start.expect("the value") + 100] ^= 0x10;
    fs::write(&wal, bytes).unwrap();
    let refusal = refusal(dir.path(), CLUSTER);
    assert!(matches!(refusal, OpenError::Damaged { .. }), "{refusal:?}");
}
