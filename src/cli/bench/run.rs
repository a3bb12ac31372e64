//! `ukehi bench run`: takes the turns that a run lacks and writes what it found.
//!
//! Invariant: `results.json` and `report.html` are written however a run ends, from what is on disk.

use super::args::RunArgs;
use super::cluster::Cluster;
use super::plan::{Plan, unusable};
use super::watch::Watch;
use super::{sealing, shapes};
use crate::cli::output::{Output, table};
use crate::error::{ExitCode, Failure};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use ukehi_suite::cell::{Cell, Suite};
use ukehi_suite::inprocess::{self, InProcess};
use ukehi_suite::instance::files::{self, on_disk};
use ukehi_suite::instance::{Instance, size_of};
use ukehi_suite::journal::Journal;
use ukehi_suite::machine::Clock;
use ukehi_suite::prover::OnInstance;
use ukehi_suite::report;
use ukehi_suite::results::{InstanceFacts, Results};
use ukehi_suite::turn::{Ended, Subject, missing, take_turns};

#[derive(Serialize)]
struct Finished {
    schema: &'static str,
    complete: bool,
    cells: usize,
    faults: usize,
    results: String,
    report: String,
}

pub fn run(args: &RunArgs, output: &Output) -> Result<(), Failure> {
    let plan = Plan::of(args)?;
    let journal = match args.resume {
        true => Journal::resume(&args.out, &plan.run),
        false => Journal::create(&args.out, &plan.run),
    };
    let mut session = Session {
        journal: journal.map_err(unusable)?,
        watch: Watch::new()?,
        circuits: Vec::new(),
        plan,
    };
    session.name_the_missing();
    session.note_clock()?;
    let ended = session.measure();
    session.watch.finish();
    session.note_clock()?;
    let complete = matches!(ended, Ok(Ended::Complete));
    let finished = session.write(&args.out, complete)?;
    output.show(&finished, shown);
    match ended? {
        Ended::Complete => Ok(()),
        Ended::Interrupted => Err(Failure::new(
            ExitCode::Incomplete,
            "the run was interrupted; what is finished is kept",
            resumption(args),
        )),
    }
}

/// The command that goes on: places are not kept in the run, its other flags are.
fn resumption(args: &RunArgs) -> String {
    let mut command = format!("ukehi bench run --resume --out {}", args.out.display());
    for (flag, place) in [
        ("--instances", &args.instances),
        ("--peers-bin", &args.peers_bin),
    ] {
        if let Some(place) = place {
            command += &format!(" {flag} {}", place.display());
        }
    }
    command
}

fn shown(finished: &Finished) -> String {
    let rows = [
        ("figures", finished.cells.to_string()),
        ("faults", finished.faults.to_string()),
        ("results", finished.results.clone()),
        ("report", finished.report.clone()),
    ];
    table(
        &["run", ""],
        rows.map(|(name, value)| vec![name.to_owned(), value]),
    )
}

struct Session {
    plan: Plan,
    journal: Journal,
    watch: Watch,
    circuits: Vec<Arc<sealing::Circuit>>,
}

impl Session {
    fn note_clock(&self) -> Result<(), Failure> {
        self.journal.clock(&Clock::read()).map_err(Failure::runtime)
    }

    /// Before anything is measured, so that whoever wants a peer can stop and build it.
    fn name_the_missing(&self) {
        if self.plan.has(Suite::Prover) {
            for missing in &self.plan.contenders.missing {
                self.watch
                    .say(&format!("{}: {}", missing.what, missing.why));
            }
        }
    }

    fn measure(&mut self) -> Result<Ended, Failure> {
        if self.plan.has(Suite::Prover) {
            // Known before the circuits are made: the estimate counts them from the start.
            let names = self.plan.instance_names();
            let groups = names.iter().flat_map(|name| self.plan.groups(name));
            let turns = missing(
                &groups.collect::<Vec<_>>(),
                self.plan.config().rounds,
                &self.journal,
            );
            self.watch.expect(turns.iter().map(|(_, cell)| cell));
        }
        for suite in Suite::ALL {
            if self.plan.has(suite) && self.suite(suite)? == Ended::Interrupted {
                return Ok(Ended::Interrupted);
            }
        }
        Ok(Ended::Complete)
    }

    fn suite(&mut self, suite: Suite) -> Result<Ended, Failure> {
        match suite {
            Suite::Prover => self.provers(),
            Suite::Hash => self.within(inprocess::hash()),
            Suite::Verify => {
                let circuits = self.circuits()?;
                let follower = sealing::follower(&circuits, &self.plan.config().threads)?;
                let subjects = inprocess::verify(follower).map_err(Failure::runtime)?;
                self.within(subjects)
            }
            Suite::Seal => {
                let circuits = self.circuits()?;
                self.within(vec![sealing::seal(&circuits)?])
            }
            Suite::Pool => {
                let circuits = self.circuits()?;
                let subject = sealing::pool(&circuits, &self.plan.config().threads)?;
                self.within(vec![subject])
            }
            // One run of a cluster serves both: the audit suite's turns come with the replicate suite's.
            Suite::Replicate => {
                let both = [Suite::Replicate, Suite::Audit]
                    .into_iter()
                    .filter(|s| self.plan.has(*s));
                let cells = both
                    .flat_map(Cluster::cells)
                    .map(|cell| vec![cell])
                    .collect::<Vec<_>>();
                self.turns(&cells, &mut [Box::new(Cluster::new())])
            }
            Suite::Audit if self.plan.has(Suite::Replicate) => Ok(Ended::Complete),
            Suite::Audit => {
                let cells = [Cluster::cells(Suite::Audit)];
                self.turns(&cells, &mut [Box::new(Cluster::new())])
            }
        }
    }

