//! The registry as of the log's last entry, unapplied ones included.
//!
//! Exact in all that entries are judged by, although nothing of the tail is applied yet: but for a mint
//! over a live cell, a change's outcome depends on the registry alone (`registry`), and of such a mint
//! only what cells are judged by, at apply, is another. Its outcome is taken in once it is decided.
//! Invariants: 1. `pending` are the changes between `base` and `head`, ascending; 2. where entries
//! are replaced, the registry is folded anew without them.
//! Knows nothing of who proposes or verifies.

use crate::ids::{Hash, LogIndex};
use crate::log::Outcome;
use crate::registry::{Registry, VerifiedChange};
use std::borrow::Cow;
use std::collections::VecDeque;

pub struct Tail {
    /// As of the last applied entry.
    base: Registry,
    /// As of the last entry.
    head: Registry,
    pending: VecDeque<(LogIndex, VerifiedChange)>,
}

impl Tail {
    /// The tail of a log whose entries are all applied.
    #[must_use]
    pub fn new(applied: Registry) -> Self {
        Self {
            head: applied.clone(),
            base: applied,
            pending: VecDeque::new(),
        }
    }

    /// The registry as of the log's last entry.
    #[must_use]
    pub fn head(&self) -> &Registry {
        &self.head
    }

    /// The registry as of the last applied entry.
    #[must_use]
    pub fn applied(&self) -> &Registry {
        &self.base
    }

    /// The registry as of the entry `last` of the log, which is not applied or the last applied.
    #[must_use]
    pub fn at(&self, last: LogIndex) -> Cow<'_, Registry> {
        if self.pending.back().is_none_or(|(index, _)| *index <= last) {
            return Cow::Borrowed(&self.head);
        }
        Cow::Owned(self.folded(last))
    }

    /// A change was appended at `index`; what it will come to.
    pub fn append(&mut self, index: LogIndex, change: VerifiedChange) -> Outcome {
        let outcome = self.head.apply(index, &change);
        self.pending.push_back((index, change));
        outcome
    }

    /// The entries from `first` on are being replaced.
    pub fn truncate(&mut self, first: LogIndex) {
        if self
            .pending
            .back()
            .is_some_and(|(index, _)| *index >= first)
        {
            self.pending.retain(|(index, _)| *index < first);
            self.head = self.folded(first - 1);
        }
    }

    /// The unapplied change at `index`.
    #[must_use]
    pub fn change(&self, index: LogIndex) -> Option<&VerifiedChange> {
        let mut pending = self.pending.iter();
        pending.find(|(at, _)| *at == index).map(|(_, c)| c)
    }

    /// Whether an unapplied entry carries the change with this digest.
    #[must_use]
    pub fn holds(&self, digest: &Hash) -> bool {
        self.pending.iter().any(|(_, c)| c.digest() == *digest)
    }

    /// The first change of the tail was applied, or refused.
    ///
    /// # Panics
    /// If the tail holds none.
    pub fn decided(&mut self, outcome: Outcome) {
        let (index, change) = self
            .pending
            .pop_front()
            .expect("what is decided was pending");
        self.base.apply_recorded(index, &change, outcome);
        if outcome == Outcome::CellLive {
            self.head = self.folded(LogIndex::MAX);
        }
    }

    fn folded(&self, last: LogIndex) -> Registry {
        let mut registry = self.base.clone();
        for (index, change) in self.pending.iter().filter(|(index, _)| *index <= last) {
            registry.apply(*index, change);
        }
        registry
    }
}
