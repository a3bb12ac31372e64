//! Ranges, checkpoints, forks: what ties a bundle to a log, and to the trust root's nodes.

mod audit_support;

use audit_support::{Trail, author, cosigned, genesis, prove, sign};
use ukehi::audit::{AuditError, BundleError, Comparison, Options, Place};
use ukehi::error::ExitCode;
use ukehi::ids::ShardId;
use ukehi::log::{Checkpoint, CheckpointError, Outcome};

fn comparing(note: String) -> Options {
    Options {
        checkpoint: Some(note),
        ..Options::default()
    }
}

#[test]
fn every_range_of_a_trail_verifies_and_says_what_it_leaves_open() {
    let trail = Trail::with_batches(7);
    let size = trail.size();
    for from in 0..size {
        for to in from + 1..=size {
            let report = trail.verify(&trail.range(from, to)).unwrap();
            assert_eq!(
                (report.tally.entries, report.root),
                (to - from, trail.root(size))
            );
            assert_eq!(report.outcomes_recomputed, from == 0);
            let says = |part: &str| report.limits.iter().any(|limit| limit.contains(part));
            assert_eq!(says("Outcomes were not recomputed"), from > 0);
            assert_eq!(says("are not in this bundle"), to < size);
        }
    }
}

#[test]
fn tampered_hashes_around_a_range_lead_to_another_root() {
    let trail = Trail::with_batches(7);
    for (at, place) in [(0, Place::Frontier), (1, Place::Suffix)] {
        let mut start = trail.start(3, 6);
        let hashes = [&mut start.left, &mut start.right];
        assert!(hashes.iter().all(|hashes| hashes.len() > 1));
        for hash in 0..hashes[at].len() {
            let mut start = trail.start(3, 6);
            [&mut start.left, &mut start.right][at][hash][31] ^= 0x80;
            let error = trail
                .verify(&trail.bundle_with(&start, &trail.note()))
                .unwrap_err();
            assert_eq!(error.exit_code(), ExitCode::Tampered);
            assert!(
                error.to_string().starts_with("the checkpoint: the root"),
                "{error}"
            );
        }
        let mut start = trail.start(3, 6);
        [&mut start.left, &mut start.right][at].pop();
        let error = trail
            .verify(&trail.bundle_with(&start, &trail.note()))
            .unwrap_err();
        let AuditError::Mismatch { place: named, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(*named, place, "{error}");
    }
}

#[test]
fn hashes_around_a_range_that_are_no_whole_number_of_hashes_are_refused() {
    let trail = Trail::with_batches(7);
    let bundle = trail.range(3, 6);
    let (_, from, to) = audit_support::frames::frames(&bundle)[2].clone();
    let payload = &bundle[from + 29..to - 33];
    let cut = audit_support::frame(2, 0, payload.len() as u32, payload);
    let error = trail
        .verify(&[&bundle[..from], &cut, &bundle[to..]].concat())
        .unwrap_err();
    let AuditError::Bundle(BundleError::Malformed { place, .. }) = &error else {
        panic!("{error}");
    };
    assert_eq!(*place, Place::Frontier);
}

/// The forger has no node key: the records lead elsewhere than what was signed.
#[test]
fn a_record_altered_without_the_nodes_keys_leads_to_another_root() {
    let honest = Trail::with_batches(7);
    let mut forged = honest.clone();
    forged.entries[4].record.outcome = Outcome::Expired;
    // A range recomputes no outcomes: the tree alone has to catch it.
    let start = forged.start(3, 6);
    let error = honest
        .verify(&forged.bundle_with(&start, &honest.note()))
        .unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Tampered);
    let text = error.to_string();
    assert!(
        text.contains(&hex::encode(honest.root(honest.size()))),
        "{text}"
    );
    assert!(
        text.contains(&hex::encode(forged.root(forged.size()))),
        "{text}"
    );

    // With the root in the note made to fit, the cosignatures do not.
    let honest_note = honest.note();
    let lines: Vec<&str> = honest_note.lines().collect();
    let forged_note = forged.note();
    let root = forged_note.lines().nth(2).unwrap();
    let note = honest_note.replace(lines[2], root);
    let error = honest
        .verify(&forged.bundle_with(&start, &note))
        .unwrap_err();
    let AuditError::Checkpoint { source, .. } = &error else {
        panic!("{error}");
    };
    assert!(
        matches!(source, CheckpointError::BadSignature { .. }),
        "{error}"
    );
    assert_eq!(error.exit_code(), ExitCode::Tampered);
}

