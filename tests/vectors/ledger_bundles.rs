//! Vectors of trails with cells: a transfer, refusals, a void mint, circuits and authors that come and go.

use crate::audit_support::{Trail, sign};
use crate::file::Vectors;
use crate::ledger::{
    ACTIVATION, BY_REVOKED, GUARDED, Ledger, OWN_LIST, RETIRED_CIRCUIT, STALE, TRANSFER, VOID_MINT,
};
use ukehi::log::Outcome;
use ukehi::registry::Change;
use ukehi_circuits::F;

pub fn write(ledger: &Ledger<'_>) {
    let mut vectors = Vectors::new("bundle");
    let trail = &ledger.trail;
    let size = trail.size();
    vectors.accept("transfers and refusals, from genesis", trail.bundle());
    let behind = trail.range(VOID_MINT + 1, GUARDED + 1);
    vectors.accept("a range behind a void mint", behind);
    let around = trail.range(TRANSFER, VOID_MINT + 1);
    vectors.accept("a range with a void mint in it", around);
    vectors.accept("the last entry", trail.range(size - 1, size));

    let mut attack = |name: &str, reason: &str, edit: &dyn Fn(&mut Trail)| {
        let mut forged = trail.clone();
        edit(&mut forged);
        vectors.refuse(name, reason, forged.bundle());
    };
    let mut outcome = |name: &str, at: u64, outcome: Outcome| {
        attack(name, "it is decided again", &|t| {
            t.entries[at as usize].record.outcome = outcome;
        });
    };
    let applied = Outcome::Applied;
    outcome("a transfer called stale", TRANSFER, Outcome::CellStale);
    outcome("a stale transfer called applied", STALE, applied);
    outcome(
        "a stale transfer called missing",
        STALE,
        Outcome::CellMissing,
    );
    outcome(
        "a batch against a cell's own list called applied",
        OWN_LIST,
        applied,
    );
    outcome("a void mint called applied", VOID_MINT, applied);
    outcome(
        "a void mint called a second one",
        VOID_MINT,
        Outcome::CellExists,
    );
    outcome("an applied mint called void", 7, Outcome::CellLive);
    outcome(
        "a batch of a revoked author called applied",
        BY_REVOKED,
        applied,
    );
    outcome(
        "a batch under a retired circuit called applied",
        RETIRED_CIRCUIT,
        applied,
    );
    attack(
        "a commitment changed by its author",
        "the proof is of another x",
        &|t| {
            let entry = &mut t.entries[TRANSFER as usize];
            let mut batch = entry.batch();
            batch.slots[1].cell[1] += F::from(1u64);
            sign(&mut batch, 1);
            entry.replace(&batch);
        },
    );
    attack(
        "two cells of a batch exchanged",
        "the proof is of another x",
        &|t| {
            let entry = &mut t.entries[TRANSFER as usize];
            let mut batch = entry.batch();
            batch.slots.swap(0, 1);
            sign(&mut batch, 1);
            entry.replace(&batch);
        },
    );
    attack(
        "a mint of another value",
        "the admin signed the first",
        &|t| {
            let entry = &mut t.entries[7];
            let mut change = Change::from_bytes(&entry.payload).unwrap();
            if let ukehi::registry::Operation::Mint { value, .. } = &mut change.content.operation {
                *value += 1;
            }
            entry.record.header_digest = change.digest();
            entry.payload = change.to_bytes();
        },
    );
    attack(
        "a batch before its circuit's activation",
        "nobody could verify it",
        &|t| {
            let (activation, transfer) = (ACTIVATION as usize, TRANSFER as usize);
            t.entries.swap(activation, transfer);
            for (index, entry) in (0..).zip(&mut t.entries) {
                entry.record.index = index;
            }
        },
    );
    write_ranges(&mut vectors, trail);
    vectors.save("bundle-ledger.json");
}

/// What a range may say of the changes before it.
fn write_ranges(vectors: &mut Vectors, trail: &Trail) {
    let start = || trail.start(GUARDED, GUARDED + 1);
    let mut without = start();
    let void = without
        .registry
        .iter()
        .position(|c| c.record.index == VOID_MINT);
    without
        .registry
        .remove(void.expect("it used up its number"));
    vectors.refuse(
        "the void mint before a range left out",
        "the next change then has a number too high",
        trail.bundle_with(&without, &trail.note()),
    );
    let mut without = start();
    without.registry.remove(0);
    for (number, raw) in (1..).zip(&mut without.registry) {
        let mut change = Change::from_bytes(&raw.change).unwrap();
        change.content.number = number;
        raw.change = change.to_bytes();
    }
    vectors.refuse(
        "the activation before a range left out, and the numbers mended",
        "the numbers are signed",
        trail.bundle_with(&without, &trail.note()),
    );
    let mut forged = trail.clone();
    forged.entries[4].record.outcome = Outcome::CellLive;
    vectors.refuse(
        "a registration before a range recorded as a void mint",
        "only mints meet cells",
        forged.range(GUARDED, GUARDED + 1),
    );
    let mut forged = trail.clone();
    forged.entries[BY_REVOKED as usize].record.outcome = Outcome::Applied;
    vectors.refuse(
        "a revoked author's batch called applied in a range",
        "the changes before it say so",
        forged.range(BY_REVOKED, BY_REVOKED + 1),
    );
}
