//! One thread, one seed, virtual time: an event heap over real drivers.

mod effects;
mod misfortune;
mod requests;

use crate::clients::Clients;
use crate::corpus::Corpus;
use crate::faults::Faults;
use crate::invariants::acknowledged::Answer;
use crate::invariants::liveness;
use crate::network::{MS, Network};
use crate::node::{Node, Sabotage, Writing};
use crate::oracle::{Oracle, Report};
use crate::rng::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use ukehi::batch::SealedBatch;
use ukehi::batch::{NotYet, Verdict};
use ukehi::ids::{Hash, NodeId};
use ukehi::node::driver::{Event, RequestId, TICK_MS};
use ukehi::replica::Role;

/// Events a frozen process finds when it goes on; the rest never fitted its sockets.
const MAX_FROZEN_EVENTS: usize = 4096;

/// What is due at some time.
pub enum Due {
    Tick {
        node: usize,
        incarnation: u64,
    },
    Frame {
        from: usize,
        to: usize,
        bytes: Vec<u8>,
    },
    Gossip {
        from: usize,
        to: usize,
        note: Vec<u8>,
    },
    Verified {
        node: usize,
        incarnation: u64,
        ticket: u64,
        batches: Vec<Arc<[u8]>>,
    },
    Written {
        node: usize,
        incarnation: u64,
    },
    Request {
        node: usize,
        event: Event,
    },
    Client(usize),
    Restart {
        node: usize,
    },
    Resume {
        node: usize,
        incarnation: u64,
    },
}

impl Due {
    /// The process it reaches, if it reaches one.
    fn process(&self) -> Option<usize> {
        match self {
            Due::Tick { node, .. }
            | Due::Verified { node, .. }
            | Due::Written { node, .. }
            | Due::Request { node, .. } => Some(*node),
            Due::Frame { to, .. } | Due::Gossip { to, .. } => Some(*to),
            Due::Client(_) | Due::Restart { .. } | Due::Resume { .. } => None,
        }
    }
}

pub struct World {
    pub corpus: &'static Corpus,
    pub seed: u64,
    pub rng: Rng,
    /// Microseconds.
    pub now: u64,
    pub nodes: Vec<Node>,
    pub network: Network,
    pub clients: Clients,
    pub faults: Faults,
    /// The slowest write and verification, in milliseconds.
    pub disk_ms: u64,
    pub verify_ms: u64,
    /// Chance that a verifier has no room for a batch.
    pub overload_percent: u64,
    /// Node and batch: its verifier never has room for it.
    pub withheld: BTreeSet<(usize, Hash)>,
    due: BTreeMap<(u64, u64), Due>,
    scheduled: u64,
    oracle: Oracle,
    trace: blake3::Hasher,
    verbose: bool,
}

impl World {
    pub fn new(seed: u64, nodes: usize, sabotage: &[(usize, Sabotage)]) -> Self {
        let corpus = Corpus::of(nodes);
        let of = |i| {
            sabotage
                .iter()
                .find(|(n, _)| *n == i)
                .map_or_else(Sabotage::default, |s| s.1)
        };
        let mut world = Self {
            corpus,
            seed,
            rng: Rng::new(seed),
            now: 0,
            nodes: (0..nodes)
                .map(|i| Node::new(NodeId(i as u64 + 1), of(i)))
                .collect(),
            network: Network::calm(),
            clients: Clients::new(corpus),
            faults: Faults::default(),
            disk_ms: 3,
            verify_ms: 3,
            overload_percent: 0,
            withheld: BTreeSet::new(),
            due: BTreeMap::new(),
            scheduled: 0,
            oracle: Oracle::default(),
            trace: blake3::Hasher::new(),
            verbose: std::env::var_os("UKEHI_SIM_TRACE").is_some(),
        };
        for node in 0..nodes {
            world.start(node);
        }
        world
    }

    fn at(&mut self, delay: u64, due: Due) {
        self.scheduled += 1;
        self.due.insert((self.now + delay, self.scheduled), due);
    }

    pub fn run_for(&mut self, ms: u64) {
        let until = self.now + ms * MS;
        while let Some((&(at, _), _)) = self.due.first_key_value() {
            if at > until {
                break;
            }
            let ((at, _), due) = self.due.pop_first().expect("just seen");
            self.now = at;
            self.happen(due);
        }
        self.now = until;
    }

    /// Runs until `done`, at most `ms`; says whether it came to be.
    pub fn run_until(&mut self, ms: u64, done: impl Fn(&World) -> bool) -> bool {
        self.run_until_within(50, ms, done)
    }

    /// The same, looking every `step` milliseconds.
    pub fn run_until_within(&mut self, step: u64, ms: u64, done: impl Fn(&World) -> bool) -> bool {
        let until = self.now + ms * MS;
        while self.now < until {
            if done(self) {
                return true;
            }
            self.run_for(step);
        }
        done(self)
    }

