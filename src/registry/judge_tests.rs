use super::*;
use crate::ids::EpochId;
use crate::registry::Operation;
use crate::registry::test_log::*;
use ukehi_circuits::{F, Point};

fn with(edit: impl FnOnce(&mut Header)) -> Header {
    let mut header = header();
    edit(&mut header);
    header
}

#[test]
fn each_fact_of_a_header_must_be_the_registered_one() {
    let registry = Log::new().registry;
    let judge = |header: &Header| registry.judge(1, header, "opaque");
    assert_eq!(judge(&header()), Outcome::Applied);
    let other = Point::from_xy_bytes(&secret(2).public().to_bytes()).unwrap();
    let wrong = [
        (with(|h| h.keyspace.0 = 9), Outcome::UnknownKeyspace),
        (with(|h| h.epoch.0 = 2), Outcome::UnknownEpoch),
        (with(|h| h.epoch_key = other), Outcome::WrongEpochKey),
        (
            with(|h| h.route_commitment = F::from(78u64)),
            Outcome::WrongRouteCommitment,
        ),
        (
            with(|h| h.policy_digest = F::from(1u64)),
            Outcome::WrongPolicy,
        ),
        (
            with(|h| h.circuit.0 = [1; 32]),
            Outcome::CircuitUnknownAtIndex,
        ),
        (with(|h| h.author = author(9)), Outcome::ForeignAuthor),
    ];
    for (header, outcome) in wrong {
        assert_eq!(judge(&header), outcome);
    }
    let family = registry.judge(1, &header(), "ledger");
    assert_eq!(family, Outcome::WrongPolicyFamily);
}

/// Disclosures and trails ask a registry that knows later changes as well.
#[test]
fn what_an_entry_decides_holds_behind_it_and_not_at_it_whatever_the_registry_knows() {
    let (keyspace, epoch) = (KEYSPACE, EpochId(1));
    let ends: [(Operation, u64, Outcome); 5] = [
        (revoke(1), 2, Outcome::AuthorRevoked),
        (
            Operation::RetireCircuit { circuit: CIRCUIT },
            2,
            Outcome::CircuitRetired,
        ),
        (
            Operation::RevokeEpoch { keyspace, epoch },
            2,
            Outcome::EpochRevoked,
        ),
        (
            Operation::EraseEpoch { keyspace, epoch },
            2,
            Outcome::EpochErased,
        ),
        (
            Operation::ExpireEpoch {
                keyspace,
                epoch,
                at: 4,
            },
            5,
            Outcome::EpochExpired,
        ),
    ];
    for (operation, from, outcome) in ends {
        let mut log = Log::new();
        assert_eq!(log.decide(operation), Outcome::Applied);
        let judge = |index| log.registry.judge(index, &header(), "opaque");
        assert_eq!(judge(from - 1), Outcome::Applied, "{outcome}");
        assert_eq!(judge(from), outcome);
    }
    // Erasure is said before a revocation.
    let mut log = Log::new();
    log.decide(Operation::RevokeEpoch { keyspace, epoch });
    log.decide(Operation::EraseEpoch { keyspace, epoch });
    let judge = |index| log.registry.judge(index, &header(), "opaque");
    assert_eq!(
        [1, 2, 3].map(judge),
        [
            Outcome::Applied,
            Outcome::EpochRevoked,
            Outcome::EpochErased
        ]
    );
}

#[test]
fn an_author_counts_behind_its_registration_and_under_anchors_that_hold_it() {
    let mut log = Log::new();
    assert_eq!(log.decide(register(2)), Outcome::Applied);
    let registry = &log.registry;
    let by = |size| {
        with(|h| {
            h.author = author(2);
            h.anchor.size = size;
        })
    };
    let judge = |index, size| registry.judge(index, &by(size), "opaque");
    assert_eq!(judge(1, 2), Outcome::ForeignAuthor);
    assert_eq!(judge(2, 1), Outcome::AuthorAfterAnchor);
    assert_eq!(judge(2, 2), Outcome::Applied);
    // An anchor to nothing is apply's to refuse.
    assert_eq!(judge(2, 0), Outcome::Applied);
    let stranger = Fault::UnknownAuthor { author: author(2) };
    assert_eq!(registry.admit(1, &by(2)), Err(stranger));
    assert_eq!(registry.admit(2, &by(2)), Ok(()));
    // Revoked or not.
    assert_eq!(log.decide(revoke(2)), Outcome::Applied);
    assert_eq!(log.registry.admit(9, &by(2)), Ok(()));
}

#[test]
fn a_circuit_counts_behind_its_activation_and_admits_when_it_is_retired() {
    let mut log = Log::new();
    let registry = &log.registry;
    // Genesis is entry 0: it decides for the entries behind it.
    let unknown = Fault::UnknownCircuit { circuit: CIRCUIT };
    assert_eq!(registry.admit(0, &header()), Err(unknown));
    assert_eq!(registry.admit(1, &header()), Ok(()));
    let other = CircuitId([1; 32]);
    let unknown = Fault::UnknownCircuit { circuit: other };
    assert_eq!(registry.admit_circuit(1, &other), Err(unknown));
    let retire = Operation::RetireCircuit { circuit: CIRCUIT };
    assert_eq!(log.decide(retire), Outcome::Applied);
    assert_eq!(log.registry.admit(9, &header()), Ok(()));
}
