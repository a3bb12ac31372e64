//! How many times as fast ours is as each peer, on the same instance with as many threads.
//!
//! For throughput either side has two ways to use T threads: T proofs at a time, or all threads on one proof after the
//! other. Each side is taken the way that is better for it, and the result says which.

use crate::cell::{Metric, Suite};
use crate::ours::OURS;
use crate::results::CellResult;
use crate::statistics::Summary;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speedup {
    /// Which of ours.
    pub subject: String,
    pub instance: String,
    pub kind: Kind,
    pub threads: usize,
    pub peer: String,
    pub our_way: Way,
    pub peer_way: Way,
    /// Above 1 ours is faster. Of the quotients of samples of the same round.
    pub ratio: Summary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Throughput,
    Latency,
    Cold,
}

/// How a side used its threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    ProofPerThread,
    AllThreadsOnOne,
}

/// Whose, on which instance, what, with how many threads.
type Question = (String, String, Kind, usize);

/// One side's proofs a second by round.
pub struct Rate<'a> {
    pub cell: &'a CellResult,
    pub way: Way,
    pub series: Vec<(u32, f64)>,
    pub summary: Summary,
}

impl Speedup {
    #[must_use]
    pub fn all(cells: &[CellResult]) -> Vec<Self> {
        let is_ours = |c: &&CellResult| OURS.contains(&c.cell.subject.as_str());
        let ours = cells
            .iter()
            .filter(|c| c.cell.suite == Suite::Prover)
            .filter(is_ours);
        let mut keys: Vec<Question> = ours
            .flat_map(|c| {
                let cell = &c.cell;
                let kinds: &[Kind] = match cell.metric {
                    Metric::Latency => &[Kind::Throughput, Kind::Latency],
                    Metric::Throughput => &[Kind::Throughput],
                    Metric::Cold => &[Kind::Cold],
                    _ => &[],
                };
                let key = |kind: &Kind| {
                    (
                        cell.subject.clone(),
                        cell.instance.clone(),
                        *kind,
                        cell.threads,
                    )
                };
                kinds.iter().map(key).collect::<Vec<_>>()
            })
            .collect();
        keys.sort();
        keys.dedup();
        // On one thread latency and throughput are the same question.
        keys.retain(|(_, _, kind, threads)| *kind != Kind::Latency || *threads > 1);
        let against = |key: &Question| -> Vec<Self> {
            let peers = peers(cells, &key.1);
            peers
                .iter()
                .filter_map(|peer| Self::of(cells, key, peer))
                .collect()
        };
        keys.iter().flat_map(against).collect()
    }

    fn of(
        cells: &[CellResult],
        (ours, instance, kind, threads): &Question,
        peer: &str,
    ) -> Option<Self> {
        let side = |subject: &str| match kind {
            Kind::Throughput => best_rate(cells, instance, subject, *threads),
            Kind::Latency => rate(cells, instance, subject, Metric::Latency, *threads),
            Kind::Cold => rate(cells, instance, subject, Metric::Cold, *threads),
        };
        let (mine, theirs) = (side(ours)?, side(peer)?);
        Some(Self {
            subject: ours.clone(),
            instance: instance.clone(),
            kind: *kind,
            threads: *threads,
            peer: peer.to_owned(),
            our_way: mine.way,
            peer_way: theirs.way,
            ratio: Summary::of_ratios(&mine.series, &theirs.series)?,
        })
    }
}

/// Everybody else with a figure on the instance.
fn peers(cells: &[CellResult], instance: &str) -> Vec<String> {
    let of_instance = cells
        .iter()
        .filter(|c| c.cell.suite == Suite::Prover && c.cell.instance == instance);
    let mut names: Vec<String> = of_instance.map(|c| c.cell.subject.clone()).collect();
    names.retain(|name| !OURS.contains(&name.as_str()));
    names.sort();
    names.dedup();
    names
}

/// Proofs a second of a subject with so many threads, the better of its two ways.
#[must_use]
pub fn best_rate<'a>(
    cells: &'a [CellResult],
    instance: &str,
    subject: &str,
    threads: usize,
) -> Option<Rate<'a>> {
    let ways = [Metric::Throughput, Metric::Latency];
    let rates = ways
        .iter()
        .filter_map(|metric| rate(cells, instance, subject, *metric, threads));
    rates.max_by(|a, b| a.summary.median.total_cmp(&b.summary.median))
}

fn rate<'a>(
    cells: &'a [CellResult],
    instance: &str,
    subject: &str,
    metric: Metric,
    threads: usize,
) -> Option<Rate<'a>> {
    let cell = cells.iter().find(|c| {
        let cell = &c.cell;
        cell.suite == Suite::Prover
            && cell.instance == instance
            && cell.subject == subject
            && cell.metric == metric
            && cell.threads == threads
    })?;
    let per_second = |value: f64| match metric {
        Metric::Throughput => value,
        _ => 1e3 / value,
    };
    let series: Vec<(u32, f64)> = cell
        .raw
        .iter()
        .map(|s| (s.round, per_second(s.value)))
        .collect();
    let values: Vec<f64> = series.iter().map(|(_, v)| *v).collect();
    Some(Rate {
        cell,
        way: if metric == Metric::Throughput {
            Way::ProofPerThread
        } else {
            Way::AllThreadsOnOne
        },
        summary: Summary::of(&values)?,
        series,
    })
}
