//! A whole ceremony for the circuit of one command, on powers of 2^13, over the command line; then in a log.

use super::support::{BEACON, NAMES, SOURCE, json, key, powers, snarkjs, text, ukehi, write_pass};
use std::path::Path;
use ukehi_keys::{KdfCost, Passphrase, Setup, keystore, params};

const CIRCUIT: &str = "seal-1-short-opaque";

#[test]
fn three_parties_one_of_them_with_snarkjs_make_parameters_that_a_production_cluster_uses() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let pass = at("pass");
    write_pass(Path::new(&pass));
    let passphrase = Passphrase::from_file(Path::new(&pass)).unwrap();
    std::fs::write(at("p.ptau"), powers(13)).unwrap();
    let mut participants = Vec::new();
    for name in NAMES {
        let path = at(&format!("{name}.key"));
        keystore::save(
            Path::new(&path),
            &key(name),
            &passphrase,
            KdfCost::Interactive,
        )
        .unwrap();
        participants.push(format!("{name}={}", key(name).public()));
    }
    let (dir, participants) = (at("D"), participants.join(","));
    let run = |args: &[&str]| ukehi(Path::new(&pass), &[args, &["--output", "json"]].concat());

    let new = [
        "new",
        "--circuit",
        CIRCUIT,
        "--ptau",
        &at("p.ptau"),
        "--participants",
        &participants,
        "--beacon-announce",
        SOURCE,
        "--dir",
        &dir,
    ];
    let announced = json(&run(&new));
    assert_eq!(announced["schema"], "ukehi/ceremony-announced/v1");
    let digest = blake3::hash(&std::fs::read(at("D/ceremony.json")).unwrap());
    assert_eq!(announced["digest"], digest.to_hex().as_str());

    let contribute = |name: &str, more: &[&str]| {
        let key = at(&format!("{name}.key"));
        let args = ["contribute", "--dir", &dir, "--name", name, "--key", &key];
        run(&[&args, more].concat())
    };
    let first = contribute("ada", &[]);
    assert!(text(&first).contains("contributing: "), "{}", text(&first));
    assert_eq!(json(&first)["index"], 1);
    let theirs = [
        "zkey",
        "contribute",
        "D/0001_ada.zkey",
        "mine.zkey",
        "--name=grace",
        "-e=text",
    ];
    snarkjs(root.path(), &theirs);
    let imported = json(&contribute("grace", &["--import", &at("mine.zkey")]));
    assert_eq!(imported["index"], 2);
    assert_eq!(
        std::fs::read(at("mine.zkey")).unwrap(),
        std::fs::read(at("D/0002_grace.zkey")).unwrap()
    );
    let early = run(&["beacon", "--dir", &dir, "--value", BEACON]);
    assert_eq!(early.status.code(), Some(13), "{}", text(&early));
    assert!(text(&early).contains("edsger"));
    json(&contribute("edsger", &[]));
    json(&run(&["beacon", "--dir", &dir, "--value", BEACON]));

    let finished = json(&run(&["finish", "--dir", &dir, "--params", &at("params")]));
    assert_eq!(finished["schema"], "ukehi/ceremony-finished/v1");
    let said = snarkjs(
        root.path(),
        &[
            "zkey",
            "verify",
            "D/circuit.r1cs",
            "D/powers.ptau",
            "D/0004_beacon.zkey",
        ],
    );
    assert!(said.contains("ZKey Ok!"), "{said}");
    check_parameters(Path::new(&at("params")), digest.into(), root.path());
    let started = std::time::Instant::now();
    super::in_the_log::activated_used_and_audited(root.path());
    eprintln!("on a testnet: {:.1} s", started.elapsed().as_secs_f64());
}

fn check_parameters(directory: &Path, announcement: [u8; 32], root: &Path) {
    let manifests = params::list(directory).unwrap();
    assert_eq!(manifests.len(), 1);
    let manifest = &manifests[0];
    manifest.require_secure().unwrap();
    let Setup::Ceremony(facts) = manifest.setup() else {
        panic!("{:?}", manifest.setup());
    };
    assert_eq!(facts.announcement, announcement);
    let names: Vec<_> = facts
        .contributions
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(names, NAMES);
    assert_eq!(facts.beacon.source, SOURCE);
    assert_eq!(hex::encode(&facts.beacon.value), BEACON);
    let of_file = |name: &str| *blake3::hash(&std::fs::read(root.join(name)).unwrap()).as_bytes();
    assert_eq!(facts.r1cs, of_file("D/circuit.r1cs"));
    assert_eq!(facts.ptau, of_file("D/powers.ptau"));
    // The proving key decodes, belongs to this release's circuit and has the manifest's verifying key.
    let circuits = ukehi::params::load_all(directory, &[manifest.circuit_id()]).unwrap();
    assert_eq!(circuits[0].r1cs().public_inputs(), 1);
}
