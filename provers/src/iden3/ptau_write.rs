//! Writes a whole `.ptau`, prepared for phase 2, in snarkjs's order of sections.

use std::io::{Seek, Write};

use ark_bn254::{Fq, G1Affine, G2Affine};

use super::contributions::kind_bytes;
use super::error::{FileError, FileKind};
use super::ptau::{CONTRIBUTIONS, HEADER, PtauContribution, PtauSection as S};
use super::scalars::{FIELD_BYTES, modulus};
use super::sections::SectionWriter;

/// Everything in a file. The Lagrange sections hold the bases of 2^0, 2^1, … one after the other.
pub struct PtauContent {
    pub power: u32,
    pub tau_g1: Vec<G1Affine>,
    pub tau_g2: Vec<G2Affine>,
    pub alpha_tau_g1: Vec<G1Affine>,
    pub beta_tau_g1: Vec<G1Affine>,
    pub beta_g2: G2Affine,
    pub contributions: Vec<PtauContribution>,
    pub lagrange_tau_g1: Vec<G1Affine>,
    pub lagrange_tau_g2: Vec<G2Affine>,
    pub lagrange_alpha_tau_g1: Vec<G1Affine>,
    pub lagrange_beta_tau_g1: Vec<G1Affine>,
}

/// # Panics
/// If a section has another number of points than the power asks for.
pub fn write_ptau<W: Write + Seek>(content: &PtauContent, output: W) -> Result<W, FileError> {
    let c = content;
    for (section, points) in [
        (S::TauG1, c.tau_g1.len()),
        (S::TauG2, c.tau_g2.len()),
        (S::AlphaTauG1, c.alpha_tau_g1.len()),
        (S::BetaTauG1, c.beta_tau_g1.len()),
        (S::LagrangeTauG1, c.lagrange_tau_g1.len()),
        (S::LagrangeTauG2, c.lagrange_tau_g2.len()),
        (S::LagrangeAlphaTauG1, c.lagrange_alpha_tau_g1.len()),
        (S::LagrangeBetaTauG1, c.lagrange_beta_tau_g1.len()),
    ] {
        assert_eq!(points as u64, section.points(c.power), "{section:?}");
    }
    let mut out = SectionWriter::new(output, FileKind::Ptau, 11)?;
    out.begin(HEADER)?;
    out.put(&(FIELD_BYTES as u32).to_le_bytes())?;
    out.put(&modulus::<Fq>())?;
    out.put(&c.power.to_le_bytes())?;
    out.put(&c.power.to_le_bytes())?;
    out.begin(S::TauG1 as u32)?;
    out.put_points(&c.tau_g1)?;
    out.begin(S::TauG2 as u32)?;
    out.put_points(&c.tau_g2)?;
    out.begin(S::AlphaTauG1 as u32)?;
    out.put_points(&c.alpha_tau_g1)?;
    out.begin(S::BetaTauG1 as u32)?;
    out.put_points(&c.beta_tau_g1)?;
    out.begin(S::BetaG2 as u32)?;
    out.put_points(&[c.beta_g2])?;
    out.begin(CONTRIBUTIONS)?;
    out.put(&(c.contributions.len() as u32).to_le_bytes())?;
    for contribution in &c.contributions {
        put_contribution(&mut out, contribution)?;
    }
    out.begin(S::LagrangeTauG1 as u32)?;
    out.put_points(&c.lagrange_tau_g1)?;
    out.begin(S::LagrangeTauG2 as u32)?;
    out.put_points(&c.lagrange_tau_g2)?;
    out.begin(S::LagrangeAlphaTauG1 as u32)?;
    out.put_points(&c.lagrange_alpha_tau_g1)?;
    out.begin(S::LagrangeBetaTauG1 as u32)?;
    out.put_points(&c.lagrange_beta_tau_g1)?;
    out.finish()
}

fn put_contribution<W: Write + Seek>(
    out: &mut SectionWriter<W>,
    c: &PtauContribution,
) -> Result<(), FileError> {
    out.put_points(&[c.tau_g1])?;
    out.put_points(&[c.tau_g2])?;
    out.put_points(&[c.alpha_g1, c.beta_g1])?;
    out.put_points(&[c.beta_g2])?;
    for (s, sx) in c.key.g1 {
        out.put_points(&[s, sx])?;
    }
    out.put_points(&c.key.g2_spx)?;
    out.put(&c.partial_hash)?;
    out.put(&c.next_challenge)?;
    out.put(&kind_bytes(&c.kind, c.name.as_deref()))
}
