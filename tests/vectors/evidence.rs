//! Vectors of fork evidence.

use crate::audit_support::{Trail, cosigned};
use crate::checkpoints::head;
use crate::file::Vectors;
use serde_json::Value;
use ukehi::ids::ShardId;
use ukehi::log::{Checkpoint, ForkEvidence, SignedCheckpoint};

pub fn write(trail: &Trail) {
    let mut vectors = Vectors::new("evidence");
    let honest = head(trail);
    let forged = Checkpoint {
        root: [7; 32],
        ..honest
    };
    let signed = |checkpoint: Checkpoint, nodes: &[u8]| {
        SignedCheckpoint::from_note(&cosigned(checkpoint, nodes), &trail.genesis).unwrap()
    };
    let [evidence] = &ForkEvidence::find(&signed(honest, &[2]), &signed(forged, &[2]))[..] else {
        panic!("one node signed both");
    };
    let good = evidence.to_json();
    let value: Value = serde_json::from_str(&good).unwrap();
    let (first, second) = (
        value["first"].as_str().unwrap(),
        value["second"].as_str().unwrap(),
    );
    let json = |node: u64, first: &str, second: &str| {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        format!(
            "{{\"schema\":\"ukehi/fork-evidence/v1\",\"node\":{node},\"first\":{},\"second\":{}}}",
            quoted(first),
            quoted(second)
        )
    };
    vectors.accept("two roots, one node", good.clone());
    vectors.accept("the same without white space", json(2, first, second));
    vectors.refuse(
        "the roots in descending order",
        "ascending, so that there is one spelling",
        json(2, second, first),
    );
    vectors.refuse(
        "one checkpoint twice",
        "the roots differ",
        json(2, first, first),
    );
    vectors.refuse(
        "another node named",
        "the signer's number",
        json(1, first, second),
    );
    let by = |checkpoint, nodes: &[u8]| cosigned(checkpoint, nodes);
    let pair = |one: (Checkpoint, &[u8]), other: (Checkpoint, &[u8])| {
        let (low, high) = if one.0.root < other.0.root {
            (one, other)
        } else {
            (other, one)
        };
        json(2, &by(low.0, low.1), &by(high.0, high.1))
    };
    vectors.refuse(
        "two signers",
        "one node signed both",
        pair((honest, &[1]), (forged, &[2])),
    );
    vectors.refuse(
        "two cosignatures on one",
        "exactly one each",
        pair((honest, &[1, 2]), (forged, &[2])),
    );
    vectors.refuse(
        "two sizes",
        "a log grows: that is no fork",
        pair((Checkpoint { size: 1, ..honest }, &[2]), (forged, &[2])),
    );
    vectors.refuse(
        "two shards",
        "these are two logs",
        pair(
            (
                Checkpoint {
                    shard: ShardId(1),
                    ..honest
                },
                &[2],
            ),
            (forged, &[2]),
        ),
    );
    vectors.refuse("a signature of another root", "it does not verify", {
        let theirs = by(forged, &[2]);
        let ours = by(honest, &[2]);
        let line = |note: &str| note.lines().last().unwrap().to_owned();
        let forged = theirs.replace(&line(&theirs), &line(&ours));
        json(
            2,
            &if first == ours {
                first.to_owned()
            } else {
                forged.clone()
            },
            &if first == ours {
                forged
            } else {
                second.to_owned()
            },
        )
    });
    vectors.refuse(
        "a member more",
        "exactly four",
        good.replacen("\"node\"", "\"more\": 1,\n  \"node\"", 1),
    );
    vectors.refuse("another order of members", "there is one spelling", {
        format!(
            "{{\"node\":2,\"schema\":\"ukehi/fork-evidence/v1\",\"first\":{},\"second\":{}}}",
            value["first"], value["second"]
        )
    });
    vectors.refuse(
        "an escape that JSON does not demand",
        "there is one spelling",
        good.replacen("ukehi/fork", "\\u0075kehi/fork", 1),
    );
    vectors.refuse(
        "an escaped dash",
        "there is one spelling",
        good.replacen('—', "\\u2014", 1),
    );
    vectors.refuse(
        "another schema",
        "v1",
        good.replacen("evidence/v1", "evidence/v2", 1),
    );
    vectors.refuse(
        "beyond 4 KiB",
        "at most 4 KiB",
        format!("{good}{}", " ".repeat(4096)),
    );
    vectors.save("evidence.json");
}
