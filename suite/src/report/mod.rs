//! `report.html`: a run in one file that needs no network and no scripts.
//!
//! Invariants: 1. every text from outside (names, faults, the machine's facts) is escaped; 2. a chart's figures stand in
//! a table, too; 3. colour is never the only thing that tells two series apart. Made from results alone.

mod axis;
mod bars;
mod charts;
mod lines;
mod quantities;
mod tables;
pub(crate) mod text;
mod words;

use crate::results::Results;
use text::escaped;

const STYLE: &str = include_str!("style.css");

/// A titled part of the page.
struct Section {
    id: &'static str,
    title: &'static str,
    body: String,
}

/// The whole page.
#[must_use]
pub fn html(results: &Results) -> String {
    let sections = [
        section("summary", "In short", words::summary(results)),
        section("speed", "How many times as fast", charts::speedups(results)),
        section(
            "throughput",
            "Proofs a second by size",
            charts::throughput(results),
        ),
        section("cores", "Scaling with cores", charts::scaling(results)),
        section(
            "stages",
            "Where a proof's time goes",
            charts::stages(results),
        ),
        section("memory", "Memory", quantities::memory(results)),
        section(
            "cold",
            "A process that proves once",
            quantities::cold(results),
        ),
        section("figures", "All figures", tables::figures(results)),
        section("instances", "The circuits", tables::instances(results)),
        section("machine", "The machine", tables::machine(results)),
        section("method", "The method", words::method(results)),
        section("not-run", "What was not run", tables::not_run(results)),
    ];
    // What was not measured has no place on the page.
    let sections: Vec<Section> = sections.into_iter().flatten().collect();
    let link = |s: &Section| format!("<a href=\"#{}\">{}</a>", s.id, s.title);
    let links: Vec<String> = sections.iter().map(link).collect();
    let whole = |s: &Section| {
        format!(
            "<section id=\"{}\">\n<h2>{}</h2>\n{}\n</section>\n",
            s.id, s.title, s.body
        )
    };
    let body: String = sections.iter().map(whole).collect();
    let cpu = escaped(&results.machine.cpu);
    let state = if results.complete {
        ""
    } else {
        "<p class=\"warning\">This run is not complete: what follows rests on the samples taken so far.</p>\n"
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Ukehi benchmarks: {cpu}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>Ukehi benchmarks</h1>\n<p class=\"lead\">{cpu}, {cores} cores, {memory}. Ukehi {release}, {date}.</p>\n\
         <nav>{links}</nav>\n</header>\n<main>\n{state}{body}</main>\n</body>\n</html>\n",
        cores = results.machine.cores,
        memory = text::mebibytes(results.machine.memory_mib as f64),
        release = escaped(&results.release),
        date = text::date(results.clocks.last().map_or(0, |c| c.at)),
        links = links.join(" "),
    )
}

fn section(id: &'static str, title: &'static str, body: String) -> Option<Section> {
    (!body.is_empty()).then_some(Section { id, title, body })
}

#[cfg(test)]
mod tests;
