//! Progress on stderr: a bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often a plain line may follow the one before.
const LINE_EVERY: Duration = Duration::from_secs(2);

pub struct Progress {
    what: &'static str,
    bar: Option<ProgressBar>,
    total: u64,
    done: u64,
    last_line: Instant,
}

impl Progress {
    /// `total` is in units of whatever `what` counts.
    pub fn new(what: &'static str, total: u64) -> Self {
        Self::with_template(what, total, "{msg:>12} [{bar:32}] {pos}/{len} {eta} left")
    }

    /// `total` is in bytes.
    pub fn bytes(what: &'static str, total: u64) -> Self {
        let template = "{msg:>12} [{bar:32}] {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
        Self::with_template(what, total, template)
    }

    fn with_template(what: &'static str, total: u64, template: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(template)
                .expect("the template is constant")
                .progress_chars("=> ");
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            bar.set_style(style);
            bar.set_message(what);
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        if bar.is_none() {
            eprintln!("{what}: 0/{total}");
        }
        Self {
            what,
            bar,
            total,
            done: 0,
            last_line: Instant::now(),
        }
    }

    pub fn set(&mut self, done: u64) {
        self.done = done;
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None if self.last_line.elapsed() >= LINE_EVERY => {
                eprintln!("{}: {}/{}", self.what, done, self.total);
                self.last_line = Instant::now();
            }
            None => {}
        }
    }

    pub fn add(&mut self, more: u64) {
        self.set(self.done + more);
    }

    pub fn set_total(&mut self, total: u64) {
        self.total = total;
        if let Some(bar) = &self.bar {
            bar.set_length(total);
        }
    }

    pub fn finish(self) {
        match self.bar {
            Some(bar) => bar.finish(),
            None => eprintln!("{}: {}/{} done", self.what, self.done, self.total),
        }
    }
}
