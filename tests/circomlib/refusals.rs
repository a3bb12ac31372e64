//! What `ukehi prove` refuses, with which exit code, and that it leaves nothing behind.

use crate::corpus::KEY_OF_SNARKJS as NAME;
use crate::proofs::{file, prove};
use crate::tools::Ran;
use std::fs;
use tempfile::TempDir;

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A copy of one of the circuit's files, changed.
    fn changed(&self, ending: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut bytes = fs::read(file(NAME, ending)).unwrap();
        change(&mut bytes);
        let path = self.0.path().join(format!("changed.{ending}"));
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[track_caller]
    fn refuses(&self, zkey: &str, wtns: &str, more: &[&str], code: i32) -> Ran {
        let ran = prove(self.0.path(), zkey, wtns, more).exits(code);
        let written = ["proof.json", "public.json"].map(|f| self.0.path().join(f).exists());
        assert_eq!(written, [false; 2], "{ran}");
        assert!(ran.stderr().contains("next"), "{ran}");
        ran
    }
}

/// Where a section's bytes start.
fn section(bytes: &[u8], id: u32) -> usize {
    let mut at = 12;
    loop {
        let found = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let length = u64::from_le_bytes(bytes[at + 4..at + 12].try_into().unwrap());
        at += 12;
        if found == id {
            return at;
        }
        at += length as usize;
    }
}

/// Overwrites what stands `offset` bytes into a section.
fn put(bytes: &mut [u8], id: u32, offset: usize, new: &[u8]) {
    let at = section(bytes, id) + offset;
    bytes[at..at + new.len()].copy_from_slice(new);
}

fn good(ending: &str) -> String {
    file(NAME, ending)
}

#[test]
fn an_altered_witness_is_named_by_its_constraint_with_the_r1cs_and_rejected_without() {
    let desk = Desk::new();
    // The fifth wire, and the public output.
    for wire in [5, 1] {
        let wtns = desk.changed("wtns", |b| put(b, 2, 32 * wire, &[77; 16]));
        let zkey = good("zkey");
        let without = desk.refuses(&zkey, &wtns, &[], 11).says("--r1cs");
        let with = desk.refuses(&zkey, &wtns, &["--r1cs", &good("r1cs")], 11);
        let with = with.says("does not satisfy constraint ");
        // 77 sixteen times over, as a decimal number and in hex.
        let secrets = [u128::from_le_bytes([77; 16]).to_string(), "4d4d4d4d".into()];
        for ran in [without, with] {
            assert!(!secrets.iter().any(|s| ran.stderr().contains(s)), "{ran}");
        }
    }
    let wtns = desk.changed("wtns", |b| put(b, 2, 0, &[2]));
    desk.refuses(&good("zkey"), &wtns, &[], 10)
        .says("constant one");
}

#[test]
fn files_of_another_circuit_are_told_apart() {
    let desk = Desk::new();
    let other = |ending| file("merkle", ending);
    let [zkey, wtns] = ["zkey", "wtns"].map(good);
    desk.refuses(&zkey, &other("wtns"), &[], 3)
        .says("variables");
    desk.refuses(&zkey, &wtns, &["--r1cs", &other("r1cs")], 3)
        .says("--r1cs");
    // The same circuit but for one coefficient: the first of the first combination.
    let mut five = [0; 32];
    five[0] = 5;
    let r1cs = desk.changed("r1cs", |b| put(b, 2, 8, &five));
    desk.refuses(&zkey, &wtns, &["--r1cs", &r1cs], 3)
        .says("row 0");
}

#[test]
fn files_in_another_order_are_a_usage_error() {
    let desk = Desk::new();
    let [zkey, wtns, r1cs] = ["zkey", "wtns", "r1cs"].map(good);
    let order = "in this order";
    desk.refuses(&wtns, &zkey, &[], 2)
        .says("not a .zkey")
        .says(order);
    desk.refuses(&zkey, &r1cs, &[], 2)
        .says("not a .wtns")
        .says(order);
    desk.refuses(&zkey, &wtns, &["--r1cs", &wtns], 2)
        .says("not a .r1cs");
    desk.refuses("none.zkey", &wtns, &[], 2).says("none.zkey");
}

