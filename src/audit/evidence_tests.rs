use super::*;
use crate::log::testing::{genesis, node_key};
use crate::log::{Checkpoint, SignedCheckpoint};
use crate::replica::Payload;
use crate::replica::Stamp;
use crate::replica::entry::{Position, content_digest};
use crate::replica::evidence::Claim;

const SHARD: ShardId = ShardId(0);
const PLACE: (Term, LogIndex) = (4, 7);

fn trust() -> TrustRoot {
    TrustRoot {
        genesis: (*genesis(3)).clone(),
        circuits: Vec::new(),
    }
}

fn stamp(node: u64, kind: EntryKind, bytes: &[u8]) -> (Stamp, [u8; 32]) {
    let position = Position {
        cluster: trust().genesis.cluster_id(),
        shard: SHARD,
        term: PLACE.0,
        index: PLACE.1,
        kind,
        digest: content_digest(kind, bytes),
    };
    let stamp = Stamp::sign(NodeId(node), &node_key(node), &position);
    (stamp, position.digest)
}

fn refused(node: u64, bytes: &[u8]) -> Evidence {
    Evidence::Refused {
        sender: NodeId(3),
        index: PLACE.1,
        term: PLACE.0,
        payload: Payload::Batch {
            bytes: bytes.into(),
            stamp: stamp(node, EntryKind::Batch, bytes).0,
        },
    }
}

fn file(evidence: &Evidence) -> Option<String> {
    let cluster = trust().genesis.cluster_id();
    to_file(cluster, SHARD, b"e", &evidence.to_bytes()).unwrap()
}

#[test]
fn a_signed_entry_that_no_gate_lets_in_convicts_its_signer_and_not_who_passed_it_on() {
    let text = file(&refused(2, b"no batch at all")).unwrap();
    let found = verify(&text, &trust()).unwrap();
    assert!(
        matches!(
            found,
            Finding::RefusedEntry {
                node: NodeId(2),
                term: 4,
                index: 7,
                ..
            }
        ),
        "{found:?}"
    );
}

#[test]
fn two_signatures_for_one_place_convict_and_one_of_somebody_else_does_not() {
    let equivocation = |second: u64| {
        let contents = [(2, b"one".as_slice()), (second, b"two")].map(|(node, bytes)| {
            let (stamp, digest) = stamp(node, EntryKind::Batch, bytes);
            (EntryKind::Batch, digest, stamp.signature)
        });
        Evidence::Equivocation {
            index: PLACE.1,
            term: PLACE.0,
            proposer: NodeId(2),
            contents,
        }
    };
    let found = verify(&file(&equivocation(2)).unwrap(), &trust()).unwrap();
    assert_eq!(
        found,
        Finding::Equivocation {
            node: NodeId(2),
            term: 4,
            index: 7
        }
    );
    let found = verify(&file(&equivocation(1)).unwrap(), &trust());
    assert!(matches!(found, Err(EvidenceError::Signature)), "{found:?}");
}

#[test]
fn the_same_content_twice_is_no_equivocation() {
    let (stamp, digest) = stamp(2, EntryKind::Batch, b"one");
    let twice = Evidence::Equivocation {
        index: PLACE.1,
        term: PLACE.0,
        proposer: NodeId(2),
        contents: [(EntryKind::Batch, digest, stamp.signature); 2],
    };
    assert!(verify(&file(&twice).unwrap(), &trust()).is_err());
}

#[test]
fn a_fork_is_written_as_fork_evidence_and_convicts_who_signed_both() {
    let genesis = trust().genesis;
    let checkpoint = |root| Checkpoint {
        cluster: genesis.cluster_id(),
        shard: SHARD,
        size: 9,
        root: [root; 32],
    };
    let signed = |root| {
        let mut signed = SignedCheckpoint::new(checkpoint(root));
        signed.add(checkpoint(root).sign(NodeId(1), &node_key(1), 1_700_000_000));
        signed
    };
    let [fork] = &ForkEvidence::find(&signed(1), &signed(2))[..] else {
        panic!("one fork");
    };
    let text = to_file(genesis.cluster_id(), SHARD, &[FORK_KEY], &fork.to_bytes());
    let text = text.unwrap().unwrap();
    let found = verify(&text, &trust()).unwrap();
    let expected = Finding::Fork {
        node: NodeId(1),
        size: 9,
    };
    assert_eq!(found, expected);
    let altered = text.replace("\"node\": 1", "\"node\": 2");
    assert_ne!(altered, text);
    assert!(verify(&altered, &trust()).is_err());
}

#[test]
fn a_claim_is_not_written_and_shows_nothing() {
    let claim = Evidence::Claim {
        sender: NodeId(2),
        index: PLACE.1,
        term: PLACE.0,
        claim: Claim::BadStamp,
    };
    assert_eq!(file(&claim), None);
}

#[test]
fn what_stands_beside_the_evidence_must_agree_with_it() {
    let text = file(&refused(2, b"no batch")).unwrap();
    assert!(verify(&text, &trust()).is_ok());
    for (from, to) in [
        ("\"node\": 2", "\"node\": 1"),
        ("\"term\": 4", "\"term\": 5"),
        ("\"index\": 7", "\"index\": 8"),
        ("\"shard\": 0", "\"shard\": 1"),
        ("\"term\": 4", "\"term\": 4, \"term\": 4"),
        ("\"term\": 4", "\"term\": 4, \"remark\": 0"),
    ] {
        let altered = text.replace(from, to);
        assert_ne!(altered, text);
        assert!(verify(&altered, &trust()).is_err(), "{to}");
    }
}
