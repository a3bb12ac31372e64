//! Provers as processes: one that answers requests, or one that is run once per proof.
//!
//! Invariants: 1. whatever a process does, it gets no longer than its deadline and its group is killed then; 2. what it
//! says is read up to a bound; 3. no process outlives the value that stands for it.
//! Knows nothing of what a proof is worth: that is [`crate::judge`]'s.

use crate::protocol::{Reply, Request};
use crate::worker::next_line;
use std::fmt;
use std::fs;
use std::io::{BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How often a running process is looked at: the resolution of a whole process's time, and of its memory's.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// How long a process that closed its output may take to end, and its complaints to arrive.
const FAREWELL: Duration = Duration::from_secs(1);
/// What is kept of a process's complaints.
const MAX_COMPLAINT_BYTES: u64 = 64 << 10;
/// What is shown of them.
const SHOWN_LINES: usize = 4;

/// What was wrong with a prover. A cell with a fault has no figure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("cannot be started: {0}")]
    NotStarted(String),
    #[error("ended with {status}: {complaint}")]
    Crashed { status: String, complaint: String },
    #[error("no answer within {} s", .0.as_secs())]
    Hung(Duration),
    #[error("said something that is no answer: {0}")]
    Garbage(String),
    #[error("refused: {0}")]
    Refused(String),
    #[error("wrong proof: {0}")]
    WrongProof(String),
    /// Of what is measured within this process.
    #[error("failed: {0}")]
    Failed(String),
}

impl Fault {
    /// The fault's name in results.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::NotStarted(_) => "not-started",
            Fault::Crashed { .. } => "crashed",
            Fault::Hung(_) => "hung",
            Fault::Garbage(_) => "garbage",
            Fault::Refused(_) => "refused",
            Fault::WrongProof(_) => "wrong-proof",
            Fault::Failed(_) => "failed",
        }
    }
}

/// A prover that stays.
pub struct Worker {
    running: Running,
    stdin: ChildStdin,
    lines: Receiver<Result<String, String>>,
    /// What it calls itself.
    pub prover: String,
    pub load_ms: f64,
    /// After loading, before the first proof.
    pub loaded_kib: Option<u64>,
}

impl Worker {
    /// Starts it and waits until it is ready.
    pub fn start(mut command: Command, deadline: Duration) -> Result<Self, Fault> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = Running::start(command)?;
        let stdin = running.child.stdin.take().expect("it is piped");
        let stdout = running.child.stdout.take().expect("it is piped");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            loop {
                let line = next_line(&mut stdout).map_err(|e| e.to_string());
                let more = matches!(line, Ok(Some(_)));
                let Some(line) = line.transpose() else { return };
                if sender.send(line).is_err() || !more {
                    return;
                }
            }
        });
        let mut worker = Self {
            running,
            stdin,
            lines,
            prover: String::new(),
            load_ms: 0.0,
            loaded_kib: None,
        };
        match worker.reply(deadline)? {
            Reply::Ready { prover, load_ms } => {
                worker.prover = prover;
                worker.load_ms = load_ms;
                worker.loaded_kib = worker.peak_kib();
                Ok(worker)
            }
            other => Err(Fault::Garbage(format!("{other:?}"))),
        }
    }

    pub fn ask(&mut self, request: Request, deadline: Duration) -> Result<Reply, Fault> {
        let mut line = serde_json::to_vec(&request).expect("plain data");
        line.push(b'\n');
        // A process that is gone does not take it; what it said last tells why.
        let _ = self
            .stdin
            .write_all(&line)
            .and_then(|()| self.stdin.flush());
        self.reply(deadline)
    }

    fn reply(&mut self, deadline: Duration) -> Result<Reply, Fault> {
        match self.lines.recv_timeout(deadline) {
            Ok(Ok(line)) => {
                serde_json::from_str(&line).map_err(|_| Fault::Garbage(shortened(&line)))
            }
            Ok(Err(reason)) => Err(Fault::Garbage(reason)),
            Err(RecvTimeoutError::Timeout) => {
                self.running.kill();
                Err(Fault::Hung(deadline))
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.running.post_mortem()),
        }
    }

    /// Peak resident memory since the start, or since it was last forgotten.
    #[must_use]
    pub fn peak_kib(&self) -> Option<u64> {
        peak_kib(self.running.child.id())
    }
}

/// A whole process's run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ran {
    pub ms: f64,
    /// Of the process itself, not of what it starts.
    pub peak_kib: Option<u64>,
}

/// Runs a command to its end; its output goes nowhere, its failure is a fault.
pub fn run_once(mut command: Command, deadline: Duration) -> Result<Ran, Fault> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let started = Instant::now();
    let mut running = Running::start(command)?;
    let mut peak = None;
    loop {
        let status = running
            .child
            .try_wait()
            .map_err(|e| Fault::NotStarted(e.to_string()))?;
        let ms = started.elapsed().as_secs_f64() * 1e3;
        match status {
            Some(status) if status.success() => return Ok(Ran { ms, peak_kib: peak }),
            Some(status) => return Err(running.complaint(status)),
            None if started.elapsed() >= deadline => {
                running.kill();
                return Err(Fault::Hung(deadline));
            }
            None => peak = peak.max(peak_kib(running.child.id())),
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// A child in a process group of its own, killed with the group when dropped.
struct Running {
    child: Child,
    /// What it wrote to stderr, once that is closed.
    complaints: Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Result<Self, Fault> {
        command.stderr(Stdio::piped()).process_group(0);
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .spawn()
            .map_err(|e| Fault::NotStarted(format!("{program}: {e}")))?;
        let mut stderr = child.stderr.take().expect("it is piped");
        let (sender, complaints) = mpsc::channel();
        thread::spawn(move || {
            let mut kept = Vec::new();
            let _ = (&mut stderr)
                .take(MAX_COMPLAINT_BYTES)
                .read_to_end(&mut kept);
            // Read on, or a talkative process would wait for us.
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
            let _ = sender.send(String::from_utf8_lossy(&kept).into_owned());
        });
        Ok(Self { child, complaints })
    }

    fn kill(&mut self) {
        // The group first: the child may have started others. It is not reaped yet, so its id is still its own.
        if let Ok(None) = self.child.try_wait()
            && let Some(pid) = i32::try_from(self.child.id())
                .ok()
                .and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Why a process whose output ended is no longer there.
    fn post_mortem(&mut self) -> Fault {
        // It closed its output, as ending processes do; if it does not end soon, it is ended.
        let soon = Instant::now() + FAREWELL;
        while let Ok(None) = self.child.try_wait()
            && Instant::now() < soon
        {
            thread::sleep(LOOK_EVERY);
        }
        self.kill();
        match self.child.wait() {
            Ok(status) => self.complaint(status),
            Err(e) => Fault::Garbage(e.to_string()),
        }
    }

    fn complaint(&mut self, status: ExitStatus) -> Fault {
        // What it started may hold its stderr open.
        let said = self.complaints.recv_timeout(FAREWELL).unwrap_or_default();
        let lines: Vec<&str> = said.lines().filter(|l| !l.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
        Fault::Crashed {
            status: status.to_string(),
            complaint: shortened(&last.join("; ")),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("prover", &self.prover)
            .finish_non_exhaustive()
    }
}

/// VmHWM of a process, in KiB.
fn peak_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 300;
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
