//! A leader commits by counting copies only up to an entry of its own term (Raft §5.4.2, figure 8):
//! an older one, held by a majority, may still be overwritten.

use ukehi::node::driver::DriverStatus;
use ukehi::replica::{Role, StoredEntry};

/// A leader was the first to show this commit.
pub fn check(status: &DriverStatus, entry: &StoredEntry) -> Option<String> {
    (status.role == Role::Leader && entry.term != status.term).then(|| {
        let (node, term, index, of) = (status.node, status.term, entry.index, entry.term);
        format!(
            "commit rule: node {node}, leader of term {term}, counts entry {index} of term {of}"
        )
    })
}
