//! Steps that snarkjs made.

use super::support::Place;
use ukehi::ceremony::CeremonyError as E;
use ukehi_provers::ceremony::ZkeyVerifyError;

#[test]
fn imports_that_do_not_continue_the_ceremony_are_refused() {
    let place = Place::announced();
    place.contribute("ada").unwrap();
    let newest = "D/0001_ada.zkey";
    place.snarkjs(&[
        "zkey",
        "contribute",
        newest,
        "named.zkey",
        "--name=mallory",
        "-e=text",
    ]);
    refused!(place.import("grace", "named.zkey"), E::Import { .. });
    place.snarkjs(&[
        "zkey",
        "contribute",
        "D/0000_initial.zkey",
        "old.zkey",
        "--name=grace",
        "-e=text",
    ]);
    refused!(place.import("grace", "old.zkey"), E::Import { .. });
    place.snarkjs(&[
        "zkey",
        "beacon",
        newest,
        "beacon.zkey",
        "0102",
        "10",
        "-n=grace",
    ]);
    refused!(place.import("grace", "beacon.zkey"), E::Import { .. });
    std::fs::copy(place.path(newest), place.path("same.zkey")).unwrap();
    refused!(place.import("grace", "same.zkey"), E::Import { .. });
    place.snarkjs(&[
        "zkey",
        "contribute",
        newest,
        "good.zkey",
        "--name=grace",
        "-e=text",
    ]);
    let good = std::fs::read(place.path("good.zkey")).unwrap();
    refused!(
        {
            let mut bent = good.clone();
            // Two whole points of section 9 exchanged: each still on the curve.
            swap_h(&mut bent);
            std::fs::write(place.path("bent.zkey"), bent).unwrap();
            place.import("grace", "bent.zkey")
        },
        E::Key {
            source: ZkeyVerifyError::NotDivided { .. },
            ..
        }
    );
    assert_eq!(place.import("grace", "good.zkey").unwrap().index, 2);
}

fn swap_h(zkey: &mut [u8]) {
    let mut at = 12;
    loop {
        let id = u32::from_le_bytes(zkey[at..at + 4].try_into().unwrap());
        let length = u64::from_le_bytes(zkey[at + 4..at + 12].try_into().unwrap()) as usize;
        at += 12;
        if id == 9 {
            let (first, second) = zkey[at..at + 128].split_at_mut(64);
            first.swap_with_slice(second);
            return;
        }
        at += length;
    }
}

#[test]
fn a_beacon_other_than_the_announced_one_is_refused() {
    let place = Place::announced();
    for name in ["ada", "grace", "edsger"] {
        place.contribute(name).unwrap();
    }
    let last = "D/0003_edsger.zkey";
    place.snarkjs(&[
        "zkey",
        "beacon",
        last,
        "D/0004_beacon.zkey",
        "0102",
        "11",
        "-n=beacon",
    ]);
    refused!(
        place.verify(),
        E::OtherBeacon {
            announced: 10,
            found: 11
        }
    );
    std::fs::remove_file(place.directory().join("0004_beacon.zkey")).unwrap();
    // By snarkjs, as announced: the same as ours.
    place.snarkjs(&[
        "zkey",
        "beacon",
        last,
        "D/0004_beacon.zkey",
        super::support::BEACON,
        "10",
        "-n=beacon",
    ]);
    let theirs = std::fs::read(place.directory().join("0004_beacon.zkey")).unwrap();
    assert!(place.verify().is_ok());
    std::fs::remove_file(place.directory().join("0004_beacon.zkey")).unwrap();
    place.beacon().unwrap();
    let ours = std::fs::read(place.directory().join("0004_beacon.zkey")).unwrap();
    assert!(ours == theirs);
}
