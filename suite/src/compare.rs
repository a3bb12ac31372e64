//! Two results beside each other: what differs beyond noise.
//!
//! A difference is beyond noise if the two intervals have no value in common. Invariant: what is in one result only is
//! listed, never passed over.

use crate::cell::Cell;
use crate::machine::Machine;
use crate::results::{CellResult, Results, SCHEMA};
use serde::Serialize;

pub const COMPARISON_SCHEMA: &str = "ukehi/bench-compare/v1";
/// What is read of a results file.
pub const MAX_RESULTS_BYTES: usize = 256 << 20;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    pub schema: &'static str,
    pub bound_percent: f64,
    pub changes: Vec<Change>,
    /// Cells whose intervals overlap.
    pub within_noise: usize,
    pub only_before: Vec<Cell>,
    pub only_after: Vec<Cell>,
    /// Changes for the worse by more than the bound.
    pub regressions: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    pub cell: Cell,
    pub unit: String,
    pub before: f64,
    pub after: f64,
    /// How much worse, in percent of before; negative is better.
    pub worse_percent: f64,
    pub over_bound: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    #[error("{file}: {reason}")]
    Unreadable { file: String, reason: String },
    #[error("{file} has the schema {found:?}, this release compares {SCHEMA}")]
    Schema { file: String, found: String },
    #[error("the results are of different machines: {}", differences.join("; "))]
    Machines { differences: Vec<String> },
}

/// Reads a results file.
pub fn read(file: &str, bytes: &[u8]) -> Result<Results, CompareError> {
    let unreadable = |reason: String| CompareError::Unreadable {
        file: file.to_owned(),
        reason,
    };
    if bytes.len() > MAX_RESULTS_BYTES {
        return Err(unreadable(format!(
            "{} bytes, at most {MAX_RESULTS_BYTES} are read",
            bytes.len()
        )));
    }
    // The schema first: a file of another one fails in many ways, none of which is its point.
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|e| unreadable(e.to_string()))?;
    let schema = value
        .get("schema")
        .and_then(|s| s.as_str())
        .unwrap_or_default();
    if schema != SCHEMA {
        return Err(CompareError::Schema {
            file: file.to_owned(),
            found: schema.to_owned(),
        });
    }
    serde_json::from_value(value).map_err(|e| unreadable(e.to_string()))
}

impl Comparison {
    /// # Errors
    /// [`CompareError::Machines`] unless `any_machine`.
    pub fn new(
        before: &Results,
        after: &Results,
        bound_percent: f64,
        any_machine: bool,
    ) -> Result<Self, CompareError> {
        let differences = machine_differences(&before.machine, &after.machine);
        if !differences.is_empty() && !any_machine {
            return Err(CompareError::Machines { differences });
        }
        let mut changes = Vec::new();
        let mut within_noise = 0;
        let mut only_before = Vec::new();
        for old in &before.cells {
            match after.cells.iter().find(|new| new.cell == old.cell) {
                None => only_before.push(old.cell.clone()),
                Some(new) if old.summary.overlaps(&new.summary) => within_noise += 1,
                Some(new) => changes.push(Change::new(old, new, bound_percent)),
            }
        }
        let is_new = |new: &&CellResult| before.cells.iter().all(|old| old.cell != new.cell);
        let only_after = after
            .cells
            .iter()
            .filter(is_new)
            .map(|new| new.cell.clone())
            .collect();
        changes.sort_by(|a, b| b.worse_percent.total_cmp(&a.worse_percent));
        Ok(Self {
            schema: COMPARISON_SCHEMA,
            bound_percent,
            regressions: changes.iter().filter(|c| c.over_bound).count(),
            changes,
            within_noise,
            only_before,
            only_after,
        })
    }
}

impl Change {
    fn new(old: &CellResult, new: &CellResult, bound_percent: f64) -> Self {
        let (before, after) = (old.summary.median, new.summary.median);
        let more = (after - before) / before * 100.0;
        let worse_percent = if old.more_is_better { -more } else { more };
        Self {
            cell: old.cell.clone(),
            unit: old.unit.clone(),
            before,
            after,
            worse_percent,
            over_bound: worse_percent > bound_percent,
        }
    }
}

