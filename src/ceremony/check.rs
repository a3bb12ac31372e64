//! Everything a ceremony's directory says, verified from the circuit and the powers of τ up.

use super::error::CeremonyError;
use super::files::{self, ANNOUNCEMENT, CIRCUIT, POWERS, StepFile, file_at, io_at};
use super::{Announcement, Ceremony, Report, Stage};
use std::fs::File;
use std::path::Path;
use ukehi_keys::Attestation;
use ukehi_provers::R1cs;
use ukehi_provers::ceremony::{PowersReport, ZkeyReport, initial_zkey, verify_powers, verify_zkey};
use ukehi_provers::iden3::{ContributionKind, Zkey, read_r1cs};

/// A key that follows from a circuit and powers of τ, by contributions and one beacon.
pub struct CheckedKey {
    pub powers: PowersReport,
    pub report: ZkeyReport,
    /// Each contribution's name in the file, if it has one.
    pub names: Vec<Option<String>>,
    pub zkey: Zkey,
}

/// A finished ceremony.
pub struct Verified {
    pub key: CheckedKey,
    pub attestations: Vec<Attestation>,
    pub beacon_value: Vec<u8>,
}

/// Verifies a finished key from wherever, without an announcement: who contributed is not asked.
///
/// # Errors
/// [`CeremonyError`].
pub fn verify_files(
    zkey_path: &Path,
    r1cs_path: &Path,
    ptau_path: &Path,
    report: Report<'_>,
) -> Result<CheckedKey, CeremonyError> {
    let circuit = read_circuit(r1cs_path)?;
    let zkey = files::read_zkey(zkey_path)?;
    let powers = check_powers(ptau_path, report)?;
    let initial = regenerate(&circuit, ptau_path, report)?;
    let found = check_key(zkey_path, &zkey, &initial, report)?;
    let last = zkey.phase_two.contributions.last();
    if last.is_none_or(|c| c.kind == ContributionKind::Participant) {
        return Err(CeremonyError::NoBeacon);
    }
    Ok(CheckedKey {
        powers,
        names: names_of(&zkey),
        report: found,
        zkey,
    })
}

impl Ceremony {
    /// Reads the announcement and compares the circuit's and the powers' files with it.
    ///
    /// # Errors
    /// [`CeremonyError`]; of note [`CeremonyError::NotAnnounced`] and [`CeremonyError::OtherCircuit`].
    pub fn open(directory: &Path) -> Result<Self, CeremonyError> {
        let path = directory.join(ANNOUNCEMENT);
        let bytes = files::read_json(&path)?;
        let announcement = Announcement::from_bytes(&path, &bytes)?;
        for (file, expected) in [(CIRCUIT, &announcement.r1cs), (POWERS, &announcement.ptau)] {
            let path = directory.join(file);
            let found = hex::encode(files::digest(&path)?);
            if found != *expected {
                return Err(CeremonyError::NotAnnounced {
                    path,
                    expected: expected.clone(),
                    found,
                });
            }
        }
        let circuit = read_circuit(&directory.join(CIRCUIT))?;
        let ceremony = Self {
            directory: directory.to_owned(),
            announcement,
            digest: blake3::hash(&bytes).into(),
            circuit,
        };
        if ceremony.announcement.circuit.is_some() {
            ceremony.announced_circuit(&ceremony.announced_name()?)?;
        }
        Ok(ceremony)
    }

    /// Verifies all of it, down to the powers of τ.
    ///
    /// # Errors
    /// [`CeremonyError`]; [`CeremonyError::Waiting`] and [`CeremonyError::NoBeacon`] while it is under way.
    pub fn verify(&self, report: Report<'_>) -> Result<Verified, CeremonyError> {
        let (step, zkey) = self.newest()?;
        self.check_complete(&zkey)?;
        let powers = check_powers(&self.directory.join(POWERS), report)?;
        let initial = regenerate(&self.circuit, &self.directory.join(POWERS), report)?;
        let (found, attestations) = self.check_step(&step, &zkey, &initial, report)?;
        let last = zkey.phase_two.contributions.last();
        let beacon_value = match last.map(|c| &c.kind) {
            Some(ContributionKind::Beacon { value, .. }) => value.clone(),
            _ => return Err(CeremonyError::NoBeacon),
        };
        Ok(Verified {
            attestations,
            beacon_value,
            key: CheckedKey {
                powers,
                names: names_of(&zkey),
                report: found,
                zkey,
            },
        })
    }

