//! One node and what it is told: order of sizes, forks, disagreements, bounds.

use super::*;
use crate::kv::{Overlay, WriteBatch};
use crate::log::testing::{Mem, NOW, SHARD, cosigner, genesis, grow, node_key, signed};

#[test]
fn sizes_signed_by_one_node_never_shrink() {
    // Of five nodes two are no majority, so every size stays open.
    let trust = genesis(5);
    let mut mem = Mem::default();
    grow(&mut mem, 9, 0);
    let mut cosigner = cosigner(&trust, 2, None);
    cosigner.applied(9);
    for (size, signs) in [
        (6, true),
        (5, false),
        (6, false),
        (7, true),
        (9, true),
        (8, false),
    ] {
        let note = signed(&trust, size, 0, &[1], NOW).to_note();
        let actions = cosigner.note(&note, NOW, &mem).unwrap();
        assert_eq!(!actions.is_empty(), signs, "{size}");
    }
}

#[test]
fn the_leader_publishes_the_majority_it_gathered_from_single_cosignatures() {
    let trust = genesis(5);
    let mut mem = Mem::default();
    grow(&mut mem, 7, 0);
    let mut leader = cosigner(&trust, 1, None);
    leader.applied(7);
    leader.tick(NOW, CADENCE_MS, true, &mem).unwrap();
    let by = |id| signed(&trust, 7, 0, &[id], NOW).to_note();
    assert_eq!(leader.note(&by(2), NOW, &mem), Ok(vec![]));
    let actions = leader.note(&by(3), NOW, &mem).unwrap();
    let full = signed(&trust, 7, 0, &[1, 2, 3], NOW);
    let expected = [
        CosignAction::Save(full.clone()),
        CosignAction::Publish(full.to_note()),
    ];
    assert_eq!(actions, expected);
}

#[test]
fn a_cosignature_the_asker_has_not_heard_is_given_again_but_not_at_once() {
    let trust = genesis(5);
    let mut mem = Mem::default();
    grow(&mut mem, 7, 0);
    let mut cosigner = cosigner(&trust, 2, None);
    cosigner.applied(7);
    let asked = |time| signed(&trust, 7, 0, &[1], time).to_note();
    assert_eq!(cosigner.note(&asked(NOW), NOW, &mem).unwrap().len(), 1);
    assert_eq!(cosigner.note(&asked(NOW + 1), NOW + 1, &mem), Ok(vec![]));
    cosigner.tick(NOW + 1, REPUBLISH_MS, false, &mem).unwrap();
    // In the second it signed in, it could only repeat a text that gossip drops.
    assert_eq!(cosigner.note(&asked(NOW + 1), NOW, &mem), Ok(vec![]));
    let again = cosigner.note(&asked(NOW + 2), NOW + 2, &mem).unwrap();
    let both = signed(&trust, 7, 0, &[1, 2], NOW + 2).to_note();
    assert_eq!(again, [CosignAction::Publish(both)]);
    // Whoever shows that it has heard is not answered.
    cosigner
        .tick(NOW + 9, 2 * REPUBLISH_MS, false, &mem)
        .unwrap();
    let heard = signed(&trust, 7, 0, &[1, 2], NOW + 2).to_note();
    assert_eq!(cosigner.note(&heard, NOW + 9, &mem), Ok(vec![]));
}

#[test]
fn two_roots_by_one_signer_are_evidence_in_either_order_and_ahead_of_us() {
    let trust = genesis(3);
    let mut mem = Mem::default();
    grow(&mut mem, 8, 0);
    let honest = signed(&trust, 7, 0, &[1], NOW).to_note();
    let forked = signed(&trust, 7, 9, &[1], NOW).to_note();
    for (applied, first, second) in [
        (8, &honest, &forked),
        (8, &forked, &honest),
        (3, &honest, &forked),
        (3, &forked, &honest),
    ] {
        let mut cosigner = cosigner(&trust, 2, None);
        cosigner.applied(applied);
        let mut actions = cosigner.note(first, NOW, &mem).unwrap();
        actions.extend(cosigner.note(second, NOW, &mem).unwrap());
        let forks: Vec<_> = actions
            .iter()
            .filter_map(|action| match action {
                CosignAction::Fork(evidence) => Some(evidence),
                _ => None,
            })
            .collect();
        let [evidence] = forks[..] else {
            panic!("{forks:?}");
        };
        assert_eq!(evidence.verify(&trust), Ok(NodeId(1)));
        // Said once.
        let mut again = cosigner.note(first, NOW, &mem).unwrap();
        again.extend(cosigner.note(second, NOW, &mem).unwrap());
        assert!(!again.iter().any(|a| matches!(a, CosignAction::Fork(_))));
    }
}

#[test]
fn evidence_is_found_against_a_checkpoint_saved_long_ago() {
    let trust = genesis(3);
    let mut mem = Mem::default();
    grow(&mut mem, 30, 0);
    let mut batch = WriteBatch::new();
    let mut store = Overlay::new(&mem, &mut batch);
    for size in [7, 20] {
        let saved = signed(&trust, size, 0, &[1, 3], NOW);
        ledger::save_checkpoint(&mut store, SHARD, &saved).unwrap();
    }
    mem.commit(batch);
    let saved = ledger::newest_checkpoint(&mem, SHARD).unwrap();
    let mut cosigner = cosigner(&trust, 2, saved);
    cosigner.applied(30);
    let forked = signed(&trust, 7, 9, &[3], NOW).to_note();
    let actions = cosigner.note(&forked, NOW, &mem).unwrap();
    let [
        CosignAction::Fork(evidence),
        CosignAction::Disagreement {
            majority: false, ..
        },
    ] = &actions[..]
    else {
        panic!("{actions:?}");
    };
    assert_eq!(evidence.verify(&trust), Ok(NodeId(3)));
}

