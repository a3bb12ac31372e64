//! One node process and the guard that ends it.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// Tells a process of this test binary to be a hostile node with that configuration.
pub const HOSTILE_CONFIG: &str = "UKEHI_TEST_HOSTILE_CONFIG";

/// Killed when dropped.
pub struct Process {
    child: Child,
}

impl Process {
    /// `ukehi node run`, its output appended to `log`.
    pub fn node(binary: &Path, config: &Path, log: &Path) -> Self {
        let mut command = Command::new(binary);
        command.args(["node", "run", "--config"]).arg(config);
        Self::spawn(command, log)
    }

    /// This test binary again, as a node whose proof verifier believes everything.
    pub fn hostile(config: &Path, log: &Path) -> Self {
        let own: PathBuf = std::env::current_exe().expect("our own path");
        let mut command = Command::new(own);
        command
            .args([
                "--exact",
                "hostile_leader::hostile_node_process",
                "--nocapture",
            ])
            .env(HOSTILE_CONFIG, config);
        Self::spawn(command, log)
    }

    pub fn spawn(mut command: Command, log: &Path) -> Self {
        let open = || -> std::io::Result<(File, File)> {
            let log = OpenOptions::new().create(true).append(true).open(log)?;
            Ok((log.try_clone()?, log))
        };
        let (out, err) = open().expect("the log opens");
        let child = command
            .env_remove("UKEHI_PASSPHRASE_FILE")
            // A hostile node ends when its standard input does, that is with us.
            .stdin(Stdio::piped())
            .stdout(out)
            .stderr(err)
            .spawn()
            .expect("the process starts");
        Self { child }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the process is ours and not reaped");
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our child").is_none()
    }

    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("our child")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
