//! Vectors of receipts.

use crate::audit_support::{SHARD, Trail};
use crate::file::Vectors;
use serde_json::Value;
use ukehi::log::{InclusionProof, Receipt, tree};

fn receipt(trail: &Trail, index: usize, note: &str) -> String {
    let entry = &trail.entries[index];
    let proof: InclusionProof =
        tree::inclusion_proof(&trail.tree(), SHARD, index as u64, trail.size()).unwrap();
    Receipt::from_entry(entry.record, &entry.payload, &proof.to_bytes(), note)
        .unwrap()
        .to_json()
}

pub fn write(trail: &Trail) {
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
