use super::*;

const SOON: Duration = Duration::from_secs(20);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

const READY: &str = r#"echo '{"is":"ready","prover":"sh 1","load_ms":1.5}'"#;
const ASK: Request = Request::Latency {
    threads: 1,
    repeats: 1,
};

#[test]
fn a_worker_is_asked_and_answers() {
    let script =
        format!(r#"{READY}; while read line; do echo '{{"is":"refused","why":"no"}}'; done"#);
    let mut worker = Worker::start(shell(&script), SOON).unwrap();
    assert_eq!((worker.prover.as_str(), worker.load_ms), ("sh 1", 1.5));
    assert!(worker.peak_kib().is_some_and(|kib| kib > 0));
    for _ in 0..2 {
        assert_eq!(
            worker.ask(ASK, SOON).unwrap(),
            Reply::Refused { why: "no".into() }
        );
    }
}

#[test]
fn a_crash_is_told_with_its_last_words() {
    let script = format!("{READY}; read line; echo out of cheese >&2; exit 7");
    let mut worker = Worker::start(shell(&script), SOON).unwrap();
    let fault = worker.ask(ASK, SOON).unwrap_err();
    assert!(
        matches!(&fault, Fault::Crashed { complaint, .. } if complaint == "out of cheese"),
        "{fault}"
    );
    // Nor before it was ready.
    let fault = Worker::start(shell("echo no licence >&2; exit 3"), SOON).unwrap_err();
    assert!(fault.to_string().contains("no licence"), "{fault}");
    assert_eq!(
        Worker::start(Command::new("/no/such/prover"), SOON)
            .unwrap_err()
            .kind(),
        "not-started"
    );
}

#[test]
fn garbage_on_stdout_is_no_answer() {
    let fault = Worker::start(shell("echo Loading, please wait"), SOON).unwrap_err();
    assert_eq!(fault, Fault::Garbage("Loading, please wait".into()));
    let fault =
        Worker::start(shell("head -c 3000000 /dev/zero; exec sleep 600"), SOON).unwrap_err();
    assert_eq!(fault.kind(), "garbage", "{fault}");
}

#[test]
fn a_process_that_hangs_is_killed_with_all_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let pids = dir.path().join("pids");
    // The child's child ignores what ends its parent.
    let script = format!("sleep 600 & echo $$ $! > {}; {READY}; wait", pids.display());
    let mut worker = Worker::start(shell(&script), SOON).unwrap();
    let short = Duration::from_millis(50);
    assert_eq!(worker.ask(ASK, short).unwrap_err(), Fault::Hung(short));
    let alive = |pid: &str| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // A zombie has ended; whoever inherited it will reap it.
        !stat.is_empty() && !stat.contains(") Z ")
    };
    let pids = fs::read_to_string(pids).unwrap();
    let deadline = Instant::now() + SOON;
    while pids.split_whitespace().any(alive) {
        assert!(Instant::now() < deadline, "still alive: {pids}");
        thread::yield_now();
    }

    let fault = run_once(shell("sleep 600"), short).unwrap_err();
    assert_eq!(fault, Fault::Hung(short));
}

#[test]
fn a_whole_run_is_timed_and_its_failure_is_a_fault() {
    let ran = run_once(shell("exec sleep 0.05"), SOON).unwrap();
    assert!(ran.ms >= 50.0 && ran.peak_kib.is_some(), "{ran:?}");
    // More complaints than are kept do not block it.
    let fault = run_once(
        shell("head -c 1000000 /dev/zero >&2; echo end >&2; exit 5"),
        SOON,
    );
    assert!(matches!(fault, Err(Fault::Crashed { .. })), "{fault:?}");
}
