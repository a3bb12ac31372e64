//! A random run: clients write and read while nodes crash, freeze and lose their disks, networks
//! split and clocks differ; then all faults stop, and the group must recover by itself. A quiet
//! time follows, in which nothing may happen, and then the same again.
//!
//! Each seed draws which kinds of fault it knows (swarm testing): a fault that heals what another
//! one breaks would otherwise hide it in every run.

use crate::faults::Fault;
use crate::network::Network;
use crate::node::{CutWrite, Sabotage};
use crate::oracle::Report;
use crate::rng::Rng;
use crate::world::World;

const EPISODES: usize = 2;
const CHAOS_MS: u64 = 20_000;
/// The quiet time after the first episode; mostly ticks and heartbeats, and so cheap.
const QUIET_MS: (u64, u64) = (120_000, 420_000);

/// How much clients ask for.
#[derive(Debug, Clone, Copy)]
struct Load {
    clients: usize,
    /// Of each client, in each episode.
    batches: usize,
    /// The longest pause between an answer and the next request, in milliseconds.
    pause_ms: u64,
}

const LIGHT: Load = Load {
    clients: 4,
    batches: 10,
    pause_ms: 800,
};

/// Several requests are always under way.
const BUSY: Load = Load {
    clients: 12,
    batches: 20,
    pause_ms: 60,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Crash,
    CrashLeader,
    CrashAll,
    MuteLeader,
    Tear,
    PartitionOne,
    PartitionTwo,
    OneWay,
    DeafLeader,
    BadNetwork,
    SlowDisk,
    FailWrite,
    FailSync,
    Flip,
    SlowVerify,
    Overload,
    Freeze,
    FreezeLeader,
    Foreign,
}

const KINDS: [Kind; 19] = [
    Kind::Crash,
    Kind::CrashLeader,
    Kind::CrashAll,
    Kind::MuteLeader,
    Kind::Tear,
    Kind::PartitionOne,
    Kind::PartitionTwo,
    Kind::OneWay,
    Kind::DeafLeader,
    Kind::BadNetwork,
    Kind::SlowDisk,
    Kind::FailWrite,
    Kind::FailSync,
    Kind::Flip,
    Kind::SlowVerify,
    Kind::Overload,
    Kind::Freeze,
    Kind::FreezeLeader,
    Kind::Foreign,
];

/// No node is lost to these.
const HARMLESS: [Kind; 8] = [
    Kind::Crash,
    Kind::CrashLeader,
    Kind::PartitionOne,
    Kind::OneWay,
    Kind::DeafLeader,
    Kind::BadNetwork,
    Kind::Freeze,
    Kind::FreezeLeader,
];

pub fn run(seed: u64) -> Report {
    // Not the world's own numbers: what is drawn here says what kind of run it is.
    let mut draw = Rng::new(seed ^ 0x5eed_c4a0);
    let nodes = [3, 3, 5][seed as usize % 3];
    // In a third of the runs one node's verifier accepts anything, and gets poison to propose.
    let byzantine = (seed / 3 % 3 == 1).then(|| draw.index(nodes));
    let credulous = Sabotage {
        accept_all: true,
        ..Sabotage::default()
    };
    let sabotage: Vec<_> = byzantine.iter().map(|node| (*node, credulous)).collect();
    let kinds: Vec<Kind> = KINDS.into_iter().filter(|_| draw.chance(50)).collect();
    let skewed = draw.chance(40);
    let load = [LIGHT, BUSY][usize::from(draw.chance(35))];
    let mut world = World::new(seed, nodes, &sabotage);
    for episode in 0..EPISODES {
        if skewed {
            skew(&mut world);
        }
        add_clients(&mut world, load, episode);
        let poison = world.corpus.poisoned.iter().skip(episode * 4).take(4);
        let mut poison: Vec<_> = poison.cloned().collect();
        let end = world.now + CHAOS_MS * 1000;
        // What is broken already is found; a mutant may go on to drown the rest in messages.
        while world.now < end && !world.is_broken() {
            let pause = world.rng.range(200, 2_500);
            world.run_for(pause);
            disturb(&mut world, &kinds);
            if let (Some(node), Some(batch)) = (byzantine, poison.last().cloned())
                && world.rng.chance(40)
            {
                poison.pop();
                world.faults.count(Fault::PoisonedBatch);
                world.submit(node, &batch, 60);
            }
        }
        world.settle();
        if world.is_broken() {
            break;
        }
        if episode == 0 {
            rest(&mut world, draw.range(QUIET_MS.0, QUIET_MS.1));
        }
    }
    world.report()
}

fn skew(world: &mut World) {
    for node in 0..world.nodes.len() {
        world.nodes[node].tick_percent = world.rng.range(70, 141);
    }
    world.faults.count(Fault::ClockSkew);
}

/// Nobody asks for anything and nothing fails: whoever leads goes on leading.
fn rest(world: &mut World, ms: u64) {
    world.run_for(2_000);
    let (elections, lost) = (world.elections(), world.present().count());
    world.run_for(ms);
    // A damaged value may be read only now, and end its node.
    if world.present().count() == lost && world.elections() != elections {
        world.broke("liveness: an election although nothing failed".to_owned());
    }
}

