//! A random run: clients write while nodes crash, networks split and disks crawl; then all faults
//! stop, and the group must recover by itself.

use crate::network::Network;
use crate::node::Sabotage;
use crate::oracle::Report;
use crate::world::World;

const CHAOS_MS: u64 = 20_000;
const CLIENTS: usize = 4;
const BATCHES_PER_CLIENT: usize = 10;

pub fn run(seed: u64) -> Report {
    let nodes = if seed.is_multiple_of(3) { 5 } else { 3 };
    // In a third of the runs one node's verifier accepts anything, and gets poison to propose.
    let byzantine = (seed % 3 == 1).then_some((seed % nodes as u64) as usize);
    let credulous = Sabotage {
        accept_all: true,
        ..Sabotage::default()
    };
    let sabotage: Vec<_> = byzantine.iter().map(|node| (*node, credulous)).collect();
    let mut world = World::new(seed, nodes, &sabotage);
    add_clients(&mut world);
    let mut poison = world.corpus.poisoned.clone();
    let end = world.now + CHAOS_MS * 1000;
    while world.now < end {
        let pause = world.rng.range(200, 2_500);
        world.run_for(pause);
        disturb(&mut world);
        if let (Some(node), Some(batch)) = (byzantine, poison.last().cloned())
            && world.rng.chance(40)
        {
            poison.pop();
            world.submit(node, &batch, 60);
        }
    }
    world.settle();
    world.report()
}

fn add_clients(world: &mut World) {
    let corpus = world.corpus;
    for i in 0..CLIENTS {
        let script = corpus.batches.iter().skip(i).step_by(CLIENTS);
        let mut script: Vec<_> = script.take(BATCHES_PER_CLIENT).cloned().collect();
        // Everybody also sends one of a pair that fights over a sequence, and one of two proofs
        // of one command.
        script.insert(3, corpus.conflicts[i / 2][i % 2].clone());
        script.insert(5, corpus.rerandomised[i / 2][i % 2].clone());
        let client = world.clients.add(script, None);
        let start = world.rng.range(0, 2_000);
        world.wake_client(client, start);
    }
}

fn disturb(world: &mut World) {
    let nodes = world.nodes.len();
    let victim = world.rng.index(nodes);
    match world.rng.range(0, 12) {
        0..=2 => {
            world.crash(victim);
            let down = world.rng.range(100, 4_000);
            world.restart_after(victim, down);
        }
        3 => {
            if let Some(leader) = world.leader() {
                world.crash(leader);
                let down = world.rng.range(100, 4_000);
                world.restart_after(leader, down);
            }
        }
        4 => {
            for node in 0..nodes {
                world.crash(node);
                let down = world.rng.range(100, 2_000);
                world.restart_after(node, down);
            }
        }
        5 => world.network.partition(&[victim], nodes),
        6 => world
            .network
            .partition(&[victim, (victim + 1) % nodes], nodes),
        7 => world.network.cut(victim, (victim + 1) % nodes),
        8 => {
            world.network = Network::calm();
            world.network.loss_percent = world.rng.range(0, 30);
            world.network.duplicate_percent = world.rng.range(0, 20);
            world.network.late_percent = world.rng.range(0, 30);
            world.network.late_ms = world.rng.range(1, 800);
        }
        9 => world.disk_ms = world.rng.range(1, 300),
        10 => world.verify_ms = world.rng.range(1, 1_500),
        _ => {
            world.network.heal();
            (world.disk_ms, world.verify_ms) = (3, 3);
        }
    }
}
