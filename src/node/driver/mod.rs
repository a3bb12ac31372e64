//! One shard's consensus at one node, as a state machine: events in, effects out.
//!
//! Invariants: 1. nothing here waits, reads a clock, draws a random number or writes a store: an
//! event's effects are a function of the events before it; 2. what an effect promises is durable
//! before it leaves: votes, acknowledgements, replies and cosignatures; 3. every queue has a named
//! bound; 4. after [`Effect::Stop`] nothing is done any more.
//! Knows nothing of sockets, threads or files.

mod changes;
mod clients;
mod durable;
mod inbound;
pub mod io;
mod pipeline;
mod reads;
mod refusals;
mod submits;

pub use io::{
    Alarm, ClientCommand, ClientReply, DriverError, DriverStatus, Effect, Event, GossipToken,
    GossipVerdict, RequestId, StopReason, TICK_MS,
};

use crate::batch::BatchVerifier;
use crate::genesis::Genesis;
use crate::ids::{ClusterId, Hash, LogIndex, NodeId, ShardId, Term, TreeSize};
use crate::keyspace::StateMachine;
use crate::kv::{Overlay, Read};
use crate::log::cosign::{CosignAction, CosignError, Cosigner};
use crate::log::ledger;
use crate::replica::desk::Desk;
use crate::replica::evidence::{self, Evidence};
use crate::replica::gate::Gate;
use crate::replica::quarantine::Quarantine;
use crate::replica::raft_log::RaftLog;
use crate::replica::sanitize::Sanitizer;
use crate::replica::tail::Tail;
use crate::replica::{Replica, ReplicaConfig, Role};
use changes::Changes;
use pipeline::Pipeline;
use reads::Reads;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use submits::Submits;
use ukehi_keys::NodeKey;

/// Which replica this is.
#[derive(Debug, Clone, Copy)]
pub struct DriverConfig {
    pub node: NodeId,
    pub shard: ShardId,
    /// Fresh for every start of the process: election timeouts and read contexts come from it.
    pub seed: u64,
}

/// A shard's replica with its queues.
pub struct Driver {
    me: NodeId,
    shard: ShardId,
    cluster: ClusterId,
    genesis: Arc<Genesis>,
    key: Arc<NodeKey>,
    store: Arc<dyn Read>,
    machine: Box<dyn StateMachine>,
    /// The registry as of the log's end.
    tail: Tail,
    replica: Replica,
    sanitizer: Sanitizer,
    gate: Gate,
    desk: Desk,
    quarantine: Quarantine,
    /// Stored cases; bounds what peers can make us write.
    evidence_count: usize,
    /// Nodes that have signed two logs, by stored evidence.
    forked: BTreeSet<NodeId>,
    /// Whether such a node is followed no more; those in the set are, all the same.
    enforced: Option<BTreeSet<NodeId>>,
    cosigner: Cosigner,
    cosigned_size: TreeSize,
    pipeline: Pipeline,
    submits: Submits,
    changes: Changes,
    reads: Reads,
    /// Others' clients' batches in verification: digest to sender.
    forwards: BTreeMap<Hash, NodeId>,
    /// Refusals of others in verification: digest to accuser and case.
    refusals: BTreeMap<Hash, (NodeId, Evidence)>,
    /// Committed entries whose batch must be verified again before it is applied.
    unverified: BTreeSet<Hash>,
    /// Not before this tick.
    verify_again: u64,
    /// Durable.
    applied: LogIndex,
    /// Handed out by raft-rs for apply.
    committed: LogIndex,
    led_by: (Term, Option<NodeId>),
    alarms: BTreeMap<NodeId, u32>,
    warned_disagreement: Option<LogIndex>,
    tick: u64,
    now_unix: u64,
    started: bool,
    stopped: bool,
    effects: Vec<Effect>,
}