    fn happen(&mut self, due: Due) {
        if let Some(node) = due.process()
            && let Some(backlog) = &mut self.nodes[node].frozen
        {
            if backlog.len() < MAX_FROZEN_EVENTS {
                backlog.push(due);
            }
            return;
        }
        match due {
            Due::Tick { node, incarnation } if self.lives(node, incarnation) => self.tick(node),
            Due::Frame { from, to, bytes } if !self.network.is_cut(from, to) => {
                self.note("frame", to, &bytes);
                let from = self.nodes[from].id;
                self.feed(to, Event::PeerFrame { from, bytes });
            }
            Due::Gossip { from, to, note } if !self.network.is_cut(from, to) => {
                self.note("gossip", to, &note);
                let token = self.scheduled;
                self.feed(to, Event::Gossip { data: note, token });
            }
            Due::Verified {
                node,
                incarnation,
                ticket,
                batches,
            } if self.lives(node, incarnation) => {
                let verdicts = self.verdicts(node, &batches);
                self.note("verified", node, &ticket.to_le_bytes());
                self.feed(node, Event::Verified { ticket, verdicts });
            }
            Due::Written { node, incarnation } if self.lives(node, incarnation) => {
                if let Some(writing) = self.nodes[node].writing.take() {
                    self.written(node, &writing);
                }
            }
            Due::Request { node, event } => self.feed(node, event),
            Due::Client(client) => self.act(client),
            Due::Restart { node } => {
                self.note("restart", node, &[]);
                self.start(node);
            }
            Due::Resume { node, incarnation } if self.lives(node, incarnation) => {
                self.resume(node);
            }
            // Of an earlier start of the process, or lost on a cut link.
            _ => {}
        }
    }

    fn lives(&self, node: usize, incarnation: u64) -> bool {
        self.nodes[node].driver.is_some() && self.nodes[node].incarnation == incarnation
    }

    fn tick(&mut self, node: usize) {
        let incarnation = self.nodes[node].incarnation;
        let now_unix = 1_700_000_000 + self.now / (1000 * MS);
        // Clocks drift by up to 2 % each way, and may be of another rate altogether.
        let drifted = TICK_MS * MS - MS + self.rng.range(0, 2 * MS);
        let length = drifted * self.nodes[node].tick_percent / 100;
        self.at(length, Due::Tick { node, incarnation });
        self.note("tick", node, &[]);
        self.feed(node, Event::Tick { now_unix });
    }

    fn verdicts(&mut self, node: usize, batches: &[Arc<[u8]>]) -> Vec<Verdict> {
        let accept_all = self.nodes[node].sabotage.accept_all;
        let mut verdicts = self.corpus.verify(accept_all, batches);
        for (bytes, verdict) in batches.iter().zip(&mut verdicts) {
            let held = !self.withheld.is_empty()
                && self.withheld.contains(&(node, SealedBatch::digest(bytes)));
            // Of each batch by itself: what is before an unverified entry may be acknowledged.
            if held || self.overload_percent > 0 && self.rng.chance(self.overload_percent) {
                *verdict = Verdict::NotYet(NotYet::Overloaded);
            }
        }
        verdicts
    }

    fn written(&mut self, node: usize, writing: &Writing) {
        let token = writing.token;
        self.note("written", node, &token.to_le_bytes());
        if let Some(left) = self.nodes[node].fails.take() {
            self.write_fails(node, writing, left);
            return;
        }
        self.nodes[node].commit(writing);
        self.observe_store(node);
        self.feed(node, Event::Persisted { token });
    }

    fn observe_store(&mut self, node: usize) {
        let rows = self.nodes[node].rows();
        self.oracle.stored(self.corpus, node, &*rows);
    }

    fn note(&mut self, what: &str, node: usize, bytes: &[u8]) {
        self.trace.update(what.as_bytes());
        self.trace.update(&self.now.to_le_bytes());
        self.trace.update(&(node as u64).to_le_bytes());
        self.trace.update(bytes);
        if self.verbose && what != "tick" && what != "frame" && what != "gossip" {
            self.say(node, what);
        }
    }

    fn say(&self, node: usize, text: &str) {
        if self.verbose {
            println!(
                "{:>9.1} ms  node {node}  {text}",
                self.now as f64 / MS as f64
            );
        }
    }

    /// The leader of the newest term.
    pub fn leader(&self) -> Option<usize> {
        let leading = self.nodes.iter().enumerate().filter_map(|(i, n)| {
            let driver = n.driver.as_ref().filter(|_| n.frozen.is_none())?;
            let status = driver.status();
            (status.role == Role::Leader).then_some((status.term, i))
        });
        leading.max().map(|(_, i)| i)
    }

    /// Which nodes are not out for good.
    pub fn present(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|n| n.lost.is_none())
    }

    /// All nodes that can run follow one leader and have applied the same.
    pub fn converged(&self) -> bool {
        let shown: Option<Vec<_>> = self
            .present()
            .map(|n| {
                let status = n.driver.as_ref()?.status();
                let led_by = (status.term, status.leader?);
                Some((led_by, status.applied, status.last_index))
            })
            .collect();
        shown.is_some_and(|s| s.windows(2).all(|w| w[0] == w[1]) && s[0].1 == s[0].2)
    }

    pub fn answer(&self, request: RequestId) -> Option<Answer> {
        self.clients.adopted(request)
    }

    /// Faults are over: liveness is due.
    pub fn settle(&mut self) {
        self.end_misfortune();
        let wrong = liveness::check(self);
        self.oracle.check("liveness");
        self.oracle.broke(wrong);
    }

    /// How many elections there have been.
    pub fn elections(&self) -> usize {
        self.oracle.elections()
    }

    /// Something that must hold did not.
    pub fn is_broken(&self) -> bool {
        self.oracle.is_broken()
    }

    pub fn broke(&mut self, what: String) {
        self.oracle.broke([what]);
    }

    pub fn report(self) -> Report {
        self.oracle.report(
            self.seed,
            self.now / MS,
            &self.nodes,
            &self.clients,
            self.faults,
            *self.trace.finalize().as_bytes(),
        )
    }
}
