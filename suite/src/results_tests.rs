use super::*;
use crate::schema_check::errors;
use crate::speedup::{Kind, Way};
use crate::testing::{self, measured, results};

#[test]
fn a_cell_with_a_fault_has_no_figure_though_it_had_samples() {
    let mut records = vec![
        measured("ukehi", Metric::Latency, 1, 0, 10.0),
        measured("broken", Metric::Latency, 1, 0, 1.0),
    ];
    let mut failed = measured("broken", Metric::Latency, 1, 1, 0.0);
    failed.outcome = Outcome::Failed {
        fault: "wrong-proof".into(),
        detail: "no".into(),
    };
    records.push(failed);
    let results = results(&records);
    let subjects: Vec<&str> = results
        .cells
        .iter()
        .map(|c| c.cell.subject.as_str())
        .collect();
    assert_eq!(subjects, ["ukehi"]);
    assert_eq!(results.faults.len(), 1);
    assert!(
        results.speedups.is_empty(),
        "nothing is compared with a broken peer"
    );
}

#[test]
fn each_side_is_compared_the_way_that_is_better_for_it() {
    let mut records = Vec::new();
    for round in 0..7 {
        // Ours: 2 at a time give 200/s, both threads on one 10 ms, 100/s. The peer the other way round.
        records.push(measured("ukehi", Metric::Throughput, 2, round, 200.0));
        records.push(measured("ukehi", Metric::Latency, 2, round, 10.0));
        records.push(measured("ark", Metric::Throughput, 2, round, 20.0));
        records.push(measured("ark", Metric::Latency, 2, round, 40.0));
    }
    let results = results(&records);
    let of_kind = |kind| results.speedups.iter().find(|s| s.kind == kind).unwrap();
    let throughput = of_kind(Kind::Throughput);
    assert_eq!(
        (throughput.our_way, throughput.peer_way),
        (Way::ProofPerThread, Way::AllThreadsOnOne)
    );
    assert_eq!(throughput.ratio.median, 200.0 / 25.0);
    assert_eq!(of_kind(Kind::Latency).ratio.median, 4.0);
}

#[test]
fn constraints_a_second_are_counted_per_core() {
    let records = [
        measured("ukehi", Metric::Throughput, 2, 0, 100.0),
        measured("ukehi", Metric::Cold, 2, 0, 100.0),
    ];
    let results = results(&records);
    let constraints = testing::facts().constraints as f64;
    let rate = |metric| {
        let cell = results
            .cells
            .iter()
            .find(|c| c.cell.metric == metric)
            .unwrap();
        cell.constraints_per_second_per_core
    };
    assert_eq!(rate(Metric::Throughput), Some(50.0 * constraints));
    assert_eq!(
        rate(Metric::Cold),
        None,
        "a whole process does more than prove"
    );
}

#[test]
fn results_are_what_their_schema_says() {
    let schema = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/bench-schema.json"
    ));
    let schema: serde_json::Value = serde_json::from_str(&schema.unwrap()).unwrap();
    let good = serde_json::to_value(testing::full_results()).unwrap();
    assert_eq!(errors(&schema, &good), Vec::<String>::new());
    // The schema objects to what the types would not let happen.
    for (pointer, value) in [
        ("/schema", serde_json::json!("ukehi/bench/v0")),
        ("/cells/0/summary/coverage", serde_json::json!(1.5)),
        ("/cells/0/cell/metric", serde_json::json!("speed")),
        ("/cells/0/raw", serde_json::json!([])),
        ("/machine/cores", serde_json::json!(0)),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        let found = errors(&schema, &bad);
        assert_eq!(found.len(), 1, "{pointer}: {found:?}");
        assert!(found[0].starts_with(pointer), "{found:?}");
    }
    let mut more = good.clone();
    more["comment"] = serde_json::json!("hello");
    assert_eq!(errors(&schema, &more).len(), 1);
}