impl Driver {
    /// Reads the store; the first [`Driver::step`] then writes leaf 0 if the store is new.
    ///
    /// # Errors
    /// [`DriverError`].
    pub fn new(
        config: DriverConfig,
        store: Arc<dyn Read>,
        key: NodeKey,
        verifier: Arc<BatchVerifier>,
        machine: Box<dyn StateMachine>,
    ) -> Result<Self, DriverError> {
        let DriverConfig { node, shard, seed } = config;
        let genesis = verifier.genesis().clone();
        if genesis.node_key(node).is_none() {
            return Err(DriverError::NotAVoter(node));
        }
        let cluster = genesis.cluster_id();
        let applied = durable::load_applied(&*store, shard, cluster)?;
        let voters: Vec<NodeId> = genesis.nodes.iter().map(|n| n.id).collect();
        let log = RaftLog::load(store.clone(), shard, &voters)?;
        let sanitizer = Sanitizer::new(node, &voters, log.loaded().matched);
        let replica = Replica::new(
            ReplicaConfig {
                node,
                applied: applied.unwrap_or(0),
                seed,
            },
            log,
        )?;
        let mut quarantine = Quarantine::default();
        let cases = evidence::stored(&*store, shard)?;
        for case in &cases {
            quarantine.open(case, replica.commit());
        }
        let forked = evidence::forked(&*store, shard)?;
        let saved = ledger::newest_checkpoint(&*store, shard)?;
        let key = Arc::new(key);
        let mut driver = Self {
            me: node,
            shard,
            cluster,
            cosigned_size: saved.as_ref().map_or(0, |s| s.checkpoint.size),
            cosigner: Cosigner::new(genesis.clone(), shard, node, key.clone(), saved),
            gate: Gate::new(&genesis, shard),
            tail: Tail::new(machine.registry().clone()),
            changes: Changes::default(),
            genesis,
            key,
            store,
            machine,
            replica,
            sanitizer,
            desk: Desk::default(),
            quarantine,
            evidence_count: cases.len(),
            forked,
            enforced: None,
            pipeline: Pipeline::default(),
            submits: Submits::default(),
            reads: Reads::new(node, seed),
            forwards: BTreeMap::new(),
            refusals: BTreeMap::new(),
            unverified: BTreeSet::new(),
            verify_again: 0,
            applied: applied.unwrap_or(0),
            committed: applied.unwrap_or(0),
            led_by: (0, None),
            alarms: BTreeMap::new(),
            warned_disagreement: None,
            tick: 0,
            now_unix: 0,
            started: false,
            stopped: false,
            effects: Vec::new(),
        };
        match applied {
            Some(applied) => driver.cosigner.applied(applied + 1),
            None => driver.write_genesis()?,
        }
        driver.load_tail()?;
        Ok(driver)
    }

    /// From now on a node that has signed two logs is not followed, unless it is in `released`: its
    /// appends, heartbeats and vote requests are dropped, so that the others elect another leader.
    /// Without this call a fork is an alarm only.
    pub fn enforce_forks(&mut self, released: BTreeSet<NodeId>) {
        self.enforced = Some(released);
        for node in self.forked.clone() {
            self.enforce(node);
        }
    }

    fn enforce(&mut self, node: NodeId) {
        let enforced = self.enforced.as_ref();
        if enforced.is_some_and(|released| !released.contains(&node))
            && self.quarantine.condemn(node)
        {
            // What it sent before is not stepped either.
            self.gate.clear(node);
        }
    }

    /// Takes one event; returns what is to be done, in order.
    pub fn step(&mut self, event: Event) -> Vec<Effect> {
        if self.stopped {
            if let Event::Client { request, .. } = event {
                self.reply(request, ClientReply::Unavailable);
            }
        } else if let Err(reason) = self.run(event) {
            self.stopped = true;
            self.effects.push(Effect::Stop(reason));
        }
        std::mem::take(&mut self.effects)
    }

    fn run(&mut self, event: Event) -> Result<(), StopReason> {
        if !self.started {
            self.started = true;
            // Leaf 0 is on its way before anything else can be.
            self.flush()?;
        }
        match event {
            Event::Tick { now_unix } => self.on_tick(now_unix)?,
            Event::PeerFrame { from, bytes } => self.on_frame(from, &bytes)?,
            Event::PeerUp(_) => {}
            Event::PeerDown(node) => self.raft(|r| r.report_unreachable(node))?,
            Event::Gossip { data, token } => self.on_gossip(&data, token)?,
            Event::Verified { ticket, verdicts } => self.on_verified(ticket, verdicts)?,
            Event::Persisted { token } => self.on_persisted(token)?,
            Event::PersistFailed { reason } => return Err(StopReason::WriteFailed { reason }),
            Event::Client {
                request,
                command,
                deadline_ticks,
            } => self.on_client(request, command, deadline_ticks)?,
        }
        self.settle()
    }

    /// What follows from any event: new leaders, waiting reads, writes, questions.
    fn settle(&mut self) -> Result<(), StopReason> {
        let led_by = (self.replica.term(), self.replica.leader());
        if led_by != self.led_by {
            self.led_by = led_by;
            self.drive_all_submits()?;
            self.drive_all_changes()?;
        }
        self.drive_reads()?;
        self.flush()?;
        for job in self.desk.take_jobs() {
            self.effects.push(Effect::Verify {
                ticket: job.ticket,
                batches: job.batches,
            });
        }
        Ok(())
    }

