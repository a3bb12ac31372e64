//! Who can be measured here: ours, the peers' binary, snarkjs, and commands given by templates; and who cannot, and why.

use super::args::RunArgs;
use crate::error::Failure;
use std::path::{Path, PathBuf};
use std::process::Command;
use ukehi_provers::kernel::{KERNEL_VARIABLE, Kernel};
use ukehi_suite::ours::{PORTABLE, SUBJECT, kernel_path};
use ukehi_suite::prover::{Contender, Kind};
use ukehi_suite::results::NotRun;
use ukehi_suite::template::Template;

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
            all: ours(&here),
            built_in: Vec::new(),
            binaries: vec![(SUBJECT.to_owned(), here.clone())],
            missing: Vec::new(),
        };
        found.add_peers(&here, args.peers_bin.as_deref())?;
        found.add_snarkjs(args);
        for template in &args.peers {
            if found.all.iter().any(|c| c.name == template.name) {
                return Err(Failure::usage(
                    format!("two provers are called {}", template.name),
                    "give each a name of its own",
                ));
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
                return Err(Failure::configuration(
                    format!("{}: no such file", path.display()),
                    BUILD,
                ));
            }
            self.missing.push(NotRun {
                what: "ark-groth16, taceo-groth16".into(),
                why: format!(
                    "the peers' binary is not there; {BUILD}, or name it with --peers-bin"
                ),
            });
            return Ok(());
        };
        let program = program.canonicalize().map_err(Failure::runtime)?;
        let list = Command::new(&program).arg("list").output();
        let list =
            list.map_err(|e| Failure::configuration(format!("{}: {e}", program.display()), BUILD))?;
        let names = String::from_utf8_lossy(&list.stdout);
        for name in names.lines().map(str::trim).filter(|n| !n.is_empty()) {
            self.built_in.push(name.to_owned());
            self.all.push(Contender {
                name: name.to_owned(),
                kind: Kind::Worker {
                    program: program.clone(),
                    arguments: vec![name.into()],
                    environment: Vec::new(),
                    once: Template::of(
                        name,
                        &program,
                        &[
                            name,
                            "once",
                            "{threads}",
                            "{r1cs}",
                            "{zkey}",
                            "{digest}",
                            "{wtns}",
                            "{proof}",
                            "{public}",
                        ],
                    ),
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
        let home = std::env::var_os("HOME")
            .map(PathBuf::from)
            .unwrap_or_default();
        let npm = std::env::var_os("UKEHI_NPM").map_or_else(|| home.join(NPM), PathBuf::from);
        let cli = npm.join(SNARKJS);
        let node = Command::new("node")
            .arg("--version")
            .output()
            .is_ok_and(|o| o.status.success());
        let why = match (node, cli.is_file()) {
            (false, _) => "node is not there".to_owned(),
            (_, false) => format!(
                "{} is not there; scripts/test-tools.sh installs it",
                cli.display()
            ),
            (true, true) => {
                let cli = cli.display().to_string();
                let words = [
                    &cli, "groth16", "prove", "{zkey}", "{wtns}", "{proof}", "{public}",
                ];
                let template = Template::of("snarkjs", Path::new("node"), &words);
                self.all.push(Contender {
                    name: "snarkjs".into(),
                    kind: Kind::Command(template),
                });
                return;
            }
        };
        self.missing.push(NotRun {
            what: "snarkjs".into(),
            why,
        });
    }
}

/// With the best kernels, and with the portable ones where those are others.
fn ours(here: &Path) -> Vec<Contender> {
    let contender = |name: &str, environment: &[(&str, &str)]| Contender {
        name: name.to_owned(),
        kind: Kind::Worker {
            program: here.to_owned(),
            arguments: ["bench", "worker"].map(Into::into).to_vec(),
            environment: environment
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            once: Template::of(
                name,
                here,
                &[
                    "prove",
                    "{zkey}",
                    "{wtns}",
                    "{proof}",
                    "{public}",
                    "--r1cs",
                    "{r1cs}",
                    "--trusted-digest",
                    "{digest}",
                ],
            ),
        },
    };
    let mut ours = vec![contender(SUBJECT, &[])];
    if kernel_path() != Kernel::Portable.name() {
        ours.push(contender(
            PORTABLE,
            &[(KERNEL_VARIABLE, Kernel::Portable.name())],
        ));
    }
    ours
}
