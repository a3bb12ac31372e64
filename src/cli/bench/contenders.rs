//! Who can be measured here: ours, the peers' binary, snarkjs, and commands given by templates; and who cannot, and why.

use super::args::RunArgs;
use crate::error::Failure;
use std::path::{Path, PathBuf};
use std::process::Command;
use ukehi_suite::ours::SUBJECT;
use ukehi_suite::prover::{Contender, Kind};
use ukehi_suite::results::NotRun;

const PEERS: &str = "ukehi-peers";
/// How the peers' binary is made, for who lacks it.
const BUILD: &str = "cargo build --release --manifest-path benches/peers/Cargo.toml";
/// Where that leaves it, below the repository.
const BUILT: &str = "benches/peers/target/release/ukehi-peers";
const SNARKJS: &str = "node_modules/snarkjs/build/cli.cjs";
/// What the test tools' script installs (scripts/test-tools.sh).
const NPM: &str = ".cache/ukehi/npm";

pub struct Contenders {
    pub all: Vec<Contender>,
    /// Names of the peers' binary's provers.
    pub built_in: Vec<String>,
    /// Name and path of what runs.
    pub binaries: Vec<(String, PathBuf)>,
    pub missing: Vec<NotRun>,
}

impl Contenders {
    pub fn find(args: &RunArgs) -> Result<Self, Failure> {
        let here = std::env::current_exe().map_err(Failure::runtime)?;
        let mut found = Self {
            all: vec![ours(&here)],
            built_in: Vec::new(),
            binaries: vec![(SUBJECT.to_owned(), here.clone())],
            missing: Vec::new(),
        };
        found.add_peers(&here, args.peers_bin.as_deref())?;
        found.add_snarkjs(args);
        for template in &args.peers {
            if found.all.iter().any(|c| c.name == template.name) {
                return Err(Failure::usage(format!("two provers are called {}", template.name), "give each a name of its own"));
            }
            found.all.push(Contender {
                name: template.name.clone(),
                kind: Kind::Command(template.clone()),
            });
        }
        Ok(found)
    }

    fn add_peers(&mut self, here: &Path, given: Option<&Path>) -> Result<(), Failure> {
        let beside = here.with_file_name(PEERS);
        let candidates = match given {
            Some(path) => vec![path.to_owned()],
            None => vec![beside, PathBuf::from(BUILT)],
        };
        let Some(program) = candidates.iter().find(|p| p.is_file()) else {
            if let Some(path) = given {
                return Err(Failure::configuration(format!("{}: no such file", path.display()), BUILD));
            }
            self.missing.push(NotRun {
                what: "ark-groth16, taceo-groth16".into(),
                why: format!("the peers' binary is not there; {BUILD}, or name it with --peers-bin"),
            });
            return Ok(());
        };
        let program = program.canonicalize().map_err(Failure::runtime)?;
        let list = Command::new(&program).arg("list").output();
        let list = list.map_err(|e| Failure::configuration(format!("{}: {e}", program.display()), BUILD))?;
        let names = String::from_utf8_lossy(&list.stdout);
        for name in names.lines().map(str::trim).filter(|n| !n.is_empty()) {
            self.built_in.push(name.to_owned());
            self.all.push(Contender {
                name: name.to_owned(),
                kind: Kind::Worker {
                    program: program.clone(),
                    arguments: vec![name.into()],
                    environment: Vec::new(),
                },
            });
        }
        self.binaries.push((PEERS.to_owned(), program));
        Ok(())
    }

    fn add_snarkjs(&mut self, args: &RunArgs) {
        if args.peers.iter().any(|p| p.name == "snarkjs") {
            return;
        }
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let npm = std::env::var_os("UKEHI_NPM").map_or_else(|| home.join(NPM), PathBuf::from);
        let cli = npm.join(SNARKJS);
        let node = Command::new("node").arg("--version").output().is_ok_and(|o| o.status.success());
        let why = match (node, cli.is_file()) {
            (false, _) => "node is not there".to_owned(),
            (_, false) => format!("{} is not there; scripts/test-tools.sh installs it", cli.display()),
            (true, true) => {
                let template = format!("snarkjs=!node {} groth16 prove {{zkey}} {{wtns}} {{proof}} {{public}}", cli.display());
                match template.parse() {
                    // A template splits at spaces.
                    Ok(template) if !cli.to_string_lossy().contains(char::is_whitespace) => {
                        self.all.push(Contender { name: "snarkjs".into(), kind: Kind::Command(template) });
                        return;
                    }
                    _ => format!("its path has a space: {}", cli.display()),
                }
            }
        };
        self.missing.push(NotRun { what: "snarkjs".into(), why });
    }
}

fn ours(here: &Path) -> Contender {
    Contender {
        name: SUBJECT.to_owned(),
        kind: Kind::Worker {
            program: here.to_owned(),
            arguments: ["bench", "worker"].map(Into::into).to_vec(),
            environment: Vec::new(),
        },
    }
}
