//! Runs with a plot.

use crate::node::Sabotage;
use crate::oracle::Report;
use crate::world::World;
use ukehi::log::Outcome;

pub const CREDULOUS: Sabotage = Sabotage {
    accept_all: true,
    lying_disk: false,
};

pub fn led(nodes: usize, sabotage: &[(usize, Sabotage)], seed: u64) -> (World, usize) {
    let mut world = World::new(seed, nodes, sabotage);
    assert!(
        world.run_until(10_000, |w| w.leader().is_some()),
        "somebody leads"
    );
    world.run_for(500);
    let leader = world.leader().expect("nobody disturbs it");
    (world, leader)
}

/// Seeds until the wanted node leads first.
pub fn led_by(wanted: usize, nodes: usize, sabotage: &[(usize, Sabotage)]) -> World {
    (1..200)
        .map(|seed| led(nodes, sabotage, seed))
        .find(|(_, leader)| *leader == wanted)
        .expect("each node leads first for some seed")
        .0
}

fn finish(mut world: World) -> Report {
    world.settle();
    let report = world.report();
    report.assert_clean();
    report
}

#[test]
fn a_batch_submitted_to_any_node_is_applied_on_all_and_cosigned() {
    let (mut world, leader) = led(3, &[], 1);
    let requests: Vec<_> = (0..3)
        .map(|node| world.submit(node, &world.corpus.batches[node].clone(), 60))
        .collect();
    assert!(world.run_until(3_000, |w| requests.iter().all(|r| w.answer(*r).is_some())));
    let cosigned = |w: &World| {
        let all = w.nodes.iter().filter_map(|n| n.driver.as_ref());
        all.into_iter().all(|d| d.status().cosigned_size > 3)
    };
    assert!(
        world.run_until(10_000, cosigned),
        "checkpoints reach everybody"
    );
    assert_eq!(world.leader(), Some(leader), "nothing made it step down");
    let report = finish(world);
    assert_eq!(report.elections, 1);
}

#[test]
fn a_leader_that_crashes_is_replaced_and_loses_nothing_it_answered() {
    let (mut world, leader) = led(3, &[], 2);
    let first = world.submit(leader, &world.corpus.batches[0].clone(), 60);
    assert!(world.run_until(3_000, |w| w.answer(first).is_some()));
    world.crash(leader);
    let other = (leader + 1) % 3;
    let second = world.submit(other, &world.corpus.batches[1].clone(), 200);
    assert!(
        world.run_until(8_000, |w| w.answer(second).is_some()),
        "two of three go on"
    );
    assert_ne!(world.leader(), Some(leader));
    finish(world);
}

#[test]
fn a_leader_cut_off_answers_nothing_new_and_follows_when_it_is_back() {
    let (mut world, leader) = led(3, &[], 3);
    world.network.partition(&[leader], 3);
    let lost = world.submit(leader, &world.corpus.batches[0].clone(), 100);
    let other = (leader + 1) % 3;
    let kept = world.submit(other, &world.corpus.batches[1].clone(), 200);
    assert!(world.run_until(8_000, |w| w.answer(kept).is_some()));
    assert!(world.answer(lost).is_none(), "a minority decides nothing");
    world.network.heal();
    finish(world);
}

#[test]
fn all_nodes_restart_and_keep_what_was_answered() {
    let (mut world, leader) = led(5, &[], 4);
    for i in 0..10 {
        let batch = world.corpus.batches[i].clone();
        world.submit(leader, &batch, 60);
    }
    world.run_for(400);
    for node in 0..5 {
        world.crash(node);
    }
    world.run_for(1_000);
    let report = finish(world);
    assert!(report.acknowledged >= 10, "{report:#?}");
}

#[test]
fn a_leader_that_proposes_poison_is_quarantined_and_replaced() {
    let mut world = led_by(0, 3, &[(0, CREDULOUS)]);
    let poison = world.corpus.poisoned[0].clone();
    world.submit(0, &poison, 100);
    let replaced = |w: &World| w.leader().is_some_and(|l| l != 0);
    assert!(world.run_until(6_000, replaced), "the others elect another");
    let request = world.submit(1, &world.corpus.batches[0].clone(), 100);
    assert!(world.run_until(5_000, |w| w.answer(request).is_some()));
    let free = |w: &World| {
        let all = w.nodes.iter().filter_map(|n| n.driver.as_ref());
        all.into_iter().all(|d| d.status().quarantined.is_empty())
    };
    assert!(
        world.run_until(5_000, free),
        "the case closes once the commit passes the place"
    );
    let report = finish(world);
    assert!(report.alarms.contains_key("Quarantined"), "{report:#?}");
}

