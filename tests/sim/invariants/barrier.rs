//! Linearizable reads: a barrier covers every answer any client had before it was asked
//! (Raft thesis §6.4; reliability.md, bug 11).

use std::collections::BTreeMap;
use ukehi::ids::LogIndex;
use ukehi::node::driver::RequestId;

#[derive(Default)]
pub struct Barriers {
    floor: BTreeMap<RequestId, LogIndex>,
    passed: usize,
}

impl Barriers {
    pub fn asked(&mut self, request: RequestId, highest_answer: LogIndex) {
        self.floor.insert(request, highest_answer);
    }

    pub fn passed(&mut self, request: RequestId, applied: LogIndex) -> Option<String> {
        self.passed += 1;
        let floor = self.floor.remove(&request)?;
        (applied < floor).then(|| format!("stale read: barrier at {applied}, {floor} was answered"))
    }

    pub fn count(&self) -> usize {
        self.passed
    }
}
