use super::*;
use crate::Setup;
use zeroize::Zeroizing;

const ANNOUNCEMENT: [u8; 32] = [5; 32];

fn attested(seed: u8, name: &str, index: u32) -> Attestation {
    let key = ParticipantKey::from_secret_bytes(&Zeroizing::new([seed; 32]));
    Attestation::sign(&key, name, &ANNOUNCEMENT, index, [seed; 64])
}

/// Facts of three participants that end with this verifying key.
pub(crate) fn facts(verifying_key: &[u8]) -> CeremonyFacts {
    CeremonyFacts {
        announcement: ANNOUNCEMENT,
        r1cs: [1; 32],
        ptau: [2; 32],
        circuit_hash: [3; 64],
        contributions: vec![
            attested(1, "ada", 1),
            attested(2, "grace", 2),
            attested(3, "edsger", 3),
        ],
        beacon: BeaconFacts {
            source: "the draw of the first Monday of May".into(),
            iterations_log2: 10,
            value: vec![9, 9],
            contribution: [4; 64],
        },
        verifying_key: blake3::hash(verifying_key).into(),
    }
}

fn fault(change: impl FnOnce(&mut CeremonyFacts)) -> CeremonyFault {
    let mut facts = facts(b"key");
    change(&mut facts);
    facts.check(b"key").unwrap_err()
}

#[test]
fn facts_with_a_forged_moved_repeated_or_missing_signature_are_refused() {
    assert_eq!(facts(b"key").check(b"key"), Ok(()));
    let signature = |index| CeremonyFault::Signature { index };
    assert_eq!(
        fault(|f| f.contributions[1].signature[0] ^= 1),
        signature(2)
    );
    assert_eq!(
        fault(|f| f.contributions[0].contribution[0] ^= 1),
        signature(1)
    );
    assert_eq!(fault(|f| f.contributions.swap(1, 2)), signature(2));
    assert_eq!(fault(|f| f.announcement[0] ^= 1), signature(1));
    assert_eq!(
        fault(|f| f.contributions[1] = attested(1, "grace", 2)),
        CeremonyFault::Twice {
            name: "grace".into()
        }
    );
    assert_eq!(
        fault(|f| f.contributions[1] = attested(2, "ada", 2)),
        CeremonyFault::Twice { name: "ada".into() }
    );
    assert_eq!(
        fault(|f| f.contributions.clear()),
        CeremonyFault::Contributions { found: 0 }
    );
    assert_eq!(
        facts(b"key").check(b"another"),
        Err(CeremonyFault::OtherVerifyingKey)
    );
}

#[test]
fn every_fact_changes_the_set_ups_digest() {
    let changes: [fn(&mut CeremonyFacts); 15] = [
        |f| f.announcement[0] ^= 1,
        |f| f.r1cs[0] ^= 1,
        |f| f.ptau[0] ^= 1,
        |f| f.circuit_hash[0] ^= 1,
        |f| drop(f.contributions.pop()),
        |f| f.contributions[0].name.push('a'),
        |f| f.contributions[0].participant = attested(9, "ada", 1).participant,
        |f| f.contributions[0].index += 1,
        |f| f.contributions[0].contribution[0] ^= 1,
        |f| f.contributions[0].signature[0] ^= 1,
        |f| f.beacon.source.push('a'),
        |f| f.beacon.iterations_log2 += 1,
        |f| f.beacon.value.push(0),
        |f| f.beacon.contribution[0] ^= 1,
        |f| f.verifying_key[0] ^= 1,
    ];
    let mut digests = vec![Setup::Ceremony(Box::new(facts(b"key"))).digest()];
    for change in changes {
        let mut facts = facts(b"key");
        change(&mut facts);
        digests.push(Setup::Ceremony(Box::new(facts)).digest());
    }
    digests.push(Setup::insecure_dev().digest());
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count);
}