/// A compiler or a kernel's version may be what is compared; a processor is not.
fn machine_differences(before: &Machine, after: &Machine) -> Vec<String> {
    let facts = |m: &Machine| {
        [
            ("processor", m.cpu.clone()),
            ("cores", m.cores.to_string()),
            ("instructions", m.features.join(" ")),
            ("memory in MiB", m.memory_mib.to_string()),
        ]
    };
    let pairs = facts(before).into_iter().zip(facts(after));
    let differing = pairs.filter(|((_, old), (_, new))| old != new);
    differing
        .map(|((what, old), (_, new))| format!("{what}: {old:?} and {new:?}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Metric;
    use crate::testing::{measured, results};

    /// Results with one cell of these samples for each subject and metric.
    fn file(cells: &[(&str, Metric, [f64; 7])]) -> Results {
        let records: Vec<_> = cells
            .iter()
            .flat_map(|(subject, metric, samples)| {
                (0..)
                    .zip(samples)
                    .map(|(round, value)| measured(subject, *metric, 2, round, *value))
            })
            .collect();
        results(&records)
    }

    const STEADY: [f64; 7] = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0];
    const SLOWER: [f64; 7] = [120.0, 121.0, 122.0, 123.0, 124.0, 125.0, 126.0];
    const NOISY: [f64; 7] = [80.0, 90.0, 105.0, 118.0, 120.0, 125.0, 140.0];

    fn compared(before: &Results, after: &Results, bound: f64) -> Comparison {
        Comparison::new(before, after, bound, false).unwrap()
    }

    #[test]
    fn a_regression_is_seen_in_the_direction_that_its_unit_has() {
        let (steady, slower) = (
            file(&[
                ("ukehi", Metric::Latency, STEADY),
                ("ukehi", Metric::Throughput, STEADY),
            ]),
            file(&[
                ("ukehi", Metric::Latency, SLOWER),
                ("ukehi", Metric::Throughput, SLOWER),
            ]),
        );
        let there = compared(&steady, &slower, 5.0);
        assert_eq!((there.changes.len(), there.regressions), (2, 1));
        let worst = &there.changes[0];
        assert_eq!(worst.cell.metric, Metric::Latency);
        assert!((worst.worse_percent - 19.417).abs() < 0.001, "{worst:?}");
        // The same the other way round: more milliseconds became fewer, more proofs a second became fewer.
        let back = compared(&slower, &steady, 5.0);
        assert_eq!(
            (back.regressions, back.changes[0].cell.metric),
            (1, Metric::Throughput)
        );
    }

    #[test]
    fn a_bound_lets_smaller_regressions_pass_and_an_improvement_is_none() {
        let (steady, slower) = (
            file(&[("ukehi", Metric::Latency, STEADY)]),
            file(&[("ukehi", Metric::Latency, SLOWER)]),
        );
        assert_eq!(compared(&steady, &slower, 25.0).regressions, 0);
        assert_eq!(compared(&steady, &slower, 25.0).changes.len(), 1);
        assert_eq!(compared(&slower, &steady, 0.0).regressions, 0);
    }

    #[test]
    fn noise_is_no_change_however_far_the_medians_are_apart() {
        let (steady, noisy) = (
            file(&[("ukehi", Metric::Latency, STEADY)]),
            file(&[("ukehi", Metric::Latency, NOISY)]),
        );
        let comparison = compared(&steady, &noisy, 0.0);
        assert_eq!((comparison.changes.len(), comparison.within_noise), (0, 1));
    }

    #[test]
    fn cells_of_one_side_only_are_listed() {
        let (one, two) = (
            file(&[
                ("ukehi", Metric::Latency, STEADY),
                ("ark", Metric::Latency, STEADY),
            ]),
            file(&[
                ("ukehi", Metric::Latency, STEADY),
                ("taceo", Metric::Latency, STEADY),
            ]),
        );
        let comparison = compared(&one, &two, 0.0);
        assert_eq!(comparison.only_before[0].subject, "ark");
        assert_eq!(comparison.only_after[0].subject, "taceo");
        assert_eq!(comparison.within_noise, 1);
    }

    #[test]
    fn another_machine_is_refused_unless_it_is_asked_for() {
        let before = file(&[("ukehi", Metric::Latency, STEADY)]);
        let mut after = before.clone();
        after.machine.rustc = "rustc 2".into();
        assert!(
            Comparison::new(&before, &after, 0.0, false).is_ok(),
            "a compiler may be compared"
        );
        after.machine.cores = 64;
        let refused = Comparison::new(&before, &after, 0.0, false)
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("cores") && refused.contains("64"),
            "{refused}"
        );
        assert!(Comparison::new(&before, &after, 0.0, true).is_ok());
    }

    #[test]
    fn a_file_of_another_schema_or_none_is_refused_by_name() {
        let good = serde_json::to_vec(&file(&[("ukehi", Metric::Latency, STEADY)])).unwrap();
        assert!(read("a.json", &good).is_ok());
        let quick = br#"{"schema": "ukehi/bench-quick/v1", "figures": []}"#;
        let refused = read("b.json", quick).unwrap_err().to_string();
        assert!(
            refused.contains("b.json") && refused.contains("bench-quick"),
            "{refused}"
        );
        assert!(matches!(
            read("c.json", b"{"),
            Err(CompareError::Unreadable { .. })
        ));
        let text =
            String::from_utf8(good)
                .unwrap()
                .replacen("\"samples\":7", "\"samples\":\"many\"", 1);
        assert!(matches!(
            read("d.json", text.as_bytes()),
            Err(CompareError::Unreadable { .. })
        ));
    }
}
