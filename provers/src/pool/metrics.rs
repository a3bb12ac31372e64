//! What a pool has done since it was made. A plain copy of counters; who publishes them is not known here.

use std::time::Duration;

use super::JobError;

/// Buckets of [`Durations`]: the last takes whatever is longer.
pub const BUCKETS: usize = 16;

/// A distribution of durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Durations {
    pub count: u64,
    pub total: Duration,
    pub longest: Duration,
    /// Bucket i counts durations below 2^i milliseconds that no lower bucket counts.
    pub buckets: [u64; BUCKETS],
}

impl Durations {
    pub(super) fn record(&mut self, duration: Duration) {
        self.count += 1;
        self.total = self.total.saturating_add(duration);
        self.longest = self.longest.max(duration);
        let bits = u128::BITS - duration.as_millis().leading_zeros();
        self.buckets[(bits as usize).min(BUCKETS - 1)] += 1;
    }
}

/// Counts of a pool, all since it was made. Every job taken is in exactly one of the outcomes in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolMetrics {
    /// Jobs taken.
    pub submitted: u64,
    /// Jobs handed back because the pool was full.
    pub refused: u64,
    /// Outcome: a proof.
    pub proved: u64,
    /// Outcome: the prover's error.
    pub failed: u64,
    /// Outcome: a panic.
    pub panicked: u64,
    /// Outcome: cancelled, before it started or at a stage of it. One cancelled too late to be stopped counts as what
    /// it became.
    pub cancelled: u64,
    /// Outcome: its deadline passed first.
    pub expired: u64,
    /// Outcome: the pool was closed first.
    pub closed: u64,
    /// Started with nothing else to do, hence with all cores.
    pub started_alone: u64,
    /// Started on a worker whose job before read another circuit's tables, or none.
    pub circuit_changes: u64,
    /// The most jobs that ever waited at once.
    pub most_waiting: usize,
    /// From submission to start, of the jobs that started.
    pub waited: Durations,
    /// From start to end.
    pub ran: Durations,
}

impl PoolMetrics {
    pub(super) fn count<T>(&mut self, outcome: &Result<T, JobError>) {
        let counter = match outcome {
            Ok(_) => &mut self.proved,
            Err(JobError::Prove(_)) => &mut self.failed,
            Err(JobError::Panicked) => &mut self.panicked,
            Err(JobError::Cancelled) => &mut self.cancelled,
            Err(JobError::DeadlinePassed) => &mut self.expired,
            Err(JobError::PoolClosed) => &mut self.closed,
        };
        *counter += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fall_into_buckets_of_powers_of_two_milliseconds() {
        let mut durations = Durations::default();
        for (micros, bucket) in [
            (0, 0),
            (999, 0),
            (1_000, 1),
            (1_999, 1),
            (2_000, 2),
            (3_999, 2),
            (4_000, 3),
            (u64::MAX / 4, BUCKETS - 1),
        ] {
            let before = durations.buckets[bucket];
            durations.record(Duration::from_micros(micros));
            assert_eq!(durations.buckets[bucket], before + 1, "{micros} µs");
        }
        assert_eq!(durations.count, 8);
        assert_eq!(durations.longest, Duration::from_micros(u64::MAX / 4));
    }
}
