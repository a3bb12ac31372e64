//! Two bugs that would lie inside raft-rs, made at its edge; nothing, in a build without mutants.

use crate::mutant::{self, Mutant};
use crate::replica::raft_log::RaftLog;
use raft::eraftpb::{Message, MessageType};
use raft::{RawNode, StateRole};

/// raft-rs truncates only behind an entry of another term; this does so behind any append.
pub fn before_step(raw: &mut RawNode<RaftLog>, m: &Message) {
    if !mutant::is(Mutant::LateAppendTruncates) || m.get_msg_type() != MessageType::MsgAppend {
        return;
    }
    let same_term = m.term == raw.raft.term;
    let log = &mut raw.raft.raft_log;
    let Some(last) = m.entries.last() else { return };
    let known = same_term && log.match_term(last.index, last.term);
    if known && last.index < log.last_index() && m.index >= log.committed {
        log.append(&m.entries);
    }
}

/// raft-rs commits by counting only what is of its own term; this counts everything.
pub fn after_step(raw: &mut RawNode<RaftLog>) {
    if !mutant::is(Mutant::OlderTermByCounting) || raw.raft.state != StateRole::Leader {
        return;
    }
    let (counted, _) = raw.raft.mut_prs().maximal_committed_index();
    raw.raft.raft_log.commit_to(counted);
}
