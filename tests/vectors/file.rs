//! One file of vectors: what docs/formats.md, "Vectors", says of it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub const SCHEMA: &str = "ukehi/vectors/v1";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Accept,
    Refuse,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    pub verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patch: Vec<(usize, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vectors {
    pub schema: String,
    pub format: String,
    pub cases: Vec<Case>,
    /// Contents so far, by name: what patches are taken against.
    #[serde(skip)]
    known: Vec<(String, Vec<u8>)>,
}

pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

impl Vectors {
    pub fn new(format: &str) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            format: format.to_owned(),
            cases: Vec::new(),
            known: Vec::new(),
        }
    }

    pub fn accept(&mut self, name: &str, content: impl Into<Content>) {
        self.add(name, Verdict::Accept, None, content.into());
    }

    pub fn refuse(&mut self, name: &str, reason: &str, content: impl Into<Content>) {
        self.add(
            name,
            Verdict::Refuse,
            Some(reason.to_owned()),
            content.into(),
        );
    }

    fn add(&mut self, name: &str, verdict: Verdict, reason: Option<String>, content: Content) {
        let mut case = Case {
            name: name.to_owned(),
            verdict,
            reason,
            text: None,
            bytes: None,
            base: None,
            patch: Vec::new(),
        };
        match content {
            Content::Text(text) => case.text = Some(text),
            Content::Bytes(bytes) => {
                let patches = self
                    .known
                    .iter()
                    .filter(|(_, known)| known.len() == bytes.len());
                let patches = patches.map(|(base, known)| (base, differing(known, &bytes)));
                let weight = |patch: &[(usize, String)]| -> usize {
                    patch.iter().map(|(_, hex)| 8 + hex.len()).sum()
                };
                match patches.min_by_key(|(_, patch)| weight(patch)) {
                    Some((base, patch)) if !patch.is_empty() && weight(&patch) < bytes.len() => {
                        case.base = Some(base.clone());
                        case.patch = patch;
                    }
                    _ => case.bytes = Some(hex::encode(&bytes)),
                }
                self.known.push((name.to_owned(), bytes));
            }
        }
        self.cases.push(case);
    }

    pub fn save(&self, file: &str) {
        let path = directory().join(file);
        let mut json = serde_json::to_string_pretty(self).unwrap();
        json.push('\n');
        std::fs::write(path, json).unwrap();
    }

    /// Each case with its content put together.
    pub fn load(path: &Path) -> (String, Vec<(Case, Content)>) {
        let file: Self = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(file.schema, SCHEMA);
        let mut known: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let cases = file.cases.into_iter().map(|case| {
            assert_eq!(
                case.reason.is_some(),
                case.verdict == Verdict::Refuse,
                "{}",
                case.name
            );
            let content = match (&case.text, &case.bytes, &case.base) {
                (Some(text), None, None) => Content::Text(text.clone()),
                (None, Some(bytes), None) => Content::Bytes(hex::decode(bytes).unwrap()),
                (None, None, Some(base)) => {
                    let mut bytes = known[base].clone();
                    for (offset, patch) in &case.patch {
                        let patch = hex::decode(patch).unwrap();
                        bytes[*offset..offset + patch.len()].copy_from_slice(&patch);
                    }
                    Content::Bytes(bytes)
                }
                _ => panic!("{}: one of text, bytes and base", case.name),
            };
            if let Content::Bytes(bytes) = &content {
                assert!(
                    known.insert(case.name.clone(), bytes.clone()).is_none(),
                    "{} twice",
                    case.name
                );
            }
            (case, content)
        });
        (file.format, cases.collect())
    }
}

pub enum Content {
    Text(String),
    Bytes(Vec<u8>),
}

impl Content {
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Bytes(_) => panic!("bytes where text belongs"),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Text(_) => panic!("text where bytes belong"),
        }
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// Runs of bytes in which `new` differs from `old`, of the same length.
fn differing(old: &[u8], new: &[u8]) -> Vec<(usize, String)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for at in (0..new.len()).filter(|at| old[*at] != new[*at]) {
        match runs.last_mut() {
            // A gap of four bytes costs less than another run.
            Some((_, end)) if at < *end + 4 => *end = at + 1,
            _ => runs.push((at, at + 1)),
        }
    }
    let patch = runs.into_iter();
    patch
        .map(|(from, to)| (from, hex::encode(&new[from..to])))
        .collect()
}
