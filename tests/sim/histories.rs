//! Long histories: reads are linearizable, and every acknowledged operation is applied once.

use crate::chaos;
use crate::oracle::Report;
use crate::rng::Rng;
use crate::runs;
use crate::world::World;

const HISTORIES: u64 = 20;
const OPERATIONS: usize = 1_000;
const CLIENTS: usize = 8;

/// Clients that read as much as they write, until they have done [`OPERATIONS`].
fn run(seed: u64) -> Report {
    let mut world = World::new(seed, [3, 5][seed as usize % 2], &[]);
    world.clients.reads_percent = 60;
    for i in 0..CLIENTS {
        let script = world.corpus.batches.iter().skip(i).step_by(CLIENTS);
        let script = script.cloned().collect();
        let client = world.clients.add(script);
        world.wake_client(client, i as u64);
    }
    let mut draw = Rng::new(seed);
    while world.clients.history.operations() < OPERATIONS {
        let calm = draw.range(100, 4_000);
        world.run_for(calm);
        // Long enough apart that operations end: cuts add up until they are healed.
        match draw.chance(50) {
            true => world.network.heal(),
            false => chaos::shake(&mut world),
        }
        assert!(
            world.now < 3_600_000_000,
            "it makes progress: {:?}",
            world.clients
        );
    }
    world.clients.retire();
    world.settle();
    world.report()
}

#[test]
fn long_histories_are_linearizable_and_applied_once() {
    let totals = runs::many(1, |done| done < HISTORIES, run);
    totals.show();
    totals.assert_clean();
    assert!(totals.operations >= HISTORIES as usize * OPERATIONS);
}
