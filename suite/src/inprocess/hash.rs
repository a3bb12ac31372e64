//! Native Poseidon permutations of the widths that a batch's check uses, one at a time and many at a time.

use super::{InProcess, Work, milliseconds};
use crate::cell::{Cell, Metric, Suite};
use crate::ours::SUBJECT;
use std::hint::black_box;
use ukehi_circuits::F;
use ukehi_circuits::poseidon::{self, Domain};

const WIDTHS: [usize; 5] = [3, 4, 8, 9, 17];
/// Hashes made at a time by a batch's check: two a slot.
const MANY: usize = 128;

#[must_use]
pub fn hash() -> Vec<InProcess<'static>> {
    let alone = WIDTHS.map(|width| {
        let mut state = vec![F::from(3u64); width];
        cell(&format!("poseidon t={width}"), 1, move || {
            poseidon::permute(black_box(&mut state));
        })
    });
    let together = WIDTHS.map(|width| {
        let inputs = vec![F::from(3u64); (width - 1) * MANY];
        cell(&format!("poseidon t={width}, many"), MANY, move || {
            black_box(poseidon::hash_each(
                Domain::Leaf,
                width - 1,
                black_box(&inputs),
            ));
        })
    });
    vec![InProcess::new(
        SUBJECT,
        alone.into_iter().chain(together).collect(),
    )]
}

/// Microseconds of one of the `permutations` that `work` does at a time.
fn cell(
    instance: &str,
    permutations: usize,
    mut work: impl FnMut() + 'static,
) -> (Cell, Work<'static>) {
    let timed: Work<'static> = Box::new(move |repeats| {
        let ms = milliseconds(repeats, || {
            work();
            Ok(())
        })?;
        Ok(ms * 1e3 / permutations as f64)
    });
    (
        Cell::new(Suite::Hash, instance, SUBJECT, Metric::Permutation, 1),
        timed,
    )
}
