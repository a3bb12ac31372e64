//! Vectors of checkpoints, fork evidence, receipts and bundles.

use crate::audit_support::{SHARD, Trail, cosigned, frame, node, sign};
use crate::bytes::plus_l;
use crate::file::Vectors;
use crate::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ukehi::ids::{NodeId, ShardId};
use ukehi::log::{
    Checkpoint, ForkEvidence, InclusionProof, Outcome, Receipt, SignedCheckpoint, tree,
};

pub fn write(world: &World) {
    write_checkpoints(&world.trail);
    write_evidence(&world.trail);
    write_receipts(&world.trail);
    write_bundles(world);
}

fn head(trail: &Trail) -> Checkpoint {
    Checkpoint {
        cluster: trail.genesis.cluster_id(),
        shard: SHARD,
        size: trail.size(),
        root: trail.root(trail.size()),
    }
}

fn write_checkpoints(trail: &Trail) {
    let mut vectors = Vectors::new("checkpoint");
    let head = head(trail);
    let good = cosigned(head, &[1, 2]);
    vectors.accept("two of three nodes", good.clone());
    vectors.accept("all three", cosigned(head, &[1, 2, 3]));
    vectors.accept(
        "one node: it reads, and counts for nothing",
        cosigned(head, &[3]),
    );
    vectors.accept(
        "of another shard",
        cosigned(
            Checkpoint {
                shard: ShardId(4),
                ..head
            },
            &[1, 2],
        ),
    );
    let spelling = "a note has one spelling";
    let swap = |from: &str, to: &str| {
        let other = good.replacen(from, to, 1);
        assert_ne!(other, good, "{from}");
        other
    };
    let size = format!("\n{}\n", head.size);
    vectors.refuse(
        "a leading zero",
        spelling,
        swap(&size, &format!("\n0{}\n", head.size)),
    );
    vectors.refuse(
        "a plus sign",
        spelling,
        swap(&size, &format!("\n+{}\n", head.size)),
    );
    vectors.refuse(
        "another size",
        "the signatures are of the other text",
        swap(&size, "\n7777\n"),
    );
    let cluster = head.cluster.to_string();
    vectors.refuse(
        "upper-case digits",
        spelling,
        good.replace(&cluster, &cluster.to_uppercase()),
    );
    vectors.refuse("CRLF", spelling, good.replace('\n', "\r\n"));
    vectors.refuse("no last line end", spelling, good.trim_end().to_owned());
    vectors.refuse("a line more", spelling, format!("{good}\n"));
    vectors.refuse(
        "an extension line",
        "there are three lines",
        swap("\n\n", "\nextension\n\n"),
    );
    vectors.refuse("a hyphen for the dash", spelling, swap("— ", "- "));
    vectors.refuse(
        "no cosignature",
        "at least one",
        format!("{}\n", head.note_text()),
    );
    let lines: Vec<&str> = good.lines().filter(|line| line.starts_with('—')).collect();
    let text = head.note_text();
    vectors.refuse(
        "the order of nodes",
        "ascending",
        format!("{text}\n{}\n{}\n", lines[1], lines[0]),
    );
    vectors.refuse(
        "a node twice",
        "each node once",
        format!("{text}\n{}\n{}\n{}\n", lines[0], lines[0], lines[1]),
    );
    vectors.refuse("a bad cosignature beside two good ones", "each verifies", {
        let other = cosigned(Checkpoint { size: 1, ..head }, &[3]);
        format!("{good}{}\n", other.lines().last().unwrap())
    });
    let stranger = head
        .with(head.sign(NodeId(9), &node(9), 1_700_000_000))
        .to_note();
    vectors.refuse(
        "a node that genesis does not name",
        "nodes of genesis only",
        format!("{good}{}\n", stranger.lines().last().unwrap()),
    );
    vectors.refuse("another node's key", "the key id is not node 2's", {
        let signed = head.with(head.sign(NodeId(2), &node(1), 1_700_000_000));
        signed.to_note()
    });
    let mut other = trail.genesis.as_ref().clone();
    other.nonce[0] ^= 1;
    vectors.refuse(
        "another cluster",
        "the trust root's only",
        cosigned(
            Checkpoint {
                cluster: other.cluster_id(),
                ..head
            },
            &[1, 2],
        ),
    );
    let blob = lines[0].rsplit(' ').next().unwrap();
    let with_blob = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = STANDARD.decode(blob).unwrap();
        edit(&mut bytes);
        good.replacen(blob, &STANDARD.encode(bytes), 1)
    };
    vectors.refuse(
        "another time",
        "the time is signed",
        with_blob(&|b| b[11] ^= 1),
    );
    vectors.refuse(
        "a time of 2^63",
        "beyond any clock",
        with_blob(&|b| b[4] = 0x80),
    );
    vectors.refuse(
        "S not reduced",
        "a signature has one encoding",
        with_blob(&|b| {
            let s = plus_l(b[12..].try_into().unwrap());
            b[44..].copy_from_slice(&s);
        }),
    );
    vectors.refuse(
        "a signature of 63 bytes",
        "64",
        with_blob(&|b| b.truncate(75)),
    );
    vectors.refuse(
        "no padding",
        "base64 with padding",
        good.replacen('=', "", 1),
    );
    vectors.save("checkpoint.json");
}

