//! What one set of Groth16 parameters is: its circuit, its verifying key, where it came from.
//!
//! Invariant: the circuit id of a [`Manifest`] is the one its content hashes to. Whether that
//! circuit counts is not said here: genesis lists the ids a cluster accepts.
//! Knows nothing of Groth16: keys are bytes, and `provers` decodes them.

use crate::ceremony::{CeremonyFacts, CeremonyFault};
use crate::circuit_id::{CircuitFacts, CircuitId};
use crate::disk::FileFault;
use crate::frame::frame;
use crate::hex_serde;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const SCHEMA: &str = "ukehi/params/v1";
/// Part of every manifest whose set-up one party ran alone.
pub const INSECURE_DEV_WARNING: &str = "INSECURE: whoever ran this set-up can forge proofs";
/// The longest statement, policy or class name, in characters.
const MAX_NAME_CHARS: usize = 32;

/// Which circuit is meant, before its keys exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CircuitShape {
    /// `name/vN`, such as `seal/v1`.
    pub statement: String,
    /// Policy family, such as `opaque`.
    pub policy: String,
    /// N: how many commands a batch has room for.
    pub slots: u32,
    /// `short` or `long`.
    pub class: String,
}

impl CircuitShape {
    /// The name of its files, without extension: `seal-1-short-opaque`.
    ///
    /// # Errors
    /// [`ParamsFault::Name`] for anything but lower-case letters, digits and `_`: names become
    /// file names.
    pub fn file_stem(&self) -> Result<String, ParamsFault> {
        let (statement, version) = self.statement.split_once("/v").unwrap_or_default();
        for (field, name, found) in [
            ("statement", statement, &self.statement),
            ("statement", version, &self.statement),
            ("policy", &self.policy, &self.policy),
            ("class", &self.class, &self.class),
        ] {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || name.len() > MAX_NAME_CHARS || !name.chars().all(plain) {
                return Err(ParamsFault::Name {
                    field,
                    found: found.clone(),
                });
            }
        }
        Ok(format!(
            "{statement}-{}-{}-{}",
            self.slots, self.class, self.policy
        ))
    }
}

/// Where the parameters came from, which is who could forge proofs under them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Setup {
    /// One party ran it. Its warning is [`INSECURE_DEV_WARNING`], word for word.
    InsecureDev { warning: String },
    /// Sound as long as one contributor destroyed its secret.
    Ceremony(Box<CeremonyFacts>),
}

impl Setup {
    #[must_use]
    pub fn insecure_dev() -> Self {
        Self::InsecureDev {
            warning: INSECURE_DEV_WARNING.into(),
        }
    }

    /// The set-up manifest's digest, part of the circuit id: parameters cannot change their origin.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let framed = match self {
            Self::InsecureDev { warning } => frame(b"insecure-dev", &[warning.as_bytes()]),
            Self::Ceremony(facts) => frame(b"ceremony", &[&facts.digest()]),
        };
        blake3::derive_key("ukehi/setup/v1", &framed)
    }
}

/// What a set-up yields, apart from the proving key's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircuitParts {
    pub shape: CircuitShape,
    pub matrix_digest: [u8; 32],
    /// Exactly the bytes the verifier decodes.
    pub verifying_key: Vec<u8>,
    pub setup: Setup,
}

/// The file beside the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvingKeyFile {
    pub file: String,
    /// Plain BLAKE3 of the file: what `b3sum` prints.
    #[serde(with = "hex_serde::fixed")]
    pub blake3: [u8; 32],
    /// In bytes.
    pub length: u64,
}

/// Why parameters cannot be used.
#[derive(Debug, Error)]
pub enum ParamsFault {
    #[error(transparent)]
    File(#[from] FileFault),
    #[error("the {field} name {found:?} is not made of a-z, 0-9 and _ (a statement: name/vN)")]
    Name { field: &'static str, found: String },
    #[error("it is of schema {found:?}, this release reads {SCHEMA}")]
    UnknownSchema { found: String },
    #[error("it does not read as a manifest: {reason}")]
    Malformed { reason: String },
    /// Restore it from a copy, or run the set-up again.
    #[error("it is damaged: {what} is {found:?}, expected {expected:?}")]
    Damaged {
        what: &'static str,
        expected: String,
        found: String,
    },
    /// The ceremony it claims was none: do not use these parameters.
    #[error("its ceremony does not stand: {0}")]
    Ceremony(#[from] CeremonyFault),
    #[error(
        "circuit {circuit} comes from a set-up for development: whoever ran it can forge proofs"
    )]
    Insecure { circuit: CircuitId },
}

pub(crate) fn expect(
    what: &'static str,
    expected: impl ToString,
    found: impl ToString,
) -> Result<(), ParamsFault> {
    let (expected, found) = (expected.to_string(), found.to_string());
    if expected == found {
        return Ok(());
    }
    Err(ParamsFault::Damaged {
        what,
        expected,
        found,
    })
}

/// A manifest as it lies on disk; nothing about it is checked yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    schema: String,
    circuit: CircuitId,
    shape: CircuitShape,
    #[serde(with = "hex_serde::fixed")]
    matrix_digest: [u8; 32],
    #[serde(with = "hex_serde::open")]
    verifying_key: Vec<u8>,
    proving_key: ProvingKeyFile,
    setup: Setup,
}

