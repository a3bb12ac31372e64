//! Products of two earlier variables: one term in each of A, B and C.

use super::builder::{Builder, Row};
use ark_ff::Field;
use ukehi_provers::Fr;

/// How far back the second factor lies, at most.
const REACH: usize = 1024;

/// One product a row; the last is public.
pub fn products(rows: usize) -> Builder {
    let mut builder = Builder::new(rows);
    let mut made: Vec<Row> = Vec::with_capacity(rows + 1);
    for seed in [3u64, 7] {
        made.push(builder.witness(Fr::from(seed).pow([0x1234_5678_9abc])));
    }
    for row in 0..rows - 1 {
        let newest = &made[row + 1];
        let older = &made[row + 1 - back(row).min(row + 1)];
        let product = builder.product(newest, older);
        made.push(product);
    }
    let last = made.swap_remove(rows);
    builder.publish(&last);
    builder
}

/// Irregular, so that memory is read as in a real circuit.
fn back(row: usize) -> usize {
    row.wrapping_mul(0x9e37_79b9) % REACH
}
