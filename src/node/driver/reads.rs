//! Barriers: linearizable reads by ReadIndex (Raft thesis §6.4).
//!
//! Invariants: 1. a barrier is answered from a read index asked for after it came; 2. a context is
//! used once, so a late answer to an earlier question is nobody's; 3. one question is outstanding,
//! and serves everybody who waited when it was asked.

use super::RequestId;
use super::io::{MAX_PENDING_BARRIERS, READ_RETRY_TICKS};
use crate::ids::{LogIndex, NodeId};
use crate::replica::sanitize::{READ_CONTEXT_BYTES, read_context};

#[derive(Debug, Clone, Copy)]
struct Barrier {
    request: RequestId,
    deadline: u64,
}

struct Round {
    context: [u8; READ_CONTEXT_BYTES],
    asked: u64,
    members: Vec<Barrier>,
}

pub struct Reads {
    node: NodeId,
    start: u64,
    counter: u64,
    waiting: Vec<Barrier>,
    round: Option<Round>,
    /// Confirmed at an index that is not applied yet.
    confirmed: Vec<(LogIndex, Vec<Barrier>)>,
}

impl Reads {
    pub fn new(node: NodeId, start: u64) -> Self {
        Self {
            node,
            start,
            counter: 0,
            waiting: Vec::new(),
            round: None,
            confirmed: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        let asked = self.round.as_ref().map_or(0, |r| r.members.len());
        let confirmed: usize = self
            .confirmed
            .iter()
            .map(|(_, members)| members.len())
            .sum();
        self.waiting.len() + asked + confirmed
    }

    /// `false` if too many wait.
    pub fn add(&mut self, request: RequestId, deadline: u64) -> bool {
        let room = self.len() < MAX_PENDING_BARRIERS;
        if room {
            self.waiting.push(Barrier { request, deadline });
        }
        room
    }

    /// The context of the outstanding question.
    pub fn asking(&self) -> Option<&[u8]> {
        self.round.as_ref().map(|r| &r.context[..])
    }

    /// The next question to ask, if somebody waits and none is outstanding. raft-rs drops a
    /// question silently without a leader: an old one is taken back and asked afresh.
    pub fn next(&mut self, tick: u64) -> Option<Vec<u8>> {
        if self
            .round
            .as_ref()
            .is_some_and(|r| tick >= r.asked + READ_RETRY_TICKS)
        {
            let round = self.round.take()?;
            self.waiting.extend(round.members);
        }
        if self.round.is_some() || self.waiting.is_empty() {
            return None;
        }
        self.counter += 1;
        let context = read_context(self.node, self.start, self.counter);
        self.round = Some(Round {
            context,
            asked: tick,
            members: std::mem::take(&mut self.waiting),
        });
        Some(context.to_vec())
    }

    /// raft-rs answered a question.
    pub fn confirmed(&mut self, context: &[u8], index: LogIndex) {
        if self.asking() == Some(context)
            && let Some(round) = self.round.take()
        {
            self.confirmed.push((index, round.members));
        }
    }

    /// Who may read now that `applied` is in the store.
    pub fn readable(&mut self, applied: LogIndex) -> Vec<RequestId> {
        let mut readable = Vec::new();
        self.confirmed.retain(|(index, members)| {
            let wait = *index > applied;
            if !wait {
                readable.extend(members.iter().map(|b| b.request));
            }
            wait
        });
        readable
    }

    /// Takes out whoever's deadline has come.
    pub fn expire(&mut self, tick: u64) -> Vec<RequestId> {
        let mut expired = Vec::new();
        let round = self.round.as_mut().map(|r| &mut r.members);
        let confirmed = self.confirmed.iter_mut().map(|(_, members)| members);
        for members in std::iter::once(&mut self.waiting)
            .chain(round)
            .chain(confirmed)
        {
            members.retain(|barrier| {
                let wait = barrier.deadline > tick;
                if !wait {
                    expired.push(barrier.request);
                }
                wait
            });
        }
        expired
    }
}
