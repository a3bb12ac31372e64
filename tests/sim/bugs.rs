//! Bugs that others shipped (docs/simulator.md), each as a run with a plot. What is shipped passes
//! all of them; with the `mutants` feature each must catch its mutant.

use crate::corpus::SHARD;
use crate::faults::Fault;
use crate::node::CutWrite;
use crate::runs::attempt;
use crate::scenarios::{CREDULOUS, led, led_by};
use crate::world::World;
use std::path::Path;
use ukehi::batch::SealedBatch;
use ukehi::ids::ClusterId;
use ukehi::kv::{Column, WriteBatch, shard_key};
use ukehi::log::Outcome;
use ukehi::mutant::Mutant;
use ukehi::node::refuse_insecure;
use ukehi::replica::{Role, read_entry};
use ukehi::store::{RocksStore, Store};
use ukehi_keys::CircuitId;

type Play = fn() -> Result<(), String>;

/// Every mutant that is to be caught by a plot, and the plot.
pub const PLOTS: [(Mutant, Play); 22] = [
    (Mutant::VoteBeforeDurable, slow_disks_hold_an_election),
    (Mutant::TermWithoutVote, slow_disks_hold_an_election),
    (Mutant::AckBeforeDurable, slow_disks_take_writes),
    (Mutant::SyncForgotten, power_fails_everywhere_after_answers),
    (Mutant::AppliedIndexLags, everybody_restarts_after_answers),
    (
        Mutant::OlderTermByCounting,
        an_old_entry_is_copied_without_the_new_one,
    ),
    (
        Mutant::AckOfOwnSuffix,
        a_deposed_leader_returns_with_entries_of_its_own,
    ),
    (Mutant::LateAppendTruncates, appends_come_late_and_twice),
    (Mutant::AckBeyondReceived, slow_disks_take_writes),
    (
        Mutant::ReadWithoutQuorum,
        a_leader_wakes_up_deposed_and_is_asked,
    ),
    (
        Mutant::LowerTermIgnored,
        a_candidate_is_left_alone_in_a_newer_term,
    ),
    (
        Mutant::DamageTakenForTorn,
        a_record_in_the_middle_of_the_log_is_damaged,
    ),
    (Mutant::FailedSyncIgnored, a_sync_fails_under_a_write),
    (Mutant::ChecksumIgnored, bits_flip_in_stored_hashes),
    (
        Mutant::RetryAppliedTwice,
        a_batch_is_sent_again_while_its_entry_waits_for_a_verdict,
    ),
    (Mutant::OtherClusterAccepted, batches_of_elsewhere_are_sent),
    (Mutant::OtherShardAccepted, batches_of_elsewhere_are_sent),
    (Mutant::SignatureIgnored, batches_of_elsewhere_are_sent),
    (
        Mutant::InsecureSetupAccepted,
        an_insecure_circuit_in_a_production_cluster,
    ),
    (Mutant::LastLeafDoubled, an_odd_log_is_cosigned),
    (Mutant::GateSkipped, a_leader_proposes_poison),
    (Mutant::QuarantineForgotten, a_leader_proposes_poison),
];

fn finish(mut world: World) -> Result<(), String> {
    world.settle();
    world.report().fault().map_or(Ok(()), Err)
}

fn others(leader: usize) -> [usize; 2] {
    [(leader + 1) % 3, (leader + 2) % 3]
}

/// Submits batches of the stock to a node, `pause` milliseconds apart.
fn submit(world: &mut World, node: usize, stock: std::ops::Range<usize>, pause: u64) {
    for i in stock {
        let batch = world.corpus.batches[i].clone();
        world.submit(node, &batch, 400);
        world.run_for(pause);
    }
}

fn answered(world: &mut World, node: usize, stock: std::ops::Range<usize>) {
    let batches = world.corpus.batches[stock].iter();
    let requests: Vec<_> = batches.map(|b| world.submit(node, b, 200)).collect();
    let done = |w: &World| requests.iter().all(|r| w.answer(*r).is_some());
    world.run_until(10_000, done);
}

