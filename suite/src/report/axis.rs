//! Scales from values to pixels, with the values worth a grid line.

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    Linear {
        low: f64,
        high: f64,
    },
    /// Of positive values.
    Log {
        low: f64,
        high: f64,
    },
}

impl Scale {
    /// From zero to a little above the largest value.
    pub fn from_zero(values: impl IntoIterator<Item = f64>) -> Self {
        let high = values.into_iter().fold(0.0, f64::max);
        Scale::Linear {
            low: 0.0,
            high: if high > 0.0 { high * 1.05 } else { 1.0 },
        }
    }

    /// Around positive values, with some room.
    pub fn log_around(values: impl IntoIterator<Item = f64>) -> Self {
        let ends = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
        let positive = values.into_iter().filter(|v| *v > 0.0 && v.is_finite());
        let (low, high) = positive.fold((f64::INFINITY, 0.0), ends);
        if high <= 0.0 {
            return Scale::Log {
                low: 1.0,
                high: 10.0,
            };
        }
        Scale::Log {
            low: low / 1.4,
            high: high * 1.4,
        }
    }

    /// Where a value lies, 0 to 1.
    pub fn at(self, value: f64) -> f64 {
        let share = match self {
            Scale::Linear { low, high } => (value - low) / (high - low),
            Scale::Log { low, high } => (value / low).ln() / (high / low).ln(),
        };
        share.clamp(0.0, 1.0)
    }

    /// Round values for grid lines, some four to eight.
    pub fn ticks(self) -> Vec<f64> {
        match self {
            Scale::Linear { low, high } => linear_ticks(low, high),
            Scale::Log { low, high } => log_ticks(low, high),
        }
    }
}

fn linear_ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|m| m * power >= rough)
        .unwrap_or(10.0)
        * power;
    let first = (low / step).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let decades = first_decade(low)..=high.log10().floor() as i32;
    // Few decades have room for more than their powers of ten.
    let multiples: &[f64] = match decades.clone().count() {
        0..=2 => &[1.0, 2.0, 5.0],
        3 | 4 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let all = decades.flat_map(|d| multiples.iter().map(move |m| m * 10f64.powi(d)));
    all.filter(|v| (low..=high).contains(v)).collect()
}

fn first_decade(low: f64) -> i32 {
    low.log10().floor() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_scale() {
        let linear = Scale::from_zero([3.0, 87.0]);
        assert_eq!(linear.ticks(), [0.0, 20.0, 40.0, 60.0, 80.0]);
        let log = Scale::log_around([2.0, 900.0]);
        assert_eq!(log.ticks(), [3.0, 10.0, 30.0, 100.0, 300.0, 1000.0]);
        for scale in [linear, log, Scale::from_zero([]), Scale::log_around([])] {
            for tick in scale.ticks() {
                assert!((0.0..=1.0).contains(&scale.at(tick)), "{scale:?} {tick}");
            }
            assert!(scale.ticks().len() >= 2, "{scale:?}");
        }
    }

    #[test]
    fn equal_factors_are_equal_distances_on_a_log_scale() {
        let log = Scale::Log {
            low: 1.0,
            high: 100.0,
        };
        assert!((log.at(10.0) - 0.5).abs() < 1e-12);
        assert_eq!((log.at(1.0), log.at(100.0), log.at(1e9)), (0.0, 1.0, 1.0));
    }
}
