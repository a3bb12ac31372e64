//! The two passes on single field elements, below 2p all the way.

use ark_bn254::{Fr, FrConfig};
use ukehi_kernels::portable::field::Lazy;
use zeroize::Zeroizing;

type Element = Lazy<FrConfig>;

/// Decimation in frequency, each element times its shift, decimation in time.
pub(super) fn transform(values: &mut [Fr], inverse_roots: &[Fr], shifts: &[Fr], roots: &[Fr]) {
    let mut elements = Zeroizing::new(Vec::with_capacity(values.len()));
    elements.extend(values.iter().map(Element::from_ark));
    decimate_in_frequency(&mut elements, inverse_roots);
    for (element, shift) in elements.iter_mut().zip(shifts) {
        *element = element.mul(&Element::from_ark(shift));
    }
    decimate_in_time(&mut elements, roots);
    for (value, element) in values.iter_mut().zip(elements.iter()) {
        *value = element.to_ark();
    }
}

/// Natural order in, bit-reversed order out. `roots[i]` = ω^i for i below half the length.
fn decimate_in_frequency(values: &mut [Element], roots: &[Fr]) {
    let mut length = values.len();
    while length > 2 {
        let (half, step) = (length / 2, values.len() / length);
        for block in values.chunks_exact_mut(length) {
            let (low, high) = block.split_at_mut(half);
            for ((u, v), w) in low.iter_mut().zip(high).zip(roots.iter().step_by(step)) {
                let difference = u.sub(v);
                *u = u.add(v);
                *v = difference.mul(&Element::from_ark(w));
            }
        }
        length = half;
    }
    pairs(values);
}

/// Bit-reversed order in, natural order out.
fn decimate_in_time(values: &mut [Element], roots: &[Fr]) {
    pairs(values);
    let mut half = 2;
    while half < values.len() {
        let (length, step) = (2 * half, values.len() / (2 * half));
        for block in values.chunks_exact_mut(length) {
            let (low, high) = block.split_at_mut(half);
            for ((u, v), w) in low.iter_mut().zip(high).zip(roots.iter().step_by(step)) {
                let twisted = v.mul(&Element::from_ark(w));
                *v = u.sub(&twisted);
                *u = u.add(&twisted);
            }
        }
        half = length;
    }
}

/// The layer of neighbours, whose root is one.
fn pairs(values: &mut [Element]) {
    for [u, v] in values.as_chunks_mut::<2>().0 {
        let difference = u.sub(v);
        *u = u.add(v);
        *v = difference;
    }
}
