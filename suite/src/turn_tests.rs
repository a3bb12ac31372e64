use super::*;
use crate::cell::{Metric, Suite};
use crate::testing;

/// Gives 1, 2, 3, ... and notes its turns; or always the same fault.
struct Scripted {
    name: &'static str,
    fault: Option<Fault>,
    given: u32,
}

impl Subject for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn measure(&mut self, _: &Cell) -> Result<Measurement, Fault> {
        self.given += 1;
        match &self.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(Measurement {
                value: f64::from(self.given),
                repeats: 1,
                ..Measurement::default()
            }),
        }
    }
}

/// Stops a run after so many turns.
struct Stopping {
    left: usize,
    order: Vec<(u32, String)>,
}

impl Observer for Stopping {
    fn interrupted(&self) -> bool {
        self.left == 0
    }

    fn turn_begins(&mut self, cell: &Cell, round: u32) {
        self.order.push((round, cell.subject.clone()));
    }

    fn turn_ended(&mut self, _: &Record) {
        self.left -= 1;
    }
}

fn subject(name: &'static str, fault: Option<Fault>) -> Box<dyn Subject> {
    Box::new(Scripted {
        name,
        fault,
        given: 0,
    })
}

fn group(subjects: &[&str], metric: Metric) -> Vec<Cell> {
    let cell = |s: &&str| Cell::new(Suite::Prover, "poseidon-10", s, metric, 1);
    subjects.iter().map(cell).collect()
}

#[test]
fn an_interrupted_run_is_resumed_and_no_cell_is_measured_twice() {
    let dir = tempfile::tempdir().unwrap();
    let run = testing::run_file();
    let groups = [
        group(&["ukehi", "ark"], Metric::Latency),
        group(&["ukehi", "ark"], Metric::Cold),
    ];
    let mut journal = Journal::create(dir.path(), &run).unwrap();
    let mut sessions = 0;
    loop {
        sessions += 1;
        let mut subjects = [subject("ukehi", None), subject("ark", None)];
        let mut observer = Stopping {
            left: 5,
            order: Vec::new(),
        };
        let ended = take_turns(&groups, 3, &mut subjects, &mut journal, &mut observer).unwrap();
        if ended == Ended::Complete {
            break;
        }
        drop(journal);
        journal = Journal::resume(dir.path(), &run).unwrap();
    }
    assert_eq!(sessions, 3, "12 turns, five a session");
    let mut seen: Vec<(Cell, u32)> = journal
        .records()
        .iter()
        .map(|r| (r.cell.clone(), r.round))
        .collect();
    assert_eq!(seen.len(), 12);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 12, "a cell was measured twice in a round");
    assert!(missing(&groups, 3, &journal).is_empty());
}

#[test]
fn subjects_take_turns_and_every_round_begins_with_another() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(dir.path(), &testing::run_file()).unwrap();
    let groups = [group(&["a", "b", "c"], Metric::Latency)];
    let mut subjects = [subject("a", None), subject("b", None), subject("c", None)];
    let mut observer = Stopping {
        left: 100,
        order: Vec::new(),
    };
    take_turns(&groups, 3, &mut subjects, &mut journal, &mut observer).unwrap();
    let order: String = observer.order.iter().map(|(_, s)| s.as_str()).collect();
    assert_eq!(order, "abcbcacab");
}

#[test]
fn a_broken_subject_is_reported_once_and_does_not_end_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(dir.path(), &testing::run_file()).unwrap();
    let groups = [group(&["broken", "ukehi"], Metric::Latency)];
    let fault = Some(Fault::WrongProof("it does not verify".into()));
    let mut subjects = [subject("broken", fault), subject("ukehi", None)];
    let mut observer = Stopping {
        left: 100,
        order: Vec::new(),
    };
    let ended = take_turns(&groups, 3, &mut subjects, &mut journal, &mut observer).unwrap();
    assert_eq!(ended, Ended::Complete);
    let failed: Vec<&Record> = journal
        .records()
        .iter()
        .filter(|r| r.cell.subject == "broken")
        .collect();
    let [
        Record {
            outcome: Outcome::Failed { fault, detail },
            ..
        },
    ] = failed[..]
    else {
        panic!("{failed:?}");
    };
    assert_eq!(fault, "wrong-proof");
    assert!(detail.contains("does not verify"), "{detail}");
    assert_eq!(journal.records().len(), 1 + 3);
}
