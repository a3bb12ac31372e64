//! Everything a ceremony refuses, on a small circuit.

use super::support::{Place, announced_beacon, circuit, key, listed, r1cs_file, text, ukehi};
use std::path::Path;
use ukehi::ceremony::{
    Ceremony, CeremonyError as E, CircuitSource, ListedParticipant, verify_files, write_powers,
};
use ukehi_keys::Attestation;
use ukehi_provers::ceremony::ZkeyVerifyError;
use zeroize::Zeroizing;

fn edit(place: &Place, file: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let path = place.directory().join(file);
    let mut bytes = std::fs::read(&path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

fn replace(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8(std::mem::take(bytes)).unwrap();
    assert!(text.contains(from), "{text}");
    *bytes = text.replace(from, to).into_bytes();
}

#[test]
fn only_the_announced_contribute_each_once_and_nobody_after_the_beacon() {
    let place = Place::announced();
    let entropy = || Zeroizing::new(Vec::new());
    let as_named = |name: &str, key| {
        place
            .open()
            .contribute(name, &key, entropy(), &mut |_, _, _| {})
    };
    refused!(
        as_named("mallory", key("mallory")),
        E::NotAParticipant { .. }
    );
    refused!(as_named("ada", key("mallory")), E::WrongKey { .. });
    place.contribute("ada").unwrap();
    refused!(place.contribute("ada"), E::AlreadyContributed { .. });
    refused!(place.beacon(), E::Waiting { .. });
    refused!(place.verify(), E::Waiting { .. });
    place.contribute("edsger").unwrap();
    place.contribute("grace").unwrap();
    refused!(place.verify(), E::NoBeacon);
    place.beacon().unwrap();
    refused!(place.beacon(), E::Closed);
    refused!(place.contribute("ada"), E::AlreadyContributed { .. });
    let verified = place.verify().unwrap();
    let names: Vec<_> = verified
        .attestations
        .iter()
        .map(|a| a.name.as_str())
        .collect();
    assert_eq!(names, ["ada", "edsger", "grace"]);
}

#[test]
fn announcements_that_name_nobody_somebody_twice_or_no_randomness_are_refused() {
    let announce = |change: &dyn Fn(&mut Vec<ListedParticipant>), source: &str, iterations| {
        let place = Place::new();
        let (mut participants, mut beacon) = (listed(), announced_beacon());
        change(&mut participants);
        beacon.source = source.into();
        beacon.iterations_log2 = iterations;
        let (circuit, ptau) = (place.path("c.r1cs"), place.path("p.ptau"));
        Ceremony::announce(
            &place.directory(),
            CircuitSource::File(&circuit),
            &ptau,
            participants,
            beacon,
            &mut |_, _, _| {},
        )
    };
    let changes: [fn(&mut Vec<ListedParticipant>); 6] = [
        Vec::clear,
        |p| p[1].name = "ada".into(),
        |p| p[1].key = p[0].key,
        |p| p[1].name = "beacon".into(),
        |p| p[1].name = "../ada".into(),
        |p| p[1].name = "Ada".into(),
    ];
    for change in changes {
        refused!(announce(&change, "drand", 10), E::Announcement { .. });
    }
    refused!(announce(&|_| {}, " ", 10), E::Announcement { .. });
    refused!(announce(&|_| {}, "drand", 9), E::Announcement { .. });
    refused!(announce(&|_| {}, "drand", 33), E::Announcement { .. });
}

#[test]
fn a_circuit_with_other_than_one_public_input_is_refused() {
    for public in [0, 2] {
        let place = Place::new();
        let circuit = match public {
            0 => circuit_without_inputs(),
            _ => circuit(20, public),
        };
        std::fs::write(place.path("c.r1cs"), r1cs_file(&circuit)).unwrap();
        match place.announce().err() {
            Some(E::PublicInputs { found }) => assert_eq!(found, public),
            other => panic!("{other:?}"),
        }
    }
}

fn circuit_without_inputs() -> ukehi_provers::R1cs {
    let one = |variable| vec![vec![(ukehi_provers::Fr::from(1u64), variable)]];
    ukehi_provers::R1cs::new(one(1), one(1), one(2), 1, 2).unwrap()
}

#[test]
fn a_changed_announcement_circuit_or_powers_file_is_refused() {
    let place = Place::finished();
    edit(&place, "powers.ptau", |b| *b.last_mut().unwrap() ^= 1);
    refused!(place.verify(), E::NotAnnounced { .. });

    let place = Place::finished();
    let other = r1cs_file(&circuit(21, 1));
    edit(&place, "circuit.r1cs", |b| *b = other);
    refused!(place.verify(), E::NotAnnounced { .. });

    // The signatures are for the announcement, so it cannot be improved afterwards.
    let place = Place::finished();
    edit(&place, "ceremony.json", |b| replace(b, "Monday", "Friday"));
    refused!(place.verify(), E::Attestation { index: 1, .. });

    let place = Place::finished();
    edit(&place, "ceremony.json", |b| {
        replace(b, "\"iterations_log2\": 10", "\"iterations_log2\": 11");
    });
    refused!(
        place.verify(),
        E::Attestation { .. } | E::OtherBeacon { .. }
    );
}

#[test]
fn a_contribution_without_its_participants_signature_is_refused() {
    let without = Place::finished();
    std::fs::remove_file(without.directory().join("0002_grace.json")).unwrap();
    refused!(without.verify(), E::Attestation { index: 2, .. });

    let resigned = |signer: &str, name: &str, index: u32| {
        let place = Place::finished();
        let digest = *place.open().digest();
        edit(&place, "0002_grace.json", |bytes| {
            let was: Attestation = serde_json::from_slice(bytes).unwrap();
            let by = Attestation::sign(&key(signer), name, &digest, index, was.contribution);
            *bytes = serde_json::to_vec(&by).unwrap();
        });
        place.verify()
    };
    assert!(resigned("grace", "grace", 2).is_ok());
    refused!(
        resigned("mallory", "mallory", 2),
        E::Attestation { index: 2, .. }
    );
    refused!(
        resigned("mallory", "grace", 2),
        E::Attestation { index: 2, .. }
    );
    refused!(resigned("ada", "ada", 2), E::Attestation { index: 2, .. });
    refused!(
        resigned("grace", "grace", 1),
        E::Attestation { index: 2, .. }
    );

    let place = Place::finished();
    edit(&place, "0001_ada.json", |b| {
        let at = b.len() - 10;
        b[at] = if b[at] == b'0' { b'1' } else { b'0' };
    });
    refused!(place.verify(), E::Attestation { index: 1, .. });
}

#[test]
fn keys_dropped_duplicated_or_exchanged_in_the_directory_are_refused() {
    let place = Place::finished();
    std::fs::remove_file(place.directory().join("0002_grace.zkey")).unwrap();
    refused!(place.verify(), E::Gap { index: 2, .. });

    let place = Place::finished();
    let step = |name: &str| place.directory().join(name);
    std::fs::copy(step("0002_grace.zkey"), step("0002_ada.zkey")).unwrap();
    refused!(place.verify(), E::Forked { index: 2, .. });

    let place = Place::announced();
    place.contribute("ada").unwrap();
    let step = |name: &str| place.directory().join(name);
    std::fs::copy(step("0000_initial.zkey"), step("0001_ada.zkey")).unwrap();
    refused!(place.contribute("grace"), E::Gap { .. });

    // The first key of another ceremony, and one with a byte changed.
    let place = Place::announced();
    edit(&place, "0000_initial.zkey", |b| b[200] ^= 1);
    refused!(
        place.contribute("ada"),
        E::File { .. } | E::NotInitial { .. }
    );
}

#[test]
fn a_key_alone_is_verified_without_asking_who_contributed() {
    let place = Place::finished();
    let verify = |zkey: &str, r1cs: &Path, ptau: &Path| {
        let zkey = place.directory().join(zkey);
        verify_files(&zkey, r1cs, ptau, &mut |_, _, _| {})
    };
    let (r1cs, ptau) = (place.path("c.r1cs"), place.path("p.ptau"));
    let checked = verify("0004_beacon.zkey", &r1cs, &ptau).unwrap();
    assert_eq!(checked.report.contributions.len(), 4);
    refused!(verify("0003_edsger.zkey", &r1cs, &ptau), E::NoBeacon);
    refused!(
        verify("0000_initial.zkey", &r1cs, &ptau),
        E::Key {
            source: ZkeyVerifyError::NoContribution,
            ..
        }
    );
    let other = place.path("other.r1cs");
    std::fs::write(&other, r1cs_file(&circuit(22, 1))).unwrap();
    refused!(
        verify("0004_beacon.zkey", &other, &ptau),
        E::Key {
            source: ZkeyVerifyError::Shape,
            ..
        }
    );
    let other = place.path("other.ptau");
    std::fs::write(&other, super::support::powers(6)).unwrap();
    refused!(
        verify("0004_beacon.zkey", &r1cs, &other),
        E::Key {
            source: ZkeyVerifyError::OtherCircuit,
            ..
        }
    );

    let path = |p: &Path| p.to_str().unwrap().to_owned();
    let initial = path(&place.directory().join("0000_initial.zkey"));
    let (r1cs, ptau) = (path(&r1cs), path(&ptau));
    let args = [
        "verify", "--zkey", &initial, "--r1cs", &r1cs, "--ptau", &ptau,
    ];
    let ran = ukehi(Path::new("no-pass-is-needed"), &args);
    assert_eq!(ran.status.code(), Some(10), "{}", text(&ran));
    assert!(
        text(&ran).contains("nobody has contributed"),
        "{}",
        text(&ran)
    );
}

#[test]
fn a_ceremony_for_a_file_or_on_development_powers_gives_no_production_parameters() {
    let finish = |place: &Place, dev| {
        let params = place.path("params");
        let outcome = place.open().finish(&params, dev, &mut |_, _, _| {});
        assert!(!params.exists());
        outcome
    };
    refused!(finish(&Place::finished(), false), E::Nameless);

    let place = Place::new();
    let dev = place.path("dev.ptau");
    write_powers(&dev, 6, &mut |_, _, _| {}).unwrap();
    refused!(write_powers(&dev, 6, &mut |_, _, _| {}), E::Exists { .. });
    std::fs::rename(dev, place.path("p.ptau")).unwrap();
    place.announce().unwrap();
    for name in super::support::NAMES {
        place.contribute(name).unwrap();
    }
    place.beacon().unwrap();
    refused!(finish(&place, false), E::DevelopmentPowers);
    refused!(finish(&place, true), E::Nameless);
}
