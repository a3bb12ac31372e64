//! How often what went wrong on purpose, by kind.

use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    Crash,
    PowerCutMidWrite,
    TornTail,
    Partition,
    OneWayCut,
    BadNetwork,
    SlowDisk,
    WriteFailed,
    SyncFailed,
    BitFlip,
    SlowVerifier,
    Overload,
    Freeze,
    ClockSkew,
    ForeignBatch,
    PoisonedBatch,
}

impl Fault {
    pub fn name(self) -> &'static str {
        match self {
            Fault::Crash => "crash",
            Fault::PowerCutMidWrite => "power cut during a write",
            Fault::TornTail => "torn tail",
            Fault::Partition => "partition",
            Fault::OneWayCut => "one-way cut",
            Fault::BadNetwork => "loss, duplication, reordering",
            Fault::SlowDisk => "slow disk",
            Fault::WriteFailed => "failed write",
            Fault::SyncFailed => "failed sync",
            Fault::BitFlip => "flipped bit",
            Fault::SlowVerifier => "slow verifier",
            Fault::Overload => "overloaded verifier",
            Fault::Freeze => "process frozen and resumed",
            Fault::ClockSkew => "clock of another rate",
            Fault::ForeignBatch => "batch of elsewhere",
            Fault::PoisonedBatch => "poisoned batch proposed",
        }
    }
}

pub type Counts = BTreeMap<&'static str, u64>;

#[derive(Default)]
pub struct Faults {
    counts: Counts,
}

impl Faults {
    pub fn count(&mut self, fault: Fault) {
        *self.counts.entry(fault.name()).or_default() += 1;
    }

    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

/// Adds the counts of one run to those of many.
pub fn add(all: &mut Counts, one: &Counts) {
    for (name, count) in one {
        *all.entry(name).or_default() += count;
    }
}
