//! Vectors of checkpoints.

use crate::audit_support::{SHARD, Trail, cosigned, node};
use crate::bytes::plus_l;
use crate::file::Vectors;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ukehi::ids::{NodeId, ShardId};
use ukehi::log::Checkpoint;

/// Of the whole log.
pub fn head(trail: &Trail) -> Checkpoint {
    Checkpoint {
        cluster: trail.genesis.cluster_id(),
        shard: SHARD,
        size: trail.size(),
        root: trail.root(trail.size()),
    }
}

pub fn write(trail: &Trail) {
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