#[test]
fn poison_shown_to_one_follower_only_costs_the_leader_its_quorum() {
    let mut world = led_by(0, 3, &[(0, CREDULOUS)]);
    // Node 2 never hears the leader's appends, but it hears node 1's refusal.
    world.network.cut(0, 2);
    let poison = world.corpus.poisoned[0].clone();
    world.submit(0, &poison, 100);
    let both = |w: &World| {
        let quarantined = |n: usize| {
            let driver = w.nodes[n].driver.as_ref().expect("nobody crashed");
            !driver.status().quarantined.is_empty()
        };
        quarantined(1) && quarantined(2)
    };
    assert!(world.run_until(3_000, both), "a refusal is portable");
    finish(world);
}

#[test]
fn quarantine_is_rebuilt_from_evidence_after_a_restart() {
    let mut world = led_by(0, 3, &[(0, CREDULOUS)]);
    world.network.cut_both(1, 2);
    let poison = world.corpus.poisoned[0].clone();
    world.submit(0, &poison, 20);
    let quarantined = |w: &World| {
        let driver = w.nodes[1].driver.as_ref();
        driver.is_some_and(|d| !d.status().quarantined.is_empty())
    };
    assert!(world.run_until(2_000, quarantined));
    world.run_for(50);
    world.crash(1);
    world.start(1);
    assert!(quarantined(&world), "before it has heard from anybody");
    finish(world);
}

#[test]
fn a_batch_sent_to_every_node_and_again_after_failover_is_applied_once() {
    let (mut world, leader) = led(3, &[], 6);
    let batch = world.corpus.batches[0].clone();
    let first: Vec<_> = (0..3).map(|node| world.submit(node, &batch, 200)).collect();
    world.run_for(4);
    world.crash(leader);
    let rest: Vec<_> = first
        .into_iter()
        .enumerate()
        .filter(|(n, _)| *n != leader)
        .collect();
    assert!(world.run_until(9_000, |w| rest.iter().all(|(_, r)| w.answer(*r).is_some())));
    let again = world.submit((leader + 1) % 3, &batch, 60);
    assert!(world.run_until(3_000, |w| w.answer(again).is_some()));
    let answers: Vec<_> = rest.iter().map(|(_, r)| world.answer(*r)).collect();
    assert!(
        answers.iter().all(|a| *a == world.answer(again)),
        "{answers:?}"
    );
    assert_eq!(
        world.answer(again).map(|a| a.outcome),
        Some(Outcome::Applied)
    );
    finish(world);
}

#[test]
fn two_proofs_of_one_command_are_one_command() {
    let (mut world, leader) = led(3, &[], 7);
    let [one, other] = world.corpus.rerandomised[0].clone();
    let first = world.submit(leader, &one, 60);
    assert!(world.run_until(3_000, |w| w.answer(first).is_some()));
    let second = world.submit((leader + 1) % 3, &other, 60);
    assert!(world.run_until(3_000, |w| w.answer(second).is_some()));
    assert_eq!(world.answer(first), world.answer(second));
    finish(world);
}

#[test]
fn slow_verification_delays_entries_but_elects_nobody() {
    let (mut world, leader) = led(3, &[], 8);
    world.verify_ms = 3_000;
    let request = world.submit(leader, &world.corpus.batches[0].clone(), 400);
    world.run_for(8_000);
    assert!(world.answer(request).is_some());
    assert_eq!(world.leader(), Some(leader));
    assert_eq!(finish(world).elections, 1);
}

#[test]
fn sabotage_a_majority_that_verifies_nothing_makes_the_unproven_sum_non_zero() {
    let mut world = led_by(0, 3, &[(0, CREDULOUS), (1, CREDULOUS)]);
    let poison = world.corpus.poisoned[0].clone();
    world.submit(0, &poison, 60);
    world.run_for(5_000);
    let report = world.report();
    assert!(
        report.unproven_applied > 0,
        "the oracle is blind: {report:#?}"
    );
}

#[test]
fn sabotage_disks_that_forget_synced_writes_make_the_missing_sum_non_zero() {
    let lying = Sabotage {
        accept_all: false,
        lying_disk: true,
    };
    let (mut world, leader) = led(3, &[(0, lying), (1, lying), (2, lying)], 9);
    let requests: Vec<_> = (0..20)
        .map(|i| {
            let request = world.submit(leader, &world.corpus.batches[i].clone(), 60);
            world.run_for(60);
            request
        })
        .collect();
    assert!(world.run_until(3_000, |w| requests.iter().all(|r| w.answer(*r).is_some())));
    for node in 0..3 {
        world.crash(node);
    }
    for node in 0..3 {
        world.start(node);
    }
    world.run_for(5_000);
    let report = world.report();
    assert!(
        report.acknowledged_missing > 0,
        "the oracle is blind: {report:#?}"
    );
}
