//! Whoever takes part in a run, and its turns: the interleaving that makes a comparison fair.
//!
//! A turn gives one sample of one cell. Turns of one instance are grouped by what they measure, so that subjects
//! compared with each other follow upon each other; each round starts with another subject.
//! Knows nothing of what a turn does.

use crate::cell::Cell;
use crate::journal::{Journal, JournalError, Measurement, Outcome, Record};
use crate::process::Fault;

/// Something whose cells can be measured.
pub trait Subject {
    fn name(&self) -> &str;

    /// One sample of a cell of this subject. A fault ends the cell; a subject may give it again at once for its others.
    fn measure(&mut self, cell: &Cell) -> Result<Measurement, Fault>;
}

/// What happens meanwhile.
pub trait Observer {
    /// Asked between turns; a run that is to stop loses nothing that was finished.
    fn interrupted(&self) -> bool;

    fn turn_begins(&mut self, cell: &Cell, round: u32);

    fn turn_ended(&mut self, record: &Record);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Complete,
    Interrupted,
}

/// Cells of an instance that the journal lacks, in the order of their turns.
#[must_use]
pub fn missing(groups: &[Vec<Cell>], rounds: u32, journal: &Journal) -> Vec<(u32, Cell)> {
    let mut turns = Vec::new();
    for round in 0..rounds {
        for cells in groups {
            let first = round as usize % cells.len().max(1);
            let rotated = cells[first..].iter().chain(&cells[..first]);
            let new = rotated.filter(|cell| !journal.has(cell, round));
            turns.extend(new.map(|cell| (round, cell.clone())));
        }
    }
    turns
}

/// Takes the turns that the journal lacks.
pub fn take_turns(
    groups: &[Vec<Cell>],
    rounds: u32,
    subjects: &mut [Box<dyn Subject + '_>],
    journal: &mut Journal,
    observer: &mut dyn Observer,
) -> Result<Ended, JournalError> {
    for (round, cell) in missing(groups, rounds, journal) {
        if observer.interrupted() {
            return Ok(Ended::Interrupted);
        }
        if journal.failed(&cell) {
            continue;
        }
        let subject = subjects.iter_mut().find(|s| s.name() == cell.subject);
        let subject = subject.expect("cells are named after the subjects");
        observer.turn_begins(&cell, round);
        let outcome = match subject.measure(&cell) {
            Ok(measurement) => Outcome::Measured(measurement),
            // What ends us ends what we started, too: that is nobody's fault.
            Err(_) if observer.interrupted() => return Ok(Ended::Interrupted),
            Err(fault) => Outcome::Failed {
                fault: fault.kind().to_owned(),
                detail: fault.to_string(),
            },
        };
        let record = Record {
            cell,
            round,
            outcome,
        };
        observer.turn_ended(&record);
        journal.record(record)?;
    }
    Ok(Ended::Complete)
}

#[cfg(test)]
#[path = "turn_tests.rs"]
mod tests;
