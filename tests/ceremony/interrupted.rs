//! What an interruption leaves.

use super::support::{Place, key, text, write_pass};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use ukehi_keys::{KdfCost, Passphrase, keystore};

#[test]
fn a_contribution_killed_while_it_writes_leaves_every_file_as_it_was_and_can_be_made_again() {
    let place = Place::announced();
    place.contribute("ada").unwrap();
    let before = place.files();
    let (pass, key_file) = (place.path("pass"), place.path("grace.key"));
    write_pass(&pass);
    let passphrase = Passphrase::from_file(&pass).unwrap();
    keystore::save(&key_file, &key("grace"), &passphrase, KdfCost::Interactive).unwrap();

    // The kernel kills it at the eighth KiB of the new key: SIGXFSZ.
    let killed = Command::new("bash")
        .args([
            "-c",
            "ulimit -f 8; exec \"$@\"",
            "bash",
            env!("CARGO_BIN_EXE_ukehi"),
        ])
        .args(["keys", "ceremony", "contribute", "--name", "grace", "--dir"])
        .arg(place.directory())
        .arg("--key")
        .arg(&key_file)
        .env("UKEHI_PASSPHRASE_FILE", &pass)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stopped = killed.status.signal().is_some() || killed.status.code() == Some(1);
    assert!(stopped, "{}: {}", killed.status, text(&killed));

    let after = place.files();
    assert!(before.iter().all(|file| after.contains(file)));
    assert!(!after.iter().any(|(name, _)| name == "0002_grace.zkey"));
    place.contribute("grace").unwrap();
    place.contribute("edsger").unwrap();
    place.beacon().unwrap();
    place.verify().unwrap();
}

#[test]
fn an_announcement_interrupted_before_its_last_file_is_made_again_from_the_same_files() {
    let place = Place::announced();
    std::fs::remove_file(place.directory().join("ceremony.json")).unwrap();
    place.announce().unwrap();
    // Another circuit's files are not written over.
    std::fs::remove_file(place.directory().join("ceremony.json")).unwrap();
    let other = super::support::r1cs_file(&super::support::circuit(21, 1));
    std::fs::write(place.path("c.r1cs"), other).unwrap();
    let before = place.files();
    assert!(matches!(
        place.announce(),
        Err(ukehi::ceremony::CeremonyError::Exists { .. })
    ));
    assert_eq!(place.files(), before);
}
