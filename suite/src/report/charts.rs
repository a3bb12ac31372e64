//! Which charts a run has, from its cells.

use super::axis::Scale;
use super::bars::{Bar, BarChart, Group, Part};
use super::lines::{Curve, LineChart, Point};
use super::text::number;
use crate::cell::Suite;
use crate::instance::{Family, size_of};
use crate::ours::{PORTABLE, SUBJECT};
use crate::results::{CellResult, Results};
use crate::speedup::{Kind, Rate, best_rate};

/// Subjects in the order of their styles: ours first, then by name.
pub fn subjects(results: &Results) -> Vec<String> {
    let of_provers = results.of_suite(Suite::Prover);
    let mut names: Vec<String> = of_provers.iter().map(|c| c.cell.subject.clone()).collect();
    names.sort_by_key(|name| (name != SUBJECT, name.clone()));
    names.dedup();
    names
}

/// Those with figures: the families by size, then the other circuits.
pub fn instances(results: &Results) -> Vec<String> {
    let has_figures = |name: &String| {
        let of_provers = results.of_suite(Suite::Prover);
        of_provers.iter().any(|c| c.cell.instance == *name)
    };
    let names = results.instances.iter().map(|i| i.name.clone());
    let mut names: Vec<String> = names.filter(has_figures).collect();
    names.sort_by_key(|name| (size_of(name).is_none(), size_of(name)));
    names
}

fn most_threads(results: &Results) -> usize {
    results.config.threads.iter().copied().max().unwrap_or(1)
}

pub fn style(subjects: &[String], name: &str) -> usize {
    subjects.iter().position(|s| s == name).unwrap_or(0)
}

pub fn one_part(value: f64, style: usize, name: &str) -> Vec<Part> {
    vec![Part {
        value,
        style,
        name: name.to_owned(),
    }]
}

