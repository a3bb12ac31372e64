//! One thread, one seed, virtual time: an event heap over real drivers.

use crate::clients::Clients;
use crate::corpus::Corpus;
use crate::invariants::acknowledged::Answer;
use crate::network::{MS, Network};
use crate::node::{Node, Sabotage};
use crate::oracle::{Oracle, Report};
use crate::rng::Rng;
use std::collections::BTreeMap;
use std::sync::Arc;
use ukehi::ids::NodeId;
use ukehi::kv::Read;
use ukehi::node::driver::{ClientCommand, Effect, Event, RequestId, TICK_MS};
use ukehi::replica::Role;

/// What is due at some time.
enum Due {
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
    Client(usize),
    Restart {
        node: usize,
    },
}

pub struct World {
    pub corpus: &'static Corpus,
    pub seed: u64,
    pub rng: Rng,
    pub now: u64,
    pub nodes: Vec<Node>,
    pub network: Network,
    pub clients: Clients,
    /// The slowest write and verification, in milliseconds.
    pub disk_ms: u64,
    pub verify_ms: u64,
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
            clients: Clients::default(),
            disk_ms: 3,
            verify_ms: 3,
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

    pub fn start(&mut self, node: usize) {
        if self.nodes[node].driver.is_some() {
            return;
        }
        self.nodes[node].start(self.corpus, self.seed);
        let incarnation = self.nodes[node].incarnation;
        let phase = self.rng.range(0, TICK_MS * MS);
        self.at(phase, Due::Tick { node, incarnation });
    }

    pub fn crash(&mut self, node: usize) {
        let survives = self.rng.chance(50);
        self.nodes[node].crash(survives);
        self.note("crash", node, &[]);
        self.observe_store(node);
    }

    pub fn restart_after(&mut self, node: usize, ms: u64) {
        self.at(ms * MS, Due::Restart { node });
    }