#[test]
fn a_preamble_that_shifts_or_shortens_the_range_is_refused() {
    let trail = Trail::with_batches(7);
    let note = trail.note();
    let shifted = ukehi::audit::Start {
        size: trail.size() + 1,
        ..trail.start(0, trail.size())
    };
    let error = trail
        .verify(&trail.bundle_with(&shifted, &note))
        .unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Tampered);
    assert!(error.to_string().contains("its size"), "{error}");
    // Entries left out at the end, without the hashes that stand for them.
    let shorter = ukehi::audit::Start {
        to: 5,
        ..trail.start(0, trail.size())
    };
    let error = trail
        .verify(&trail.bundle_with(&shorter, &note))
        .unwrap_err();
    assert!(
        error.to_string().starts_with("the hashes behind the range"),
        "{error}"
    );
}

#[test]
fn a_minority_of_cosignatures_is_not_enough() {
    let trail = Trail::with_batches(2);
    let start = trail.start(0, trail.size());
    let bundle = trail.bundle_with(&start, &trail.note_by(trail.size(), &[3]));
    let error = trail.verify(&bundle).unwrap_err();
    assert!(matches!(&error, AuditError::NoMajority { needed: 2, found, .. } if found.len() == 1));
    assert_eq!(error.exit_code(), ExitCode::Incomplete);
}

#[test]
fn a_cosigner_the_trust_root_does_not_know_is_untrusted() {
    let trail = Trail::with_batches(2);
    let start = trail.start(0, trail.size());
    let bundle = trail.bundle_with(&start, &trail.note_by(trail.size(), &[1, 2, 4]));
    let error = trail.verify(&bundle).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Untrusted, "{error}");
}

#[test]
fn an_altered_note_is_refused_whatever_the_byte() {
    let trail = Trail::with_batches(1);
    let start = trail.start(0, trail.size());
    let note = trail.note();
    for at in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(forged) = String::from_utf8(bytes) else {
            continue;
        };
        let error = trail
            .verify(&trail.bundle_with(&start, &forged))
            .unwrap_err();
        let code = error.exit_code();
        assert!(
            matches!(code, ExitCode::Tampered | ExitCode::Untrusted),
            "byte {at}: {error}"
        );
        assert!(
            error.to_string().starts_with("the checkpoint"),
            "byte {at}: {error}"
        );
    }
}

#[test]
fn a_checkpoint_of_an_earlier_size_or_another_shard_is_refused() {
    let trail = Trail::with_batches(4);
    let start = trail.start(0, trail.size());
    let earlier = trail.note_by(trail.size() - 1, &[1, 2]);
    let error = trail
        .verify(&trail.bundle_with(&start, &earlier))
        .unwrap_err();
    assert!(
        error.to_string().contains("its size should be 6, it is 5"),
        "{error}"
    );
    let shard = Checkpoint {
        cluster: trail.genesis.cluster_id(),
        shard: ShardId(1),
        size: trail.size(),
        root: trail.root(trail.size()),
    };
    let note = cosigned(shard, &[1, 2]);
    let error = trail.verify(&trail.bundle_with(&start, &note)).unwrap_err();
    assert!(
        error.to_string().contains("its shard should be 0, it is 1"),
        "{error}"
    );
    assert_eq!(error.exit_code(), ExitCode::Tampered);
}

