//! What happens to a disk while its node is down: damage is found, a lost write is never passed
//! over, and a write that nobody was told of may go.

use crate::harness::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use ukehi::ids::{NodeId, ShardId};
use ukehi::kv::{Column, Pair, Read};
use ukehi::node::disk::Place;
use ukehi::store::Replay;
use ukehi::trust::TrustRoot;

/// reliability.md: 50 in each CI run.
const DAMAGES: u64 = 50;
/// For a run that can be repeated; any other will do.
const SEED: u64 = 20_261_125;

/// Three nodes that wrote a few batches and were killed.
fn stopped() -> (Cluster, u64) {
    let mut cluster = Cluster::running();
    let mut last = 0;
    for seq in 1..=4 {
        let receipt = cluster.client(&[1, 2, 3]).write(&batch(seq));
        last = receipt.record.index;
    }
    cluster.applied(&[1, 2, 3], last);
    cluster.kill_all();
    (cluster, last)
}

/// Exit code, the diagnoses and what stderr says.
fn doctor(cluster: &Cluster, dir: &Path) -> (i32, Value, String) {
    let dir = dir.to_str().expect("a readable path");
    let done = cluster.ukehi(&["doctor", "--dir", dir, "--output", "json"]);
    let stdout = serde_json::from_slice(&done.stdout).unwrap_or(Value::Null);
    let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
    (
        done.status.code().expect("it ends by itself"),
        stdout,
        stderr,
    )
}

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(dir).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read(&path).expect("a file")))
        .collect()
}

fn put_back(dir: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) {
    fs::remove_dir_all(dir).expect("removed");
    fs::create_dir(dir).expect("made");
    for (path, bytes) in files {
        fs::write(path, bytes).expect("written");
    }
}

fn data(cluster: &Cluster, id: u64) -> PathBuf {
    cluster.dir().join(format!("node{id}/data"))
}

fn mark(cluster: &Cluster, id: u64) -> PathBuf {
    cluster.dir().join(format!("node{id}/data.mark"))
}

fn newest_log(dir: &Path) -> PathBuf {
    let logs = files(dir).into_keys();
    let logs = logs.filter(|path| path.extension().is_some_and(|e| e == "log"));
    logs.max().expect("a write-ahead log")
}

/// Every row, or `None` if the store does not open or read.
fn rows(cluster: &Cluster, id: u64) -> Option<Vec<(Column, Vec<Pair>)>> {
    let trust = TrustRoot::load(&cluster.trust()).expect("the trust root");
    let data = data(cluster, id);
    let place = Place {
        cluster: trust.genesis.cluster_id(),
        node: NodeId(id),
        shard: ShardId(0),
        data: &data,
    };
    let store = place.read_only(Replay::ToFirstFault).ok()?;
    let all = |column| {
        let rows = store.range(column, &[], &[0xff; 128], usize::MAX);
        rows.ok().map(|rows| (column, rows))
    };
    Column::ALL.into_iter().map(all).collect()
}

/// Starts a node that has to refuse; its exit code and what it said.
fn refusal(cluster: &Cluster, id: u64) -> (i32, String) {
    let log = cluster.dir().join("refusal.log");
    let _ = fs::remove_file(&log);
    let mut node = Process::node(SHIPPED.as_ref(), &cluster.config_path(id), &log);
    let status = eventually("the node refuses to start", || node.exited());
    let said = fs::read_to_string(&log).expect("its output");
    (status.code().expect("it was not killed"), said)
}

#[test]
fn a_disk_is_examined_when_its_node_is_stopped_and_nothing_is_written_to_it() {
    let (mut cluster, last) = stopped();
    let before: Vec<_> = (1..=3).map(|id| files(&data(&cluster, id))).collect();
    let (code, found, said) = doctor(&cluster, cluster.dir());
    assert_eq!(code, 0, "{found:#} {said}");
    for (diagnosis, id) in found.as_array().expect("a list").iter().zip(1u64..) {
        assert_eq!(diagnosis["schema"], "ukehi/doctor/v1");
        assert_eq!(diagnosis["node"], id);
        assert!(diagnosis["applied"].as_u64() >= Some(last), "{diagnosis:#}");
        let checks = diagnosis["checks"].as_array().expect("checks");
        let examined = |name| {
            let check = checks.iter().find(|c| c["name"] == name);
            check.expect("the check")["examined"]
                .as_u64()
                .expect("a number")
        };
        assert!(examined("entries") > last, "{diagnosis:#}");
        assert!(
            examined("checkpoints") > 0 && examined("state") > 0,
            "{diagnosis:#}"
        );
    }
    let after: Vec<_> = (1..=3).map(|id| files(&data(&cluster, id))).collect();
    assert!(before == after, "the doctor wrote something");

    cluster.start(1);
    eventually("the node answers", || cluster.status(1));
    let (code, _, said) = doctor(&cluster, &cluster.dir().join("node1"));
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("stop the node first"), "{said}");
}