    /// The newest key, verified but for the powers of τ, whose file is the announced one: what a step starts from.
    pub(super) fn verified_newest(
        &self,
        report: Report<'_>,
    ) -> Result<(Zkey, Zkey), CeremonyError> {
        let (step, zkey) = self.newest()?;
        let initial = regenerate(&self.circuit, &self.directory.join(POWERS), report)?;
        if step.index > 0 {
            self.check_step(&step, &zkey, &initial, report)?;
        } else if !same_initial(&zkey, &initial) {
            return Err(CeremonyError::NotInitial {
                path: step.zkey(&self.directory),
            });
        }
        Ok((zkey, initial))
    }

    /// The newest step's key, of as many contributions as its number.
    fn newest(&self) -> Result<(StepFile, Zkey), CeremonyError> {
        let steps = files::steps(&self.directory)?;
        let gap = (0..).zip(&steps).find(|(i, step)| step.index != *i);
        let missing = gap.map_or(steps.len(), |(i, _)| i);
        let Some(newest) = steps.last() else {
            return Err(CeremonyError::Gap { index: 0, found: 0 });
        };
        let zkey = files::read_zkey(&newest.zkey(&self.directory))?;
        let found = zkey.phase_two.contributions.len();
        if gap.is_some() || found != newest.index {
            return Err(CeremonyError::Gap {
                index: missing,
                found,
            });
        }
        Ok((newest.clone(), zkey))
    }

    pub(super) fn check_step(
        &self,
        step: &StepFile,
        zkey: &Zkey,
        initial: &Zkey,
        report: Report<'_>,
    ) -> Result<(ZkeyReport, Vec<Attestation>), CeremonyError> {
        let path = step.zkey(&self.directory);
        let found = check_key(&path, zkey, initial, report)?;
        let attestations = self.check_attestations(zkey, &found)?;
        Ok((found, attestations))
    }

    /// Every contribution is one announced participant's, signed, nobody's twice; a beacon is the announced one and
    /// comes after all of them.
    fn check_attestations(
        &self,
        zkey: &Zkey,
        found: &ZkeyReport,
    ) -> Result<Vec<Attestation>, CeremonyError> {
        let steps = files::steps(&self.directory)?;
        let mut attestations: Vec<Attestation> = Vec::new();
        let contributions = zkey
            .phase_two
            .contributions
            .iter()
            .zip(&found.contributions);
        for (index, (contribution, hash)) in (1..).zip(contributions) {
            match &contribution.kind {
                ContributionKind::Beacon {
                    iterations_log2, ..
                } => {
                    let announced = self.announcement.beacon.iterations_log2;
                    if *iterations_log2 != announced {
                        return Err(CeremonyError::OtherBeacon {
                            announced,
                            found: *iterations_log2,
                        });
                    }
                    self.check_all_contributed(&attestations)?;
                }
                ContributionKind::Participant => {
                    let refused = |reason: &str| CeremonyError::Attestation {
                        index,
                        reason: reason.into(),
                    };
                    let step = steps.iter().find(|s| s.index == index);
                    let step = step.ok_or_else(|| refused("its file is missing"))?;
                    let attestation = self.attestation(step)?;
                    self.check_attestation(&attestation, index, hash)?;
                    if attestations.iter().any(|a| a.name == attestation.name) {
                        return Err(refused("its participant has contributed before"));
                    }
                    if contribution.name.as_ref() != Some(&attestation.name) {
                        return Err(refused("the contribution bears another name"));
                    }
                    attestations.push(attestation);
                }
            }
        }
        Ok(attestations)
    }

    fn attestation(&self, step: &StepFile) -> Result<Attestation, CeremonyError> {
        let path = step.attestation(&self.directory);
        let bytes = files::read_json(&path).map_err(|e| CeremonyError::Attestation {
            index: step.index,
            reason: e.to_string(),
        })?;
        serde_json::from_slice(&bytes).map_err(|e| CeremonyError::Attestation {
            index: step.index,
            reason: format!("{}: {e}", path.display()),
        })
    }

