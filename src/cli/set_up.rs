//! Development set-ups of circuits, with the time each takes.

use super::progress::Progress;
use crate::error::Failure;
use crate::params::{self, CircuitName};
use std::path::Path;
use std::time::Instant;
use ukehi_keys::Manifest;

/// Makes parameters for the circuits, one after the other: INSECURE, as all one-party set-ups are.
pub fn set_up(directory: &Path, names: &[CircuitName]) -> Result<Vec<Manifest>, Failure> {
    let mut manifests = Vec::new();
    for name in names {
        let started = Instant::now();
        let mut progress = Progress::new("set-up", 1);
        let made = params::insecure_dev_params(directory, &[*name], |_, done, total| {
            progress.set_total(total);
            progress.set(done);
        })?;
        progress.finish();
        eprintln!("set up {name} in {:.1} s", started.elapsed().as_secs_f64());
        manifests.extend(made);
    }
    Ok(manifests)
}

/// The circuits a command line names: a name of `circuits list` each, or `all`.
pub fn circuits(names: &[String]) -> Result<Vec<CircuitName>, Failure> {
    let mut circuits: Vec<CircuitName> = Vec::new();
    for name in names {
        let named = match name.as_str() {
            "all" => CircuitName::all(),
            name => vec![name.parse().map_err(|e| {
                Failure::usage(
                    e,
                    "example: --circuits seal-1-short-opaque,seal_cells-8-short-ledger",
                )
            })?],
        };
        for circuit in named {
            if circuits
                .iter()
                .all(|c| c.to_string() != circuit.to_string())
            {
                circuits.push(circuit);
            }
        }
    }
    Ok(circuits)
}