    pub fn wake_client(&mut self, client: usize, ms: u64) {
        self.at(ms * MS, Due::Client(client));
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
        let until = self.now + ms * MS;
        while self.now < until {
            if done(self) {
                return true;
            }
            self.run_for(50);
        }
        done(self)
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Tick { node, incarnation } => {
                if self.lives(node, incarnation) {
                    let now_unix = 1_700_000_000 + self.now / (1000 * MS);
                    // Clocks drift by up to 2 % each way.
                    let drift = self.rng.range(0, 2 * MS);
                    self.at(TICK_MS * MS - MS + drift, Due::Tick { node, incarnation });
                    self.note("tick", node, &[]);
                    self.feed(node, Event::Tick { now_unix });
                }
            }
            Due::Frame { from, to, bytes } => {
                self.note("frame", to, &bytes);
                let from = self.nodes[from].id;
                self.feed(to, Event::PeerFrame { from, bytes });
            }
            Due::Gossip { to, note } => {
                self.note("gossip", to, &note);
                let event = Event::Gossip {
                    data: note,
                    token: self.scheduled,
                };
                self.feed(to, event);
            }
            Due::Verified {
                node,
                incarnation,
                ticket,
                batches,
            } => {
                if self.lives(node, incarnation) {
                    let accept_all = self.nodes[node].sabotage.accept_all;
                    let verdicts = self.corpus.verify(accept_all, &batches);
                    self.note("verified", node, &ticket.to_le_bytes());
                    self.feed(node, Event::Verified { ticket, verdicts });
                }
            }
            Due::Written { node, incarnation } => {
                if self.lives(node, incarnation)
                    && let Some((token, batch)) = self.nodes[node].writing.take()
                {
                    self.nodes[node].commit(batch);
                    self.observe_store(node);
                    self.note("written", node, &token.to_le_bytes());
                    self.feed(node, Event::Persisted { token });
                }
            }
            Due::Client(client) => self.act(client),
            Due::Restart { node } => {
                self.note("restart", node, &[]);
                self.start(node);
            }
        }
    }

    fn lives(&self, node: usize, incarnation: u64) -> bool {
        self.nodes[node].driver.is_some() && self.nodes[node].incarnation == incarnation
    }

    /// Steps a client: it may send a command to a node.
    fn act(&mut self, client: usize) {
        let nodes = self.nodes.len();
        let Some((node, request, command, ticks)) = self.clients.next(client, nodes, &mut self.rng)
        else {
            return;
        };
        if matches!(command, ClientCommand::Barrier) {
            self.clients
                .barriers
                .asked(request, self.clients.acknowledged.highest());
        }
        self.note("client", node, &request.to_le_bytes());
        // Should the node die, nobody answers: the client asks again.
        self.wake_client(client, (ticks + 20) * TICK_MS);
        let event = Event::Client {
            request,
            command,
            deadline_ticks: ticks,
        };
        self.feed(node, event);
    }

    /// A command outside any client's script; its answer is kept.
    pub fn submit(&mut self, node: usize, batch: &Arc<[u8]>, ticks: u64) -> RequestId {
        let request = self.clients.adopt(batch);
        let command = ClientCommand::Submit(batch.clone());
        self.feed(
            node,
            Event::Client {
                request,
                command,
                deadline_ticks: ticks,
            },
        );
        request
    }

    /// A registry change, likewise.
    pub fn submit_change(&mut self, node: usize, change: &Arc<[u8]>, ticks: u64) -> RequestId {
        let request = self.clients.adopt_change();
        let event = Event::Client {
            request,
            command: ClientCommand::Change(change.clone()),
            deadline_ticks: ticks,
        };
        self.feed(node, event);
        request
    }

    pub fn feed(&mut self, node: usize, event: Event) {
        let Some(driver) = self.nodes[node].driver.as_mut() else {
            return;
        };
        let effects = driver.step(event);
        let status = driver.status();
        let stores: Vec<Arc<dyn Read>> = self
            .nodes
            .iter()
            .map(|n| n.store.clone() as Arc<dyn Read>)
            .collect();
        self.oracle.stepped(&status, &stores);
        for effect in effects {
            self.carry_out(node, effect);
        }
    }

    fn carry_out(&mut self, node: usize, effect: Effect) {
        let incarnation = self.nodes[node].incarnation;
        match effect {
            Effect::Send { to, frame } => {
                let to = to.0 as usize - 1;
                let store: Arc<dyn Read> = self.nodes[node].store.clone();
                self.oracle.sent(&store, &frame);
                for delay in self.network.deliveries(node, to, &mut self.rng) {
                    self.at(
                        delay,
                        Due::Frame {
                            from: node,
                            to,
                            bytes: frame.clone(),
                        },
                    );
                }
            }
            Effect::Verify { ticket, batches } => {
                let delay = self.rng.range(MS / 2, self.verify_ms * MS + MS);
                self.at(
                    delay,
                    Due::Verified {
                        node,
                        incarnation,
                        ticket,
                        batches,
                    },
                );
            }
            Effect::Persist {
                token, batch, sync, ..
            } => {
                assert!(
                    sync && self.nodes[node].writing.is_none(),
                    "one synced write at a time"
                );
                self.nodes[node].writing = Some((token, batch));
                let delay = self.rng.range(MS / 2, self.disk_ms * MS + MS);
                self.at(delay, Due::Written { node, incarnation });
            }
            Effect::Publish(note) => {
                for to in (0..self.nodes.len()).filter(|to| *to != node) {
                    for delay in self.network.deliveries(node, to, &mut self.rng) {
                        self.at(
                            delay,
                            Due::Gossip {
                                to,
                                note: note.clone(),
                            },
                        );
                    }
                }
            }
            Effect::GossipVerdict { .. } | Effect::LearnCircuit(_) => {}
            Effect::Reply { request, reply } => {
                let (wrong, wake) = self.clients.answered(request, &reply);
                self.oracle.broke(wrong);
                if let Some(client) = wake {
                    let pause = self.rng.range(1, 800);
                    self.wake_client(client, pause);
                }
            }
            Effect::Alarm(alarm) => {
                let text = format!("{alarm:?}");
                self.say(node, &text);
                self.oracle.alarm(&text);
            }
            Effect::Stop(reason) => self.oracle.stop(format!("node {node}: {reason}")),
        }
    }

    fn observe_store(&mut self, node: usize) {
        let store = self.nodes[node].store.clone();
        self.oracle.stored(self.corpus, node, &*store);
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
            let status = n.driver.as_ref()?.status();
            (status.role == Role::Leader).then_some((status.term, i))
        });
        leading.max().map(|(_, i)| i)
    }

    /// All nodes run and have applied the same.
    pub fn converged(&self) -> bool {
        let sizes: Option<Vec<(u64, u64)>> = self
            .nodes
            .iter()
            .map(|n| {
                n.driver
                    .as_ref()
                    .map(|d| (d.status().applied, d.status().last_index))
            })
            .collect();
        sizes.is_some_and(|s| s.windows(2).all(|w| w[0] == w[1]) && s[0].0 == s[0].1)
    }

    pub fn answer(&self, request: RequestId) -> Option<Answer> {
        self.clients.adopted(request)
    }

    /// Faults are over: within ten election timeouts every client is served and all logs agree.
    pub fn settle(&mut self) {
        self.network.heal();
        (self.disk_ms, self.verify_ms) = (3, 3);
        for node in 0..self.nodes.len() {
            self.start(node);
        }
        let ten_timeouts = 10 * 40 * TICK_MS;
        let calm = |w: &World| w.clients.idle() && w.converged();
        if !self.run_until(ten_timeouts, calm) {
            let shown: Vec<_> = self
                .nodes
                .iter()
                .map(|n| n.driver.as_ref().map(|d| d.status()))
                .collect();
            let shown = format!(
                "liveness: not settled after ten election timeouts; clients {:?}; {shown:#?}",
                self.clients
            );
            self.oracle.broke([shown]);
        }
    }

    pub fn report(self) -> Report {
        let stores: Vec<&dyn Read> = self.nodes.iter().map(|n| &*n.store as &dyn Read).collect();
        let trace = *self.trace.finalize().as_bytes();
        let clients = &self.clients;
        self.oracle.report(
            self.seed,
            &stores,
            &clients.acknowledged,
            clients.barriers.count(),
            trace,
        )
    }
}
