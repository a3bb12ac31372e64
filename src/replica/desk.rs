//! Stage (a) of the gate from the replica's side: what has been asked to be verified, what came
//! back, and the valid batches kept until they are applied.
//!
//! Invariants: 1. a digest is verified once at a time however many wait for it; 2. only `Valid`
//! is remembered. How much is asked is bounded by those who ask. Knows nothing of threads.

use super::memo::Memo;
use crate::batch::{NotYet, Verdict, VerifiedBatch};
use crate::ids::Hash;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Batches in one ticket: enough for one pairing product to pay, few enough to answer soon.
pub const MAX_TICKET_BATCHES: usize = 64;

/// A question to the verifier: which batches, in which order the verdicts are expected.
#[derive(Debug, Clone)]
pub struct Job {
    pub ticket: u64,
    pub batches: Vec<Arc<[u8]>>,
}

#[derive(Default)]
pub struct Desk {
    memo: Memo,
    queued: Vec<(Hash, Arc<[u8]>)>,
    pending: BTreeSet<Hash>,
    tickets: BTreeMap<u64, Vec<Hash>>,
    last_ticket: u64,
}

impl Desk {
    /// The verified batch, or the promise of a verdict by [`Desk::verified`].
    pub fn ask(
        &mut self,
        digest: Hash,
        bytes: impl FnOnce() -> Arc<[u8]>,
    ) -> Option<&VerifiedBatch> {
        if self.memo.get(&digest).is_none() && self.pending.insert(digest) {
            self.queued.push((digest, bytes()));
        }
        self.memo.get(&digest)
    }

    #[must_use]
    pub fn get(&self, digest: &Hash) -> Option<&VerifiedBatch> {
        self.memo.get(digest)
    }

    /// Remembers a batch that was verified before.
    pub fn keep(&mut self, batch: &VerifiedBatch) {
        if self.memo.get(&batch.digest()).is_none() {
            self.memo.insert(batch.clone());
        }
    }

    /// It has been applied.
    pub fn forget(&mut self, digest: &Hash) {
        self.memo.remove(digest);
    }

    /// What was asked since the last call.
    pub fn take_jobs(&mut self) -> Vec<Job> {
        let mut jobs = Vec::new();
        while !self.queued.is_empty() {
            let rest = self
                .queued
                .split_off(self.queued.len().min(MAX_TICKET_BATCHES));
            let chunk = std::mem::replace(&mut self.queued, rest);
            self.last_ticket += 1;
            let (digests, batches) = chunk.into_iter().unzip();
            self.tickets.insert(self.last_ticket, digests);
            jobs.push(Job {
                ticket: self.last_ticket,
                batches,
            });
        }
        jobs
    }

    /// The answer to a ticket, by digest. An unknown ticket has none; a verdict that is missing or
    /// about another batch counts as `NotYet`.
    pub fn verified(&mut self, ticket: u64, verdicts: Vec<Verdict>) -> Vec<(Hash, Verdict)> {
        let digests = self.tickets.remove(&ticket).unwrap_or_default();
        let mut verdicts = verdicts.into_iter();
        let mut settled = Vec::with_capacity(digests.len());
        for digest in digests {
            self.pending.remove(&digest);
            let verdict = match verdicts.next() {
                Some(Verdict::Valid(batch)) if batch.digest() != digest => None,
                other => other,
            }
            .unwrap_or(Verdict::NotYet(NotYet::Cancelled));
            if let Verdict::Valid(batch) = &verdict {
                self.memo.insert(batch.clone());
            }
            settled.push((digest, verdict));
        }
        settled
    }

    #[must_use]
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    #[must_use]
    pub fn remembered(&self) -> usize {
        self.memo.len()
    }
}
