//! `ukehi bench run` and `ukehi bench compare` as scripts see them: interrupted, resumed, compared.
#![cfg(feature = "node")]

use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Far beyond what any step takes.
const PATIENCE: Duration = Duration::from_secs(300);

fn ukehi(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ukehi"));
    command.args(words).stdin(Stdio::null());
    command
}

fn ran(words: &[&str]) -> Output {
    ukehi(words).output().unwrap()
}

fn code(output: &Output) -> i32 {
    let said = String::from_utf8_lossy(&output.stderr);
    output.status.code().unwrap_or_else(|| panic!("{said}"))
}

fn lines(directory: &Path) -> usize {
    let samples = fs::read(directory.join("samples.jsonl")).unwrap_or_default();
    samples.iter().filter(|b| **b == b'\n').count()
}

/// Starts a run and waits until it has taken so many samples more.
fn started_until(words: &[&str], directory: &Path, more: usize) -> Child {
    let before = lines(directory);
    let mut child = ukehi(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    while lines(directory) < before + more {
        assert!(
            child.try_wait().unwrap().is_none(),
            "the run ended by itself"
        );
        assert!(Instant::now() < deadline, "no sample within {PATIENCE:?}");
        std::thread::yield_now();
    }
    child
}

fn results(directory: &Path) -> Value {
    serde_json::from_slice(&fs::read(directory.join("results.json")).unwrap()).unwrap()
}

#[test]
fn a_run_that_was_killed_and_interrupted_is_resumed_and_no_cell_is_measured_twice() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let path = out.to_str().unwrap();
    let begin = [
        "bench", "run", "--suite", "hash", "--rounds", "6", "--out", path,
    ];
    let resume = ["bench", "run", "--resume", "--out", path];

    let mut killed = started_until(&begin, &out, 3);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!out.join("results.json").exists());

    // Ctrl-C: what is finished is reported, and how to go on is said.
    let child = started_until(&resume, &out, 3);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(code(&child.wait_with_output().unwrap()), 13);
    assert_eq!(results(&out)["complete"], false);
    assert!(
        fs::read_to_string(out.join("report.html"))
            .unwrap()
            .contains("not complete")
    );

    // Begun with other flags, it is refused by name; begun again, it is not overwritten.
    let other = ran(&["bench", "run", "--resume", "--out", path, "--rounds", "7"]);
    assert_eq!(code(&other), 3);
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(said.contains("config.rounds was 6 and is 7"), "{said}");
    assert_eq!(code(&ran(&begin)), 3);

    assert_eq!(code(&ran(&resume)), 0);
    let found = results(&out);
    assert_eq!(found["complete"], true);
    let samples = fs::read_to_string(out.join("samples.jsonl")).unwrap();
    let mut seen = HashSet::new();
    for line in samples.lines() {
        let sample: Value = serde_json::from_str(line).unwrap();
        let key = format!("{} {}", sample["cell"], sample["round"]);
        assert!(seen.insert(key.clone()), "{key} was measured twice");
    }
    let cells = found["cells"].as_array().unwrap().len();
    assert_eq!(seen.len(), cells * 6, "every cell has its six rounds");
    assert!(cells >= 5);
    // A complete run has nothing left to do.
    assert_eq!(code(&ran(&resume)), 0);
    assert_eq!(lines(&out), seen.len());

    compared(&out);
}

