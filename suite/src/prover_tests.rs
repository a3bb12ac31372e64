use super::*;
use crate::instance::Family;
use crate::instance::files::on_disk;
use crate::journal::{Journal, Outcome, Record};
use crate::testing;
use crate::turn::{Ended, Observer, take_turns};
use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;
use ukehi_provers::groth16::{Cores, Groth16Proof, Prover, ProverOptions};
use ukehi_provers::iden3::{Zkey, json, read_r1cs, read_wtns};
use ukehi_provers::kernel::Kernel;

const SOON: Duration = Duration::from_secs(60);

/// An instance with two proofs of it, and one of another.
struct World {
    directory: tempfile::TempDir,
    instance: OnDisk,
    proofs: Vec<Groth16Proof>,
    foreign: Groth16Proof,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let made = |family: Family| {
        on_disk(directory.path(), family.name(), || Ok(family.instance(10))).unwrap()
    };
    let (instance, other) = (made(Family::Sparse), made(Family::Sha));
    let world = World {
        proofs: proofs(&instance, 2),
        foreign: proofs(&other, 1).remove(0),
        instance,
        directory,
    };
    let write =
        |name: &str, bytes: Vec<u8>| fs::write(world.directory.path().join(name), bytes).unwrap();
    write("good.json", json::write_proof(&world.proofs[0]));
    write("foreign.json", json::write_proof(&world.foreign));
    world
});

fn proofs(instance: &OnDisk, count: usize) -> Vec<Groth16Proof> {
    let open = |path: &Path| fs::File::open(path).unwrap();
    let files = &instance.files;
    let r1cs = read_r1cs(open(&files.r1cs)).unwrap();
    let zkey = Zkey::read(open(&files.zkey)).unwrap();
    let options = ProverOptions::new(Kernel::Portable);
    let prover = Prover::from_zkey_and_r1cs(zkey, r1cs.into(), options).unwrap();
    let assignment = read_wtns(open(&files.wtns)).unwrap();
    (0..count)
        .map(|_| prover.prove(assignment.as_slice(), Cores::One).unwrap())
        .collect()
}

