//! At most one leader per term (Raft §5.2).

use std::collections::BTreeMap;
use ukehi::ids::{NodeId, Term};
use ukehi::node::driver::DriverStatus;
use ukehi::replica::Role;

#[derive(Default)]
pub struct ElectionSafety {
    leaders: BTreeMap<Term, NodeId>,
}

impl ElectionSafety {
    pub fn observe(&mut self, status: &DriverStatus) -> Option<String> {
        if status.role != Role::Leader {
            return None;
        }
        let first = *self.leaders.entry(status.term).or_insert(status.node);
        (first != status.node).then(|| {
            let (term, second) = (status.term, status.node);
            format!("election safety: nodes {first} and {second} both lead term {term}")
        })
    }

    pub fn elections(&self) -> usize {
        self.leaders.len()
    }
}
