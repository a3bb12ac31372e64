//! From a verified ceremony to proving parameters.

use super::check::Verified;
use super::error::CeremonyError;
use super::files::{self, CIRCUIT, POWERS};
use super::{Ceremony, Report};
use crate::params::{CircuitName, constraints};
use std::path::Path;
use ukehi_keys::params as directory_of_params;
use ukehi_keys::{BeaconFacts, CeremonyFacts, CircuitParts, CircuitShape, Manifest, Setup};
use ukehi_provers::R1cs;
use ukehi_provers::groth16::ProvingKey;
use ukehi_provers::iden3::write_r1cs;

impl Ceremony {
    /// Verifies everything, then writes the proving key and a manifest that carries the ceremony's facts. Over
    /// development powers the parameters are no better than those, and with `dev` say so.
    ///
    /// # Errors
    /// [`CeremonyError`]; of note [`CeremonyError::Nameless`] if a file was announced, and
    /// [`CeremonyError::DevelopmentPowers`] without `dev`. Existing parameters are never overwritten.
    pub fn finish(
        &self,
        params: &Path,
        dev: bool,
        report: Report<'_>,
    ) -> Result<Manifest, CeremonyError> {
        self.make(None, params, dev, report)
    }

    /// [`Ceremony::finish`] for a circuit the program names: one of a policy of its own, whose constraints
    /// ([`constraints`], written with [`write_r1cs`]) were announced as a file.
    ///
    /// # Errors
    /// As [`Ceremony::finish`]; [`CeremonyError::OtherCircuit`] if other constraints were announced.
    pub fn finish_for(
        &self,
        circuit: &CircuitName,
        params: &Path,
        dev: bool,
        report: Report<'_>,
    ) -> Result<Manifest, CeremonyError> {
        self.make(Some(*circuit), params, dev, report)
    }

    fn make(
        &self,
        circuit: Option<CircuitName>,
        params: &Path,
        dev: bool,
        report: Report<'_>,
    ) -> Result<Manifest, CeremonyError> {
        let verified = self.verify(report)?;
        let development = verified.key.powers.is_development();
        if development && !dev {
            return Err(CeremonyError::DevelopmentPowers);
        }
        let circuit = circuit.map_or_else(|| self.announced_name(), Ok)?;
        let (circuit, shape, matrix_digest) = self.announced_circuit(&circuit)?;
        let facts = self.facts(&verified)?;
        let key = ProvingKey::from_zkey(verified.key.zkey, &circuit)?;
        let verifying_key = key.verifying_key().to_bytes();
        let facts = CeremonyFacts {
            verifying_key: blake3::hash(&verifying_key).into(),
            ..facts
        };
        let parts = CircuitParts {
            shape,
            matrix_digest,
            verifying_key,
            setup: match development {
                true => Setup::insecure_dev(),
                false => Setup::Ceremony(Box::new(facts)),
            },
        };
        std::fs::create_dir_all(params).map_err(files::io_at(params))?;
        Ok(directory_of_params::write(params, parts, &key.to_bytes())?)
    }

    fn facts(&self, verified: &Verified) -> Result<CeremonyFacts, CeremonyError> {
        let hashes = &verified.key.report.contributions;
        Ok(CeremonyFacts {
            announcement: self.digest,
            r1cs: files::digest(&self.directory.join(CIRCUIT))?,
            ptau: files::digest(&self.directory.join(POWERS))?,
            circuit_hash: verified.key.report.circuit_hash,
            contributions: verified.attestations.clone(),
            beacon: BeaconFacts {
                source: self.announcement.beacon.source.clone(),
                iterations_log2: self.announcement.beacon.iterations_log2,
                value: verified.beacon_value.clone(),
                contribution: *hashes
                    .last()
                    .expect("a verified ceremony ends with its beacon"),
            },
            verifying_key: [0; 32],
        })
    }

    /// The circuit of this release that was announced by name.
    pub(super) fn announced_name(&self) -> Result<CircuitName, CeremonyError> {
        let name = self.announcement.circuit.as_ref();
        Ok(name.ok_or(CeremonyError::Nameless)?.parse()?)
    }

    /// A circuit with its constraints, if those are the announced ones.
    pub(super) fn announced_circuit(
        &self,
        name: &CircuitName,
    ) -> Result<(R1cs, CircuitShape, [u8; 32]), CeremonyError> {
        let (circuit, matrix_digest) = constraints(name);
        let written = write_r1cs(&circuit, std::io::Cursor::new(Vec::new()))
            .expect("writing to memory cannot fail");
        let digest = blake3::hash(written.get_ref()).to_hex();
        match digest.as_str() == self.announcement.r1cs {
            true => Ok((circuit, name.manifest_shape(), matrix_digest)),
            false => Err(CeremonyError::OtherCircuit {
                name: name.to_string(),
            }),
        }
    }
}
