//! Native Poseidon permutations of the widths that a batch's check uses.

use super::{InProcess, Work, milliseconds};
use crate::cell::{Cell, Metric, Suite};
use crate::ours::SUBJECT;
use std::hint::black_box;
use ukehi_circuits::{F, poseidon};

const WIDTHS: [usize; 5] = [3, 4, 8, 9, 17];

#[must_use]
pub fn hash() -> Vec<InProcess<'static>> {
    let cell = |width: usize| {
        let name = format!("poseidon t={width}");
        let mut state = vec![F::from(3u64); width];
        let work: Work<'static> = Box::new(move |repeats| {
            let permute = || {
                poseidon::permute(black_box(&mut state));
                Ok(())
            };
            // The unit is a microsecond.
            milliseconds(repeats, permute).map(|ms| ms * 1e3)
        });
        (
            Cell::new(Suite::Hash, &name, SUBJECT, Metric::Permutation, 1),
            work,
        )
    };
    vec![InProcess::new(
        SUBJECT,
        WIDTHS.into_iter().map(cell).collect(),
    )]
}