fn slow_disks_hold_an_election() -> Result<(), String> {
    let (mut world, leader) = led(3, &[], 31);
    world.disk_ms = 200;
    world.crash(leader);
    world.run_for(6_000);
    finish(world)
}

fn slow_disks_take_writes() -> Result<(), String> {
    let (mut world, leader) = led(3, &[], 32);
    world.disk_ms = 200;
    submit(&mut world, leader, 0..10, 20);
    world.run_for(3_000);
    finish(world)
}

fn power_fails_everywhere_after_answers() -> Result<(), String> {
    let (mut world, leader) = led(3, &[], 33);
    answered(&mut world, leader, 0..20);
    for node in 0..3 {
        world.crash_leaving(node, CutWrite::Lost);
    }
    finish(world)
}

fn everybody_restarts_after_answers() -> Result<(), String> {
    let (mut world, leader) = led(3, &[], 34);
    answered(&mut world, leader, 0..5);
    for node in 0..3 {
        world.crash(node);
    }
    finish(world)
}

/// Figure 8: a leader of a new term has an entry of an old one copied to a majority, and its own
/// entries not. Only it can be elected, and one follower can verify the oldest entry alone.
fn an_old_entry_is_copied_without_the_new_one() -> Result<(), String> {
    let (mut world, leader) = led(3, &[], 35);
    let [one, two] = others(leader);
    world.network.cut_both(one, two);
    world.network.cut_both(leader, two);
    world.network.cut_both(leader, one);
    submit(&mut world, leader, 0..3, 20);
    world.crash_leaving(leader, CutWrite::Kept);
    for batch in &world.corpus.batches[1..3] {
        world.withheld.insert((one, SealedBatch::digest(batch)));
    }
    world.network.heal();
    world.network.cut_both(one, two);
    world.network.cut_both(leader, two);
    world.start(leader);
    world.run_for(12_000);
    finish(world)
}

fn a_deposed_leader_returns_with_entries_of_its_own() -> Result<(), String> {
    let (mut world, leader) = led(3, &[], 36);
    world.network.partition(&[leader], 3);
    submit(&mut world, leader, 0..2, 20);
    world.run_until(8_000, |w| w.leader().is_some_and(|l| l != leader));
    world.run_for(1_000);
    let new = world
        .leader()
        .filter(|l| *l != leader)
        .expect("two of three elect");
    let third = 3 - leader - new;
    world.crash(third);
    submit(&mut world, new, 2..8, 20);
    world.network.heal();
    world.run_for(1_500);
    finish(world)
}

fn appends_come_late_and_twice() -> Result<(), String> {
    let (mut world, leader) = led(3, &[], 37);
    world.network.duplicate_percent = 50;
    world.network.late_percent = 50;
    world.network.late_ms = 200;
    submit(&mut world, leader, 0..30, 20);
    world.run_for(2_000);
    finish(world)
}

fn a_leader_wakes_up_deposed_and_is_asked() -> Result<(), String> {
    let (mut world, leader) = led(3, &[], 38);
    world.network.partition(&[leader], 3);
    world.freeze(leader, 60_000);
    world.run_until(8_000, |w| w.leader().is_some_and(|l| l != leader));
    world.run_for(500);
    let new = world.leader().expect("two of three elect");
    answered(&mut world, new, 0..3);
    world.resume(leader);
    world.barrier(leader, 20);
    world.run_for(100);
    finish(world)
}

/// A node wins the pre-vote, enters a new term and is heard by nobody, while the old leader goes
/// on with the third node.
fn a_candidate_is_left_alone_in_a_newer_term() -> Result<(), String> {
    let (mut world, leader) = led(3, &[], 39);
    let pair = others(leader);
    world.freeze(leader, 60_000);
    let campaigns = |w: &World, node: usize| {
        let status = w.nodes[node].driver.as_ref().map(|d| d.status());
        status.is_some_and(|s| s.role == Role::Candidate)
    };
    let either = |w: &World| pair.iter().any(|n| campaigns(w, *n));
    world.run_until_within(1, 8_000, either);
    let candidate = pair.into_iter().find(|n| campaigns(&world, *n));
    let candidate = candidate.expect("somebody campaigns");
    world.network.partition(&[candidate], 3);
    world.resume(leader);
    world.run_for(300);
    finish(world)
}