/// A prover that is a shell script; `$0` is the test's directory.
fn script(name: &str, text: &str) -> PathBuf {
    let path = WORLD.directory.path().join(format!("{name}.sh"));
    let dir = WORLD.directory.path().display();
    fs::write(&path, format!("#!/bin/sh\ndir='{dir}'\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn command(name: &str, text: &str) -> Contender {
    let template = Template::of(name, &script(name, text), &["{proof}", "{public}"]);
    Contender {
        name: name.to_owned(),
        kind: Kind::Command(template),
    }
}

/// A worker that answers every request with this line.
fn worker(name: &str, answer: &str) -> Contender {
    let text = format!(
        "echo '{{\"is\":\"ready\",\"prover\":\"script\",\"load_ms\":1}}'\n\
         while read line; do case \"$line\" in *forget*) echo '{{\"is\":\"forgotten\"}}';; *) {answer};; esac; done"
    );
    let program = script(name, &text);
    let once = Template::of(name, &program, &["{proof}", "{public}"]);
    let kind = Kind::Worker {
        program,
        arguments: Vec::new(),
        environment: Vec::new(),
        once,
    };
    Contender {
        name: name.to_owned(),
        kind,
    }
}

/// What a worker says of these proofs. A long time, so that no sample needs several.
fn said(proofs: &[&Groth16Proof]) -> String {
    let hex: Vec<String> = proofs.iter().map(|p| hex::encode(p.to_bytes())).collect();
    let reply = Reply::Proofs {
        ms: 5000.0,
        proofs: hex,
        stages: Vec::new(),
    };
    format!("echo '{}'", serde_json::to_string(&reply).unwrap())
}

fn measure(
    contender: &Contender,
    metric: Metric,
    threads: usize,
    deadline: Duration,
) -> Result<Measurement, Fault> {
    let scratch = WORLD.directory.path().join("scratch");
    let mut subject = OnInstance::new(contender, &WORLD.instance, &scratch, deadline);
    let cell = Cell::new(
        Suite::Prover,
        &WORLD.instance.name,
        &contender.name,
        metric,
        threads,
    );
    subject.measure(&cell)
}

const COPY: &str = "cp \"$dir/good.json\" \"$1\"; cp \"$dir/sparse/public.json\" \"$2\"";

#[test]
fn an_honest_command_and_an_honest_worker_are_measured() {
    let cold = measure(&command("honest-command", COPY), Metric::Cold, 1, SOON).unwrap();
    assert!(cold.value > 0.0 && cold.repeats == 1);
    let answer = said(&[&WORLD.proofs[0]]);
    let warm = measure(&worker("honest-worker", &answer), Metric::Latency, 1, SOON).unwrap();
    assert_eq!((warm.value, warm.repeats), (5000.0, 1));
    let answer = said(&[&WORLD.proofs[0], &WORLD.proofs[1]]);
    let two = measure(&worker("two-lanes", &answer), Metric::Throughput, 2, SOON).unwrap();
    assert_eq!(two.value, 0.4, "two proofs in five seconds");
}

#[test]
fn a_command_that_is_wrong_crashes_or_hangs_has_a_fault_and_no_time() {
    let public = "cp \"$dir/sparse/public.json\" \"$2\"";
    for (name, text, kind) in [
        (
            "foreign",
            format!("cp \"$dir/foreign.json\" \"$1\"; {public}"),
            "wrong-proof",
        ),
        ("no-proof", public.to_owned(), "wrong-proof"),
        (
            "no-json",
            format!("echo proof > \"$1\"; {public}"),
            "wrong-proof",
        ),
        (
            "other-statement",
            "cp \"$dir/good.json\" \"$1\"; echo '[\"7\"]' > \"$2\"".to_owned(),
            "wrong-proof",
        ),
        ("crash", format!("{COPY}; exit 9"), "crashed"),
        ("hang", "exec sleep 600".to_owned(), "hung"),
    ] {
        let deadline = if kind == "hung" {
            Duration::from_millis(100)
        } else {
            SOON
        };
        let fault = measure(&command(name, &text), Metric::Cold, 1, deadline).unwrap_err();
        assert_eq!(fault.kind(), kind, "{name}: {fault}");
    }
    let gone = Template::of(
        "gone",
        Path::new("/no/such/prover"),
        &["{proof}", "{public}"],
    );
    let gone = Contender {
        name: "gone".into(),
        kind: Kind::Command(gone),
    };
    assert_eq!(
        measure(&gone, Metric::Cold, 1, SOON).unwrap_err().kind(),
        "not-started"
    );
}

#[test]
fn an_old_proof_in_the_place_of_a_missing_one_is_not_taken() {
    assert!(measure(&command("stale", COPY), Metric::Cold, 1, SOON).is_ok());
    let fault = measure(&command("stale", "true"), Metric::Cold, 1, SOON).unwrap_err();
    assert_eq!(fault.kind(), "wrong-proof", "{fault}");
}

#[test]
fn a_worker_that_cheats_breaks_or_babbles_has_a_fault_and_no_time() {
    let good = &WORLD.proofs[0];
    for (name, answer, kind) in [
        ("w-foreign", said(&[&WORLD.foreign]), "wrong-proof"),
        ("w-none", said(&[]), "wrong-proof"),
        ("w-babble", "echo proving...".to_owned(), "garbage"),
        (
            "w-other",
            "echo '{\"is\":\"forgotten\"}'".to_owned(),
            "garbage",
        ),
        (
            "w-instant",
            said(&[good]).replace("5000.0", "0.0"),
            "garbage",
        ),
        ("w-crash", "exit 3".to_owned(), "crashed"),
        ("w-hang", "sleep 600".to_owned(), "hung"),
        (
            "w-refuse",
            "echo '{\"is\":\"refused\",\"why\":\"no licence\"}'".to_owned(),
            "refused",
        ),
    ] {
        let deadline = if kind == "hung" {
            Duration::from_millis(500)
        } else {
            SOON
        };
        let fault = measure(&worker(name, &answer), Metric::Latency, 1, deadline).unwrap_err();
        assert_eq!(fault.kind(), kind, "{name}: {fault}");
    }
    // The same proof twice was not made twice.
    let fault = measure(
        &worker("w-same", &said(&[good, good])),
        Metric::Throughput,
        2,
        SOON,
    )
    .unwrap_err();
    assert!(fault.to_string().contains("not randomised"), "{fault}");
}

struct Silent;

impl Observer for Silent {
    fn interrupted(&self) -> bool {
        false
    }

    fn turn_begins(&mut self, _: &Cell, _: u32) {}

    fn turn_ended(&mut self, _: &Record) {}
}

#[test]
fn a_broken_peer_does_not_end_the_run_of_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(dir.path(), &testing::run_file()).unwrap();
    let contenders = [
        command("r-crash", "exit 9"),
        command("r-honest", COPY),
        worker("r-babble", "echo hm"),
    ];
    let scratch = dir.path().join("scratch");
    let subject =
        |c| Box::new(OnInstance::new(c, &WORLD.instance, &scratch, SOON)) as Box<dyn Subject>;
    let mut subjects: Vec<Box<dyn Subject + '_>> = contenders.iter().map(subject).collect();
    let groups = groups("sparse", &contenders, &[1]);
    let ended = take_turns(&groups, 2, &mut subjects, &mut journal, &mut Silent).unwrap();
    assert_eq!(ended, Ended::Complete);
    let of = |name: &str| {
        journal
            .records()
            .iter()
            .filter(|r| r.cell.subject == name)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("r-honest").len(), 2);
    assert!(
        of("r-honest")
            .iter()
            .all(|r| matches!(r.outcome, Outcome::Measured(_)))
    );
    // One fault a cell: cold for the command, latency and cold for the worker.
    for (name, faults) in [("r-crash", 1), ("r-babble", 2)] {
        assert_eq!(of(name).len(), faults, "{name}");
        assert!(
            of(name)
                .iter()
                .all(|r| matches!(r.outcome, Outcome::Failed { .. })),
            "{name}"
        );
    }
}

#[test]
fn an_instance_is_made_once_and_one_that_was_changed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let made = || on_disk(dir.path(), "sparse-10", || Ok(Family::Sparse.instance(10)));
    let first = made().unwrap();
    assert_eq!(first.facts, Family::Sparse.instance(10).facts());
    let again = on_disk(dir.path(), "sparse-10", || panic!("it is there already"));
    assert_eq!(again.unwrap().files, first.files);
    let mut bytes = fs::read(&first.files.wtns).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&first.files.wtns, bytes).unwrap();
    let refused = made().err().unwrap().to_string();
    assert!(refused.contains("witness.wtns"), "{refused}");
}