/// The run with itself, with a slower copy, with a file of another schema.
fn compared(run: &Path) {
    let results_path = run.join("results.json");
    let mut slower = results(run);
    for cell in slower["cells"].as_array_mut().unwrap() {
        for end in ["median", "low", "high"] {
            let value = cell["summary"][end].as_f64().unwrap();
            cell["summary"][end] = Value::from(value * 3.0);
        }
    }
    let other_path = run.join("slower.json");
    fs::write(&other_path, slower.to_string()).unwrap();
    let (same, other) = (results_path.to_str().unwrap(), other_path.to_str().unwrap());
    assert_eq!(code(&ran(&["bench", "compare", same, same])), 0);
    let worse = ran(&["bench", "compare", same, other, "--output", "json"]);
    assert_eq!(code(&worse), 1);
    let comparison: Value = serde_json::from_slice(&worse.stdout).unwrap();
    assert_eq!(comparison["schema"], "ukehi/bench-compare/v1");
    assert_eq!(
        comparison["regressions"],
        slower["cells"].as_array().unwrap().len()
    );
    assert_eq!(
        code(&ran(&["bench", "compare", same, other, "--bound", "250"])),
        0
    );
    let page = ran(&["bench", "gates", same]);
    assert_eq!(code(&page), 0);
    let page = String::from_utf8(page.stdout).unwrap();
    let line = |begin: &str| page.lines().find(|l| l.starts_with(begin)).unwrap();
    assert!(line("| Poseidon t = 9").contains(" us ("), "{page}");
    assert!(
        line("| poseidon-14: proofs/s of ukehi,").contains("not measured"),
        "{page}"
    );
    assert_eq!(
        code(&ran(&["bench", "compare", other, same])),
        0,
        "faster is no regression"
    );

    slower["machine"]["cores"] = Value::from(4096);
    fs::write(&other_path, slower.to_string()).unwrap();
    assert_eq!(code(&ran(&["bench", "compare", same, other])), 3);
    assert_eq!(
        code(&ran(&["bench", "compare", same, other, "--any-machine"])),
        1
    );
    fs::write(&other_path, "{\"schema\": \"ukehi/bench-quick/v1\"}").unwrap();
    let refused = ran(&["bench", "compare", same, other]);
    assert_eq!(code(&refused), 3);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("bench-quick"));
}

#[test]
fn a_prover_that_nobody_knows_cannot_be_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let run = ran(&[
        "bench",
        "run",
        "--suite",
        "prover",
        "--out",
        out,
        "--without",
        "gnarc",
    ]);
    assert_eq!(code(&run), 2);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(said.contains("gnarc") && said.contains("ukehi"), "{said}");
}

#[test]
fn the_prover_suite_proves_on_a_small_circuit_and_names_who_was_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let path = out.to_str().unwrap();
    let run = ran(&[
        "bench",
        "run",
        "--suite",
        "prover",
        "--sizes",
        "10",
        "--families",
        "sparse",
        "--shapes",
        "none",
        "--threads",
        "1",
        "--rounds",
        "1",
        "--deadline",
        "120",
        "--without",
        "snarkjs,ark-groth16-cached",
        "--out",
        path,
        "--peer",
        "nobody=!/no/such/prover {zkey} {wtns} {proof} {public}",
    ]);
    assert_eq!(code(&run), 0, "{}", String::from_utf8_lossy(&run.stderr));
    let found = results(&out);
    let cells = found["cells"].as_array().unwrap();
    let of = |metric: &str| {
        cells
            .iter()
            .find(|c| c["cell"]["subject"] == "ukehi" && c["cell"]["metric"] == metric)
    };
    let latency = of("latency").unwrap();
    assert!(
        latency["stages"].as_array().unwrap().len() >= 5,
        "{latency}"
    );
    assert!(latency["memory_kib"].as_u64().unwrap() > 0);
    assert!(of("cold").is_some());
    let not_run = found["not_run"].as_array().unwrap();
    assert!(
        not_run.iter().any(|n| n["what"] == "snarkjs"),
        "{not_run:?}"
    );
    let faults = found["faults"].as_array().unwrap();
    assert!(
        faults
            .iter()
            .any(|f| f["cell"]["subject"] == "nobody" && f["fault"] == "not-started"),
        "{faults:?}"
    );
    assert!(!cells.iter().any(|c| c["cell"]["subject"] == "nobody"));
    // What was made for the run is what snarkjs's tools read.
    assert!(out.join("instances/sparse-10/circuit.zkey").exists());
}
