use super::*;
use crate::journal::Record;
use crate::testing::{measured, results};

fn of(suite: Suite, instance: &str, mut record: Record) -> Record {
    record.cell.suite = suite;
    record.cell.instance = instance.to_owned();
    record
}

/// Proofs a second on two threads: ours `factor` times as many as ark's.
fn proofs(instance: &str, subject: &str, factor: f64) -> Vec<Record> {
    let rounds = 0..7;
    rounds
        .flat_map(|round| {
            let rate = 2.0 + f64::from(round) * 0.01;
            let sample = |who: &str, value| {
                of(
                    Suite::Prover,
                    instance,
                    measured(who, Metric::Throughput, 2, round, value),
                )
            };
            [sample(subject, rate * factor), sample(ARK, rate)]
        })
        .collect()
}

fn line<'a>(page: &'a str, begin: &str) -> &'a str {
    let found = page.lines().find(|l| l.starts_with(begin));
    found.unwrap_or_else(|| panic!("no {begin}: {page}"))
}

#[test]
fn a_gate_is_reached_missed_or_not_measured_and_the_page_says_which() {
    for (factor, verdict) in [
        (12.5, "**reached, with prize**"),
        (8.0, "**reached**"),
        (7.9, "**missed**"),
    ] {
        let page = markdown(&[results(&proofs("poseidon-14", SUBJECT, factor))]);
        let gate = line(&page, "| poseidon-14: proofs/s of ukehi,");
        assert!(gate.contains(verdict), "{gate}");
        assert!(gate.contains("≥ 8×, prize 12×"), "{gate}");
        let other = line(&page, "| poseidon-16: proofs/s of ukehi,");
        assert!(other.contains("not measured"), "{other}");
        let portable = line(&page, "| poseidon-14: proofs/s of ukehi-portable");
        assert!(portable.contains("not measured"), "{portable}");
    }
}

#[test]
fn less_is_better_where_time_is_measured() {
    for (ms, verdict) in [(0.2, "reached"), (0.3, "missed")] {
        let record = measured(SUBJECT, Metric::Verify, 1, 0, ms);
        let page = markdown(&[results(&[of(Suite::Verify, "batch of 256", record)])]);
        let gate = line(&page, "| verification, a proof");
        assert!(gate.contains(verdict), "{gate}");
    }
}

#[test]
fn the_witness_is_a_share_of_the_whole_batch() {
    // 64 commands at 10 ms each, of which 16 ms are the witness: 2.5 %.
    let witness = measured(SUBJECT, Metric::Witness, 1, 0, 16.0);
    let command = measured(SUBJECT, Metric::Command, 1, 0, 10.0);
    let records = [witness, command].map(|r| of(Suite::Seal, SEAL_64, r));
    let page = markdown(&[results(&records)]);
    let gate = line(&page, "| of which");
    assert!(
        gate.contains("2.50 %") && gate.contains("reached"),
        "{gate}"
    );
}

#[test]
fn several_runs_make_one_page_which_names_the_machine_and_what_was_left_out() {
    let first = results(&proofs("poseidon-14", SUBJECT, 9.0));
    let second = results(&proofs("poseidon-16", PORTABLE, 3.0));
    let page = markdown(&[first, second]);
    assert!(line(&page, "| poseidon-14: proofs/s of ukehi,").contains("9.00×"));
    assert!(line(&page, "| poseidon-16: proofs/s of ukehi-portable").contains("missed"));
    assert!(page.contains("A processor, 2 cores"), "{page}");
    assert_eq!(page.matches("- snarkjs: node is not there").count(), 1);
}