pub fn speedups(results: &Results) -> String {
    let subjects = subjects(results);
    let chart = |subject: &str, kind: Kind, threads: usize, title: String| {
        let of_kind = |s: &&crate::speedup::Speedup| {
            s.subject == subject && s.kind == kind && s.threads == threads
        };
        let group = |instance: String| {
            let of_instance = results
                .speedups
                .iter()
                .filter(of_kind)
                .filter(|s| s.instance == instance);
            let bars: Vec<Bar> = of_instance
                .map(|s| Bar {
                    name: s.peer.clone(),
                    parts: one_part(s.ratio.median, style(&subjects, &s.peer), &s.peer),
                    whisker: Some((s.ratio.low, s.ratio.high)),
                    label: format!("{}×", number(s.ratio.median)),
                })
                .collect();
            Group {
                name: instance,
                bars,
            }
        };
        let groups: Vec<Group> = instances(results)
            .into_iter()
            .map(group)
            .filter(|g| !g.bars.is_empty())
            .collect();
        (!groups.is_empty()).then(|| {
            BarChart {
                title,
                label: "times as fast as the peer",
                groups,
                line: Some(1.0),
            }
            .html()
        })
    };
    let most = most_threads(results);
    let charts: Vec<String> = [
        chart(
            SUBJECT,
            Kind::Throughput,
            most,
            format!("Proofs a second, {}", threads(most)),
        ),
        chart(
            SUBJECT,
            Kind::Throughput,
            1,
            "Proofs a second, one thread".to_owned(),
        )
        .filter(|_| most > 1),
        chart(
            SUBJECT,
            Kind::Latency,
            most,
            format!("Time to one proof, {}", threads(most)),
        ),
        chart(
            PORTABLE,
            Kind::Throughput,
            most,
            format!("Portable kernels, proofs a second, {}", threads(most)),
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    if charts.is_empty() {
        return String::new();
    }
    format!(
        "<p>Above 1, the dashed line, ours is faster. Whiskers are intervals of the median.</p>\n<div class=\"charts\">{}</div>",
        charts.join("\n")
    )
}

pub fn threads(count: usize) -> String {
    if count == 1 {
        "one thread".to_owned()
    } else {
        format!("{count} threads")
    }
}

pub fn throughput(results: &Results) -> String {
    let most = most_threads(results);
    let charts: Vec<String> = Family::ALL
        .iter()
        .filter_map(|f| by_size(results, *f, most))
        .collect();
    if charts.is_empty() {
        return String::new();
    }
    format!(
        "<p>With {}, each prover the way that is better for it. Both axes are logarithmic.</p>\n<div class=\"charts\">{}</div>",
        threads(most),
        charts.join("\n")
    )
}

fn by_size(results: &Results, family: Family, threads: usize) -> Option<String> {
    let sizes: Vec<u32> = instances(results)
        .iter()
        .filter_map(|i| {
            size_of(i)
                .filter(|(f, _)| *f == family)
                .map(|(_, size)| size)
        })
        .collect();
    let x = |size: &u32| (f64::from(*size), *size);
    let curves = curves(results, sizes.iter().map(x), |subject, size| {
        best_rate(&results.cells, &family.at(*size), subject, threads)
    });
    let values: Vec<f64> = curves
        .iter()
        .flat_map(|c| &c.points)
        .flat_map(|p| [p.low, p.high])
        .collect();
    let (first, last) = (sizes.iter().min()?, sizes.iter().max()?);
    (!curves.is_empty()).then(|| {
        LineChart {
            title: describe(family).to_owned(),
            x_label: "size of the domain (rows)",
            y_label: "proofs a second",
            x_ticks: (*first..=*last)
                .map(|s| (f64::from(s), power_of_two(s)))
                .collect(),
            y: Scale::log_around(values),
            curves,
            ideal: None,
        }
        .html()
    })
}

fn power_of_two(size: u32) -> String {
    format!("2<tspan dy=\"-5\" font-size=\"75%\">{size}</tspan>")
}

fn describe(family: Family) -> &'static str {
    match family {
        Family::Poseidon => "Poseidon chain: dense rows",
        Family::Sha => "SHA-256-like: bits",
        Family::Sparse => "Products: sparse rows",
    }
}

/// A chart for the largest circuit of each family, or without families for the last circuit.
pub fn scaling(results: &Results) -> String {
    let instances = instances(results);
    if results.config.threads.len() < 2 || instances.is_empty() {
        return String::new();
    }
    let largest = |family: Family| {
        let of_family = instances
            .iter()
            .rfind(|i| size_of(i).is_some_and(|(f, _)| f == family));
        of_family.cloned()
    };
    let mut shown: Vec<String> = Family::ALL.into_iter().filter_map(largest).collect();
    if shown.is_empty() {
        shown.extend(instances.last().cloned());
    }
    let charts: Vec<String> = shown.iter().map(|i| by_threads(results, i)).collect();
    format!("<div class=\"charts\">{}</div>", charts.join("\n"))
}

fn by_threads(results: &Results, instance: &str) -> String {
    let counts = &results.config.threads;
    let x = |count: &usize| (*count as f64, *count);
    let curves = curves(results, counts.iter().map(x), |subject, count| {
        best_rate(&results.cells, instance, subject, *count)
    });
    let own = curves.iter().find(|c| c.own).and_then(|c| c.points.first());
    let most = most_threads(results) as f64;
    let ideal = own.map(|p| [(p.x, p.y), (most, p.y * most / p.x)]);
    let highest = curves.iter().flat_map(|c| &c.points).map(|p| p.high);
    let y = Scale::from_zero(highest.chain(ideal.map(|i| i[1].1)));
    LineChart {
        title: instance.to_owned(),
        x_label: "threads",
        y_label: "proofs a second",
        x_ticks: counts.iter().map(|c| (*c as f64, c.to_string())).collect(),
        y,
        curves,
        ideal,
    }
    .html()
}

/// A curve for each subject that has a rate at some of these places: where it is drawn, and what it is.
fn curves<'a, T>(
    results: &Results,
    places: impl Iterator<Item = (f64, T)>,
    rate: impl Fn(&str, &T) -> Option<Rate<'a>>,
) -> Vec<Curve> {
    let places: Vec<(f64, T)> = places.collect();
    let subjects = subjects(results);
    let curve = |subject: &String| {
        let points = places.iter().filter_map(|(x, place)| {
            let rate = rate(subject, place)?.summary;
            Some(Point {
                x: *x,
                y: rate.median,
                low: rate.low,
                high: rate.high,
            })
        });
        let points: Vec<Point> = points.collect();
        (!points.is_empty()).then(|| Curve {
            name: subject.clone(),
            style: style(&subjects, subject),
            own: subject == SUBJECT,
            points,
        })
    };
    subjects.iter().filter_map(curve).collect()
}

pub fn stages(results: &Results) -> String {
    let cells = results.staged();
    if cells.is_empty() {
        return String::new();
    }
    let mut names: Vec<&str> = Vec::new();
    for stage in cells.iter().flat_map(|c| &c.stages) {
        if !names.contains(&stage.name.as_str()) {
            names.push(&stage.name);
        }
    }
    let part_style = |name: &str| names.iter().position(|n| *n == name).unwrap_or(0);
    let bar = |cell: &&CellResult| {
        let total: f64 = cell.stages.iter().map(|s| s.ms).sum();
        let part = |stage: &crate::results::Stage| Part {
            value: stage.ms / total * 100.0,
            style: part_style(&stage.name),
            name: stage.name.clone(),
        };
        Bar {
            name: cell.cell.instance.clone(),
            parts: cell.stages.iter().map(part).collect(),
            whisker: None,
            label: format!("{} ms", number(total)),
        }
    };
    let mut who: Vec<&str> = cells.iter().map(|c| c.cell.subject.as_str()).collect();
    who.sort_unstable();
    who.dedup();
    let group = |subject: &&str| Group {
        name: (*subject).to_owned(),
        bars: cells
            .iter()
            .filter(|c| c.cell.subject == **subject)
            .map(bar)
            .collect(),
    };
    let chart = BarChart {
        title: "Shares of a proof's time on one thread".to_owned(),
        label: "percent of the time",
        groups: who.iter().map(group).collect(),
        line: None,
    };
    format!(
        "<div class=\"charts\">{}</div>\n{}",
        chart.html(),
        super::tables::stages(&cells, &names)
    )
}
