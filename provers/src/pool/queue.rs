//! Which waiting job starts next.
//!
//! Invariants: 1. jobs of one priority and one circuit start in the order they came; 2. no job is passed over for ever:
//! a priority with a job waiting sees at most [`MAX_PASSED`] starts above it in a row, and within a priority a worker
//! leaves a circuit after [`MAX_STREAK`] jobs for whichever other job has waited longest.
//!
//! Why circuits are grouped: a proof reads its circuit's tables, hundreds of MiB, from one end to the other, and the next
//! one finds part of them in the cache. Knows nothing of threads or time.

use super::job::Priority;

/// Starts of higher priority in a row while a job of a lower one waits.
pub const MAX_PASSED: u32 = 8;
/// Jobs of one circuit that a worker starts in a row while one of another circuit and the same priority waits.
pub const MAX_STREAK: u32 = 8;

/// What the queue must know of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub priority: Priority,
    pub circuit: Option<[u8; 32]>,
}

/// Waiting jobs in the order they came.
pub(super) struct Queue<T> {
    waiting: Vec<(Place, T)>,
    /// By priority: starts above it since it had its last turn.
    passed: [u32; Priority::ALL.len()],
}

/// The circuit whose tables a worker has just read, and how often in a row.
#[derive(Default)]
pub(super) struct Warm {
    circuit: Option<[u8; 32]>,
    streak: u32,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self {
            waiting: Vec::new(),
            passed: [0; Priority::ALL.len()],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn push(&mut self, place: Place, job: T) {
        self.waiting.push((place, job));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.waiting.iter().map(|(_, job)| job)
    }

    /// Takes out what `is_wanted` picks.
    pub(super) fn take_all(&mut self, is_wanted: impl FnMut(&T) -> bool) -> Vec<T> {
        let mut is_wanted = is_wanted;
        let taken = self.waiting.extract_if(.., |(_, job)| is_wanted(job));
        taken.map(|(_, job)| job).collect()
    }

    /// The job that a worker starts next, and whether it stays with the worker's circuit.
    pub(super) fn next(&mut self, warm: &mut Warm) -> Option<T> {
        let priority = self.due()?;
        let position = self.pick(priority, warm)?;
        let (place, job) = self.waiting.remove(position);
        self.count(priority);
        warm.follow(place.circuit);
        Some(job)
    }

    /// The highest priority that waits, unless a lower one was passed over too often.
    fn due(&self) -> Option<Priority> {
        let waits = |p: &Priority| self.waiting.iter().any(|(place, _)| place.priority == *p);
        let starved = |p: &Priority| self.passed[*p as usize] >= MAX_PASSED;
        let mut all = Priority::ALL.into_iter().filter(waits);
        let highest = all.next()?;
        Some(all.find(starved).unwrap_or(highest))
    }

    /// The worker's own circuit while its streak lasts, then the oldest job of another.
    fn pick(&self, priority: Priority, warm: &Warm) -> Option<usize> {
        let find = |wanted: &dyn Fn(&Place) -> bool| {
            let fits = |(place, _): &(Place, T)| place.priority == priority && wanted(place);
            self.waiting.iter().position(fits)
        };
        let own = || find(&|place| warm.is_of(place));
        let other = || find(&|place| !warm.is_of(place));
        match warm.streak < MAX_STREAK {
            true => own().or_else(other),
            false => other().or_else(own),
        }
    }

    fn count(&mut self, started: Priority) {
        for lower in Priority::ALL.into_iter().filter(|p| *p > started) {
            let waits = self
                .waiting
                .iter()
                .any(|(place, _)| place.priority == lower);
            let passed = &mut self.passed[lower as usize];
            *passed = if waits { *passed + 1 } else { 0 };
        }
        self.passed[started as usize] = 0;
    }
}

impl Warm {
    /// Jobs that name no circuit share nothing with each other.
    fn is_of(&self, place: &Place) -> bool {
        self.circuit.is_some() && place.circuit == self.circuit
    }

    fn follow(&mut self, circuit: Option<[u8; 32]>) {
        self.streak = match circuit.is_some() && circuit == self.circuit {
            true => self.streak + 1,
            false => 1,
        };
        self.circuit = circuit;
    }

