//! What a client was told stands in every node's log: the second of the two sums.

use crate::corpus::SHARD;
use ukehi::ids::LogIndex;
use ukehi::kv::Read;
use ukehi::log::{Outcome, ledger};

/// A `Decided` that reached a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    pub x: [u8; 32],
    pub index: LogIndex,
    pub outcome: Outcome,
}

#[derive(Default)]
pub struct Acknowledged {
    answers: Vec<Answer>,
}

impl Acknowledged {
    pub fn observe(&mut self, answer: Answer) {
        self.answers.push(answer);
    }

    pub fn count(&self) -> usize {
        self.answers.len()
    }

    /// The highest index a client knows of.
    pub fn highest(&self) -> LogIndex {
        self.answers.iter().map(|a| a.index).max().unwrap_or(0)
    }

    /// How many answers some node's log does not bear out.
    pub fn missing(&self, stores: &[&dyn Read]) -> usize {
        let stands = |answer: &Answer| {
            stores.iter().all(|store| {
                match ledger::record(*store, SHARD, answer.index).expect("an undamaged store") {
                    // Answered from the session: the place names the batch that used it first.
                    Some(record) if answer.outcome == Outcome::SequenceConflict => {
                        record.x != answer.x || record.outcome == Outcome::SequenceConflict
                    }
                    Some(record) => record.x == answer.x && record.outcome == answer.outcome,
                    None => false,
                }
            })
        };
        self.answers.iter().filter(|a| !stands(a)).count()
    }
}
