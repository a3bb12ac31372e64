//! How far a long computation is.

use super::Progress;

pub(super) struct Meter<'a> {
    report: Progress<'a>,
    done: u64,
    total: u64,
}

impl<'a> Meter<'a> {
    pub(super) fn new(report: Progress<'a>, total: u64) -> Self {
        report(0, total);
        Self {
            report,
            done: 0,
            total,
        }
    }

    pub(super) fn add(&mut self, units: u64) {
        self.done = (self.done + units).min(self.total);
        (self.report)(self.done, self.total);
    }
}