/// One set of parameters, consistent with its circuit id.
///
/// Reading it from any serde format checks it as [`Manifest::from_json`] does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Manifest(Unchecked);

impl TryFrom<Unchecked> for Manifest {
    type Error = ParamsFault;

    fn try_from(unchecked: Unchecked) -> Result<Self, ParamsFault> {
        unchecked.check()
    }
}

impl From<Manifest> for Unchecked {
    fn from(manifest: Manifest) -> Self {
        manifest.0
    }
}

impl Manifest {
    /// # Errors
    /// [`ParamsFault::Name`]; [`ParamsFault::Damaged`] for a changed warning.
    pub fn new(parts: CircuitParts, proving_key: &[u8]) -> Result<Self, ParamsFault> {
        let mut manifest = Unchecked {
            schema: SCHEMA.into(),
            circuit: CircuitId([0; 32]),
            proving_key: ProvingKeyFile {
                file: format!("{}.pk", parts.shape.file_stem()?),
                blake3: blake3::hash(proving_key).into(),
                length: proving_key.len() as u64,
            },
            shape: parts.shape,
            matrix_digest: parts.matrix_digest,
            verifying_key: parts.verifying_key,
            setup: parts.setup,
        };
        manifest.circuit = manifest.computed_circuit();
        manifest.check()
    }

    /// Reads the JSON and recomputes the circuit id.
    ///
    /// # Errors
    /// [`ParamsFault::UnknownSchema`], [`ParamsFault::Malformed`], or [`ParamsFault::Damaged`] if
    /// anything the id or the file name hangs on was changed.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ParamsFault> {
        #[derive(Deserialize)]
        struct AnySchema {
            schema: String,
        }
        let malformed = |error: serde_json::Error| ParamsFault::Malformed {
            reason: error.to_string(),
        };
        // First, so that a later release's manifest is not called malformed.
        let any: AnySchema = serde_json::from_slice(bytes).map_err(malformed)?;
        if any.schema != SCHEMA {
            return Err(ParamsFault::UnknownSchema { found: any.schema });
        }
        let manifest: Unchecked = serde_json::from_slice(bytes).map_err(malformed)?;
        manifest.check()
    }

    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(&self.0).expect("strings and numbers only");
        bytes.push(b'\n');
        bytes
    }

    /// For networks whose genesis is not a development one.
    ///
    /// # Errors
    /// [`ParamsFault::Insecure`] if one party ran the set-up alone.
    pub fn require_secure(&self) -> Result<(), ParamsFault> {
        match self.0.setup {
            Setup::Ceremony(_) => Ok(()),
            Setup::InsecureDev { .. } => Err(ParamsFault::Insecure {
                circuit: self.circuit_id(),
            }),
        }
    }

    #[must_use]
    pub fn circuit_id(&self) -> CircuitId {
        self.0.circuit
    }

    #[must_use]
    pub fn shape(&self) -> &CircuitShape {
        &self.0.shape
    }

    #[must_use]
    pub fn matrix_digest(&self) -> &[u8; 32] {
        &self.0.matrix_digest
    }

    #[must_use]
    pub fn verifying_key(&self) -> &[u8] {
        &self.0.verifying_key
    }

    #[must_use]
    pub fn proving_key(&self) -> &ProvingKeyFile {
        &self.0.proving_key
    }

    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.0.setup
    }
}

impl Unchecked {
    fn computed_circuit(&self) -> CircuitId {
        CircuitId::of(&CircuitFacts {
            statement: &self.shape.statement,
            matrix_digest: &self.matrix_digest,
            verifying_key: &self.verifying_key,
            slots: self.shape.slots,
            class: &self.shape.class,
            policy: &self.shape.policy,
            setup_digest: &self.setup.digest(),
        })
    }

    fn check(self) -> Result<Manifest, ParamsFault> {
        if self.schema != SCHEMA {
            return Err(ParamsFault::UnknownSchema { found: self.schema });
        }
        if let Setup::InsecureDev { warning } = &self.setup {
            expect("the set-up's warning", INSECURE_DEV_WARNING, warning)?;
        }
        if let Setup::Ceremony(facts) = &self.setup {
            facts.check(&self.verifying_key)?;
        }
        // Also what keeps the proving key's path inside the directory.
        let file = format!("{}.pk", self.shape.file_stem()?);
        expect("the proving key's file name", file, &self.proving_key.file)?;
        expect("the circuit id", self.computed_circuit(), self.circuit)?;
        Ok(Manifest(self))
    }
}