#[test]
fn damaged_files_are_refused_before_anything_is_proven() {
    let desk = Desk::new();
    let [zkey, wtns, r1cs] = ["zkey", "wtns", "r1cs"].map(good);
    for ending in ["zkey", "wtns", "r1cs"] {
        type Damage = (fn(&mut Vec<u8>), &'static str);
        let damages: [Damage; 3] = [
            (|b| b.truncate(b.len() - 1), "cut short"),
            (|b| b.truncate(b.len() / 2), "cut short"),
            (|b| b.push(0), "follow its last section"),
        ];
        for (damage, what) in damages {
            let bad = desk.changed(ending, damage);
            let with = ["--r1cs", if ending == "r1cs" { &bad } else { &r1cs }];
            let [zkey, wtns] = [("zkey", &zkey), ("wtns", &wtns)]
                .map(|(kind, path)| if kind == ending { &bad } else { path });
            desk.refuses(zkey, wtns, &with, 10).says(what);
        }
    }
}

#[test]
fn counts_beyond_the_file_are_refused_at_once() {
    let desk = Desk::new();
    let [zkey, wtns] = ["zkey", "wtns"].map(good);
    let many = u32::MAX.to_le_bytes();
    let bad = desk.changed("wtns", |b| put(b, 1, 36, &many));
    desk.refuses(&zkey, &bad, &[], 10).says("section 2");
    // Variables, public inputs, domain; then the number of coefficients.
    for (id, offset) in [(2, 72), (2, 76), (2, 80), (4, 0)] {
        let bad = desk.changed("zkey", |b| put(b, id, offset, &many));
        desk.refuses(&bad, &wtns, &[], 10);
    }
    let bad = desk.changed("zkey", |b| put(b, 2, 80, &(1u32 << 27).to_le_bytes()));
    desk.refuses(&bad, &wtns, &[], 10).says("section");
    let bad = desk.changed("zkey", |b| put(b, 4, 4 + 8, &many));
    desk.refuses(&bad, &wtns, &[], 10).says("coefficient");
}

#[test]
fn another_prime_or_proof_system_is_refused() {
    let desk = Desk::new();
    let [zkey, wtns] = ["zkey", "wtns"].map(good);
    let bad = desk.changed("wtns", |b| put(b, 1, 4, &[3]));
    desk.refuses(&zkey, &bad, &[], 6).says("bn128");
    let bad = desk.changed("zkey", |b| put(b, 2, 4, &[3]));
    desk.refuses(&bad, &wtns, &[], 6).says("bn128");
    let plonk = desk.changed("zkey", |b| put(b, 1, 0, &[2]));
    desk.refuses(&plonk, &wtns, &[], 6).says("proof system");
    let modulus = desk.changed("wtns", |b| {
        let (from, to) = (section(b, 1) + 4, section(b, 2) + 32);
        b.copy_within(from..from + 32, to);
    });
    desk.refuses(&zkey, &modulus, &[], 10).says("modulus");
}

#[test]
fn a_point_off_the_curve_is_named_unless_the_files_digest_is_trusted() {
    let desk = Desk::new();
    let wtns = good("wtns");
    // H's first point.
    let bad = desk.changed("zkey", |b| {
        let at = section(b, 9);
        b[at] ^= 1;
    });
    desk.refuses(&bad, &wtns, &[], 10)
        .says("section 9, point 0");
    let digest = blake3::hash(&fs::read(&bad).unwrap()).to_hex();
    let trusted = ["--trusted-digest", &digest];
    // Its maker vouched for it and was wrong: no proof comes of it all the same.
    desk.refuses(&bad, &wtns, &trusted, 11);
    desk.refuses(&good("zkey"), &wtns, &trusted, 14)
        .says("digest");
}

#[test]
fn a_key_nobody_contributed_to_is_refused() {
    let desk = Desk::new();
    let ran = desk.refuses(&good("new.zkey"), &good("wtns"), &[], 14);
    ran.says("anyone could forge")
        .says("snarkjs zkey contribute");
}
