//! The two passes on single field elements.

use ark_bn254::Fr;

/// Natural order in, bit-reversed order out. `roots[i]` = ω^i for i below half the length.
pub(super) fn decimate_in_frequency(values: &mut [Fr], roots: &[Fr]) {
    let mut length = values.len();
    while length > 1 {
        let (half, step) = (length / 2, values.len() / length);
        for block in values.chunks_exact_mut(length) {
            let (low, high) = block.split_at_mut(half);
            for ((u, v), w) in low.iter_mut().zip(high).zip(roots.iter().step_by(step)) {
                let difference = *u - *v;
                *u += *v;
                *v = difference * w;
            }
        }
        length = half;
    }
}

/// Bit-reversed order in, natural order out.
pub(super) fn decimate_in_time(values: &mut [Fr], roots: &[Fr]) {
    let mut half = 1;
    while half < values.len() {
        let (length, step) = (2 * half, values.len() / (2 * half));
        for block in values.chunks_exact_mut(length) {
            let (low, high) = block.split_at_mut(half);
            for ((u, v), w) in low.iter_mut().zip(high).zip(roots.iter().step_by(step)) {
                let twisted = *v * w;
                *v = *u - twisted;
                *u += twisted;
            }
        }
        half = length;
    }
}
