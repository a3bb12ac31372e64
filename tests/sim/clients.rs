//! Clients: each has a list of batches, sends one at a time, and sends the same bytes again, to
//! any node, until it is told the outcome; in between it reads a key.

use crate::corpus::{Corpus, ROUTES, route};
use crate::history::History;
use crate::invariants::acknowledged::{Acknowledged, Answer};
use crate::invariants::barrier::Barriers;
use crate::rng::Rng;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use ukehi::ids::LogIndex;
use ukehi::node::driver::{ClientCommand, ClientReply, RequestId};

/// How long a node may take, in ticks.
const PATIENCE: u64 = 60;

struct Client {
    script: VecDeque<Arc<[u8]>>,
    /// The request under way; an answer to an older one is noted and ignored.
    asked: Option<RequestId>,
}

/// What was asked.
#[derive(Clone, Copy)]
enum Asked {
    Put([u8; 32]),
    Change,
    /// A read: of which key, and since when.
    Get {
        route: [u8; 32],
        since: u64,
    },
    Barrier,
}

pub struct Clients {
    corpus: &'static Corpus,
    clients: Vec<Client>,
    /// Request to client (none for an adopted one) and what it is.
    requests: BTreeMap<RequestId, (Option<usize>, Asked)>,
    adopted: BTreeMap<RequestId, Answer>,
    readable: BTreeMap<RequestId, LogIndex>,
    refused: u64,
    last_request: RequestId,
    /// Chance that a client reads instead of writing on.
    pub reads_percent: u64,
    /// The longest pause between an answer and the next request, in milliseconds.
    pub pause_ms: u64,
    pub history: History,
    pub acknowledged: Acknowledged,
    pub barriers: Barriers,
}

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let left = self.clients.iter().map(|c| c.script.len());
        f.debug_list().entries(left).finish()
    }
}

impl Clients {
    pub fn new(corpus: &'static Corpus) -> Self {
        Self {
            corpus,
            clients: Vec::new(),
            requests: BTreeMap::new(),
            adopted: BTreeMap::new(),
            readable: BTreeMap::new(),
            refused: 0,
            last_request: 0,
            reads_percent: 20,
            pause_ms: 800,
            history: History::default(),
            acknowledged: Acknowledged::default(),
            barriers: Barriers::default(),
        }
    }

    pub fn add(&mut self, script: Vec<Arc<[u8]>>) -> usize {
        let script = script.into();
        self.clients.push(Client {
            script,
            asked: None,
        });
        self.clients.len() - 1
    }

    /// Everybody has all their outcomes.
    pub fn idle(&self) -> bool {
        self.clients.iter().all(|c| c.script.is_empty())
    }

    /// Nobody begins anything more.
    pub fn retire(&mut self) {
        for client in &mut self.clients {
            client.script.truncate(usize::from(client.asked.is_some()));
        }
    }

    /// How many batches a node refused.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    fn ask(&mut self, client: Option<usize>, asked: Asked) -> RequestId {
        self.last_request += 1;
        self.requests.insert(self.last_request, (client, asked));
        self.last_request
    }

    /// What a client does now: a node, and what it asks it.
    pub fn next(
        &mut self,
        client: usize,
        nodes: usize,
        now: u64,
        rng: &mut Rng,
    ) -> Option<(usize, RequestId, ClientCommand, u64)> {
        let batch = self.clients[client].script.front()?.clone();
        let (request, command) = if rng.chance(self.reads_percent) {
            let route = route(rng.range(0, ROUTES));
            let request = self.ask(Some(client), Asked::Get { route, since: now });
            self.barriers.asked(request, self.acknowledged.highest());
            (request, ClientCommand::Barrier)
        } else {
            let command = self.corpus.command(&batch);
            self.history.writes(command.x, command.route, now);
            let request = self.ask(Some(client), Asked::Put(command.x));
            (request, ClientCommand::Submit(batch))
        };
        self.clients[client].asked = Some(request);
        Some((rng.index(nodes), request, command, PATIENCE))
    }

    /// A request without a client: see [`Clients::adopted`].
    pub fn adopt(&mut self, batch: &[u8], now: u64) -> RequestId {
        let x = match self.corpus.knows(batch) {
            Some(command) => {
                self.history.writes(command.x, command.route, now);
                command.x
            }
            None => crate::corpus::x_of(batch),
        };
        self.ask(None, Asked::Put(x))
    }

    pub fn adopt_change(&mut self) -> RequestId {
        self.ask(None, Asked::Change)
    }

    pub fn adopt_barrier(&mut self) -> RequestId {
        let request = self.ask(None, Asked::Barrier);
        self.barriers.asked(request, self.acknowledged.highest());
        request
    }

    pub fn adopted(&self, request: RequestId) -> Option<Answer> {
        self.adopted.get(&request).copied()
    }

    /// What an adopted barrier was answered.
    pub fn readable(&self, request: RequestId) -> Option<LogIndex> {
        self.readable.get(&request).copied()
    }

    /// Takes an answer: what is wrong with it, and which client goes on now. `read` is what the
    /// answering node's store holds for a key; its inner option is whether the key is written.
    pub fn answered(
        &mut self,
        request: RequestId,
        reply: &ClientReply,
        now: u64,
        read: impl FnOnce(&[u8; 32]) -> Option<Option<[u8; 32]>>,
    ) -> (Option<String>, Option<usize>) {
        let Some((client, asked)) = self.requests.remove(&request) else {
            return (Some(format!("request {request} was answered twice")), None);
        };
        let mut wrong = None;
        let mut decided = None;
        match (reply, asked) {
            (ClientReply::Decided { index, outcome }, Asked::Put(_) | Asked::Change) => {
                let x = match asked {
                    Asked::Put(x) => x,
                    // The record of a registry change has no x.
                    _ => [0; 32],
                };
                let (index, outcome) = (*index, *outcome);
                let answer = Answer { x, index, outcome };
                self.history.wrote(x, outcome, now);
                self.acknowledged.observe(answer);
                if client.is_none() {
                    self.adopted.insert(request, answer);
                }
                decided = Some(x);
            }
            (ClientReply::Readable { applied }, Asked::Get { route, since }) => {
                wrong = self.barriers.passed(request, *applied);
                if let Some(value) = read(&route) {
                    self.history.read(route, value, since, now);
                }
            }
            (ClientReply::Readable { applied }, Asked::Barrier) => {
                wrong = self.barriers.passed(request, *applied);
                self.readable.insert(request, *applied);
            }
            (ClientReply::Refused(_), Asked::Put(x)) => {
                self.refused += 1;
                self.history.never(&x);
                decided = Some(x);
            }
            (ClientReply::Unavailable | ClientReply::Overloaded, _) => {}
            (reply, _) => wrong = Some(format!("request {request} got {reply:?}")),
        }
        let Some(client) = client else {
            return (wrong, None);
        };
        let state = &mut self.clients[client];
        let front = state.script.front().map(|b| self.corpus.command(b).x);
        if decided.is_some() && front == decided {
            state.script.pop_front();
        }
        let current = state.asked == Some(request);
        if current {
            state.asked = None;
        }
        (wrong, current.then_some(client))
    }
}
