//! Starts, finds and stops node processes by their pid files.
//!
//! Invariant: a pid file names a process by pid *and* start time, so a pid the system has given to
//! somebody else is never signalled.

use super::Layout;
use crate::error::Failure;
use crate::ids::NodeId;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a node may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);
/// How much of a log an error quotes.
const LOG_TAIL_LINES: usize = 6;

/// Starts the node unless it runs already; returns its pid.
pub fn start(layout: &Layout, node: NodeId) -> Result<i32, Failure> {
    if let Some(pid) = running(layout, node) {
        return Ok(pid.as_raw_nonzero().get());
    }
    let log_path = layout.log(node);
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log_path)
        .map_err(|e| Failure::runtime(format!("{}: {e}", log_path.display())))?;
    let errors = log
        .try_clone()
        .map_err(|e| Failure::runtime(format!("{}: {e}", log_path.display())))?;
    let binary = std::env::current_exe()
        .map_err(|e| Failure::runtime(format!("this program's own path is unknown: {e}")))?;
    let child = Command::new(binary)
        .args(["node", "run", "--config"])
        .arg(layout.config_path(node))
        // The nodes' key files are opened with the testnet's own pass file.
        .env_remove("UKEHI_PASSPHRASE_FILE")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        // Its own group: Ctrl-C at the terminal reaches us, and we stop it in order.
        .process_group(0)
        .spawn()
        .map_err(|e| Failure::runtime(format!("node {node} cannot be started: {e}")))?;
    let pid = i32::try_from(child.id()).expect("a pid is an i32");
    let started = start_time(pid).unwrap_or_default();
    let pid_path = layout.pid(node);
    fs::write(&pid_path, format!("{pid} {started}\n"))
        .map_err(|e| Failure::runtime(format!("{}: {e}", pid_path.display())))?;
    // Reaped here while we live; init does it afterwards.
    std::thread::spawn(move || {
        let mut child = child;
        let _ = child.wait();
    });
    Ok(pid)
}

/// The node's process, if the pid file still names a living one.
pub fn running(layout: &Layout, node: NodeId) -> Option<Pid> {
    let text = fs::read_to_string(layout.pid(node)).ok()?;
    let (pid, started) = text.trim().split_once(' ')?;
    let raw: i32 = pid.parse().ok()?;
    let pid = Pid::from_raw(raw)?;
    test_kill_process(pid).ok()?;
    (start_time(raw)? == started).then_some(pid)
}

/// Stops the node; says whether there was one to stop.
pub fn stop(layout: &Layout, node: NodeId) -> Result<bool, Failure> {
    let Some(pid) = running(layout, node) else {
        return Ok(false);
    };
    let signal = |signal| {
        kill_process(pid, signal)
            .map_err(|e| Failure::runtime(format!("node {node} (pid {pid:?}): {e}")))
    };
    signal(Signal::TERM)?;
    let deadline = Instant::now() + GRACE;
    while running(layout, node).is_some() {
        if Instant::now() >= deadline {
            signal(Signal::KILL)?;
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = fs::remove_file(layout.pid(node));
    Ok(true)
}

/// The last lines of the node's log.
pub fn log_tail(layout: &Layout, node: NodeId) -> String {
    let text = fs::read_to_string(layout.log(node)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
}

/// Field 22 of /proc/PID/stat: clock ticks after boot. A dead but unreaped process has none.
fn start_time(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the name, may hold spaces and parentheses.
    let after_name = &stat[stat.rfind(')')? + 2..];
    let fields: Vec<&str> = after_name.split(' ').collect();
    (fields.first() != Some(&"Z")).then(|| fields.get(19).map(|f| (*f).to_owned()))?
}
