//! A bundle as a file: whatever is flipped, cut, moved or added is found and named.

mod audit_support;

use audit_support::frames::frames;
use audit_support::{Trail, frame};
use rayon::prelude::*;
use std::io::{self, Read};
use std::ops::Range;
use ukehi::audit::show::Show;
use ukehi::audit::{
    AuditError, BundleError, BundleReader, BundleWriter, ExportError, Further, Options, Place,
    Progress, verify_trail,
};
use ukehi::error::ExitCode;
use ukehi::log::Record;

fn place_of(bundle: &[u8], name: &str) -> Range<usize> {
    let found = frames(bundle).into_iter().find(|(n, ..)| n == name);
    let (_, from, to) = found.unwrap_or_else(|| panic!("no frame {name}"));
    from..to
}

#[test]
fn a_whole_trail_verifies_and_the_report_says_what_was_and_was_not_shown() {
    let trail = Trail::with_batches(5);
    let mut seen = Vec::new();
    let report = verify_trail(
        BundleReader::open(&trail.bundle()[..]).unwrap(),
        &trail.verifier(),
        &Options::default(),
        &mut |Progress { done, total }| seen.push((done, total)),
    )
    .unwrap();
    assert_eq!((report.from, report.to, report.size), (0, 7, 7));
    assert_eq!(report.root, trail.root(7));
    assert_eq!((report.tally.entries, report.tally.batches), (7, 5));
    assert_eq!(report.tally.commands_applied, 3 + 2 * 3);
    assert_eq!(report.tally.authors.len(), 2);
    assert_eq!((report.cosigners.len(), report.majority), (2, 2));
    assert!(report.outcomes_recomputed && !report.decryption_key_needed);
    assert!(report.limits[0].contains("No decryption key"));
    assert_eq!((seen.first(), seen.last()), (Some(&(0, 7)), Some(&(7, 7))));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["schema"], "ukehi/audit-report/v1");
    assert_eq!(json["outcomes"][0]["outcome"], "applied");
}

#[test]
fn a_flip_in_any_byte_is_tampering_and_names_its_frame() {
    let trail = Trail::with_batches(2);
    let bundle = trail.bundle();
    let frames = frames(&bundle);
    (0..bundle.len()).into_par_iter().for_each(|at| {
        let mut flipped = bundle.clone();
        flipped[at] ^= 1 << (at % 8);
        let error = trail.verify(&flipped).expect_err("the flip goes unnoticed");
        let (name, ..) = frames.iter().find(|(_, _, to)| at < *to).unwrap();
        assert_eq!(error.exit_code(), ExitCode::Tampered, "byte {at}: {error}");
        if name == "header" {
            assert_eq!(
                error,
                AuditError::Bundle(BundleError::NotABundle),
                "byte {at}"
            );
        } else {
            assert!(
                error.to_string().starts_with(name),
                "byte {at} of {name}: {error}"
            );
        }
    });
}

#[test]
fn a_cut_anywhere_is_incomplete_and_names_the_frame_it_is_in() {
    let trail = Trail::with_batches(2);
    let bundle = trail.bundle();
    let frames = frames(&bundle);
    (0..bundle.len()).into_par_iter().for_each(|len| {
        let error = trail
            .verify(&bundle[..len])
            .expect_err("the cut goes unnoticed");
        let (name, ..) = frames.iter().find(|(_, _, to)| len < *to).unwrap();
        let AuditError::Bundle(BundleError::Incomplete { place, .. }) = &error else {
            panic!("cut at {len}: {error}");
        };
        assert_eq!(error.exit_code(), ExitCode::Incomplete);
        assert!(
            place.to_string().ends_with(name),
            "cut at {len} in {name}: {error}"
        );
    });
}

#[test]
fn a_fault_in_an_earlier_entry_is_reported_before_a_damaged_later_one() {
    let mut trail = Trail::with_batches(3);
    let mut batch = trail.entries[2].batch();
    batch.proof[0] ^= 1;
    trail.entries[2].payload = batch.to_bytes();
    let mut bundle = trail.bundle();
    let later = place_of(&bundle, "entry 4");
    bundle[later.end - 1] ^= 1;
    let error = trail.verify(&bundle).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::ProofInvalid, "{error}");
    assert!(error.to_string().starts_with("entry 2:"), "{error}");
}

#[test]
fn further_damaged_frames_are_counted() {
    let trail = Trail::with_batches(4);
    let mut bundle = trail.bundle();
    for name in ["entry 2", "entry 4", "entry 5", "the checkpoint"] {
        let frame = place_of(&bundle, name);
        bundle[frame.end - 40] ^= 4;
    }
    let Err(AuditError::Bundle(BundleError::Damaged { place, further, .. })) =
        trail.verify(&bundle)
    else {
        panic!("the damage goes unnoticed");
    };
    assert_eq!((place, further), (Place::Entry(2), Further::Exactly(3)));

    // A damaged head hides how long its frame is, hence all that follows.
    let head = place_of(&trail.bundle(), "entry 4").start + 9;
    bundle[head] ^= 1;
    let Err(AuditError::Bundle(BundleError::Damaged { further, .. })) = trail.verify(&bundle)
    else {
        panic!("the damage goes unnoticed");
    };
    assert_eq!(further, Further::AtLeast(0));
}

