//! A run's directory: what was asked for, and every sample as it comes.
//!
//! `run.json` is written first and never changed; `samples.jsonl` grows by a line a sample, in one write.
//!
//! Invariants: 1. a sample that was reported is on disk; 2. a run is continued only under the configuration and on the
//! machine that it began with; 3. a line cut off by a crash is dropped: its sample is measured again, and none twice.

use crate::cell::Cell;
use crate::machine::{Clock, Machine};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub const RUN_FILE: &str = "run.json";
pub const SAMPLES_FILE: &str = "samples.jsonl";
pub const CLOCKS_FILE: &str = "clocks.jsonl";
const RUN_SCHEMA: &str = "ukehi/bench-run/v1";
/// What is read of a directory's files: a full run's samples take a few MiB.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// What was asked for. Two runs with the same configuration measure the same cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub suites: Vec<crate::cell::Suite>,
    /// log2 of the synthetic circuits' domains.
    pub sizes: Vec<u32>,
    pub families: Vec<String>,
    pub shapes: Vec<String>,
    pub threads: Vec<usize>,
    pub rounds: u32,
    /// Name and command template of each external prover.
    pub peers: Vec<(String, String)>,
    /// Provers of the peers' binary that run.
    pub peers_built_in: Vec<String>,
    /// Provers that were left out on purpose.
    pub without: Vec<String>,
    /// Seconds a single request may take.
    pub deadline: u64,
}

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    schema: String,
    pub config: Config,
    pub machine: Machine,
    /// BLAKE3 of the measuring binary and of the peers' binary, in hex: another build is another subject.
    pub binaries: Vec<(String, String)>,
}

impl RunFile {
    #[must_use]
    pub fn new(config: Config, machine: Machine, binaries: Vec<(String, String)>) -> Self {
        Self {
            schema: RUN_SCHEMA.to_owned(),
            config,
            machine,
            binaries,
        }
    }

    /// What differs, in words; empty if nothing does.
    fn differences(&self, other: &Self) -> Vec<String> {
        let value = |run: &Self| serde_json::to_value(run).expect("plain data");
        let mut found = Vec::new();
        differences("", &value(self), &value(other), &mut found);
        found
    }
}

fn differences(
    place: &str,
    before: &serde_json::Value,
    now: &serde_json::Value,
    found: &mut Vec<String>,
) {
    match (before.as_object(), now.as_object()) {
        (Some(before), Some(now)) => {
            for (name, value) in before {
                let place = if place.is_empty() {
                    name.clone()
                } else {
                    format!("{place}.{name}")
                };
                differences(
                    &place,
                    value,
                    now.get(name).unwrap_or(&serde_json::Value::Null),
                    found,
                );
            }
        }
        _ if before == now => {}
        _ => found.push(format!("{place} was {before} and is {now}")),
    }
}

/// One sample, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub cell: Cell,
    pub round: u32,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Outcome {
    Measured(Measurement),
    /// Nothing is said of how long it took.
    Failed {
        fault: String,
        detail: String,
    },
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// In the metric's unit; the mean of `repeats` in a row where one alone is too short to time well.
    pub value: f64,
    pub repeats: u32,
    /// Peak resident memory of the subject's process while it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_kib: Option<u64>,
    /// Name and milliseconds of each part of the work, if the subject tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<(String, f64)>,
}

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{0} holds a run already: continue it with --resume, or name another directory")]
    Exists(PathBuf),
    #[error("{0} holds no run to resume")]
    Nothing(PathBuf),
    #[error("{path}, line {line}: {reason}")]
    Damaged {
        path: PathBuf,
        line: usize,
        reason: String,
    },
    #[error("the run in {directory} was begun differently:\n  {}", differences.join("\n  "))]
    Different {
        directory: PathBuf,
        differences: Vec<String>,
    },
}

/// An open run.
pub struct Journal {
    directory: PathBuf,
    samples: File,
    records: Vec<Record>,
    known: HashSet<(Cell, u32)>,
}

impl Journal {
    /// Begins a run in a directory, made if missing.
    pub fn create(directory: &Path, run: &RunFile) -> Result<Self, JournalError> {
        let (path, samples) = (directory.join(RUN_FILE), directory.join(SAMPLES_FILE));
        if path.exists() {
            return Err(JournalError::Exists(directory.to_owned()));
        }
        fs::create_dir_all(directory).map_err(at(directory))?;
        let file = File::create(&samples).map_err(at(&samples))?;
        // Last: a directory with this file can be resumed.
        let json = serde_json::to_vec_pretty(run).expect("plain data");
        let draft = directory.join("run.json.draft");
        fs::write(&draft, json).map_err(at(&draft))?;
        fs::rename(&draft, &path).map_err(at(&path))?;
        Ok(Self {
            directory: directory.to_owned(),
            samples: file,
            records: Vec::new(),
            known: HashSet::new(),
        })
    }