    fn on_tick(&mut self, now_unix: u64) -> Result<(), StopReason> {
        self.tick += 1;
        self.now_unix = now_unix;
        self.raft(Replica::tick)?;
        let leads = self.replica.role() == Role::Leader;
        let actions = self
            .cosigner
            .tick(now_unix, TICK_MS, leads, &*self.store)
            .map_err(StopReason::Store)?;
        self.cosign(actions)?;
        self.expire_clients();
        self.retry_submits()?;
        self.retry_changes()?;
        if self.tick.is_multiple_of(io::RETRY_TICKS) {
            self.alarms.clear();
            self.repeat_refusals();
        }
        Ok(())
    }

    fn on_gossip(&mut self, data: &[u8], token: GossipToken) -> Result<(), StopReason> {
        let outcome = match std::str::from_utf8(data) {
            Ok(note) => self.cosigner.note(note, self.now_unix, &*self.store),
            Err(_) => {
                self.gossip_verdict(token, GossipVerdict::Reject);
                return Ok(());
            }
        };
        match outcome {
            Ok(actions) => {
                self.gossip_verdict(token, GossipVerdict::Accept);
                self.cosign(actions)
            }
            Err(CosignError::Store(error)) => Err(StopReason::Store(error)),
            Err(_) => {
                self.gossip_verdict(token, GossipVerdict::Reject);
                Ok(())
            }
        }
    }

    fn gossip_verdict(&mut self, token: GossipToken, verdict: GossipVerdict) {
        self.effects.push(Effect::GossipVerdict { token, verdict });
    }

    fn cosign(&mut self, actions: Vec<CosignAction>) -> Result<(), StopReason> {
        for action in actions {
            match action {
                CosignAction::Publish(note) => {
                    self.effects.push(Effect::Publish(note.into_bytes()));
                }
                CosignAction::Save(checkpoint) => {
                    let mut overlay = Overlay::new(&*self.store, &mut self.pipeline.next.writes);
                    ledger::save_checkpoint(&mut overlay, self.shard, &checkpoint)
                        .map_err(StopReason::Store)?;
                    self.pipeline.next.saved = Some(checkpoint.checkpoint.size);
                }
                CosignAction::Fork(fork) => {
                    let node = fork.node();
                    self.forked.insert(node);
                    self.enforce(node);
                    evidence::put_fork(self.shard, &fork, &mut self.pipeline.next.writes);
                    self.effects.push(Effect::Alarm(Alarm::Fork { node }));
                }
                CosignAction::Disagreement {
                    theirs, majority, ..
                } => {
                    let size = theirs.checkpoint.size;
                    if majority {
                        return Err(StopReason::Diverged { size });
                    }
                    self.effects
                        .push(Effect::Alarm(Alarm::Disagreement { size }));
                }
            }
        }
        Ok(())
    }

    /// Calls into the replica and absorbs what it produced, at once: a leader's messages must not
    /// be taken for a follower's or the other way round.
    fn raft<R>(
        &mut self,
        f: impl FnOnce(&mut Replica) -> Result<R, crate::replica::replica::ReplicaError>,
    ) -> Result<R, StopReason> {
        let value = f(&mut self.replica).map_err(StopReason::Replica)?;
        self.absorb()?;
        Ok(value)
    }

    fn reply(&mut self, request: RequestId, reply: ClientReply) {
        self.effects.push(Effect::Reply { request, reply });
    }

    /// Raises an alarm about a peer, within its budget.
    fn alarm(&mut self, about: NodeId, alarm: Alarm) {
        let raised = self.alarms.entry(about).or_default();
        *raised += 1;
        if *raised <= io::MAX_ALARMS {
            self.effects.push(Effect::Alarm(alarm));
        }
    }

    #[must_use]
    pub fn status(&self) -> DriverStatus {
        DriverStatus {
            node: self.me,
            role: self.replica.role(),
            term: self.replica.term(),
            leader: self.replica.leader(),
            commit: self.replica.commit(),
            applied: self.applied,
            last_index: self.replica.last_index(),
            registry_changes: self.tail.applied().changes().len(),
            cosigned_size: self.cosigned_size,
            quarantined: self.quarantine.cases().copied().collect(),
            evidence: self.evidence_count,
            forked: self.forked.iter().copied().collect(),
            pending_submits: self.submits.len(),
            pending_barriers: self.reads.len(),
            pending_verifications: self.desk.waiting(),
            waiting_appends: self.gate.waiting(),
            stopped: self.stopped,
        }
    }
}
