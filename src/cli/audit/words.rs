//! An audit's report in words.

use crate::audit::{Comparison, Readable, Report};

pub fn readable(readable: &Readable) -> String {
    let mut text = format!(
        "\nreadable    {} batches, with the epoch keys in --keys",
        readable.readable_entries
    );
    for closed in &readable.closed_epochs {
        let mut places: Vec<String> = closed
            .ranges
            .iter()
            .map(|(from, to)| match from == to {
                true => from.to_string(),
                false => format!("{from} to {to}"),
            })
            .collect();
        if closed.more_ranges > 0 {
            places.push(format!("{} more runs", closed.more_ranges));
        }
        text.push_str(&format!(
            "\nclosed      {} batches of keyspace {} epoch {}: nobody here can open entries {}",
            closed.entries,
            closed.keyspace,
            closed.epoch,
            places.join(", ")
        ));
    }
    text
}

pub fn report(report: &Report) -> String {
    let cosigners: Vec<String> = report
        .cosigners
        .iter()
        .map(|c| format!("node {}", c.node))
        .collect();
    let outcomes: Vec<String> = report
        .tally
        .outcomes
        .iter()
        .map(|o| format!("{} {}", o.batches, o.outcome))
        .collect();
    let mut lines = vec![
        "VERIFIED, with no decryption key and no node".to_owned(),
        format!("cluster     {}", report.cluster),
        format!(
            "entries     {}..{} of {}",
            report.from, report.to, report.size
        ),
        format!("root        {}", hex::encode(report.root)),
        format!(
            "cosigned    {} ({} of {} needed)",
            cosigners.join(", "),
            cosigners.len(),
            report.majority
        ),
        format!(
            "batches     {} ({}), {} commands applied, {} authors",
            report.tally.batches,
            outcomes.join(", "),
            report.tally.commands_applied,
            report.tally.authors.len()
        ),
        format!(
            "outcomes    {}",
            if report.outcomes_recomputed {
                "recomputed from the entries"
            } else {
                "not recomputed: that needs the trail from genesis on"
            }
        ),
    ];
    for supply in &report.supply {
        lines.push(format!(
            "supply      {} in {} mints of {} in keyspace {}",
            supply.value, supply.mints, supply.family, supply.keyspace
        ));
    }
    match report.comparison {
        Some(Comparison::Agrees { size }) => {
            lines.push(format!(
                "compared    the other checkpoint, of size {size}, agrees"
            ));
        }
        Some(Comparison::NotComparable { size }) => lines.push(format!(
            "compared    the other checkpoint, of size {size}, cannot be compared with this bundle"
        )),
        None => {}
    }
    lines.push(match report.insecure_circuits.len() {
        0 => "set-ups     no circuit is INSECURE: all come from ceremonies".to_owned(),
        circuits => format!(
            "WARNING     {circuits} circuits come from an INSECURE set-up: whoever ran it can forge proofs"
        ),
    });
    lines.extend(
        report
            .limits
            .iter()
            .map(|limit| format!("not shown   {limit}")),
    );
    lines.join("\n")
}
