//! Where the CPU cannot have the instructions: nothing here can be made, so nothing can be called.

use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::pairing::MillerLoopOutput;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Lanes {}

#[derive(Clone, Copy)]
pub(crate) struct Abscissas {
    pub a: Fq,
    pub b: Fq2,
    pub c: Fq,
}

pub(crate) type Short = [u64; 2];

pub(crate) fn available() -> Option<Lanes> {
    None
}

pub(crate) fn scalar_of(_: Short) -> Fr {
    unreachable!("only lanes take such coefficients, and there are none")
}

impl Lanes {
    pub(crate) fn lift(self, _: &[Abscissas]) -> Vec<Option<Abscissas>> {
        match self {}
    }

    pub(crate) fn scale(self, _: &[G1Affine], _: &[Short]) -> Vec<G1Projective> {
        match self {}
    }

    pub(crate) fn miller(self, _: &[(G1Affine, G2Affine)]) -> MillerLoopOutput<Bn254> {
        match self {}
    }
}