#[test]
fn bytes_behind_the_last_frame_are_refused() {
    let trail = Trail::with_batches(1);
    let bundle = trail.bundle();
    for extra in [&b"\0"[..], &bundle] {
        let error = trail.verify(&[&bundle, extra].concat()).unwrap_err();
        assert_eq!(error, AuditError::Bundle(BundleError::Trailing));
        assert_eq!(error.exit_code(), ExitCode::Tampered);
    }
}

#[test]
fn a_length_of_four_gibibytes_is_refused_before_anything_is_read() {
    struct Counting<R>(R, usize);
    impl<R: Read> Read for Counting<R> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(to)?;
            self.1 += read;
            Ok(read)
        }
    }
    let trail = Trail::with_batches(1);
    let bundle = trail.bundle();
    for name in ["the preamble", "entry 2", "the checkpoint", "the trailer"] {
        let at = place_of(&bundle, name);
        let (kind, index) = (bundle[at.start], bundle[at.start + 1]);
        let huge = frame(kind, u64::from(index), u32::MAX, b"");
        let start = [&bundle[..at.start], &huge].concat();
        let mut endless = Counting((&start[..]).chain(io::repeat(0)), 0);
        let error = BundleReader::open(&mut endless)
            .map_err(AuditError::from)
            .and_then(|b| verify_trail(b, &trail.verifier(), &Options::default(), &mut |_| {}))
            .unwrap_err();
        let AuditError::Bundle(BundleError::TooLong { found, .. }) = &error else {
            panic!("{name}: {error}");
        };
        assert_eq!(*found, u64::from(u32::MAX));
        assert!(error.to_string().starts_with(name), "{error}");
        assert!(
            endless.1 < start.len() + 64 * 1024,
            "{} bytes were read",
            endless.1
        );
    }
}

#[test]
fn frames_out_of_place_are_refused() {
    let trail = Trail::with_batches(3);
    let bundle = trail.bundle();
    let [a, b] = ["entry 2", "entry 3"].map(|name| place_of(&bundle, name));
    let entry = |range: &Range<usize>| bundle[range.clone()].to_vec();
    let swapped = [&bundle[..a.start], &entry(&b), &entry(&a), &bundle[b.end..]].concat();
    let removed = [&bundle[..a.start], &bundle[a.end..]].concat();
    let repeated = [&bundle[..a.end], &entry(&a), &bundle[a.end..]].concat();
    let unknown = [&bundle[..a.start], &frame(9, 0, 0, b""), &bundle[a.start..]].concat();
    let reserved = [&bundle[..a.start], &frame(4, 2, 0, b""), &bundle[a.start..]].concat();
    let (two, three) = (Place::Entry(2), Place::Entry(3));
    for (attack, expected, found) in [
        (swapped, two, three),
        (removed, two, three),
        (repeated, three, two),
        (unknown, two, Place::Unknown(9)),
        (reserved, two, Place::Registry(2)),
    ] {
        let error = trail.verify(&attack).unwrap_err();
        let unexpected = BundleError::Unexpected { expected, found };
        assert_eq!(error, AuditError::Bundle(unexpected));
        assert_eq!(error.exit_code(), ExitCode::Tampered);
    }
}

#[test]
fn another_format_version_is_told_from_damage() {
    let trail = Trail::with_batches(1);
    let mut bundle = trail.bundle();
    bundle[8] = 2;
    let check = blake3::derive_key("ukehi/bundle-header/v1", &bundle[..10]);
    bundle[10..26].copy_from_slice(&check[..16]);
    let error = trail.verify(&bundle).unwrap_err();
    assert_eq!(error, AuditError::Bundle(BundleError::Version { found: 2 }));
    assert_eq!(error.exit_code(), ExitCode::Configuration);
    assert_eq!(error.next(), "audit with a newer release");
}

#[test]
fn a_trailer_that_counts_or_digests_something_else_is_refused() {
    let trail = Trail::with_batches(1);
    let bundle = trail.bundle();
    let at = place_of(&bundle, "the trailer");
    for byte in [0, 8] {
        let mut payload = bundle[at.start + 29..at.end - 32].to_vec();
        payload[byte] ^= 1;
        let trailer = frame(7, 0, payload.len() as u32, &payload);
        let error = trail
            .verify(&[&bundle[..at.start], &trailer].concat())
            .unwrap_err();
        assert!(
            error.to_string().starts_with("the trailer: the "),
            "{error}"
        );
    }
}

