use super::*;
use crate::cell::{Metric, Suite};
use crate::testing;

fn cell(subject: &str) -> Cell {
    Cell::new(Suite::Prover, "poseidon-10", subject, Metric::Latency, 1)
}

fn sample(subject: &str, round: u32) -> Record {
    let measured = Measurement {
        value: 1.5,
        repeats: 3,
        ..Measurement::default()
    };
    Record {
        cell: cell(subject),
        round,
        outcome: Outcome::Measured(measured),
    }
}

#[test]
fn a_resumed_run_has_what_was_recorded_and_nothing_that_was_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let run = testing::run_file();
    let mut journal = Journal::create(dir.path(), &run).unwrap();
    for round in 0..3 {
        journal.record(sample("ukehi", round)).unwrap();
    }
    drop(journal);
    // A crash in the middle of a line.
    let path = dir.path().join(SAMPLES_FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 10);
    std::fs::write(&path, &bytes).unwrap();

    let mut journal = Journal::resume(dir.path(), &run).unwrap();
    assert_eq!(journal.records(), [sample("ukehi", 0), sample("ukehi", 1)]);
    assert!(journal.has(&cell("ukehi"), 1) && !journal.has(&cell("ukehi"), 2));
    journal.record(sample("ukehi", 2)).unwrap();
    drop(journal);
    let journal = Journal::resume(dir.path(), &run).unwrap();
    assert_eq!(
        journal.records().len(),
        3,
        "the cut line is gone, the new one is whole"
    );
}

#[test]
fn a_failed_cell_counts_as_done_in_every_round() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(dir.path(), &testing::run_file()).unwrap();
    let failed = Outcome::Failed {
        fault: "crashed".into(),
        detail: "exit 7".into(),
    };
    journal
        .record(Record {
            cell: cell("broken"),
            round: 0,
            outcome: failed,
        })
        .unwrap();
    assert!(journal.has(&cell("broken"), 5));
    assert!(!journal.has(&cell("ukehi"), 0));
}

#[test]
fn a_run_is_not_begun_over_another_nor_resumed_where_none_is() {
    let dir = tempfile::tempdir().unwrap();
    let run = testing::run_file();
    assert!(matches!(
        Journal::resume(dir.path(), &run),
        Err(JournalError::Nothing(_))
    ));
    drop(Journal::create(dir.path(), &run).unwrap());
    assert!(matches!(
        Journal::create(dir.path(), &run),
        Err(JournalError::Exists(_))
    ));
}

#[test]
fn a_changed_configuration_machine_or_binary_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let run = testing::run_file();
    drop(Journal::create(dir.path(), &run).unwrap());
    let changed = |change: &dyn Fn(&mut RunFile)| {
        let mut other = run.clone();
        change(&mut other);
        match Journal::resume(dir.path(), &other) {
            Err(error @ JournalError::Different { .. }) => error.to_string(),
            _ => panic!("resumed under another {other:?}"),
        }
    };
    let message = changed(&|r| r.config.rounds += 1);
    assert!(
        message.contains("config.rounds was 3 and is 4"),
        "{message}"
    );
    let message = changed(&|r| r.machine.cpu = "another".into());
    assert!(
        message.contains("machine.cpu") && message.contains("another"),
        "{message}"
    );
    let message = changed(&|r| r.binaries[0].1 = "00".into());
    assert!(message.contains("binaries"), "{message}");
}

#[test]
fn a_damaged_line_is_named_by_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let run = testing::run_file();
    let mut journal = Journal::create(dir.path(), &run).unwrap();
    journal.record(sample("ukehi", 0)).unwrap();
    drop(journal);
    let path = dir.path().join(SAMPLES_FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}not a sample\n")).unwrap();
    assert!(matches!(
        Journal::resume(dir.path(), &run),
        Err(JournalError::Damaged { line: 2, .. })
    ));
}
