//! What a run shows of itself, and how it is stopped.
//!
//! Invariant: after Ctrl-C the sample under way is finished and kept; a second one ends the process at once, and
//! loses that sample only.

use crate::cli::connect;
use crate::error::Failure;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use ukehi_suite::cell::{Cell, Metric, Suite};
use ukehi_suite::instance::size_of;
use ukehi_suite::journal::{Outcome, Record};
use ukehi_suite::turn::Observer;

/// How often a plain line may follow the one before.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// 128 and the number of SIGINT, as shells have it.
const KILLED_BY_INTERRUPT: i32 = 130;

pub struct Watch {
    interrupted: Arc<AtomicBool>,
    /// Keeps the task that waits for Ctrl-C alive.
    _runtime: tokio::runtime::Runtime,
    bar: Option<ProgressBar>,
    started: Instant,
    last_line: Option<Instant>,
    turns: u64,
    done: u64,
    /// In units of expected time, of which only ratios matter.
    weight: f64,
    weight_done: f64,
}

impl Watch {
    pub fn new() -> Result<Self, Failure> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let runtime = connect::runtime()?;
        runtime.spawn(wait_for_interrupts(interrupted.clone()));
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("[{bar:24}] {pos}/{len} {wide_msg}");
            let style = style
                .expect("the template is constant")
                .progress_chars("=> ");
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            bar.set_style(style);
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Ok(Self {
            interrupted,
            _runtime: runtime,
            bar,
            started: Instant::now(),
            last_line: None,
            turns: 0,
            done: 0,
            weight: 0.0,
            weight_done: 0.0,
        })
    }

    /// Says that these turns will come.
    pub fn expect<'a>(&mut self, cells: impl IntoIterator<Item = &'a Cell>) {
        for cell in cells {
            self.turns += 1;
            self.weight += weight(cell);
        }
        if let Some(bar) = &self.bar {
            bar.set_length(self.turns);
        }
    }

    /// A line about something that is not a turn.
    pub fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// An estimate from how long the weight so far took.
    fn left(&self) -> String {
        if self.weight_done <= 0.0 {
            return String::new();
        }
        let left = self.started.elapsed().as_secs_f64() * (self.weight / self.weight_done - 1.0);
        let left = Duration::from_secs_f64(left.clamp(0.0, 1e7));
        format!(", about {} left", HumanDuration(left))
    }
}

impl Observer for Watch {
    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    fn turn_begins(&mut self, cell: &Cell, round: u32) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("round {}, {cell}{}", round + 1, self.left()));
        }
    }

    fn turn_ended(&mut self, record: &Record) {
        self.done += 1;
        self.weight_done += weight(&record.cell);
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
        match &record.outcome {
            Outcome::Failed { detail, .. } => self.say(&format!("{}: {detail}", record.cell)),
            Outcome::Measured(m) if self.bar.is_none() => {
                if self.last_line.is_none_or(|at| at.elapsed() >= LINE_EVERY) {
                    self.last_line = Some(Instant::now());
                    let unit = record.cell.metric.unit();
                    eprintln!(
                        "{}/{} {}: {:.3} {unit}{}",
                        self.done,
                        self.turns,
                        record.cell,
                        m.value,
                        self.left()
                    );
                }
            }
            Outcome::Measured(_) => {}
        }
    }
}

async fn wait_for_interrupts(flag: Arc<AtomicBool>) {
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    flag.store(true, Ordering::Relaxed);
    eprintln!("stopping after the sample under way; Ctrl-C again stops at once");
    if tokio::signal::ctrl_c().await.is_ok() {
        process::exit(KILLED_BY_INTERRUPT);
    }
}

/// A turn's expected time: proofs grow with their circuit, short ones are repeated.
fn weight(cell: &Cell) -> f64 {
    if cell.suite != Suite::Prover {
        return 0.3;
    }
    let domain = size_of(&cell.instance).map_or(1u64 << 15, |(_, size)| 1 << size);
    let proof = domain as f64 / f64::from(1 << 14) * 0.4;
    match cell.metric {
        Metric::Cold => proof * 2.0,
        _ => proof.max(0.35),
    }
}
