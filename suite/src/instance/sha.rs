//! Rounds like those of SHA-256's compression (FIPS 180-4 §6.2.2) on 32-bit words held as bits: Σ0, Σ1, Ch and Maj bit
//! by bit, sums modulo 2^32 by decomposition. The message schedule is left out, message words are witnesses, round
//! constants are arbitrary: what is kept is how such a circuit looks to a prover.

use super::builder::{Builder, Row, sum};
use ark_ff::{AdditiveGroup, Field};
use ukehi_provers::Fr;

const BITS: usize = 32;
/// Rows of one round: the message word's 32 bits, 64 each for Σ0 and Σ1, 32 for Ch, 64 for Maj, two sums.
const ROWS: usize = 32 + 64 + 64 + 32 + 64 + 2 * (BITS + CARRIES + 1);
/// Bits above the 32nd that a sum of seven words and a constant can have.
const CARRIES: usize = 3;
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// A word: its bits, least significant first, each a variable.
type Word = Vec<Row>;

/// As many rounds as fit; the public input is the last state's first word.
pub fn rounds(rows: usize) -> Builder {
    let mut builder = Builder::new(rows);
    // 256 rows that make the starting state's bits bits.
    let mut state = START.map(|word| word_of(&mut builder, word));
    for round in 0..count(rows) {
        state = one_round(&mut builder, state, round as u32);
    }
    let packed = packed(&state[0]);
    builder.publish(&packed);
    builder
}

pub fn count(rows: usize) -> usize {
    (rows - 1 - START.len() * BITS) / ROWS
}

pub fn message(round: u32) -> u32 {
    round.wrapping_mul(0x85eb_ca6b).rotate_left(13) ^ 0xc2b2_ae35
}

pub fn constant(round: u32) -> u32 {
    (round + 1).wrapping_mul(0x9e37_79b9)
}

fn one_round(builder: &mut Builder, state: [Word; 8], round: u32) -> [Word; 8] {
    let [a, b, c, d, e, f, g, h] = state;
    let word = word_of(builder, message(round));
    let sigma1 = rotations(builder, &e, [6, 11, 25]);
    let choice = choice(builder, &e, &f, &g);
    let sigma0 = rotations(builder, &a, [2, 13, 22]);
    let majority = majority(builder, &a, &b, &c);
    let constant = Builder::constant(Fr::from(constant(round)));
    let first = [&h, &sigma1, &choice, &word].map(|word| packed(word));
    let first = sum(first.iter().chain([&constant]).map(|row| (Fr::ONE, row)));
    let second = [packed(&sigma0), packed(&majority)];
    let new_e = modulo(builder, &sum([(Fr::ONE, &first), (Fr::ONE, &packed(&d))]));
    let new_a = modulo(
        builder,
        &sum([&first, &second[0], &second[1]].map(|row| (Fr::ONE, row))),
    );
    [new_a, a, b, c, new_e, e, f, g]
}

fn bit(builder: &mut Builder, value: bool) -> Row {
    let bit = builder.witness(Fr::from(value));
    let complement = sum([(Fr::ONE, &Builder::constant(Fr::ONE)), (-Fr::ONE, &bit)]);
    builder.enforce(bit.clone(), complement, Row::new());
    bit
}

fn word_of(builder: &mut Builder, value: u32) -> Word {
    (0..BITS)
        .map(|i| bit(builder, value >> i & 1 == 1))
        .collect()
}

fn packed(word: &[Row]) -> Row {
    let mut power = Fr::ONE;
    let terms = word.iter().map(|bit| {
        let term = (power, bit);
        power.double_in_place();
        term
    });
    sum(terms)
}

/// a ⊕ b = a + b − 2ab: one row, and a new variable that is a bit again.
fn xor(builder: &mut Builder, a: &Row, b: &Row) -> Row {
    let (x, y) = (builder.value(a), builder.value(b));
    let out = builder.witness(x + y - (x * y).double());
    let sum_less = sum([(Fr::ONE, a), (Fr::ONE, b), (-Fr::ONE, &out)]);
    builder.enforce(sum([(Fr::ONE.double(), a)]), b.clone(), sum_less);
    out
}

fn rotations(builder: &mut Builder, word: &Word, by: [usize; 3]) -> Word {
    (0..BITS)
        .map(|i| {
            let [a, b, c] = by.map(|r| &word[(i + r) % BITS]);
            let first = xor(builder, a, b);
            xor(builder, &first, c)
        })
        .collect()
}

/// g + e·(f − g): one row a bit.
fn choice(builder: &mut Builder, e: &Word, f: &Word, g: &Word) -> Word {
    e.iter()
        .zip(f.iter().zip(g))
        .map(|(e, (f, g))| {
            let difference = sum([(Fr::ONE, f), (-Fr::ONE, g)]);
            let value = builder.value(e) * builder.value(&difference) + builder.value(g);
            let out = builder.witness(value);
            let less = sum([(Fr::ONE, &out), (-Fr::ONE, g)]);
            builder.enforce(e.clone(), difference, less);
            out
        })
        .collect()
}

/// ab + c·(a + b − 2ab): two rows a bit.
fn majority(builder: &mut Builder, a: &Word, b: &Word, c: &Word) -> Word {
    a.iter()
        .zip(b.iter().zip(c))
        .map(|(a, (b, c))| {
            let both = builder.product(a, b);
            let either = sum([(Fr::ONE, a), (Fr::ONE, b), (-Fr::ONE.double(), &both)]);
            let value = builder.value(c) * builder.value(&either) + builder.value(&both);
            let out = builder.witness(value);
            let less = sum([(Fr::ONE, &out), (-Fr::ONE, &both)]);
            builder.enforce(c.clone(), either, less);
            out
        })
        .collect()
}

/// The low 32 bits of a number below 2^35: a boolean row a bit, and one that puts them together.
fn modulo(builder: &mut Builder, number: &Row) -> Word {
    let value = builder.value(number);
    let value = ark_ff::PrimeField::into_bigint(value).0[0];
    let bits = (0..BITS + CARRIES).map(|i| bit(builder, value >> i & 1 == 1));
    let mut bits: Word = bits.collect();
    builder.enforce(packed(&bits), Builder::constant(Fr::ONE), number.clone());
    bits.truncate(BITS);
    bits
}
