//! The machine a run was measured on, and whether its clock stood still meanwhile.
//!
//! Invariant: [`Machine`] holds what does not change between two runs on one machine, [`Clock`] what does.

use serde::{Deserialize, Serialize};
use std::fs;
use std::hint::black_box;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Instructions that decide which kernels a prover can run.
const NOTABLE: [&str; 7] = [
    "adx",
    "avx2",
    "avx512f",
    "avx512ifma",
    "bmi2",
    "sha_ni",
    "asimd",
];
/// Dependent multiplications of the clock loop: some 20 ms.
const MULTIPLICATIONS: u64 = 1 << 24;
/// The clock loop's repetitions; their least is taken, which interruptions do not touch.
const LOOPS: usize = 5;

/// What a figure holds for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_mib: u64,
    pub os: String,
    pub kernel: String,
    /// The notable ones among the processor's instructions.
    pub features: Vec<String>,
    /// The prover's kernels that run here: `ifma`, `portable` or another name that the prover gives.
    pub kernel_path: String,
    pub rustc: String,
    pub rustflags: String,
}

impl Machine {
    /// This one; what cannot be found out is said to be unknown.
    #[must_use]
    pub fn here(kernel_path: &str) -> Self {
        let cpuinfo = read("/proc/cpuinfo");
        let flags = field(&cpuinfo, "flags").or_else(|| field(&cpuinfo, "Features"));
        let flags = flags.unwrap_or_default();
        let has = |name: &&str| flags.split(' ').any(|flag| flag == *name);
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib = memory.and_then(|m| m.split(' ').next()?.parse::<u64>().ok());
        let release = read("/etc/os-release");
        let os = release.lines().find_map(|l| l.strip_prefix("PRETTY_NAME="));
        let unknown = || "unknown".to_owned();
        Self {
            cpu: field(&cpuinfo, "model name").unwrap_or_else(unknown),
            cores: cores(),
            memory_mib: kib.unwrap_or(0) / 1024,
            os: os.map_or_else(
                || std::env::consts::OS.to_owned(),
                |n| n.trim_matches('"').to_owned(),
            ),
            kernel: Some(read("/proc/sys/kernel/osrelease").trim().to_owned())
                .filter(|k| !k.is_empty())
                .unwrap_or_else(unknown),
            features: NOTABLE
                .iter()
                .filter(|n| has(n))
                .map(|n| (*n).to_owned())
                .collect(),
            kernel_path: kernel_path.to_owned(),
            rustc: env!("UKEHI_SUITE_RUSTC").to_owned(),
            rustflags: env!("UKEHI_SUITE_RUSTFLAGS").to_owned(),
        }
    }
}

/// Cores this process may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How fast the machine was at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Seconds since 1970.
    pub at: u64,
    /// A fixed chain of multiplications that nothing but the clock's frequency can speed up.
    pub loop_ms: f64,
    /// What the system says of the frequency, the mean over the cores; often a nominal value in a virtual machine.
    pub reported_mhz: Option<f64>,
    /// Runnable tasks over the last minute: above the run's own threads, others were at work.
    pub load: Option<f64>,
    /// Share of time the host took away since boot, in percent; `None` where nobody says.
    pub stolen_percent: Option<f64>,
}

impl Clock {
    /// Takes some 100 ms.
    #[must_use]
    pub fn read() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let times = (0..LOOPS).map(|_| {
            let started = Instant::now();
            black_box(chain(black_box(3)));
            started.elapsed().as_secs_f64() * 1e3
        });
        Self {
            at: now.map_or(0, |d| d.as_secs()),
            loop_ms: times.fold(f64::INFINITY, f64::min),
            reported_mhz: reported_mhz(&read("/proc/cpuinfo")),
            load: read("/proc/loadavg")
                .split(' ')
                .next()
                .and_then(|l| l.parse().ok()),
            stolen_percent: stolen_percent(&read("/proc/stat")),
        }
    }
}

fn chain(mut value: u64) -> u64 {
    for _ in 0..MULTIPLICATIONS {
        value = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // Else the compiler would fold the chain into one multiplication by a power.
        value = black_box(value);
    }
    value
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The value of a `name : value` line.
fn field(text: &str, name: &str) -> Option<String> {
    let of_name = |line: &&str| line.split(':').next().is_some_and(|n| n.trim() == name);
    let line = text.lines().find(of_name)?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn reported_mhz(cpuinfo: &str) -> Option<f64> {
    let values: Vec<f64> = cpuinfo
        .lines()
        .filter(|l| l.starts_with("cpu MHz"))
        .filter_map(|l| l.split_once(':')?.1.trim().parse().ok())
        .collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// From the first line of /proc/stat: user nice system idle iowait irq softirq steal, in ticks.
fn stolen_percent(stat: &str) -> Option<f64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<f64> = line
        .split_whitespace()
        .take(8)
        .filter_map(|t| t.parse().ok())
        .collect();
    let total: f64 = ticks.iter().sum();
    (ticks.len() == 8 && total > 0.0).then(|| ticks[7] / total * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_are_read_as_the_kernel_writes_them() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU: fast\ncpu MHz\t\t: 2000.5\n\
                       processor\t: 1\ncpu MHz\t\t: 3000.5\n";
        assert_eq!(
            field(cpuinfo, "model name").as_deref(),
            Some("Some CPU: fast")
        );
        assert_eq!(field(cpuinfo, "model"), None);
        assert_eq!(reported_mhz(cpuinfo), Some(2500.5));
        assert_eq!(reported_mhz(""), None);
        assert_eq!(
            stolen_percent("cpu  50 0 0 100 0 0 0 50 0 0\ncpu0 1"),
            Some(25.0)
        );
        assert_eq!(stolen_percent("cpu  1 2 3\n"), None);
    }

    #[test]
    fn this_machine_has_a_core_a_clock_and_a_compiler() {
        let machine = Machine::here("portable");
        assert!(
            machine.cores >= 1 && machine.rustc.starts_with("rustc"),
            "{machine:?}"
        );
        assert!(Clock::read().loop_ms.is_finite());
    }
}