fn a_sync_fails_under_a_write() -> Result<(), String> {
    let (mut world, leader) = led(3, &[], 40);
    let [follower, _] = others(leader);
    world.fail_next_write(follower, CutWrite::Lost, Fault::SyncFailed);
    submit(&mut world, leader, 0..3, 100);
    finish(world)
}

fn bits_flip_in_stored_hashes() -> Result<(), String> {
    let (mut world, leader) = led(3, &[], 41);
    answered(&mut world, leader, 0..7);
    let [follower, _] = others(leader);
    for row in 0..60 {
        world.nodes[follower].disk.flip(Column::Tree, row);
    }
    world.faults.count(Fault::BitFlip);
    submit(&mut world, leader, 7..14, 100);
    world.run_for(2_000);
    finish(world)
}

/// The entry is in the new leader's log and waits to be verified again when its batch comes anew.
fn a_batch_is_sent_again_while_its_entry_waits_for_a_verdict() -> Result<(), String> {
    let (mut world, leader) = led(3, &[], 42);
    let batch = world.corpus.batches[0].clone();
    // All have the entry, and its leader never hears of that.
    for node in others(leader) {
        world.network.cut(node, leader);
    }
    world.submit(leader, &batch, 20);
    world.run_for(100);
    for node in 0..3 {
        world.crash_leaving(node, CutWrite::Kept);
        world.start(node);
    }
    world.network.heal();
    world.verify_ms = 1_500;
    world.run_until(10_000, |w| w.leader().is_some());
    for node in 0..3 {
        world.submit(node, &batch, 200);
    }
    world.run_for(6_000);
    finish(world)
}

fn batches_of_elsewhere_are_sent() -> Result<(), String> {
    let (mut world, _) = led(3, &[], 43);
    let stock = &world.corpus.foreign;
    for (i, batch) in stock.iter().enumerate() {
        world.submit(i % 3, batch, 100);
    }
    world.run_for(3_000);
    let (sent, refused) = (stock.len() as u64, world.clients.refused());
    finish(world)?;
    (refused == sent)
        .then_some(())
        .ok_or(format!("{refused} of {sent} refused"))
}

fn an_odd_log_is_cosigned() -> Result<(), String> {
    let (mut world, leader) = led(3, &[], 44);
    let odd_and_cosigned = |w: &World| {
        let status = w.nodes[leader].driver.as_ref().expect("it runs").status();
        status.cosigned_size % 2 == 1 && status.cosigned_size == status.applied + 1
    };
    for i in 0..4 {
        answered(&mut world, leader, i..i + 1);
        if world.run_until(3_000, odd_and_cosigned) {
            return finish(world);
        }
    }
    Err("no checkpoint of an odd size".to_owned())
}

fn a_leader_proposes_poison() -> Result<(), String> {
    let mut world = led_by(0, 3, &[(0, CREDULOUS)]);
    let poison = world.corpus.poisoned[0].clone();
    world.submit(0, &poison, 100);
    world.run_for(5_000);
    finish(world)
}

fn a_record_in_the_middle_of_the_log_is_damaged() -> Result<(), String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let cluster = ClusterId([7; 32]);
    let store = RocksStore::open(dir.path(), cluster).expect("a new store");
    for i in 0..3u8 {
        let mut batch = WriteBatch::new();
        batch.put(Column::State, shard_key(SHARD, &[i]), vec![i; 400]);
        store.commit(&batch, true).expect("a disk that works");
    }
    drop(store);
    let log = newest_log(dir.path());
    let mut bytes = std::fs::read(&log).expect("its log");
    // Of the last 1,200 bytes, the second of three records.
    let at = bytes.len() - 600;
    bytes[at] ^= 1;
    std::fs::write(&log, bytes).expect("its log");
    match RocksStore::open(dir.path(), cluster) {
        Err(_) => Ok(()),
        Ok(_) => Err("a store opens although a synced record is damaged".to_owned()),
    }
}

