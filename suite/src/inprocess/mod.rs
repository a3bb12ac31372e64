//! What is measured within this process: a closure a cell.

mod hash;
mod verify;

pub use hash::hash;
pub use verify::verify;

use crate::cell::Cell;
use crate::journal::Measurement;
use crate::process::Fault;
use crate::turn::Subject;
use std::time::Instant;

/// A sample takes about this long, so that the clock's resolution and a single interruption do not show.
const SAMPLE_MS: f64 = 100.0;
const MAX_REPEATS: u32 = 1 << 20;

/// Does the work so many times and gives what one time took, or did a second, in the cell's unit.
pub type Work<'a> = Box<dyn FnMut(u32) -> Result<f64, String> + 'a>;

/// One who measures its cells itself.
pub struct InProcess<'a> {
    name: String,
    cells: Vec<Measured<'a>>,
}

struct Measured<'a> {
    cell: Cell,
    work: Work<'a>,
    /// Known after the warm-up.
    repeats: Option<u32>,
}

impl<'a> InProcess<'a> {
    #[must_use]
    pub fn new(name: &str, cells: Vec<(Cell, Work<'a>)>) -> Self {
        let measured = |(cell, work)| Measured {
            cell,
            work,
            repeats: None,
        };
        Self {
            name: name.to_owned(),
            cells: cells.into_iter().map(measured).collect(),
        }
    }

    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        self.cells.iter().map(|m| m.cell.clone()).collect()
    }
}

impl Subject for InProcess<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn measure(&mut self, cell: &Cell) -> Result<Measurement, Fault> {
        let measured = self.cells.iter_mut().find(|m| m.cell == *cell);
        let measured = measured.ok_or_else(|| Fault::Failed("nobody measures this".into()))?;
        let repeats = match measured.repeats {
            Some(repeats) => repeats,
            None => warm_up(&mut measured.work).map_err(Fault::Failed)?,
        };
        measured.repeats = Some(repeats);
        let value = (measured.work)(repeats).map_err(Fault::Failed)?;
        Ok(Measurement {
            value,
            repeats,
            ..Measurement::default()
        })
    }
}

/// Doubles the repeats until they take long enough to be timed.
fn warm_up(work: &mut Work<'_>) -> Result<u32, String> {
    let mut repeats = 1;
    loop {
        let started = Instant::now();
        work(repeats)?;
        let ms = started.elapsed().as_secs_f64() * 1e3;
        if ms >= SAMPLE_MS / 2.0 || repeats >= MAX_REPEATS {
            return Ok(repeats);
        }
        repeats *= 2;
    }
}

/// Milliseconds of one repeat of `work`.
pub fn milliseconds(
    repeats: u32,
    mut work: impl FnMut() -> Result<(), String>,
) -> Result<f64, String> {
    let started = Instant::now();
    for _ in 0..repeats {
        work()?;
    }
    Ok(started.elapsed().as_secs_f64() * 1e3 / f64::from(repeats))
}
