//! Charts of what less of is better, a bar a subject: memory, and whole processes.

use super::bars::{Bar, BarChart, Group};
use super::charts::{instances, one_part, style, subjects};
use super::text::{mebibytes, number};
use crate::cell::Metric;
use crate::results::Results;

/// A bar a subject, a group an instance; for quantities of which less is better.
fn by_instance(
    results: &Results,
    title: &str,
    label: &'static str,
    value: impl Fn(&str, &str) -> Option<(f64, Option<(f64, f64)>, String)>,
) -> Option<String> {
    let subjects = subjects(results);
    let group = |instance: String| {
        let bars = subjects.iter().filter_map(|subject| {
            let (value, whisker, label) = value(&instance, subject)?;
            let parts = one_part(value, style(&subjects, subject), subject);
            Some(Bar {
                name: subject.clone(),
                parts,
                whisker,
                label,
            })
        });
        Group {
            bars: bars.collect(),
            name: instance.clone(),
        }
    };
    let groups: Vec<Group> = instances(results)
        .into_iter()
        .map(group)
        .filter(|g| !g.bars.is_empty())
        .collect();
    let title = title.to_owned();
    (!groups.is_empty()).then(|| {
        BarChart {
            title,
            label,
            groups,
            line: None,
        }
        .html()
    })
}

pub fn memory(results: &Results) -> String {
    let chart = |title: &str, cold: bool| {
        by_instance(results, title, "MiB", |instance, subject| {
            let cells = results.cells.iter().filter(|c| {
                c.cell.instance == instance
                    && c.cell.subject == subject
                    && (c.cell.metric == Metric::Cold) == cold
            });
            let mib = cells.filter_map(|c| c.memory_kib).max()? as f64 / 1024.0;
            Some((mib, None, mebibytes(mib)))
        })
    };
    let charts: Vec<String> = [
        chart("Peak while proving, loaded before", false),
        chart("Peak of a process that proves once", true),
    ]
    .into_iter()
    .flatten()
    .collect();
    if charts.is_empty() {
        return String::new();
    }
    format!(
        "<p>Resident memory of the prover's own process, its key included. A whole process's peak includes what reading the key took.</p>\n<div class=\"charts\">{}</div>",
        charts.join("\n")
    )
}

pub fn cold(results: &Results) -> String {
    let chart = by_instance(results, "From start to end", "ms", |instance, subject| {
        let cell = results.cells.iter().find(|c| {
            c.cell.metric == Metric::Cold
                && c.cell.instance == instance
                && c.cell.subject == subject
        })?;
        let s = &cell.summary;
        Some((
            s.median,
            Some((s.low, s.high)),
            format!("{} ms", number(s.median)),
        ))
    });
    match chart {
        None => String::new(),
        Some(chart) => format!(
            "<p>A process is started, reads key and witness from files, proves, writes the proof and ends. What is checked while reading differs: see the method.</p>\n<div class=\"charts\">{chart}</div>"
        ),
    }
}