fn newest_log(dir: &Path) -> std::path::PathBuf {
    let files = std::fs::read_dir(dir).expect("the store's directory");
    let paths = files.map(|f| f.expect("a file").path());
    let logs = paths.filter(|p| p.extension().is_some_and(|e| e == "log"));
    logs.max_by_key(|p| p.metadata().map_or(0, |m| m.len()))
        .expect("a write-ahead log")
}

fn an_insecure_circuit_in_a_production_cluster() -> Result<(), String> {
    let insecure = [CircuitId([7; 32])];
    match refuse_insecure(&insecure, false) {
        Err(_) => Ok(()),
        Ok(()) => Err("an insecure set-up is accepted in production".to_owned()),
    }
}

#[test]
fn no_plot_of_a_shipped_bug_succeeds() {
    for (mutant, play) in PLOTS {
        let played = attempt(play).and_then(|ended| ended);
        assert_eq!(played, Ok(()), "{mutant:?}");
    }
}

#[test]
fn every_mutant_has_its_plot() {
    let with_plot: Vec<Mutant> = PLOTS.iter().map(|(mutant, _)| *mutant).collect();
    assert_eq!(with_plot, Mutant::ALL);
}

/// Bug 25 has no place here: no replica derives a nonce from an index. What is overwritten goes
/// again with the bytes it had.
#[test]
fn an_overwritten_batch_is_decided_later_with_the_same_bytes() {
    let (mut world, leader) = led(3, &[], 45);
    world.network.partition(&[leader], 3);
    let batch = world.corpus.batches[0].clone();
    let request = world.submit(leader, &batch, 400);
    world.run_for(100);
    let there = world.nodes[leader].driver.as_ref().expect("it runs");
    let first = there.status().last_index;
    world.run_until(8_000, |w| w.leader().is_some_and(|l| l != leader));
    world.run_for(500);
    let new = world.leader().expect("two of three elect");
    answered(&mut world, new, 1..4);
    world.network.heal();
    assert!(world.run_until(9_000, |w| w.answer(request).is_some()));
    let answer = world.answer(request).expect("just seen");
    assert_eq!(answer.outcome, Outcome::Applied);
    assert_ne!(answer.index, first, "its first place was overwritten");
    let entry = read_entry(&*world.nodes[new].rows(), SHARD, answer.index);
    let entry = entry.expect("readable").expect("applied");
    assert_eq!(entry.batch_bytes(), Some(&batch[..]));
    assert_eq!(finish(world), Ok(()));
}

/// Bug 15, the other way round: a leader that is heard and hears nobody must not stay leader.
#[test]
fn a_leader_that_hears_nobody_is_replaced_while_the_links_are_cut() {
    let (mut world, leader) = led(3, &[], 46);
    for node in others(leader) {
        world.network.cut(node, leader);
    }
    let [other, _] = others(leader);
    let batch = world.corpus.batches[0].clone();
    let request = world.submit(other, &batch, 400);
    assert!(world.run_until(10_000, |w| w.answer(request).is_some()));
    assert_ne!(world.leader(), Some(leader));
    assert_eq!(finish(world), Ok(()));
}

/// Bug 11: SIGSTOP, and everything that came meanwhile is there at once.
#[test]
fn a_leader_frozen_for_long_serves_no_stale_read_when_it_goes_on() {
    let (mut world, leader) = led(3, &[], 47);
    world.freeze(leader, 60_000);
    assert!(world.run_until(8_000, |w| w.leader().is_some_and(|l| l != leader)));
    let new = world.leader().expect("just seen");
    answered(&mut world, new, 0..3);
    let asked = world.barrier(leader, 100);
    world.resume(leader);
    assert!(world.run_until(5_000, |w| w.clients.readable(asked).is_some()));
    assert_eq!(finish(world), Ok(()));
}