    fn check_attestation(
        &self,
        attestation: &Attestation,
        index: usize,
        hash: &[u8; 64],
    ) -> Result<(), CeremonyError> {
        let refused = |reason: &str| {
            Err(CeremonyError::Attestation {
                index,
                reason: reason.into(),
            })
        };
        let listed = self.announcement.participant(&attestation.name);
        if listed.is_none_or(|p| p.key != attestation.participant) {
            return refused("its signer is not an announced participant");
        }
        if attestation.index as usize != index || attestation.contribution != *hash {
            return refused("its signature is for another contribution");
        }
        if !attestation.stands(&self.digest) {
            return refused("the signature does not verify");
        }
        Ok(())
    }

    pub(super) fn check_all_contributed(
        &self,
        attestations: &[Attestation],
    ) -> Result<(), CeremonyError> {
        let done = |name: &str| attestations.iter().any(|a| a.name == name);
        self.waiting(done)
    }

    /// By the names in the key alone: enough to say who is waited for.
    fn check_complete(&self, zkey: &Zkey) -> Result<(), CeremonyError> {
        let named = &zkey.phase_two.contributions;
        self.waiting(|name| named.iter().any(|c| c.name.as_deref() == Some(name)))?;
        match named.last().map(|c| &c.kind) {
            Some(ContributionKind::Beacon { .. }) => Ok(()),
            _ => Err(CeremonyError::NoBeacon),
        }
    }

    fn waiting(&self, done: impl Fn(&str) -> bool) -> Result<(), CeremonyError> {
        let names = self.announcement.participants.iter().map(|p| &p.name);
        let waiting: Vec<&str> = names.map(String::as_str).filter(|n| !done(n)).collect();
        match waiting.is_empty() {
            true => Ok(()),
            false => Err(CeremonyError::Waiting {
                names: waiting.join(", "),
            }),
        }
    }
}

pub(super) fn read_circuit(path: &Path) -> Result<R1cs, CeremonyError> {
    let file = File::open(path).map_err(io_at(path))?;
    let circuit = read_r1cs(file).map_err(file_at(path))?;
    match circuit.public_inputs() {
        1 => Ok(circuit),
        found => Err(CeremonyError::PublicInputs { found }),
    }
}

pub(super) fn check_powers(path: &Path, report: Report<'_>) -> Result<PowersReport, CeremonyError> {
    let mut powers = files::read_powers(path)?;
    verify_powers(&mut powers, &mut |done, total| {
        report(Stage::Powers, done, total)
    })
    .map_err(|source| CeremonyError::Powers {
        path: path.to_owned(),
        source,
    })
}

pub(super) fn regenerate(
    circuit: &R1cs,
    ptau: &Path,
    report: Report<'_>,
) -> Result<Zkey, CeremonyError> {
    let mut powers = files::read_powers(ptau)?;
    let mut report = |done, total| report(Stage::InitialKey, done, total);
    Ok(initial_zkey(circuit, &mut powers, &mut report)?)
}

pub(super) fn check_key(
    path: &Path,
    zkey: &Zkey,
    initial: &Zkey,
    report: Report<'_>,
) -> Result<ZkeyReport, CeremonyError> {
    let mut report = |done, total| report(Stage::Checking, done, total);
    verify_zkey(zkey, initial, &mut report).map_err(|source| CeremonyError::Key {
        path: path.to_owned(),
        source,
    })
}

fn same_initial(found: &Zkey, initial: &Zkey) -> bool {
    found.header == initial.header
        && found.inputs == initial.inputs
        && found.coefficients == initial.coefficients
        && found.a == initial.a
        && found.b_g1 == initial.b_g1
        && found.b_g2 == initial.b_g2
        && found.l == initial.l
        && found.h == initial.h
        && found.phase_two == initial.phase_two
}

fn names_of(zkey: &Zkey) -> Vec<Option<String>> {
    let contributions = zkey.phase_two.contributions.iter();
    contributions.map(|c| c.name.clone()).collect()
}