    /// The batches' circuits, made ready when first needed.
    fn circuits(&mut self) -> Result<Vec<Arc<sealing::Circuit>>, Failure> {
        for name in &self.plan.shapes[self.circuits.len()..] {
            self.watch.say(&format!("{name}: parameters and tables"));
            let circuit = sealing::Circuit::prepare(&self.plan.instances, *name)?;
            self.circuits.push(Arc::new(circuit));
        }
        Ok(self.circuits.clone())
    }

    fn provers(&mut self) -> Result<Ended, Failure> {
        for name in self.plan.instance_names() {
            let groups = self.plan.groups(&name);
            if missing(&groups, self.plan.config().rounds, &self.journal).is_empty() {
                continue;
            }
            let directory = &self.plan.instances;
            if files::known_facts(directory, &name).is_none() {
                self.watch
                    .say(&format!("{name}: the circuit and its key are made"));
            }
            let make = || make(&self.plan, &name);
            let instance = match on_disk(directory, &name, make) {
                Ok(instance) => instance,
                Err(error) => return Err(Failure::runtime(error)),
            };
            let (scratch, deadline) = (
                self.journal.directory().join("scratch"),
                self.plan.deadline(),
            );
            let contenders = self.plan.contenders.all.clone();
            let subject = |contender| {
                Box::new(OnInstance::new(contender, &instance, &scratch, deadline))
                    as Box<dyn Subject>
            };
            let mut subjects: Vec<Box<dyn Subject + '_>> = contenders.iter().map(subject).collect();
            let rounds = self.plan.config().rounds;
            let ended = take_turns(
                &groups,
                rounds,
                &mut subjects,
                &mut self.journal,
                &mut self.watch,
            );
            drop(subjects);
            let _ = std::fs::remove_dir_all(&scratch);
            if ended.map_err(Failure::runtime)? == Ended::Interrupted {
                return Ok(Ended::Interrupted);
            }
        }
        Ok(Ended::Complete)
    }

    fn within(&mut self, subjects: Vec<InProcess<'static>>) -> Result<Ended, Failure> {
        // What is compared with each other follows upon each other.
        let mut groups: BTreeMap<_, Vec<Cell>> = BTreeMap::new();
        for cell in subjects.iter().flat_map(InProcess::cells) {
            let key = (cell.instance.clone(), cell.metric, cell.threads);
            groups.entry(key).or_default().push(cell);
        }
        let groups: Vec<Vec<Cell>> = groups.into_values().collect();
        let boxed = |subject| Box::new(subject) as Box<dyn Subject>;
        let mut subjects: Vec<Box<dyn Subject>> = subjects.into_iter().map(boxed).collect();
        self.turns(&groups, &mut subjects)
    }

    fn turns(
        &mut self,
        groups: &[Vec<Cell>],
        subjects: &mut [Box<dyn Subject>],
    ) -> Result<Ended, Failure> {
        let rounds = self.plan.config().rounds;
        let turns = missing(groups, rounds, &self.journal);
        self.watch.expect(turns.iter().map(|(_, cell)| cell));
        take_turns(groups, rounds, subjects, &mut self.journal, &mut self.watch)
            .map_err(Failure::runtime)
    }

    fn write(&self, out: &Path, complete: bool) -> Result<Finished, Failure> {
        let clocks = self.journal.clocks().map_err(Failure::runtime)?;
        let facts = |name: String| {
            let facts = files::known_facts(&self.plan.instances, &name)?;
            Some(InstanceFacts { name, facts })
        };
        let instances = self
            .plan
            .instance_names()
            .into_iter()
            .filter_map(facts)
            .collect();
        let results = Results::new(
            &self.plan.run,
            self.journal.records(),
            clocks,
            instances,
            self.plan.contenders.missing.clone(),
            complete,
        );
        let (json, html) = (out.join("results.json"), out.join("report.html"));
        let text = serde_json::to_string_pretty(&results).expect("plain data");
        for (path, text) in [(&json, text), (&html, report::html(&results))] {
            let written = std::fs::write(path, text);
            written.map_err(|e| Failure::runtime(format!("{}: {e}", path.display())))?;
        }
        Ok(Finished {
            schema: "ukehi/bench-finished/v1",
            complete,
            cells: results.cells.len(),
            faults: results.faults.len(),
            results: json.display().to_string(),
            report: html.display().to_string(),
        })
    }
}

fn make(plan: &Plan, name: &str) -> Result<Instance, String> {
    if let Some((family, size)) = size_of(name) {
        return Ok(family.instance(size));
    }
    let shape = plan.shapes.iter().find(|s| s.to_string() == name);
    shapes::instance(shape.ok_or_else(|| format!("no circuit is called {name}"))?)
}
