//! Medians with intervals that assume nothing about how timings are distributed.
//!
//! The interval of a median is that of order statistics: between the k-th smallest and the k-th largest of n
//! independent samples lies the median with probability 1 − 2·P(Bin(n, ½) < k), whatever the distribution (David and
//! Nagaraja, Order Statistics, §7.1). Taken is the largest k that reaches [`CONFIDENCE`]; fewer than six samples reach
//! it with no k, so then the whole range is taken and its smaller probability stated.
//! Invariant: an interval holds its median. Knows nothing of what was measured.

use serde::{Deserialize, Serialize};

/// How surely an interval should hold the median.
pub const CONFIDENCE: f64 = 0.95;

/// What is said of a set of samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    pub samples: usize,
    pub median: f64,
    /// The interval's ends: samples themselves.
    pub low: f64,
    pub high: f64,
    /// The probability that the interval holds the median, 0 for a single sample.
    pub coverage: f64,
}

impl Summary {
    /// `None` without samples. Samples must be finite.
    #[must_use]
    pub fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let k = (1..=n / 2)
            .rev()
            .find(|k| coverage(n, *k) >= CONFIDENCE)
            .unwrap_or(1);
        Some(Self {
            samples: n,
            median: median(&sorted)?,
            low: sorted[k - 1],
            high: sorted[n - k],
            coverage: coverage(n, k),
        })
    }

    /// Of the quotients of two series, each taken in the same round: what slows a machine down for a while slows both
    /// sides, and the quotient less. `None` if they share no round.
    #[must_use]
    pub fn of_ratios(above: &[(u32, f64)], below: &[(u32, f64)]) -> Option<Self> {
        let in_round = |round: u32| below.iter().find(|(other, _)| *other == round);
        let ratios: Vec<f64> = above
            .iter()
            .filter_map(|(round, value)| in_round(*round).map(|(_, other)| value / other))
            .collect();
        Self::of(&ratios)
    }

    /// The same in another unit.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self {
            median: self.median * factor,
            low: self.low * factor,
            high: self.high * factor,
            ..self
        }
    }

    /// Whether the intervals have a value in common: then the difference may be noise.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

fn median(sorted: &[f64]) -> Option<f64> {
    let n = sorted.len();
    match n {
        0 => None,
        n if n % 2 == 1 => Some(sorted[n / 2]),
        n => Some(f64::midpoint(sorted[n / 2 - 1], sorted[n / 2])),
    }
}

/// The probability that the median lies between the k-th smallest and the k-th largest of n samples.
fn coverage(n: usize, k: usize) -> f64 {
    let mut probability = 0.5f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let mut below = 0.0;
    for i in 0..k {
        below += probability;
        probability *= (n - i) as f64 / (i + 1) as f64;
    }
    (1.0 - 2.0 * below).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_known_samples_has_the_ranks_of_the_tables() {
        // The ranks any table of the sign test gives for 95 %: n, k.
        for (n, k) in [
            (6, 1),
            (8, 1),
            (9, 2),
            (11, 2),
            (12, 3),
            (15, 4),
            (20, 6),
            (25, 8),
            (50, 18),
        ] {
            // Shuffled, so that sorting is the code's business.
            let samples: Vec<f64> = (0..n).map(|i| ((i * 7) % n + 1) as f64).collect();
            assert_eq!(
                samples.iter().sum::<f64>(),
                (n * (n + 1) / 2) as f64,
                "a permutation"
            );
            let summary = Summary::of(&samples).unwrap();
            assert_eq!(
                (summary.low, summary.high),
                (k as f64, (n + 1 - k) as f64),
                "{n}"
            );
            assert_eq!(summary.median, (n + 1) as f64 / 2.0);
            assert!(summary.coverage >= CONFIDENCE && coverage(n, k + 1) < CONFIDENCE);
        }
    }

    #[test]
    fn coverage_is_that_of_the_binomial() {
        assert_eq!(coverage(5, 1), 1.0 - 2.0 / 32.0);
        assert_eq!(coverage(9, 2), 1.0 - 2.0 * 10.0 / 512.0);
        assert_eq!(coverage(1, 1), 0.0);
    }

    #[test]
    fn a_few_samples_give_their_range_and_admit_that_it_is_not_sure_enough() {
        assert_eq!(Summary::of(&[]), None);
        let one = Summary::of(&[4.0]).unwrap();
        assert_eq!(
            (one.low, one.median, one.high, one.coverage),
            (4.0, 4.0, 4.0, 0.0)
        );
        let four = Summary::of(&[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!((four.low, four.median, four.high), (1.0, 2.5, 4.0));
        assert_eq!(four.coverage, 0.875);
    }

    #[test]
    fn ratios_pair_what_was_measured_in_the_same_round() {
        let ark = [(0, 100.0), (1, 300.0), (2, 110.0)];
        let ours = [(2, 10.0), (1, 30.0), (5, 1.0)];
        let ratio = Summary::of_ratios(&ark, &ours).unwrap();
        assert_eq!((ratio.samples, ratio.low, ratio.high), (2, 10.0, 11.0));
        assert_eq!(Summary::of_ratios(&ark, &[(7, 1.0)]), None);
    }

    #[test]
    fn touching_intervals_overlap_and_distant_ones_do_not() {
        let between = |low, high| Summary {
            samples: 9,
            median: low,
            low,
            high,
            coverage: 0.96,
        };
        assert!(between(1.0, 2.0).overlaps(&between(2.0, 3.0)));
        assert!(!between(1.0, 2.0).overlaps(&between(2.1, 3.0)));
        assert!(!between(2.1, 3.0).overlaps(&between(1.0, 2.0)));
    }
}
