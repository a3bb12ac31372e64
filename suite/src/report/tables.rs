//! The figures in tables: what the charts show, and everything else.

use super::text::{count, date, escaped, number};
use crate::cell::Suite;
use crate::machine::Clock;
use crate::ours::SUBJECT;
use crate::results::{CellResult, Results};

/// A column: its title, and whether it holds numbers.
type Column<'a> = (&'a str, bool);

fn table(columns: &[Column<'_>], rows: &[(bool, Vec<String>)]) -> String {
    let class = |number: bool| if number { " class=\"n\"" } else { "" };
    let head: String = columns
        .iter()
        .map(|(t, n)| format!("<th scope=\"col\"{}>{t}</th>", class(*n)))
        .collect();
    let row = |(own, cells): &(bool, Vec<String>)| {
        let cells: String = cells
            .iter()
            .zip(columns)
            .map(|(cell, (_, n))| format!("<td{}>{cell}</td>", class(*n)))
            .collect();
        format!(
            "<tr{}>{cells}</tr>\n",
            if *own { " class=\"own\"" } else { "" }
        )
    };
    let rows: String = rows.iter().map(row).collect();
    format!(
        "<div class=\"scroll\"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

pub fn figures(results: &Results) -> String {
    let suites = Suite::ALL.into_iter().rev().filter_map(|suite| {
        let cells = results.of_suite(suite);
        (!cells.is_empty()).then(|| format!("<h3>{suite}</h3>\n{}", of_suite(&cells)))
    });
    let tables: String = suites.collect();
    if tables.is_empty() {
        return String::new();
    }
    format!("{tables}<p class=\"note\">Medians; the raw samples are in results.json.</p>")
}

fn of_suite(cells: &[&CellResult]) -> String {
    let mut columns = vec![
        ("circuit", false),
        ("what", false),
        ("threads", true),
        ("who", false),
        ("median", true),
        ("interval", true),
        ("unit", false),
        ("samples", true),
        ("coverage", true),
    ];
    // Who is measured within this process has no memory of its own.
    if cells.iter().any(|c| c.memory_kib.is_some()) {
        columns.extend([("peak MiB", true), ("constraints/s per core", true)]);
    }
    let mut sorted = cells.to_vec();
    sorted.sort_by_key(|c| {
        let cell = &c.cell;
        (
            cell.instance.clone(),
            cell.metric,
            cell.threads,
            cell.subject != SUBJECT,
            cell.subject.clone(),
        )
    });
    let row = |c: &&CellResult| {
        let s = &c.summary;
        let cells = vec![
            escaped(&c.cell.instance),
            c.cell.metric.to_string(),
            c.cell.threads.to_string(),
            escaped(&c.cell.subject),
            number(s.median),
            format!("{} – {}", number(s.low), number(s.high)),
            escaped(&c.unit),
            s.samples.to_string(),
            format!("{:.0} %", s.coverage * 100.0),
            c.memory_kib
                .map_or(String::new(), |kib| number(kib as f64 / 1024.0)),
            c.constraints_per_second_per_core
                .map_or(String::new(), number),
        ];
        (
            c.cell.subject == SUBJECT && c.cell.suite == Suite::Prover,
            cells,
        )
    };
    table(&columns, &sorted.iter().map(row).collect::<Vec<_>>())
}

pub fn stages(cells: &[&CellResult], names: &[&str]) -> String {
    let escaped_names: Vec<String> = names.iter().map(|n| escaped(n)).collect();
    let mut columns = vec![("circuit", false), ("who", false)];
    columns.extend(escaped_names.iter().map(|n| (n.as_str(), true)));
    let row = |cell: &&CellResult| {
        let mut row = vec![escaped(&cell.cell.instance), escaped(&cell.cell.subject)];
        row.extend(names.iter().map(|name| {
            let stage = cell.stages.iter().find(|s| s.name == **name);
            stage.map_or(String::new(), |s| number(s.ms))
        }));
        (false, row)
    };
    let rows: Vec<_> = cells.iter().map(row).collect();
    format!(
        "{}<p class=\"note\">Milliseconds a proof, medians.</p>",
        table(&columns, &rows)
    )
}

pub fn instances(results: &Results) -> String {
    if results.instances.is_empty() {
        return String::new();
    }
    let columns = [
        ("circuit", false),
        ("rows", true),
        ("variables", true),
        ("domain", true),
        ("terms in A", true),
        ("in B", true),
        ("in C", true),
        ("terms a row", true),
        ("variables that are 0 or 1", true),
    ];
    let row = |i: &crate::results::InstanceFacts| {
        let f = &i.facts;
        let cells = vec![
            escaped(&i.name),
            count(f.constraints),
            count(f.variables),
            format!("2<sup>{}</sup>", f.domain.max(1).ilog2()),
            count(f.terms[0]),
            count(f.terms[1]),
            count(f.terms[2]),
            number(f.terms_per_row()),
            format!("{} %", number(f.bit_share() * 100.0)),
        ];
        (false, cells)
    };
    table(
        &columns,
        &results.instances.iter().map(row).collect::<Vec<_>>(),
    )
}

pub fn machine(results: &Results) -> String {
    let m = &results.machine;
    let rows = [
        ("processor", escaped(&m.cpu)),
        ("cores used", m.cores.to_string()),
        ("notable instructions", escaped(&m.features.join(", "))),
        ("kernels of our prover", escaped(&m.kernel_path)),
        ("memory", format!("{} MiB", count(m.memory_mib as usize))),
        (
            "system",
            format!("{}, Linux {}", escaped(&m.os), escaped(&m.kernel)),
        ),
        ("compiler", escaped(&m.rustc)),
        (
            "compiler flags",
            if m.rustflags.is_empty() {
                "none of our own".into()
            } else {
                escaped(&m.rustflags)
            },
        ),
    ];
    let facts = table(
        &[("", false), ("", false)],
        &rows.map(|(k, v)| (false, vec![k.to_owned(), v])),
    );
    let columns = [
        ("day (UTC)", false),
        ("second", true),
        ("clock loop, ms", true),
        ("reported MHz", true),
        ("load", true),
        ("stolen since boot", true),
    ];
    let start = results.clocks.first().map_or(0, |c| c.at);
    let optional = |v: Option<f64>, unit: &str| {
        v.map_or("not told".to_owned(), |v| format!("{}{unit}", number(v)))
    };
    let clock = |c: &Clock| {
        let cells = vec![
            date(c.at),
            count(c.at.saturating_sub(start) as usize),
            format!("{:.3}", c.loop_ms),
            optional(c.reported_mhz, ""),
            optional(c.load, ""),
            optional(c.stolen_percent, " %"),
        ];
        (false, cells)
    };
    let clocks: Vec<_> = results.clocks.iter().map(clock).collect();
    format!(
        "{facts}<h3>Its clock, at the begin and end of each session</h3>\n{}<p class=\"note\">The loop is a fixed chain of multiplications: its time changes with the processor's frequency and with nothing else that matters here.</p>",
        table(&columns, &clocks)
    )
}

pub fn not_run(results: &Results) -> String {
    let mut rows: Vec<(bool, Vec<String>)> = Vec::new();
    for fault in &results.faults {
        rows.push((
            false,
            vec![
                escaped(&fault.cell.to_string()),
                format!(
                    "<span class=\"warning\">{}</span>: {}",
                    escaped(&fault.fault),
                    escaped(&fault.detail)
                ),
            ],
        ));
    }
    for omission in &results.not_run {
        rows.push((false, vec![escaped(&omission.what), escaped(&omission.why)]));
    }
    if rows.is_empty() {
        return "<p>Everything that was asked for was measured.</p>".to_owned();
    }
    table(&[("what", false), ("why", false)], &rows)
}
