//! What clients did and saw, and whether one order of it explains everything.
//!
//! Each key is a register. A history is linearizable if every operation can be given a moment
//! between its call and its return such that each read sees the write before it (Herlihy and Wing
//! 1990). The search is Wing and Gong's (1993) with Lowe's memory of what failed (2017). Writes are
//! told apart by their public input; a write nobody was told the end of may have happened at any
//! time after its call, or never.

use std::collections::{BTreeMap, HashSet};
use ukehi::log::Outcome;

/// Honest histories take a few per operation.
const MAX_STEPS: u64 = 20_000_000;

type Key = [u8; 32];
type Value = [u8; 32];

struct Write {
    route: Key,
    called: u64,
    returned: Option<u64>,
}

struct Read {
    value: Option<Value>,
    called: u64,
    returned: u64,
}

#[derive(Default)]
pub struct History {
    writes: BTreeMap<Value, Write>,
    /// Refused: they changed nothing.
    never: HashSet<Value>,
    reads: BTreeMap<Key, Vec<Read>>,
}

impl History {
    pub fn writes(&mut self, x: Value, route: Key, now: u64) {
        self.writes.entry(x).or_insert(Write {
            route,
            called: now,
            returned: None,
        });
    }

    pub fn wrote(&mut self, x: Value, outcome: Outcome, now: u64) {
        match outcome {
            Outcome::Applied => {
                if let Some(write) = self.writes.get_mut(&x) {
                    write.returned.get_or_insert(now);
                }
            }
            _ => self.never(&x),
        }
    }

    pub fn never(&mut self, x: &Value) {
        self.never.insert(*x);
    }

    pub fn read(&mut self, route: Key, value: Option<Value>, called: u64, returned: u64) {
        let reads = self.reads.entry(route).or_default();
        reads.push(Read {
            value,
            called,
            returned,
        });
    }

    /// Operations whose end is known.
    pub fn operations(&self) -> usize {
        let writes = self.writes.values().filter(|w| w.returned.is_some());
        writes.count() + self.reads.values().map(Vec::len).sum::<usize>()
    }

    /// The keys whose operations no order explains.
    pub fn check(&self) -> Vec<String> {
        let unexplained = self.reads.keys().filter(|key| !self.explains(key));
        let name = |key: &Key| format!("linearizability: no order explains key {}", key[0]);
        unexplained.map(name).collect()
    }

    fn explains(&self, key: &Key) -> bool {
        let writes = self
            .writes
            .iter()
            .filter(|(x, w)| w.route == *key && (w.returned.is_some() || !self.never.contains(*x)));
        let writes = writes.map(|(x, w)| Operation {
            called: w.called,
            returned: w.returned.unwrap_or(u64::MAX),
            what: What::Write(*x),
        });
        let reads = self.reads[key].iter().map(|r| Operation {
            called: r.called,
            returned: r.returned,
            what: What::Read(r.value),
        });
        linearizable(&writes.chain(reads).collect::<Vec<_>>())
    }
}

#[derive(Clone, Copy)]
enum What {
    Write(Value),
    Read(Option<Value>),
}

struct Operation {
    called: u64,
    returned: u64,
    what: What,
}

/// Calls and returns in a list one can take pairs out of and put them back.
struct Events {
    next: Vec<usize>,
    previous: Vec<usize>,
    /// Of each operation: its call and its return.
    places: Vec<(usize, usize)>,
    /// Of each event: the operation, and whether it is its call.
    of: Vec<(usize, bool)>,
}

impl Events {
    /// Event 0 is the head; the list ends there too.
    fn new(operations: &[Operation]) -> Self {
        let mut order: Vec<(u64, bool, usize)> = Vec::new();
        for (i, operation) in operations.iter().enumerate() {
            order.push((operation.called, false, i));
            order.push((operation.returned, true, i));
        }
        // At one moment calls come first: operations that touch are taken for concurrent.
        order.sort_unstable();
        let len = order.len() + 1;
        let mut places = vec![(0, 0); operations.len()];
        let mut of = vec![(usize::MAX, false)];
        for (at, (_, returns, operation)) in order.into_iter().enumerate() {
            match returns {
                false => places[operation].0 = at + 1,
                true => places[operation].1 = at + 1,
            }
            of.push((operation, !returns));
        }
        Self {
            next: (0..len).map(|i| (i + 1) % len).collect(),
            previous: (0..len).map(|i| (i + len - 1) % len).collect(),
            places,
            of,
        }
    }

