//! Clients' batches on their way to an outcome, and which batches the unapplied log holds.
//!
//! Invariants: 1. a batch is proposed only while no entry of its author and sequence is in the
//! unapplied log; 2. one submit waits per (author, sequence, x), however many clients ask;
//! 3. both bounds hold. Knows nothing of leaders or verdicts.

use super::RequestId;
use super::io::{MAX_PENDING_SUBMIT_BYTES, MAX_PENDING_SUBMITS};
use crate::batch::VerifiedBatch;
use crate::ids::{AuthorSeq, Hash, LogIndex};
use std::collections::BTreeMap;
use ukehi_circuits::field;
use ukehi_keys::AuthorId;

/// What a client waits for.
pub type Key = (AuthorId, AuthorSeq, [u8; 32]);

#[derive(Debug, Clone, Copy)]
pub struct Waiter {
    pub request: RequestId,
    pub deadline: u64,
}

struct Submit {
    batch: VerifiedBatch,
    waiters: Vec<Waiter>,
    next_try: u64,
}

#[derive(Default)]
pub struct Submits {
    /// In verification: by digest, with their size.
    verifying: BTreeMap<Hash, (usize, Vec<Waiter>)>,
    waiting: BTreeMap<Key, Submit>,
    /// Author and sequence of the batches in the log above the applied index.
    in_log: BTreeMap<(AuthorId, AuthorSeq), LogIndex>,
    /// Clients waiting, and the bytes kept for them.
    clients: usize,
    bytes: usize,
}

impl Submits {
    pub fn len(&self) -> usize {
        self.clients
    }

    pub fn has_room(&self, bytes: usize) -> bool {
        self.clients < MAX_PENDING_SUBMITS && self.bytes + bytes <= MAX_PENDING_SUBMIT_BYTES
    }

    pub fn verify(&mut self, digest: Hash, size: usize, waiter: Waiter) {
        let (_, waiters) = self.verifying.entry(digest).or_insert_with(|| {
            self.bytes += size;
            (size, Vec::new())
        });
        waiters.push(waiter);
        self.clients += 1;
    }

    /// The verdict is in: who waited for it. They are counted again if they go on waiting.
    pub fn take_verifying(&mut self, digest: &Hash) -> Vec<Waiter> {
        let Some((size, waiters)) = self.verifying.remove(digest) else {
            return Vec::new();
        };
        self.bytes -= size;
        self.clients -= waiters.len();
        waiters
    }

    /// Waits for the outcome of a verified batch.
    pub fn wait(&mut self, batch: VerifiedBatch, waiter: Waiter) -> Key {
        let header = &batch.batch().header;
        let key = (header.author, header.author_seq, field::encode(batch.x()));
        let submit = self.waiting.entry(key).or_insert_with(|| {
            self.bytes += batch.bytes().len();
            Submit {
                batch,
                waiters: Vec::new(),
                next_try: 0,
            }
        });
        submit.waiters.push(waiter);
        self.clients += 1;
        key
    }

    /// The batch of a waiting submit, and when it is tried next; `None` if nobody waits.
    pub fn attempt(&mut self, key: &Key, next_try: u64) -> Option<VerifiedBatch> {
        let submit = self.waiting.get_mut(key)?;
        submit.next_try = next_try;
        Some(submit.batch.clone())
    }

    /// Takes out those who waited for an outcome.
    pub fn finish(&mut self, key: &Key) -> Vec<Waiter> {
        let Some(submit) = self.waiting.remove(key) else {
            return Vec::new();
        };
        self.bytes -= submit.batch.bytes().len();
        self.clients -= submit.waiters.len();
        submit.waiters
    }

    pub fn keys(&self) -> Vec<Key> {
        self.waiting.keys().copied().collect()
    }

    pub fn due(&self, tick: u64) -> Vec<Key> {
        let due = self.waiting.iter().filter(|(_, s)| s.next_try <= tick);
        due.map(|(key, _)| *key).collect()
    }

    /// Takes out whoever's deadline has come.
    pub fn expire(&mut self, tick: u64) -> Vec<RequestId> {
        let mut expired = Vec::new();
        let mut keep = |waiters: &mut Vec<Waiter>| {
            waiters.retain(|waiter| {
                let wait = waiter.deadline > tick;
                if !wait {
                    expired.push(waiter.request);
                }
                wait
            });
            !waiters.is_empty()
        };
        let bytes = &mut self.bytes;
        self.verifying.retain(|_, (size, waiters)| {
            let kept = keep(waiters);
            *bytes -= if kept { 0 } else { *size };
            kept
        });
        self.waiting.retain(|_, submit| {
            let kept = keep(&mut submit.waiters);
            *bytes -= if kept { 0 } else { submit.batch.bytes().len() };
            kept
        });
        self.clients -= expired.len();
        expired
    }

    pub fn note_in_log(&mut self, author: AuthorId, seq: AuthorSeq, index: LogIndex) {
        self.in_log.insert((author, seq), index);
    }

    pub fn is_in_log(&self, author: AuthorId, seq: AuthorSeq) -> bool {
        self.in_log.contains_key(&(author, seq))
    }

    /// Entries from `first` on are being replaced.
    pub fn truncate_log(&mut self, first: LogIndex) {
        self.in_log.retain(|_, index| *index < first);
    }

    pub fn applied_to(&mut self, applied: LogIndex) {
        self.in_log.retain(|_, index| *index > applied);
    }
}