    /// Continues a run begun with the same `run`.
    pub fn resume(directory: &Path, run: &RunFile) -> Result<Self, JournalError> {
        let begun = read_run(directory)?;
        let differences = begun.differences(run);
        if !differences.is_empty() {
            return Err(JournalError::Different {
                directory: directory.to_owned(),
                differences,
            });
        }
        let path = directory.join(SAMPLES_FILE);
        let (records, whole): (Vec<Record>, u64) = read_lines(&path)?;
        let samples = OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(at(&path))?;
        samples.set_len(whole).map_err(at(&path))?;
        let known = records.iter().map(|r| (r.cell.clone(), r.round)).collect();
        Ok(Self {
            directory: directory.to_owned(),
            samples,
            records,
            known,
        })
    }

    /// Whether the round's sample of a cell is there, or the cell failed before: a subject that is broken is not
    /// asked again.
    #[must_use]
    pub fn has(&self, cell: &Cell, round: u32) -> bool {
        self.known.contains(&(cell.clone(), round)) || self.failed(cell)
    }

    #[must_use]
    pub fn failed(&self, cell: &Cell) -> bool {
        let failed = |r: &Record| matches!(r.outcome, Outcome::Failed { .. });
        self.records.iter().any(|r| r.cell == *cell && failed(r))
    }

    /// Writes a record; it is on disk when this returns.
    ///
    /// # Panics
    /// If the cell has a sample of this round.
    pub fn record(&mut self, record: Record) -> Result<(), JournalError> {
        let new = self.known.insert((record.cell.clone(), record.round));
        assert!(new, "a cell is measured once a round");
        let mut line = serde_json::to_vec(&record).expect("plain data");
        line.push(b'\n');
        let path = || self.directory.join(SAMPLES_FILE);
        self.samples
            .write_all(&line)
            .map_err(|source| JournalError::Io {
                path: path(),
                source,
            })?;
        self.samples
            .sync_data()
            .map_err(|source| JournalError::Io {
                path: path(),
                source,
            })?;
        self.records.push(record);
        Ok(())
    }

    /// Keeps a reading of the machine's clock.
    pub fn clock(&self, clock: &Clock) -> Result<(), JournalError> {
        let path = self.directory.join(CLOCKS_FILE);
        let mut line = serde_json::to_vec(clock).expect("plain data");
        line.push(b'\n');
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut f| f.write_all(&line)).map_err(at(&path))
    }

    /// Every reading of every session.
    pub fn clocks(&self) -> Result<Vec<Clock>, JournalError> {
        let path = self.directory.join(CLOCKS_FILE);
        if !path.exists() {
            return Ok(Vec::new());
        }
        Ok(read_lines(&path)?.0)
    }

    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { path, source }
}

/// `run.json` of a directory.
pub fn read_run(directory: &Path) -> Result<RunFile, JournalError> {
    let path = directory.join(RUN_FILE);
    if !path.exists() {
        return Err(JournalError::Nothing(directory.to_owned()));
    }
    let bytes = read(&path)?;
    let damaged = |reason: String| JournalError::Damaged {
        path: path.clone(),
        line: 0,
        reason,
    };
    let run: RunFile = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
    if run.schema != RUN_SCHEMA {
        return Err(damaged(format!(
            "schema {:?}, expected {RUN_SCHEMA:?}",
            run.schema
        )));
    }
    Ok(run)
}

fn read(path: &Path) -> Result<Vec<u8>, JournalError> {
    let length = fs::metadata(path).map_err(at(path))?.len();
    if length > MAX_FILE_BYTES {
        let source = io::Error::other(format!("{length} bytes, at most {MAX_FILE_BYTES} are read"));
        return Err(JournalError::Io {
            path: path.to_owned(),
            source,
        });
    }
    fs::read(path).map_err(at(path))
}

/// A value a line, and how many bytes they take: a last line without its end is not one.
fn read_lines<T: serde::de::DeserializeOwned>(path: &Path) -> Result<(Vec<T>, u64), JournalError> {
    let bytes = read(path)?;
    let whole = bytes
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |end| end + 1);
    let mut records = Vec::new();
    for (number, line) in (1..).zip(bytes[..whole].split(|b| *b == b'\n')) {
        if line.is_empty() {
            continue;
        }
        let record = serde_json::from_slice(line).map_err(|e| JournalError::Damaged {
            path: path.to_owned(),
            line: number,
            reason: e.to_string(),
        })?;
        records.push(record);
    }
    Ok((records, whole as u64))
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