#[test]
fn a_source_that_gives_one_byte_at_a_time_makes_no_difference() {
    struct Drip<'a>(&'a [u8]);
    impl Read for Drip<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let one = to.len().min(1);
            self.0.read(&mut to[..one])
        }
    }
    let trail = Trail::with_batches(2);
    let bundle = trail.bundle();
    let opened = BundleReader::open(Drip(&bundle)).unwrap();
    let dripped = verify_trail(opened, &trail.verifier(), &Options::default(), &mut |_| {});
    assert_eq!(dripped, trail.verify(&bundle));
    assert!(dripped.is_ok());
}

#[test]
fn a_source_that_fails_is_not_taken_for_damage() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let trail = Trail::with_batches(1);
    let bundle = trail.bundle();
    let error = AuditError::from(
        BundleReader::open((&bundle[..40]).chain(Broken))
            .err()
            .unwrap(),
    );
    assert_eq!(error.exit_code(), ExitCode::Runtime);
    assert!(error.to_string().contains("the disk is gone"), "{error}");
}

#[test]
fn the_writer_keeps_to_what_its_preamble_promises() {
    let trail = Trail::with_batches(2);
    let start = trail.start(0, 4);
    let entry = &trail.entries[0];
    let open = || BundleWriter::new(Vec::new(), &start).unwrap();

    let skipped = open().entry(&trail.entries[1].record, &[]);
    assert!(matches!(
        skipped,
        Err(ExportError::OutOfOrder {
            expected: 0,
            found: 1
        })
    ));
    let mut early = open();
    early.entry(&entry.record, &[]).unwrap();
    let early = early.finish(&trail.note());
    assert!(matches!(
        early,
        Err(ExportError::Incomplete { next: 1, to: 4 })
    ));
    let mut beyond = open();
    for entry in &trail.entries {
        beyond.entry(&entry.record, &entry.payload).unwrap();
    }
    assert!(matches!(
        beyond.entry(&Record::no_op(4), &[]),
        Err(ExportError::OutOfOrder { .. })
    ));
    let large = open().entry(&entry.record, &vec![0; 1 << 20]);
    assert!(matches!(
        large,
        Err(ExportError::TooLong {
            place: Place::Entry(0),
            ..
        })
    ));
    for (from, to, size) in [(3, 3, 4), (3, 2, 4), (0, 5, 4)] {
        let range = ukehi::audit::Start {
            from,
            to,
            size,
            ..start.clone()
        };
        let refused = BundleWriter::new(Vec::new(), &range);
        assert!(matches!(refused, Err(ExportError::Range { .. })));
    }
}

#[test]
fn show_lists_what_stands_in_the_file_and_judges_nothing() {
    let mut trail = Trail::with_batches(3);
    // Neither proof nor signature holds: `show` shows it all the same.
    let mut batch = trail.entries[3].batch();
    batch.proof[1] ^= 1;
    trail.entries[3].payload = batch.to_bytes();
    trail.entries[4].payload.truncate(40);
    let bundle = trail.bundle();

    let listing = Show::open(&bundle[..]).unwrap().listing().unwrap();
    assert_eq!(
        (listing.entries.len(), listing.head.to, listing.verified),
        (5, 5, false)
    );
    let row = &listing.entries[3];
    let shown = row.batch.as_ref().unwrap();
    assert_eq!((row.index, shown.slots, shown.author_seq), (3, 3, 1));
    assert_eq!(shown.author, audit_support::author(2).public());
    assert!(listing.entries[4].batch.is_none());
    assert!(
        listing.entries[4]
            .undecodable
            .as_ref()
            .unwrap()
            .contains("too early")
    );
    let json = serde_json::to_value(&listing).unwrap();
    assert_eq!(json["schema"], "ukehi/audit-show/v1");
    assert_eq!(json["entries"][1]["kind"], "no_op");

    let document = Show::open(&bundle[..]).unwrap().entry(3).unwrap();
    let sealed = document.entry.sealed.as_ref().unwrap();
    assert_eq!(sealed.proof, hex::encode(batch.proof));
    assert_eq!(
        (sealed.slots.len(), sealed.slots[0].ciphertext.len()),
        (3, 7)
    );
    assert_eq!(sealed.slots[0].op, "put");
    let json = serde_json::to_value(&document).unwrap();
    assert_eq!(json["entry"]["batch"]["slots"], 3);

    let missing = Show::open(&bundle[..]).unwrap().entry(5).unwrap_err();
    assert_eq!(missing.exit_code(), ExitCode::NotFound);
}

#[test]
fn show_ends_behind_the_first_damaged_entry() {
    let mut bundle = Trail::with_batches(3).bundle();
    let damaged = place_of(&bundle, "entry 3");
    bundle[damaged.end - 1] ^= 1;
    let rows: Vec<_> = Show::open(&bundle[..]).unwrap().collect();
    assert_eq!(rows.len(), 4);
    assert!(rows[..3].iter().all(Result::is_ok));
    let error = rows[3].as_ref().unwrap_err();
    assert!(
        error.to_string().starts_with("entry 3 is damaged"),
        "{error}"
    );
}