#[test]
fn one_dissenter_is_an_alarm_and_a_majority_of_them_silences_us() {
    let trust = genesis(3);
    let mut mem = Mem::default();
    grow(&mut mem, 20, 0);
    let mut cosigner = cosigner(&trust, 2, None);
    cosigner.applied(10);
    let alone = signed(&trust, 7, 9, &[1], NOW);
    let actions = cosigner.note(&alone.to_note(), NOW, &mem).unwrap();
    let ours = tree::root(&mem, SHARD, 7).unwrap();
    let expected = CosignAction::Disagreement {
        theirs: alone.clone(),
        ours,
        majority: false,
    };
    assert_eq!(actions, [expected]);
    // Told once per node and size.
    assert_eq!(cosigner.note(&alone.to_note(), NOW, &mem), Ok(vec![]));
    assert!(!cosigner.is_halted());
    assert_eq!(cosigner.tick(NOW, 50, true, &mem).unwrap().len(), 1);

    let many = signed(&trust, 8, 9, &[1, 3], NOW);
    let actions = cosigner.note(&many.to_note(), NOW, &mem).unwrap();
    assert!(matches!(
        actions[..],
        [CosignAction::Disagreement { majority: true, .. }]
    ));
    assert!(cosigner.is_halted());
    cosigner.applied(20);
    assert_eq!(cosigner.tick(NOW + 9, 9_000, true, &mem), Ok(vec![]));
    let ours = signed(&trust, 20, 0, &[1], NOW).to_note();
    assert_eq!(cosigner.note(&ours, NOW, &mem), Ok(vec![]));
}

#[test]
fn a_log_that_does_not_reproduce_its_saved_root_signs_nothing() {
    let trust = genesis(3);
    let mut mem = Mem::default();
    grow(&mut mem, 20, 5);
    let saved = signed(&trust, 10, 0, &[1, 2], NOW);
    let mut cosigner = cosigner(&trust, 2, Some(saved));
    cosigner.applied(20);
    let actions = cosigner.tick(NOW, 500, true, &mem).unwrap();
    assert!(matches!(
        actions[..],
        [CosignAction::Disagreement { majority: true, .. }]
    ));
    assert!(cosigner.is_halted());
    assert_eq!(cosigner.tick(NOW + 2, 2_000, true, &mem), Ok(vec![]));
}

#[test]
fn a_node_whose_own_signature_is_ahead_of_it_signs_nothing_before_it_is_back_there() {
    let trust = genesis(3);
    let mut mem = Mem::default();
    grow(&mut mem, 9, 0);
    let mut cosigner = cosigner(&trust, 1, None);
    cosigner.applied(5);
    let before = signed(&trust, 9, 0, &[1], NOW).to_note();
    assert_eq!(cosigner.note(&before, NOW, &mem), Ok(vec![]));
    assert_eq!(cosigner.tick(NOW + 5, 5_000, true, &mem), Ok(vec![]));
    cosigner.applied(9);
    let actions = cosigner.tick(NOW + 6, 1_000, true, &mem).unwrap();
    assert!(
        matches!(actions[..], [CosignAction::Publish(_)]),
        "{actions:?}"
    );
}

#[test]
fn strangers_other_shards_and_nonsense_change_nothing() {
    let trust = genesis(3);
    let mut mem = Mem::default();
    grow(&mut mem, 9, 0);
    let mut cosigner = cosigner(&trust, 2, None);
    cosigner.applied(9);
    let stranger = signed(&trust, 7, 0, &[1, 4], NOW).to_note();
    let elsewhere = signed(&genesis(4), 7, 0, &[1], NOW).to_note();
    for note in [&stranger, &elsewhere, ""] {
        assert!(matches!(
            cosigner.note(note, NOW, &mem),
            Err(CosignError::Note(_))
        ));
    }
    let mut other = signed(&trust, 7, 0, &[], NOW).checkpoint;
    other.shard = ShardId(1);
    let other = other
        .with(other.sign(NodeId(1), &node_key(1), NOW))
        .to_note();
    assert_eq!(
        cosigner.note(&other, NOW, &mem),
        Err(CosignError::WrongShard {
            expected: SHARD,
            found: ShardId(1)
        })
    );
    assert_eq!(cosigner.tick(NOW, 50, false, &mem), Ok(vec![]));
}

#[test]
fn what_is_held_is_bounded_whatever_a_member_signs() {
    let trust = genesis(3);
    let mut ahead = Ahead::default();
    let mut open = Open::default();
    for size in 1..200 {
        let one = signed(&trust, size, 0, &[1], NOW);
        ahead.add(&one);
        open.add(&one);
    }
    let kept: Vec<u64> = ahead
        .take_up_to(1_000)
        .iter()
        .map(|s| s.checkpoint.size)
        .collect();
    assert_eq!(kept, [1, 199]);
    let held = (0..200).filter(|size| open.get(*size).is_some()).count();
    assert_eq!(held, crate::log::pending::MAX_OPEN);
}
