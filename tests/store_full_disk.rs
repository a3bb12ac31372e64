//! A real failed write: the store's process runs under a file size limit, and every call after the
//! first failed commit must be refused without reaching RocksDB.
#![cfg(all(feature = "node", unix))]

use std::path::Path;
use std::process::Command;
use ukehi::ids::ClusterId;
use ukehi::kv::{Column, Read, StoreError, WriteBatch};
use ukehi::store::{RocksStore, Store};

const DIRECTORY: &str = "UKEHI_TEST_STORE";
const CLUSTER: ClusterId = ClusterId([3; 32]);

fn files(path: &Path) -> Vec<(String, u64)> {
    let mut files: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, entry.metadata().unwrap().len())
        })
        .collect();
    files.sort();
    files
}

/// Run by the test below, under the limit.
#[test]
#[ignore = "needs a file size limit; run by the test below"]
fn limited_process() {
    let path = std::env::var_os(DIRECTORY).expect("set by the parent");
    let path = Path::new(&path);
    let store = RocksStore::open(path, CLUSTER).unwrap();
    let row = |key: u32| {
        let mut batch = WriteBatch::new();
        batch.put(
            Column::Entries,
            key.to_be_bytes().to_vec(),
            vec![1; 64 << 10],
        );
        batch
    };
    let failed_at = (0..1000)
        .find(|&key| store.commit(&row(key), true).is_err())
        .expect("the limit is far below 1000 rows");
    assert!(failed_at > 0, "some writes fit");

    let before = files(path);
    for batch in [row(2000), WriteBatch::new()] {
        assert!(matches!(
            store.commit(&batch, true),
            Err(StoreError::Io {
                operation: "commit",
                ..
            })
        ));
    }
    assert!(matches!(
        store.get(Column::Entries, &0u32.to_be_bytes()),
        Err(StoreError::Io {
            operation: "read",
            ..
        })
    ));
    assert!(matches!(
        store.range(Column::Entries, &[], &[0xff], 1),
        Err(StoreError::Io {
            operation: "read",
            ..
        })
    ));
    drop(store);
    assert_eq!(files(path), before, "nothing was written after the failure");
    println!("failed at {failed_at}");
}

#[test]
fn after_a_failed_write_nothing_reaches_the_disk_any_more() {
    let dir = tempfile::tempdir().unwrap();
    // An ignored SIGXFSZ is inherited, so that the write fails instead of killing the process.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "limited_process"])
        .env(DIRECTORY, dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.contains("failed at "), "{said}");
}
