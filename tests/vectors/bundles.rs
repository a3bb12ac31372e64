//! Vectors of bundles without registry changes.

use crate::audit_support::{Trail, cosigned, frame, sign};
use crate::checkpoints::head;
use crate::file::Vectors;
use crate::world::World;
use ukehi::log::{Checkpoint, Outcome};

pub fn write(world: &World) {
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