    /// Whether the last job read other tables than the one before.
    pub(super) fn has_changed(&self) -> bool {
        self.streak == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const X: Option<[u8; 32]> = Some([1; 32]);
    const Y: Option<[u8; 32]> = Some([2; 32]);

    fn queue(jobs: &[(Priority, Option<[u8; 32]>)]) -> Queue<usize> {
        let mut queue = Queue::new();
        for (at, &(priority, circuit)) in jobs.iter().enumerate() {
            queue.push(Place { priority, circuit }, at);
        }
        queue
    }

    fn drain(mut queue: Queue<usize>) -> Vec<usize> {
        let mut warm = Warm::default();
        std::iter::from_fn(|| queue.next(&mut warm)).collect()
    }

    #[test]
    fn higher_priorities_start_first_and_equals_in_the_order_they_came() {
        use Priority::{Background, Normal, Urgent};
        let jobs = [Normal, Background, Urgent, Normal, Urgent].map(|p| (p, None));
        assert_eq!(drain(queue(&jobs)), [2, 4, 0, 3, 1]);
    }

    #[test]
    fn a_worker_stays_with_its_circuit_until_its_streak_ends() {
        let normal = |circuit| (Priority::Normal, circuit);
        assert_eq!(
            drain(queue(&[X, Y, X, Y, X].map(normal))),
            [0, 2, 4, 1, 3],
            "grouped by circuit"
        );
        // One of Y came first after the warm circuit's streak of eight.
        let mut jobs = vec![normal(X); 12];
        jobs.insert(1, normal(Y));
        let order = drain(queue(&jobs));
        let at = order.iter().position(|job| *job == 1).unwrap();
        assert_eq!(at, MAX_STREAK as usize);
    }

    #[test]
    fn jobs_that_name_no_circuit_are_never_grouped() {
        let jobs = [None, X, None, None, X].map(|circuit| (Priority::Normal, circuit));
        assert_eq!(drain(queue(&jobs)), [0, 1, 4, 2, 3]);
        let jobs = [None, X, None].map(|circuit| (Priority::Normal, circuit));
        assert_eq!(drain(queue(&jobs)), [0, 1, 2]);
    }

    /// Jobs of a higher priority arrive as fast as they are started: the lower one still gets its turn.
    #[test]
    fn a_stream_of_urgent_jobs_does_not_starve_the_others() {
        let mut queue = queue(&[(Priority::Background, Y), (Priority::Normal, X)]);
        let mut warm = Warm::default();
        let mut started = Vec::new();
        for job in 2..60 {
            let place = Place {
                priority: Priority::Urgent,
                circuit: X,
            };
            queue.push(place, job);
            started.push(queue.next(&mut warm).unwrap());
        }
        let when = |job| started.iter().position(|s| *s == job).unwrap();
        assert_eq!(when(1), MAX_PASSED as usize);
        assert_eq!(when(0), MAX_PASSED as usize + 1);
    }

    /// Two circuits arrive without end: both get their share.
    #[test]
    fn two_endless_circuits_share_a_worker_evenly() {
        let (mut queue, mut warm) = (queue(&[]), Warm::default());
        let mut by_circuit = [0u32; 2];
        for round in 0..20 * MAX_STREAK {
            for circuit in [0, 1] {
                let place = Place {
                    priority: Priority::Normal,
                    circuit: [X, Y][circuit],
                };
                queue.push(place, circuit);
            }
            by_circuit[queue.next(&mut warm).unwrap()] += 1;
            assert_eq!(queue.len(), round as usize + 1);
        }
        assert_eq!(by_circuit, [10 * MAX_STREAK; 2]);
    }

    proptest! {
        #[test]
        fn every_job_starts_once_and_in_order_within_its_priority_and_circuit(
            jobs in prop::collection::vec((0usize..3, 0usize..3), 0..80),
        ) {
            let jobs: Vec<_> = jobs.iter().map(|(p, c)| (Priority::ALL[*p], [None, X, Y][*c])).collect();
            let order = drain(queue(&jobs));
            for priority in Priority::ALL {
                for circuit in [None, X, Y] {
                    let same: Vec<usize> = order.iter().copied().filter(|job| jobs[*job] == (priority, circuit)).collect();
                    prop_assert!(same.is_sorted());
                }
            }
            let mut all = order;
            all.sort_unstable();
            prop_assert_eq!(all, (0..jobs.len()).collect::<Vec<_>>());
        }
    }
}