fn add_clients(world: &mut World, load: Load, episode: usize) {
    let corpus = world.corpus;
    world.clients.pause_ms = load.pause_ms;
    for i in 0..load.clients {
        let script = corpus.batches.iter().skip(i).step_by(load.clients);
        let script = script.skip(episode * load.batches);
        let mut script: Vec<_> = script.take(load.batches).cloned().collect();
        // Some also send one of a pair that fights over a sequence, and one of two proofs of one
        // command.
        if i < 4 {
            let pair = i / 2 + 2 * episode;
            script.insert(3, corpus.conflicts[pair][i % 2].clone());
            script.insert(5, corpus.rerandomised[pair][i % 2].clone());
        }
        let client = world.clients.add(script);
        let start = world.rng.range(0, 2_000);
        world.wake_client(client, start);
    }
}

fn crash_for_a_while(world: &mut World, node: usize) {
    world.crash(node);
    let down = world.rng.range(100, 4_000);
    world.restart_after(node, down);
}

/// A leader is heard by nobody for a while, reboots, and is likely to lead again: with entries of
/// its old term that nobody else has (Raft §5.4.2, figure 8).
fn mute(world: &mut World, leader: usize) {
    let nodes = world.nodes.len();
    for node in (0..nodes).filter(|n| *n != leader) {
        world.network.cut(leader, node);
    }
    world.faults.count(Fault::OneWayCut);
    let silent = world.rng.range(100, 900);
    world.run_for(silent);
    world.crash_leaving(leader, CutWrite::Kept);
    world.network.heal();
    world.start(leader);
}

/// One of the faults that leave every node alive.
pub fn shake(world: &mut World) {
    disturb(world, &HARMLESS);
}

/// One of the faults this run knows, or the end of them.
fn disturb(world: &mut World, kinds: &[Kind]) {
    let pick = world.rng.index(kinds.len() + 2);
    let Some(kind) = kinds.get(pick) else {
        world.network.heal();
        (world.disk_ms, world.verify_ms, world.overload_percent) = (3, 3, 0);
        return;
    };
    let nodes = world.nodes.len();
    let victim = world.rng.index(nodes);
    let leader = world.leader().unwrap_or(victim);
    match kind {
        Kind::Crash => crash_for_a_while(world, victim),
        Kind::CrashLeader => crash_for_a_while(world, leader),
        Kind::CrashAll => (0..nodes).for_each(|node| crash_for_a_while(world, node)),
        Kind::MuteLeader => mute(world, leader),
        Kind::Tear => world.tear(victim),
        Kind::Freeze => {
            let ms = world.rng.range(100, 6_000);
            world.freeze(victim, ms);
        }
        Kind::FreezeLeader => {
            let ms = world.rng.range(2_000, 6_000);
            world.freeze(leader, ms);
        }
        Kind::FailWrite => world.fail_next_write(victim, CutWrite::Lost, Fault::WriteFailed),
        Kind::FailSync => {
            let left = [CutWrite::Kept, CutWrite::Lost][world.rng.index(2)];
            world.fail_next_write(victim, left, Fault::SyncFailed);
        }
        Kind::Flip => world.flip(victim),
        Kind::SlowDisk => {
            world.faults.count(Fault::SlowDisk);
            world.disk_ms = world.rng.range(1, 300);
        }
        Kind::SlowVerify => {
            world.faults.count(Fault::SlowVerifier);
            world.verify_ms = world.rng.range(1, 1_500);
        }
        Kind::Overload => {
            world.faults.count(Fault::Overload);
            world.overload_percent = world.rng.range(5, 60);
        }
        Kind::Foreign => {
            let stock = &world.corpus.foreign;
            let batch = stock[world.rng.index(stock.len())].clone();
            world.faults.count(Fault::ForeignBatch);
            world.submit(victim, &batch, 60);
        }
        _ => disturb_network(world, *kind, victim, leader),
    }
}

fn disturb_network(world: &mut World, kind: Kind, victim: usize, leader: usize) {
    let nodes = world.nodes.len();
    let next = (victim + 1) % nodes;
    let network = &mut world.network;
    match kind {
        Kind::PartitionOne => network.partition(&[victim], nodes),
        Kind::PartitionTwo => network.partition(&[victim, next], nodes),
        Kind::OneWay => network.cut(victim, next),
        Kind::DeafLeader => {
            let others = (0..nodes).filter(|n| *n != leader);
            others.for_each(|node| network.cut(node, leader));
        }
        _ => {
            *network = Network::calm();
            network.loss_percent = world.rng.range(0, 30);
            network.duplicate_percent = world.rng.range(0, 20);
            network.late_percent = world.rng.range(0, 30);
            network.late_ms = world.rng.range(1, 800);
        }
    }
    world.faults.count(match kind {
        Kind::PartitionOne | Kind::PartitionTwo => Fault::Partition,
        Kind::OneWay | Kind::DeafLeader => Fault::OneWayCut,
        _ => Fault::BadNetwork,
    });
}