    fn lift(&mut self, operation: usize) {
        let (call, end) = self.places[operation];
        for event in [call, end] {
            let (before, after) = (self.previous[event], self.next[event]);
            self.next[before] = after;
            self.previous[after] = before;
        }
    }

    fn put_back(&mut self, operation: usize) {
        let (call, end) = self.places[operation];
        for event in [end, call] {
            let (before, after) = (self.previous[event], self.next[event]);
            self.next[before] = event;
            self.previous[after] = event;
        }
    }
}

fn linearizable(operations: &[Operation]) -> bool {
    let mut events = Events::new(operations);
    let mut register: Option<Value> = None;
    let mut done = vec![0u64; operations.len().div_ceil(64)];
    let mut tried: HashSet<(Vec<u64>, Option<Value>)> = HashSet::new();
    let mut taken: Vec<(usize, Option<Value>)> = Vec::new();
    let mut event = events.next[0];
    let mut steps = 0u64;
    while events.next[0] != 0 {
        steps += 1;
        assert!(
            steps < MAX_STEPS,
            "the search has taken {steps} steps: fewer clients, or a bug"
        );
        let (operation, is_call) = events.of[event];
        if is_call {
            let after = match operations[operation].what {
                What::Write(value) => Some(Some(value)),
                What::Read(value) => (value == register).then_some(register),
            };
            if let Some(after) = after {
                done[operation / 64] |= 1 << (operation % 64);
                if tried.insert((done.clone(), after)) {
                    taken.push((operation, register));
                    register = after;
                    events.lift(operation);
                    event = events.next[0];
                    continue;
                }
                done[operation / 64] &= !(1 << (operation % 64));
            }
            event = events.next[event];
            continue;
        }
        // Somebody returned before a moment was found: the last choice was wrong.
        let Some((last, before)) = taken.pop() else {
            return false;
        };
        register = before;
        done[last / 64] &= !(1 << (last % 64));
        events.put_back(last);
        event = events.next[events.places[last].0];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(history: &mut History, value: u8, called: u64, returned: u64) {
        history.writes([value; 32], [0; 32], called);
        if returned != u64::MAX {
            history.wrote([value; 32], Outcome::Applied, returned);
        }
    }

    fn seen(history: &mut History, value: u8, called: u64, returned: u64) {
        let value = (value > 0).then_some([value; 32]);
        history.read([0; 32], value, called, returned);
    }

    #[test]
    fn a_read_may_see_either_of_what_it_overlaps() {
        for value in [1, 2] {
            let mut history = History::default();
            written(&mut history, 1, 0, 10);
            written(&mut history, 2, 20, 40);
            seen(&mut history, value, 30, 50);
            assert_eq!(history.check(), [""; 0], "{value}");
        }
    }

    #[test]
    fn a_read_that_misses_an_earlier_write_is_explained_by_no_order() {
        for value in [0, 1] {
            let mut history = History::default();
            written(&mut history, 1, 0, 10);
            written(&mut history, 2, 20, 40);
            seen(&mut history, value, 41, 50);
            assert_eq!(history.check().len(), 1, "{value}");
        }
    }

    #[test]
    fn two_reads_never_see_time_run_backwards() {
        let mut history = History::default();
        written(&mut history, 1, 0, 10);
        written(&mut history, 2, 20, 90);
        seen(&mut history, 2, 30, 40);
        assert!(history.check().is_empty());
        seen(&mut history, 1, 50, 60);
        assert_eq!(history.check().len(), 1);
    }

    #[test]
    fn a_write_without_an_end_may_have_happened_late_or_never() {
        let mut history = History::default();
        written(&mut history, 1, 0, u64::MAX);
        seen(&mut history, 0, 100, 110);
        assert!(history.check().is_empty());
        seen(&mut history, 1, 200, 210);
        assert!(history.check().is_empty());
        seen(&mut history, 0, 300, 310);
        assert_eq!(history.check().len(), 1, "once seen it stays");
    }
}