#[test]
fn damage_anywhere_on_a_disk_is_named_or_leaves_every_row_as_it_was() {
    let (cluster, _) = stopped();
    let dir = data(&cluster, 2);
    let whole = files(&dir);
    let marked = fs::read(mark(&cluster, 2)).expect("the mark");
    let sound = rows(&cluster, 2).expect("a sound store");
    let mut rng = SEED;
    let mut random = |below: u64| {
        // SplitMix64.
        rng = rng.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (rng ^ (rng >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    };
    let mut targets: Vec<PathBuf> = whole
        .iter()
        .filter(|(_, bytes)| !bytes.is_empty())
        .map(|(path, _)| path.clone())
        .collect();
    // Most of what matters is in the write-ahead log: more than its share of the damage.
    targets.extend(vec![newest_log(&dir); targets.len()]);
    targets.push(mark(&cluster, 2));
    let (mut named, mut exact) = (0, 0);
    for round in 0..DAMAGES {
        put_back(&dir, &whole);
        fs::write(mark(&cluster, 2), &marked).expect("written");
        let target = &targets[random(targets.len() as u64) as usize];
        let mut bytes = fs::read(target).expect("the file");
        let at = random(bytes.len() as u64) as usize;
        let how = match random(3) {
            0 => {
                bytes.truncate(at);
                "cut"
            }
            _ => {
                bytes[at] ^= 1 << random(8);
                "flipped"
            }
        };
        fs::write(target, bytes).expect("written");
        let what = format!("round {round}: {} {how} at {at}", target.display());
        let (code, found, said) = doctor(&cluster, &cluster.dir().join("node2"));
        match code {
            0 => {
                assert!(
                    rows(&cluster, 2).as_ref() == Some(&sound),
                    "{what}: passed over"
                );
                exact += 1;
            }
            // An empty or unreadable directory is the configuration's fault as far as one can see.
            3 | 10 => {
                assert!(said.contains("error"), "{what}: {said}");
                named += 1;
            }
            code => panic!("{what}: exit {code}, {found:#} {said}"),
        }
    }
    println!("{DAMAGES} damages: {named} named, {exact} without effect");
    assert!(named > 0 && exact > 0);
}

#[test]
fn a_store_older_than_its_mark_is_refused_by_the_node_and_named_by_the_doctor() {
    let mut cluster = Cluster::running();
    cluster.client(&[1, 2, 3]).write(&batch(1));
    cluster.kill(3);
    let dir = data(&cluster, 3);
    let old = files(&dir);
    cluster.start(3);
    let receipt = cluster.client(&[1, 2, 3]).write(&batch(2));
    cluster.applied(&[3], receipt.record.index);
    cluster.kill(3);
    let new = files(&dir);
    let own = cluster.dir().join("node3");

    put_back(&dir, &old);
    let (code, said) = refusal(&cluster, 3);
    assert_eq!(code, 10, "{said}");
    assert!(said.contains("is older than it was"), "{said}");
    let (code, found, _) = doctor(&cluster, &own);
    assert_eq!(code, 10);
    let fault = found[0]["checks"][0]["faults"][0]
        .as_str()
        .expect("a fault");
    assert!(fault.contains("is older than it was"), "{found:#}");

    // Emptied: the same.
    put_back(&dir, &BTreeMap::new());
    let (code, said) = refusal(&cluster, 3);
    assert_eq!(code, 10, "{said}");

    // Whole, but without its mark.
    put_back(&dir, &new);
    let kept = fs::read(mark(&cluster, 3)).expect("the mark");
    fs::remove_file(mark(&cluster, 3)).expect("removed");
    let (code, said) = refusal(&cluster, 3);
    assert_eq!(code, 10, "{said}");
    assert!(said.contains("data.mark"), "{said}");

    // As it was: it runs, and nothing is lost.
    fs::write(mark(&cluster, 3), kept).expect("written");
    put_back(&dir, &new);
    cluster.start(3);
    cluster.applied(&[3], receipt.record.index);
}

#[test]
fn a_torn_log_is_cut_where_nobody_was_told_of_the_write_and_refused_where_somebody_was() {
    let (mut cluster, last) = stopped();
    let dir = data(&cluster, 2);
    let whole = files(&dir);
    let log = newest_log(&dir);
    let bytes = &whole[&log];

    // One byte short: the last write, acknowledged, is gone.
    fs::write(&log, &bytes[..bytes.len() - 1]).expect("written");
    let (code, said) = refusal(&cluster, 2);
    assert_eq!(code, 10, "{said}");
    assert!(said.contains("lacks the last 1 writes"), "{said}");

    // The beginning of a write that never came to its end.
    put_back(&dir, &whole);
    let next = [bytes, &bytes[..bytes.len().min(40)]].concat();
    fs::write(&log, next).expect("written");
    let (code, found, said) = doctor(&cluster, &cluster.dir().join("node2"));
    assert_eq!(code, 0, "{found:#} {said}");
    for id in 1..=3 {
        cluster.start(id);
    }
    cluster.applied(&[1, 2, 3], last);
    assert!(
        cluster.log_text(2).contains("was cut"),
        "{}",
        cluster.log_text(2)
    );
    let receipt = cluster.client(&[2]).write(&batch(5));
    cluster.applied(&[1, 2, 3], receipt.record.index);
}
