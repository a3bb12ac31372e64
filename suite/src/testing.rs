//! What tests share.

use crate::cell::{Cell, Metric, Suite};
use crate::instance::Facts;
use crate::journal::{Config, Measurement, Outcome, Record, RunFile};
use crate::machine::{Clock, Machine};
use crate::results::{InstanceFacts, NotRun, Results};

pub fn machine() -> Machine {
    Machine {
        cpu: "A processor".into(),
        cores: 2,
        memory_mib: 4096,
        os: "an OS".into(),
        kernel: "6.1".into(),
        features: vec!["avx2".into()],
        kernel_path: "portable".into(),
        rustc: "rustc 1".into(),
        rustflags: String::new(),
    }
}

pub fn config() -> Config {
    Config {
        suites: vec![crate::cell::Suite::Prover],
        sizes: vec![10],
        families: vec!["poseidon".into()],
        shapes: Vec::new(),
        threads: vec![1, 2],
        rounds: 3,
        peers: Vec::new(),
        peers_built_in: Vec::new(),
        without: Vec::new(),
        deadline: 60,
    }
}

pub fn run_file() -> RunFile {
    RunFile::new(config(), machine(), vec![("ukehi".into(), "ff".into())])
}

pub fn facts() -> Facts {
    Facts {
        constraints: 1000,
        variables: 1100,
        public_inputs: 1,
        domain: 1024,
        terms: [8000, 8000, 1000],
        bits: 7,
    }
}

pub fn measured(subject: &str, metric: Metric, threads: usize, round: u32, value: f64) -> Record {
    let measurement = Measurement {
        value,
        repeats: 1,
        memory_kib: Some(20_000),
        ..Measurement::default()
    };
    Record {
        cell: Cell::new(Suite::Prover, "poseidon-10", subject, metric, threads),
        round,
        outcome: Outcome::Measured(measurement),
    }
}

pub fn results(records: &[Record]) -> Results {
    let instance = |name: &str| InstanceFacts {
        name: name.to_owned(),
        facts: facts(),
    };
    let clock = |loop_ms| Clock {
        at: 1_700_000_000,
        loop_ms,
        reported_mhz: Some(2600.0),
        load: Some(1.25),
        stolen_percent: None,
    };
    let instances = vec![
        instance("poseidon-10"),
        instance("poseidon-12"),
        instance("sha-10"),
    ];
    let not_run = vec![NotRun {
        what: "snarkjs".into(),
        why: "node is not there".into(),
    }];
    Results::new(
        &run_file(),
        records,
        vec![clock(20.0), clock(20.1)],
        instances,
        not_run,
        true,
    )
}

/// Something of everything.
pub fn full_results() -> Results {
    let mut records = Vec::new();
    for (instance, scale) in [("poseidon-10", 1.0), ("poseidon-12", 3.5), ("sha-10", 0.4)] {
        for (subject, factor) in [("ukehi", 1.0), ("ark-groth16", 8.3), ("taceo-groth16", 6.1)] {
            for round in 0..7 {
                let ms = scale * factor * (10.0 + f64::from(round) * 0.05);
                for (metric, threads, value) in [
                    (Metric::Latency, 1, ms),
                    (Metric::Latency, 2, ms * 0.6),
                    (Metric::Throughput, 2, 1900.0 / ms),
                    (Metric::Cold, 2, ms * 3.0),
                ] {
                    let mut record = measured(subject, metric, threads, round, value);
                    record.cell.instance = instance.to_owned();
                    if let (Outcome::Measured(m), "ukehi") = (&mut record.outcome, subject) {
                        m.stages = vec![("matvec".into(), ms * 0.1), ("MSM A".into(), ms * 0.5)];
                    }
                    records.push(record);
                }
            }
        }
    }
    for (suite, metric, name) in [
        (Suite::Verify, Metric::Verify, "batch of 64"),
        (Suite::Replicate, Metric::Entries, "three nodes"),
    ] {
        let mut record = measured("ukehi", metric, 1, 0, 0.33);
        record.cell.suite = suite;
        record.cell.instance = name.to_owned();
        records.push(record);
    }
    let mut failed = measured("<b>rapidsnark</b>", Metric::Cold, 2, 0, 0.0);
    failed.outcome = Outcome::Failed {
        fault: "crashed".into(),
        detail: "ended with signal 11 & <script>".into(),
    };
    records.push(failed);
    results(&records)
}
