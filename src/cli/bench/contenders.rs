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
/// What it has, for who lacks it.
const BUILT_IN: [&str; 3] = ["ark-groth16", "ark-groth16-cached", "taceo-groth16"];
/// How it is made, and where that leaves it: beside this program.
const BUILD: &str = "build it in Ukehi's repository with: make peers";
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
        found.leave_out(&args.without)?;
        Ok(found)
    }

    fn leave_out(&mut self, names: &[String]) -> Result<(), Failure> {
        for name in names {
            let known = self.all.iter().any(|c| c.name == *name);
            if !known && !self.missing.iter().any(|m| m.what == *name) {
                return Err(Failure::usage(
                    format!("no prover is called {name}"),
                    format!("there are {}", self.names().join(", ")),
                ));
            }
            self.all.retain(|c| c.name != *name);
            self.built_in.retain(|built_in| built_in != name);
            self.missing.retain(|missing| missing.what != *name);
            self.missing.push(NotRun {
                what: name.clone(),
                why: "left out (--without)".into(),
            });
        }
        Ok(())
    }

    fn names(&self) -> Vec<&str> {
        self.all.iter().map(|c| c.name.as_str()).collect()
    }

    fn add_peers(&mut self, here: &Path, given: Option<&Path>) -> Result<(), Failure> {
        let beside = here.with_file_name(PEERS);
        let program = given.unwrap_or(&beside);
        if !program.is_file() {
            let why = format!("{} is not there", program.display());
            if given.is_some() {
                return Err(Failure::configuration(why, BUILD));
            }
            let missing = |name: &str| NotRun {
                what: name.into(),
                why: format!("not built: {why}; {BUILD}"),
            };
            self.missing.extend(BUILT_IN.map(missing));
            return Ok(());
        }
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