fn write_evidence(trail: &Trail) {
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

fn receipt(trail: &Trail, index: usize, note: &str) -> String {
    let entry = &trail.entries[index];
    let proof: InclusionProof =
        tree::inclusion_proof(&trail.tree(), SHARD, index as u64, trail.size()).unwrap();
    Receipt::from_entry(entry.record, &entry.payload, &proof.to_bytes(), note)
        .unwrap()
        .to_json()
}

fn write_receipts(trail: &Trail) {
    let mut vectors = Vectors::new("receipt");
    let note = trail.note();
    let good = receipt(trail, 2, &note);
    let swap = |from: &str, to: &str| {
        let other = good.replacen(from, to, 1);
        assert_ne!(other, good, "{from}");
        other
    };
    vectors.accept("of an applied batch", good.clone());
    vectors.accept("of a refused batch", receipt(trail, 4, &note));
    vectors.accept(
        "of the last entry, cosigned by all",
        receipt(trail, 5, &trail.note_by(trail.size(), &[1, 2, 3])),
    );
    vectors.refuse(
        "one cosignature of three",
        "two are a majority",
        receipt(trail, 2, &trail.note_by(trail.size(), &[1])),
    );
    vectors.refuse(
        "another outcome",
        "the leaf hashes the outcome",
        swap("\"outcome\": \"applied\"", "\"outcome\": \"duplicate\""),
    );
    vectors.refuse(
        "an unknown outcome",
        "unknown",
        swap("\"outcome\": \"applied\"", "\"outcome\": \"fine\""),
    );
    vectors.refuse(
        "another index",
        "the path is that of entry 2",
        swap("\"index\": 2", "\"index\": 3"),
    );
    vectors.refuse(
        "another kind",
        "a receipt is of a batch",
        swap("\"kind\": \"batch\"", "\"kind\": \"no_op\""),
    );
    vectors.refuse(
        "another sequence",
        "the header has it",
        swap("\"seq\": 1,", "\"seq\": 2,"),
    );
    let value: Value = serde_json::from_str(&good).unwrap();
    let (author, header) = (
        value["author"].as_str().unwrap(),
        value["header"].as_str().unwrap(),
    );
    let other_author = crate::audit_support::author(2).public().to_string();
    vectors.refuse(
        "another author",
        "the header has it",
        swap(author, &other_author),
    );
    let mut flipped = hex::decode(header).unwrap();
    flipped[245] ^= 1;
    vectors.refuse(
        "another header",
        "the record has its digest",
        swap(header, &hex::encode(&flipped)),
    );
    vectors.refuse(
        "a header in upper case",
        "there is one spelling",
        swap(header, &header.to_uppercase()),
    );
    let path = value["inclusion"]["path"][0].as_str().unwrap();
    let flipped = format!(
        "{}{}",
        if path.starts_with('0') { '1' } else { '0' },
        &path[1..]
    );
    vectors.refuse(
        "another hash in the path",
        "it leads to another root",
        swap(path, &flipped),
    );
    vectors.refuse(
        "a hash more in the path",
        "the sizes call for so many",
        swap(
            &format!("\"{path}\""),
            &format!("\"{path}\",\n      \"{path}\""),
        ),
    );
    vectors.refuse(
        "another size",
        "the note's",
        swap("\"size\": 6", "\"size\": 7"),
    );
    vectors.refuse(
        "a member more",
        "exactly seven",
        swap("\"seq\"", "\"more\": 1,\n  \"seq\""),
    );
    vectors.refuse(
        "a member twice",
        "each once",
        swap("\"seq\": 1", "\"seq\": 1,\n  \"seq\": 1"),
    );
    vectors.refuse("another schema", "v1", swap("receipt/v1", "receipt/v2"));
    vectors.refuse(
        "a number in another spelling",
        "there is one spelling",
        swap("\"seq\": 1,", "\"seq\": 1.0,"),
    );
    vectors.refuse(
        "the note of a smaller tree",
        "the path is of the larger one",
        {
            let small = serde_json::to_string(&trail.note_by(3, &[1, 2])).unwrap();
            swap(&serde_json::to_string(&note).unwrap(), &small)
        },
    );
    vectors.refuse("of a no-op", "a receipt is of a batch", {
        let no_op = &trail.entries[1];
        let proof = tree::inclusion_proof(&trail.tree(), SHARD, 1, trail.size()).unwrap();
        let payload = &trail.entries[2].payload;
        Receipt::from_entry(no_op.record, payload, &proof.to_bytes(), &note)
            .unwrap()
            .to_json()
    });
    vectors.save("receipt.json");
}

fn write_bundles(world: &World) {
    let mut vectors = Vectors::new("bundle");
    let trail = &world.trail;
    let good = trail.bundle();
    vectors.accept("from genesis", good.clone());
    vectors.accept("a range with hashes on both sides", trail.range(3, 5));
    vectors.accept("the first entries of a longer log", trail.range(0, 3));
    vectors.accept("the last entry", trail.range(5, 6));

    for (name, from, to) in crate::audit_support::frames::frames(&good) {
        let mut bytes = good.clone();
        bytes[(from + to) / 2] ^= 0x10;
        vectors.refuse(
            &format!("a flipped bit in {name}"),
            "a check covers it",
            bytes,
        );
    }
    vectors.refuse(
        "cut short",
        "the trailer is missing",
        good[..good.len() - 40].to_vec(),
    );
    vectors.refuse(
        "a byte more",
        "nothing follows the trailer",
        [&good[..], &[0]].concat(),
    );
    vectors.refuse("an unknown kind of frame", "kinds 1 to 7 in their order", {
        [&good[..26], &frame(9, 0, 0, &[]), &good[26..]].concat()
    });

    // All checks, the tree and the cosignatures made anew: the nodes collude.
    let mut attack = |name: &str, reason: &str, edit: &dyn Fn(&mut Trail)| {
        let mut forged = trail.clone();
        edit(&mut forged);
        vectors.refuse(name, reason, forged.bundle());
    };
    attack("an outcome changed", "it is decided again", &|t| {
        t.entries[4].record.outcome = Outcome::Applied
    });
    attack("a refusal made up", "it is decided again", &|t| {
        t.entries[3].record.outcome = Outcome::Expired
    });
    attack("x changed", "it is computed from the batch", &|t| {
        t.entries[3].record.x[0] ^= 1
    });
    attack(
        "the header digest changed",
        "it is computed from the batch",
        &|t| t.entries[3].record.header_digest[0] ^= 1,
    );
    attack("genesis with an x", "its record is given", &|t| {
        t.entries[0].record.x[0] = 1
    });
    attack("a no-op with an outcome", "its record is given", &|t| {
        t.entries[1].record.outcome = Outcome::Expired
    });
    attack("a payload behind a no-op", "it has none", &|t| {
        t.entries[1].payload = vec![0]
    });
    attack("a batch replayed", "its sequence is used", &|t| {
        let mut again = t.entries[2].clone();
        again.record.index = 6;
        t.entries.push(again);
    });
    attack(
        "two batches exchanged",
        "the anchor of the first then lies ahead",
        &|t| {
            t.entries.swap(2, 3);
            t.entries[2].record.index = 2;
            t.entries[3].record.index = 3;
        },
    );
    attack(
        "a ciphertext changed by its author",
        "the proof is of another x",
        &|t| {
            let mut batch = t.entries[3].batch();
            batch.slots[1].ct[4] += ukehi_circuits::F::from(1u64);
            sign(&mut batch, 1);
            t.entries[3].replace(&batch);
        },
    );
    attack("another batch's proof", "the proof is of another x", &|t| {
        let mut batch = t.entries[4].batch();
        batch.proof = t.entries[2].batch().proof;
        t.entries[4].replace(&batch);
    });
    let start = trail.start(0, trail.size());
    vectors.refuse(
        "one cosignature of three",
        "two are a majority",
        trail.bundle_with(&start, &trail.note_by(6, &[1])),
    );
    vectors.refuse(
        "a checkpoint of a smaller tree",
        "its size is the preamble's",
        trail.bundle_with(&start, &trail.note_by(5, &[1, 2])),
    );
    vectors.refuse(
        "a checkpoint of another root",
        "the entries lead to another",
        {
            let other = Checkpoint {
                root: [7; 32],
                ..head(trail)
            };
            trail.bundle_with(&start, &cosigned(other, &[1, 2]))
        },
    );
    let mut other = start.clone();
    other.cluster.0[0] ^= 1;
    vectors.refuse(
        "another cluster",
        "the trust root's only",
        trail.bundle_with(&other, &trail.note()),
    );
    let mut other = start.clone();
    other.genesis[20] ^= 1;
    vectors.refuse(
        "another genesis",
        "the trust root's, byte for byte",
        trail.bundle_with(&other, &trail.note()),
    );
    let mut other = trail.start(3, 5);
    other.left[0][0] ^= 1;
    vectors.refuse(
        "another hash before a range",
        "the root is another",
        trail.bundle_with(&other, &trail.note()),
    );
    vectors.save("bundle.json");
}
