//! Clients: each has a list of batches, sends one at a time, and sends the same bytes again, to
//! any node, until it is told the outcome.

use crate::invariants::acknowledged::{Acknowledged, Answer};
use crate::invariants::barrier::Barriers;
use crate::rng::Rng;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use ukehi::batch::SealedBatch;
use ukehi::node::driver::{ClientCommand, ClientReply, RequestId};
use ukehi_circuits::field;
use ukehi_circuits::shape::{Form, Shape};

/// How long a node may take, in ticks.
const PATIENCE: u64 = 60;

struct Client {
    script: VecDeque<Arc<[u8]>>,
    /// The request under way; an answer to an older one is noted and ignored.
    asked: Option<RequestId>,
    /// How often the current batch may still be sent; `None` without a limit.
    tries: Option<u32>,
}

#[derive(Default)]
pub struct Clients {
    clients: Vec<Client>,
    /// Request to client (none for an adopted one) and the batch's x.
    requests: BTreeMap<RequestId, (Option<usize>, Option<[u8; 32]>)>,
    adopted: BTreeMap<RequestId, Answer>,
    last_request: RequestId,
    pub acknowledged: Acknowledged,
    pub barriers: Barriers,
}

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let left = self.clients.iter().map(|c| c.script.len());
        f.debug_list().entries(left).finish()
    }
}

fn x_of(batch: &[u8]) -> [u8; 32] {
    let batch = SealedBatch::from_bytes(batch).expect("the corpus decodes");
    field::encode(
        &batch
            .statement(Form::without_cells(Shape::SINGLE))
            .expect("of the one shape")
            .x(),
    )
}

impl Clients {
    pub fn add(&mut self, script: Vec<Arc<[u8]>>, tries: Option<u32>) -> usize {
        self.clients.push(Client {
            script: script.into(),
            asked: None,
            tries,
        });
        self.clients.len() - 1
    }

    /// Everybody has all their outcomes.
    pub fn idle(&self) -> bool {
        self.clients.iter().all(|c| c.script.is_empty())
    }

    /// What a client does now: a node, and what it asks it.
    pub fn next(
        &mut self,
        client: usize,
        nodes: usize,
        rng: &mut Rng,
    ) -> Option<(usize, RequestId, ClientCommand, u64)> {
        let state = &mut self.clients[client];
        if let Some(tries) = &mut state.tries {
            if *tries == 0 {
                state.script.clear();
            }
            *tries = tries.saturating_sub(1);
        }
        let batch = state.script.front()?.clone();
        self.last_request += 1;
        let request = self.last_request;
        let barrier = rng.chance(20);
        let command = if barrier {
            self.requests.insert(request, (Some(client), None));
            ClientCommand::Barrier
        } else {
            self.requests
                .insert(request, (Some(client), Some(x_of(&batch))));
            ClientCommand::Submit(batch)
        };
        self.clients[client].asked = Some(request);
        Some((rng.index(nodes), request, command, PATIENCE))
    }

    /// A request without a client: see [`Clients::adopted`].
    pub fn adopt(&mut self, batch: &[u8]) -> RequestId {
        self.last_request += 1;
        self.requests
            .insert(self.last_request, (None, Some(x_of(batch))));
        self.last_request
    }

    /// The record of a registry change has no x.
    pub fn adopt_change(&mut self) -> RequestId {
        self.last_request += 1;
        self.requests
            .insert(self.last_request, (None, Some([0; 32])));
        self.last_request
    }

    pub fn adopted(&self, request: RequestId) -> Option<Answer> {
        self.adopted.get(&request).copied()
    }

    /// Takes an answer: what is wrong with it, and which client goes on now.
    pub fn answered(
        &mut self,
        request: RequestId,
        reply: &ClientReply,
    ) -> (Option<String>, Option<usize>) {
        let Some((client, x)) = self.requests.remove(&request) else {
            return (Some(format!("request {request} was answered twice")), None);
        };
        let mut wrong = None;
        let mut done = false;
        match (reply, x) {
            (ClientReply::Decided { index, outcome }, Some(x)) => {
                let answer = Answer {
                    x,
                    index: *index,
                    outcome: *outcome,
                };
                self.acknowledged.observe(answer);
                if client.is_none() {
                    self.adopted.insert(request, answer);
                }
                done = true;
            }
            (ClientReply::Readable { applied }, None) => {
                wrong = self.barriers.passed(request, *applied);
            }
            (ClientReply::Refused(_), Some(_)) => done = true,
            (ClientReply::Unavailable | ClientReply::Overloaded, _) => {}
            (reply, _) => wrong = Some(format!("request {request} got {reply:?}")),
        }
        let Some(client) = client else {
            return (wrong, None);
        };
        let state = &mut self.clients[client];
        if done && state.script.front().map(|b| x_of(b)) == x {
            state.script.pop_front();
        }
        let current = state.asked == Some(request);
        if current {
            state.asked = None;
        }
        (wrong, current.then_some(client))
    }
}
