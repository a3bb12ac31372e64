use super::*;
use crate::replica::{Payload, Stamp};
use crate::store::{MemoryStore, Store};

const SHARD: ShardId = ShardId(0);

fn entry(index: LogIndex, term: Term) -> Entry {
    Payload::Batch {
        bytes: Arc::from(vec![index as u8; 100]),
        stamp: Stamp {
            proposer: NodeId(1),
            signature: [1; 64],
        },
    }
    .into_entry(index, term)
}

fn hard(term: Term, commit: LogIndex) -> HardState {
    let mut hard = HardState::default();
    (hard.term, hard.commit) = (term, commit);
    hard
}

fn load(store: &Arc<MemoryStore>) -> RaftLog {
    RaftLog::load(store.clone(), SHARD, &[NodeId(1)]).unwrap()
}

fn commit(log: &mut RaftLog, store: &MemoryStore, mut batch: WriteBatch, hard: &HardState) {
    log.emit(hard, Matched::default(), &mut batch);
    store.commit(&batch, true).unwrap();
    log.persisted();
}

fn all(log: &RaftLog) -> Vec<(LogIndex, Term)> {
    log.entries(1, log.last() + 1, None, GetEntriesContext::empty(false))
        .unwrap()
        .iter()
        .map(|e| (e.index, e.term))
        .collect()
}

#[test]
fn a_replaced_suffix_is_gone_after_a_restart() {
    let store = Arc::new(MemoryStore::new());
    let mut log = load(&store);
    let mut batch = WriteBatch::new();
    log.append(
        &[entry(1, 1), entry(2, 1), entry(3, 2), entry(4, 2)],
        &mut batch,
    );
    commit(&mut log, &store, batch, &hard(2, 1));

    let mut batch = WriteBatch::new();
    log.append(&[entry(2, 3)], &mut batch);
    assert_eq!(all(&log), [(1, 1), (2, 3)], "readable before it is on disk");
    commit(&mut log, &store, batch, &hard(3, 2));

    let again = load(&store);
    assert_eq!(all(&again), [(1, 1), (2, 3)]);
    assert_eq!(again.loaded().commit, 2);
    assert_eq!(read_entry(&*store, SHARD, 3).unwrap(), None);
    assert_eq!(
        [again.term_at(0), again.term_at(2), again.term_at(3)],
        [Some(0), Some(3), None]
    );
}

#[test]
fn a_batch_that_never_reached_the_disk_leaves_the_log_before_it() {
    let store = Arc::new(MemoryStore::new());
    let mut log = load(&store);
    let mut batch = WriteBatch::new();
    log.append(&[entry(1, 1), entry(2, 1)], &mut batch);
    commit(&mut log, &store, batch, &hard(1, 0));
    log.append(&[entry(2, 2), entry(3, 2)], &mut WriteBatch::new());
    assert_eq!(all(&log), [(1, 1), (2, 2), (3, 2)]);
    assert_eq!(all(&load(&store)), [(1, 1), (2, 1)]);
}

#[test]
fn entries_replaced_while_their_write_was_outstanding_stay_in_memory() {
    let store = Arc::new(MemoryStore::new());
    let mut log = load(&store);
    let mut first = WriteBatch::new();
    log.append(&[entry(1, 1), entry(2, 1)], &mut first);
    log.emit(&hard(1, 0), Matched::default(), &mut first);
    log.append(&[entry(2, 2)], &mut WriteBatch::new());
    store.commit(&first, true).unwrap();
    log.persisted();
    assert_eq!(log.persisted, 1);
    assert_eq!(log.cached(2).map(|e| e.term), Some(2));
}

#[test]
fn reading_is_bounded_by_size_and_never_empty() {
    let store = Arc::new(MemoryStore::new());
    let mut log = load(&store);
    let mut batch = WriteBatch::new();
    let entries: Vec<Entry> = (1..=100).map(|i| entry(i, 1)).collect();
    log.append(&entries, &mut batch);
    commit(&mut log, &store, batch, &hard(1, 0));
    for log in [&log, &load(&store)] {
        let read = |max| log.entries(1, 101, Some(max), GetEntriesContext::empty(false));
        assert_eq!(read(0).unwrap().len(), 1);
        let size = entry_size(&entries[0]) as u64;
        assert_eq!(read(size * 40).unwrap().len(), 40);
        assert_eq!(read(u64::MAX).unwrap(), entries);
    }
}

#[test]
fn the_conflict_search_agrees_with_walking_back_entry_by_entry() {
    let store = Arc::new(MemoryStore::new());
    let mut log = load(&store);
    let terms = [1, 1, 3, 3, 3, 6, 7, 7];
    let entries: Vec<Entry> = (1..).zip(terms).map(|(i, t)| entry(i, t)).collect();
    log.append(&entries, &mut WriteBatch::new());
    for index in 0..=10 {
        for term in 0..=8 {
            let mut at = u64::min(index, 8);
            while log.term_at(at).unwrap() > term {
                at -= 1;
            }
            let expected = (at, log.term_at(at).unwrap());
            assert_eq!(
                log.conflict_by_term(index, term),
                expected,
                "{index} {term}"
            );
        }
    }
}

#[test]
fn a_missing_last_entry_is_damage_not_a_shorter_log() {
    let store = Arc::new(MemoryStore::new());
    let mut log = load(&store);
    let mut batch = WriteBatch::new();
    log.append(&[entry(1, 1), entry(2, 1)], &mut batch);
    commit(&mut log, &store, batch, &hard(1, 0));
    let mut damage = WriteBatch::new();
    damage.delete(Column::Entries, entry_key(SHARD, 2));
    store.commit(&damage, true).unwrap();
    assert!(RaftLog::load(store, SHARD, &[NodeId(1)]).is_err());
}
