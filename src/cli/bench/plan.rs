//! What a run is to measure: the flags, their defaults, and for a resumed run what it was begun with.

use super::args::RunArgs;
use super::contenders::Contenders;
use super::shapes;
use crate::error::Failure;
use crate::params::CircuitName;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ukehi_suite::cell::{Cell, Suite};
use ukehi_suite::instance::Family;
use ukehi_suite::journal::{self, Config, RunFile};
use ukehi_suite::machine::{self, Machine};
use ukehi_suite::{ours, prover};

const SIZES: [u32; 4] = [10, 12, 14, 16];
const SIZES_OF_FULL: [u32; 6] = [10, 12, 14, 16, 18, 20];
const SHAPES: [&str; 2] = ["seal-1-short-opaque", "seal-8-short-opaque"];
const ROUNDS: u32 = 11;
const DEADLINE: u64 = 900;

pub struct Plan {
    pub run: RunFile,
    pub contenders: Contenders,
    pub families: Vec<Family>,
    pub shapes: Vec<CircuitName>,
    pub instances: PathBuf,
}

impl Plan {
    pub fn of(args: &RunArgs) -> Result<Self, Failure> {
        let begun = match args.resume {
            true => Some(journal::read_run(&args.out).map_err(unusable)?.config),
            false => None,
        };
        let args = &with_provers_of(args, begun.as_ref())?;
        let contenders = Contenders::find(args)?;
        let config = config(args, begun, &contenders);
        let parsed = config.families.iter().map(|f| f.parse());
        let families = parsed.collect::<Result<_, _>>();
        let families =
            families.map_err(|e| Failure::usage(e, "example: --families poseidon,sha"))?;
        let shapes = shapes::named(&config.shapes);
        let shapes =
            shapes.map_err(|e| Failure::usage(e, "example: --shapes seal-8-short-opaque"))?;
        let binaries = contenders
            .binaries
            .iter()
            .map(|(name, path)| Ok((name.clone(), digest(path)?)));
        let binaries = binaries.collect::<Result<_, Failure>>()?;
        Ok(Self {
            run: RunFile::new(config, Machine::here(&ours::kernel_path()), binaries),
            contenders,
            families,
            shapes,
            instances: args
                .instances
                .clone()
                .unwrap_or_else(|| args.out.join("instances")),
        })
    }

    pub fn config(&self) -> &Config {
        &self.run.config
    }

    pub fn has(&self, suite: Suite) -> bool {
        self.config().suites.contains(&suite)
    }

    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.config().deadline)
    }

    /// Synthetic circuits by growing size, then the batches' circuits.
    pub fn instance_names(&self) -> Vec<String> {
        let sizes = self.config().sizes.iter();
        let synthetic = sizes.flat_map(|size| self.families.iter().map(|f| f.at(*size)));
        synthetic
            .chain(self.shapes.iter().map(ToString::to_string))
            .collect()
    }

    /// The prover suite's cells on an instance.
    pub fn groups(&self, instance: &str) -> Vec<Vec<Cell>> {
        prover::groups(instance, &self.contenders.all, &self.config().threads)
    }
}

/// A resumed run has the provers it was begun with, unless they are given again.
fn with_provers_of(args: &RunArgs, begun: Option<&Config>) -> Result<RunArgs, Failure> {
    let mut args = args.clone();
    let Some(begun) = begun else { return Ok(args) };
    if args.peers.is_empty() {
        let texts = begun.peers.iter();
        let parsed = texts.map(|(name, text)| format!("{name}={text}").parse());
        args.peers = parsed.collect::<Result<_, _>>().map_err(unusable)?;
    }
    if args.without.is_empty() {
        args.without = begun.without.clone();
    }
    Ok(args)
}

fn config(args: &RunArgs, begun: Option<Config>, contenders: &Contenders) -> Config {
    let chosen = |suite| args.suite.iter().any(|name| name.suites().contains(&suite));
    let full = Suite::ALL.into_iter().all(chosen);
    let suites = match (&begun, args.suite.is_empty()) {
        (Some(begun), true) => begun.suites.clone(),
        _ => Suite::ALL.into_iter().filter(|s| chosen(*s)).collect(),
    };
    let strings = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    let threads = |counts: &Vec<u64>| counts.iter().map(|c| *c as usize).collect();
    let defaults = begun.unwrap_or_else(|| Config {
        suites: Vec::new(),
        sizes: if full {
            SIZES_OF_FULL.to_vec()
        } else {
            SIZES.to_vec()
        },
        families: Family::ALL.map(|f| f.name().to_owned()).to_vec(),
        shapes: if full {
            strings(&["all"])
        } else {
            strings(&SHAPES)
        },
        threads: powers_up_to(machine::cores()),
        rounds: ROUNDS,
        peers: Vec::new(),
        peers_built_in: Vec::new(),
        without: Vec::new(),
        deadline: DEADLINE,
    });
    let families = args.families.clone().unwrap_or(defaults.families);
    Config {
        suites,
        sizes: sorted(args.sizes.clone().unwrap_or(defaults.sizes)),
        families: families.into_iter().filter(|f| f != "none").collect(),
        shapes: args.shapes.clone().unwrap_or(defaults.shapes),
        threads: sorted(args.threads.as_ref().map_or(defaults.threads, threads)),
        rounds: args.rounds.unwrap_or(defaults.rounds),
        peers: args
            .peers
            .iter()
            .map(|p| (p.name.clone(), p.text.clone()))
            .collect(),
        peers_built_in: contenders.built_in.clone(),
        without: sorted(args.without.clone()),
        deadline: args.deadline.unwrap_or(defaults.deadline),
    }
}

/// 1, 2, 4 ... and the cores themselves.
fn powers_up_to(cores: usize) -> Vec<usize> {
    let powers = std::iter::successors(Some(1), |n| Some(n * 2)).take_while(|n| *n < cores);
    powers.chain([cores]).collect()
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

fn digest(path: &Path) -> Result<String, Failure> {
    let unreadable = |e| Failure::runtime(format!("{}: {e}", path.display()));
    let mut hasher = blake3::Hasher::new();
    hasher
        .update_reader(File::open(path).map_err(unreadable)?)
        .map_err(unreadable)?;
    Ok(hasher.finalize().to_hex().to_string())
}

pub fn unusable(error: impl std::fmt::Display) -> Failure {
    Failure::configuration(error, "name another directory with --out, or begin anew")
}
