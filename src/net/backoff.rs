//! How long to wait before trying again: doubling, bounded, jittered.
//!
//! Invariant: every delay is between half the current step and the whole of it, and never more
//! than the maximum, so nodes that failed together do not retry together.

use std::time::Duration;

pub(super) struct Backoff {
    first: Duration,
    max: Duration,
    step: Duration,
}

impl Backoff {
    pub(super) fn new(first: Duration, max: Duration) -> Self {
        Self {
            first,
            max,
            step: first,
        }
    }

    pub(super) fn reset(&mut self) {
        self.step = self.first;
    }

    pub(super) fn next(&mut self) -> Duration {
        // Without entropy there is no jitter, which costs a collision and nothing else.
        let entropy = getrandom::u32().unwrap_or(u32::MAX);
        self.next_with(entropy)
    }

    fn next_with(&mut self, entropy: u32) -> Duration {
        let half = self.step / 2;
        let delay = half + half.mul_f64(f64::from(entropy) / f64::from(u32::MAX));
        self.step = (self.step * 2).min(self.max);
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_maximum_and_start_again_after_a_reset() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(100), ms(350));
        let delays: Vec<_> = (0..4).map(|_| backoff.next_with(u32::MAX)).collect();
        assert_eq!(delays, [ms(100), ms(200), ms(350), ms(350)]);
        backoff.reset();
        assert_eq!(backoff.next_with(0), ms(50));
    }
}