#[test]
fn a_bundle_of_another_cluster_is_untrusted_whatever_it_holds() {
    let trail = Trail::with_batches(2);
    let other = Trail::new(genesis(2));
    let error = trail.verify(&other.bundle()).unwrap_err();
    assert!(matches!(error, AuditError::OtherCluster { .. }));
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
    // With this cluster's id over the other's genesis.
    let start = ukehi::audit::Start {
        cluster: trail.genesis.cluster_id(),
        ..other.start(0, 2)
    };
    let error = trail
        .verify(&other.bundle_with(&start, &other.note()))
        .unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Tampered);
    assert!(
        error
            .to_string()
            .starts_with("the preamble: the digest of its genesis"),
        "{error}"
    );
    // And a shard that no keyspace lives in.
    let start = ukehi::audit::Start {
        shard: ShardId(3),
        ..trail.start(0, trail.size())
    };
    let error = trail
        .verify(&trail.bundle_with(&start, &trail.note()))
        .unwrap_err();
    assert!(
        error.to_string().starts_with("the preamble: its shard"),
        "{error}"
    );
}

#[test]
fn two_majorities_for_two_roots_are_a_fork() {
    let trail = Trail::with_batches(4);
    let mut forked = trail.clone();
    let mut batch = forked.entries.pop().unwrap().batch();
    batch.header.author_seq += 7;
    prove(&mut batch);
    sign(&mut batch, 2);
    forked.push(&batch);
    let note = forked.note_by(forked.size(), &[2, 3]);
    assert!(forked.verify(&forked.bundle()).is_ok());
    // A range suffices: the two notes contradict each other by themselves.
    for bundle in [trail.bundle(), trail.range(2, 3)] {
        let error = trail
            .verify_with(&bundle, &comparing(note.clone()))
            .unwrap_err();
        let AuditError::Fork {
            size,
            ours,
            theirs,
            our_signers,
            their_signers,
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!((*size, *ours, *theirs), (6, trail.root(6), forked.root(6)));
        assert_eq!((our_signers[1].0, their_signers[0].0), (2, 2));
        assert_eq!(error.exit_code(), ExitCode::Fork);
        assert!(error.next().contains("keep both files"));
    }
}

#[test]
fn a_fork_is_told_even_where_the_entries_fit_neither_checkpoint() {
    let trail = Trail::with_batches(4);
    let mut forked = trail.clone();
    forked.entries[3].record.outcome = Outcome::Expired;
    let mut neither = trail.clone();
    neither.entries[3].record.outcome = Outcome::AnchorTooOld;
    let bundle = neither.bundle_with(&neither.start(2, 5), &trail.note());
    let options = comparing(forked.note());
    let error = trail.verify_with(&bundle, &options).unwrap_err();
    assert!(matches!(error, AuditError::Fork { size: 6, .. }), "{error}");
}

#[test]
fn a_checkpoint_of_another_log_is_not_compared() {
    let trail = Trail::with_batches(2);
    let shard = Checkpoint {
        cluster: trail.genesis.cluster_id(),
        shard: ShardId(1),
        size: trail.size(),
        root: [0; 32],
    };
    let options = comparing(cosigned(shard, &[1, 2]));
    let error = trail.verify_with(&trail.bundle(), &options).unwrap_err();
    assert!(matches!(error, AuditError::OtherLog { .. }), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
    let options = comparing(Trail::new(genesis(2)).note());
    let error = trail.verify_with(&trail.bundle(), &options).unwrap_err();
    assert!(error.to_string().contains("cluster"), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
}

#[test]
fn a_fork_at_an_earlier_size_shows_in_a_trail_from_genesis() {
    let trail = Trail::with_batches(6);
    let mut forked = trail.clone();
    forked.entries.truncate(4);
    forked.entries[3].record.outcome = Outcome::Expired;
    let note = forked.note_by(4, &[1, 3]);
    let error = trail
        .verify_with(&trail.bundle(), &comparing(note.clone()))
        .unwrap_err();
    assert!(matches!(error, AuditError::Fork { size: 4, .. }), "{error}");
    // A range cannot tell, and says so.
    let report = trail
        .verify_with(&trail.range(2, 8), &comparing(note))
        .unwrap();
    assert_eq!(
        report.comparison,
        Some(Comparison::NotComparable { size: 4 })
    );
    assert!(
        report
            .limits
            .iter()
            .any(|limit| limit.contains("could not be compared"))
    );
}

#[test]
fn a_checkpoint_of_the_same_history_agrees_at_any_size() {
    let trail = Trail::with_batches(6);
    for size in 1..=trail.size() {
        let note = trail.note_by(size, &[1, 3]);
        let report = trail
            .verify_with(&trail.bundle(), &comparing(note))
            .unwrap();
        assert_eq!(report.comparison, Some(Comparison::Agrees { size }));
    }
}

#[test]
fn a_checkpoint_to_compare_with_counts_only_with_its_own_majority() {
    let trail = Trail::with_batches(2);
    let mut forked = trail.clone();
    forked.entries[3].record.outcome = Outcome::Expired;
    let lone = forked.note_by(forked.size(), &[3]);
    let error = trail
        .verify_with(&trail.bundle(), &comparing(lone))
        .unwrap_err();
    assert!(matches!(error, AuditError::NoMajority { .. }), "{error}");
    assert!(error.to_string().contains("to compare with"), "{error}");
    let error = trail
        .verify_with(&trail.bundle(), &comparing("nonsense".into()))
        .unwrap_err();
    assert!(matches!(error, AuditError::Checkpoint { .. }), "{error}");
}

/// Author 3 registered before the range, author 2 revoked in it.
fn with_changes() -> Trail {
    use ukehi::registry::Operation;
    let mut trail = Trail::with_batches(2);
    let keyspace = trail.genesis.keyspaces[0].id;
    let register = Operation::RegisterAuthor {
        keyspace,
        author: author(3).public(),
    };
    let change = trail.change(register);
    assert_eq!(trail.push_change(&change), Outcome::Applied);
    let batch = trail.sealed(3, 1, 1);
    trail.push(&batch);
    let revoke = Operation::RevokeAuthor {
        keyspace,
        author: author(2).public(),
    };
    let change = trail.change(revoke);
    assert_eq!(trail.push_change(&change), Outcome::Applied);
    let batch = trail.sealed(2, 9, 1);
    trail.push(&batch);
    let outcomes: Vec<_> = trail.entries.iter().map(|e| e.record.outcome).collect();
    assert_eq!(outcomes[5], Outcome::Applied);
    assert_eq!(outcomes[7], Outcome::AuthorRevoked);
    trail
}

#[test]
fn a_range_is_judged_by_the_registry_changes_that_come_with_it() {
    let trail = with_changes();
    for (from, to) in [(0, 8), (5, 8), (6, 8), (7, 8), (4, 6)] {
        let report = trail.verify(&trail.range(from, to)).unwrap();
        assert_eq!(report.to, to);
    }
    assert_eq!(
        trail
            .verify(&trail.bundle())
            .unwrap()
            .tally
            .registry_changes,
        2
    );
    // Without its registration, the author is a stranger.
    let mut start = trail.start(5, 8);
    start.registry.clear();
    let error = trail.verify(&trail.bundle_with(&start, &trail.note()));
    let error = error.unwrap_err();
    assert!(error.to_string().contains("not registered"), "{error}");
    // The first of two changes left out: the second has the wrong number.
    let mut start = trail.start(7, 8);
    start.registry.remove(0);
    let error = trail.verify(&trail.bundle_with(&start, &trail.note()));
    let error = error.unwrap_err();
    assert!(
        error.to_string().starts_with("registry change 6"),
        "{error}"
    );
    // A path that leads elsewhere.
    let mut start = trail.start(7, 8);
    let at = start.registry[0].inclusion.len() - 1;
    start.registry[0].inclusion[at] ^= 1;
    let error = trail.verify(&trail.bundle_with(&start, &trail.note()));
    let error = error.unwrap_err();
    assert!(
        error.to_string().contains("its path to the checkpoint"),
        "{error}"
    );
    // A change nobody made.
    let mut start = trail.start(7, 8);
    let at = start.registry[1].change.len() - 1;
    start.registry[1].change[at] ^= 1;
    let error = trail.verify(&trail.bundle_with(&start, &trail.note()));
    assert_eq!(error.unwrap_err().exit_code(), ExitCode::Tampered);
}
