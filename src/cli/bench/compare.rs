//! `ukehi bench compare`.

use super::args::CompareArgs;
use crate::cli::output::{Output, table};
use crate::error::{ExitCode, Failure};
use std::path::Path;
use ukehi_suite::compare::{CompareError, Comparison, MAX_RESULTS_BYTES, read};
use ukehi_suite::results::Results;

pub fn run(args: &CompareArgs, output: &Output) -> Result<(), Failure> {
    if !args.bound.is_finite() || args.bound < 0.0 {
        return Err(Failure::usage(
            "--bound is a percentage of 0 or more",
            "example: --bound 5",
        ));
    }
    let (before, after) = (load(&args.before)?, load(&args.after)?);
    let comparison =
        Comparison::new(&before, &after, args.bound, args.any_machine).map_err(refused)?;
    output.show(&comparison, shown);
    match comparison.regressions {
        0 => Ok(()),
        n => Err(Failure::new(
            ExitCode::Runtime,
            format!(
                "{n} of {} changes are for the worse by more than {} %",
                comparison.changes.len(),
                args.bound
            ),
            "",
        )),
    }
}

/// The results in a file.
pub fn load(path: &Path) -> Result<Results, Failure> {
    let name = path.display().to_string();
    let unreadable = |reason: String| {
        refused(CompareError::Unreadable {
            file: name.clone(),
            reason,
        })
    };
    let length = std::fs::metadata(path)
        .map_err(|e| unreadable(e.to_string()))?
        .len();
    if length > MAX_RESULTS_BYTES as u64 {
        return Err(unreadable(format!(
            "{length} bytes, at most {MAX_RESULTS_BYTES} are read"
        )));
    }
    let bytes = std::fs::read(path).map_err(|e| unreadable(e.to_string()))?;
    read(&name, &bytes).map_err(refused)
}

fn refused(error: CompareError) -> Failure {
    let next = match error {
        CompareError::Machines { .. } => {
            "--any-machine compares them nevertheless; their ratios mean little"
        }
        _ => "name the results.json of two runs",
    };
    Failure::configuration(error, next)
}

fn shown(comparison: &Comparison) -> String {
    let rows = comparison.changes.iter().map(|c| {
        vec![
            c.cell.to_string(),
            format!("{:.3}", c.before),
            format!("{:.3}", c.after),
            c.unit.clone(),
            match c.worse_percent {
                worse if worse > 0.0 => format!("{worse:.1} % worse"),
                worse => format!("{:.1} % better", -worse),
            },
            if c.over_bound {
                "over the bound".to_owned()
            } else {
                String::new()
            },
        ]
    });
    let changes = match comparison.changes.is_empty() {
        true => "no change beyond noise".to_owned(),
        false => table(&["cell", "before", "after", "unit", "change", ""], rows),
    };
    let mut text = format!(
        "{changes}\n\n{} cells within noise",
        comparison.within_noise
    );
    for (side, cells) in [
        ("before", &comparison.only_before),
        ("after", &comparison.only_after),
    ] {
        for cell in cells {
            text.push_str(&format!("\nonly {side}: {cell}"));
        }
    }
    text
}
