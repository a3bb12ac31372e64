//! What a driver wants done.

use super::{Due, World};
use crate::corpus::SHARD;
use crate::network::MS;
use crate::node::Writing;
use ukehi::keyspace::Keyspace;
use ukehi::log::ledger;
use ukehi::node::driver::{Effect, Event, StopReason};

impl World {
    pub fn feed(&mut self, node: usize, event: Event) {
        let Some(driver) = self.nodes[node].driver.as_mut() else {
            return;
        };
        let effects = driver.step(event);
        let status = driver.status();
        self.oracle.stepped(&status, &self.nodes);
        for effect in effects {
            self.carry_out(node, effect);
        }
    }

    fn carry_out(&mut self, node: usize, effect: Effect) {
        let incarnation = self.nodes[node].incarnation;
        match effect {
            Effect::Send { to, frame } => self.send(node, to.0 as usize - 1, frame),
            Effect::Verify { ticket, batches } => {
                let delay = self.rng.range(MS / 2, self.verify_ms * MS + MS);
                let verified = Due::Verified {
                    node,
                    incarnation,
                    ticket,
                    batches,
                };
                self.at(delay, verified);
            }
            Effect::Persist {
                token, batch, sync, ..
            } => {
                let idle = self.nodes[node].writing.is_none();
                assert!(idle, "one write at a time");
                self.nodes[node].writing = Some(Writing { token, batch, sync });
                let delay = self.rng.range(MS / 2, self.disk_ms * MS + MS);
                self.at(delay, Due::Written { node, incarnation });
            }
            Effect::Publish(note) => {
                for to in (0..self.nodes.len()).filter(|to| *to != node) {
                    for delay in self.network.deliveries(node, to, &mut self.rng) {
                        let (from, note) = (node, note.clone());
                        self.at(delay, Due::Gossip { from, to, note });
                    }
                }
            }
            Effect::GossipVerdict { .. } | Effect::LearnCircuit(_) => {}
            Effect::Reply { request, reply } => {
                let (wrong, wake) = self.clients.answered(request, &reply, self.now, |route| {
                    self.nodes[node].driver.as_ref()?;
                    let store = self.nodes[node].disk.open();
                    let place = Keyspace::place(&*store, SHARD, route).ok()?;
                    match place {
                        None => Some(None),
                        Some(place) => {
                            let record = ledger::record(&*store, SHARD, place.index).ok()??;
                            Some(Some(record.x))
                        }
                    }
                });
                self.oracle.broke(wrong);
                if let Some(client) = wake {
                    let pause = self.rng.range(1, self.clients.pause_ms);
                    self.wake_client(client, pause);
                }
            }
            Effect::Alarm(alarm) => {
                let text = format!("{alarm:?}");
                self.say(node, &text);
                self.oracle.alarm(&text);
            }
            Effect::Stop(reason) => self.stopped(node, &reason),
        }
    }

    fn send(&mut self, from: usize, to: usize, frame: Vec<u8>) {
        self.oracle.sent(&*self.nodes[from].rows(), &frame);
        let deliveries = self.network.deliveries(from, to, &mut self.rng);
        let Some((last, others)) = deliveries.split_last() else {
            return;
        };
        for delay in others {
            let bytes = frame.clone();
            self.at(*delay, Due::Frame { from, to, bytes });
        }
        let bytes = frame;
        self.at(*last, Due::Frame { from, to, bytes });
    }

    /// A driver stopped. The process ends with it where that was to be expected; anything else is
    /// a finding.
    fn stopped(&mut self, node: usize, reason: &StopReason) {
        let text = reason.to_string();
        self.say(node, &text);
        match reason {
            StopReason::WriteFailed { .. } => {
                let ms = self.rng.range(100, 4_000);
                self.crash(node);
                self.restart_after(node, ms);
            }
            _ if self.is_damage(node, &text) => self.lose(node, text),
            _ => self.oracle.stop(format!("node {node}: {text}")),
        }
    }
}
