//! From a witness to the scalars of H: A·z and B·z on the domain, taken to the odd coset and multiplied there.
//!
//! With C folded into L (see [`super::fold`]) that is all: four transforms. Otherwise C's values are subtracted, taken
//! as A∘B on the domain, for a key may come without its matrix C: six. An assignment that breaks a row then still
//! gives scalars, and a proof that does not verify. Every buffer is zeroised.

use ark_bn254::Fr;
use ark_ff::Zero;
use zeroize::Zeroizing;

use super::rows::Rows;
use crate::ntt::Domain;

/// One scalar per point of H.
pub(super) fn quotient(domain: &Domain, rows: &Rows, z: &[Fr], folded: bool) -> Zeroizing<Vec<Fr>> {
    coset(domain, evaluated(domain, rows, z), folded)
}

/// A·z and B·z.
pub(super) type Evaluated = [Zeroizing<Vec<Fr>>; 2];

pub(super) fn evaluated(domain: &Domain, rows: &Rows, z: &[Fr]) -> Evaluated {
    let zeros = || Zeroizing::new(vec![Fr::zero(); domain.size()]);
    let (mut a, mut b) = (zeros(), zeros());
    rows.evaluate(z, &mut a, &mut b);
    [a, b]
}

/// H's scalars from them.
pub(super) fn coset(
    domain: &Domain,
    [mut a, mut b]: Evaluated,
    folded: bool,
) -> Zeroizing<Vec<Fr>> {
    let c = (!folded).then(|| {
        let mut c = Zeroizing::new(product(&a, &b));
        domain.to_odd_coset(&mut c);
        c
    });
    domain.to_odd_coset(&mut a);
    domain.to_odd_coset(&mut b);
    let mut h = Zeroizing::new(product(&a, &b));
    for (h, c) in h.iter_mut().zip(c.iter().flat_map(|c| c.iter())) {
        *h -= c;
    }
    h
}

fn product(a: &[Fr], b: &[Fr]) -> Vec<Fr> {
    a.iter().zip(b).map(|(a, b)| *a * b).collect()
}
