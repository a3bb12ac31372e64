//! Many groups over the same nodes: each node runs one driver per group, and falls with all of
//! them. Groups share nothing but that, so they are simulated one after the other.

use crate::world::World;
use std::time::Instant;

const NODES: usize = 5;
/// Groups in an ordinary test run; `UKEHI_SIM_GROUPS` sets another number.
const GROUPS: u64 = 20;
const IDLE_MS: u64 = 60_000;

struct Fleet {
    groups: Vec<World>,
}

impl Fleet {
    fn new(groups: u64) -> Self {
        let group = |seed| {
            let mut world = World::new(seed, NODES, &[]);
            assert!(world.run_until(10_000, |w| w.leader().is_some()));
            world.run_for(1_000);
            world
        };
        let groups = (1..=groups).map(|i| group(7_000 + i)).collect();
        Self { groups }
    }

    fn idle(&mut self) {
        self.groups.iter_mut().for_each(|w| w.run_for(IDLE_MS));
    }

    /// The groups a node leads.
    fn led_by(&self, node: usize) -> usize {
        self.groups
            .iter()
            .filter(|w| w.leader() == Some(node))
            .count()
    }

    /// A node dies: how long each group that it led is without a leader, in milliseconds.
    fn lose(&mut self, node: usize) -> Vec<u64> {
        let mut took = Vec::new();
        for world in &mut self.groups {
            let led = world.leader() == Some(node);
            let start = world.now;
            world.crash(node);
            let elected = world.run_until_within(10, 20_000, |w| w.leader().is_some());
            assert!(elected, "four of five elect");
            if led {
                took.push((world.now - start) / 1_000);
            }
        }
        took.sort_unstable();
        took
    }
}

#[test]
fn every_group_of_a_lost_node_elects_another_leader() {
    let groups = crate::number("UKEHI_SIM_GROUPS").unwrap_or(GROUPS);
    let mut fleet = Fleet::new(groups);
    let start = Instant::now();
    fleet.idle();
    let idle = start.elapsed();
    let victim = (0..NODES)
        .max_by_key(|n| fleet.led_by(*n))
        .expect("five nodes");
    let start = Instant::now();
    let took = fleet.lose(victim);
    println!(
        "{groups} groups on {NODES} nodes: {IDLE_MS} ms idle cost {idle:.2?}; node {victim} led {}: \
         elections took {:?} to {:?} ms, half of them {:?}; {:.2?}",
        took.len(),
        took.first(),
        took.last(),
        took.get(took.len() / 2),
        start.elapsed()
    );
    assert!(!took.is_empty());
    for world in fleet.groups {
        world.report().assert_clean();
    }
}

#[test]
fn as_many_voters_as_a_genesis_names_elect_and_decide() {
    let mut world = World::new(1, ukehi::genesis::MAX_NODES, &[]);
    assert!(world.run_until(20_000, |w| w.leader().is_some()));
    let batch = world.corpus.batches[0].clone();
    let request = world.submit(3, &batch, 200);
    assert!(world.run_until(10_000, |w| w.answer(request).is_some()));
    world.settle();
    world.report().assert_clean();
}
