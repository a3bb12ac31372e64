//! What mutants do to messages on their way in and out; nothing, in a build without them.

use crate::ids::Term;
use crate::mutant::{self, Mutant};
use crate::replica::raft_log::RaftLog;
use raft::eraftpb::{Message, MessageType};

/// Takes out what a mutant does not keep back until it is durable.
pub fn let_go_early(waiting: &mut Vec<Message>) -> Vec<Message> {
    let early = |m: &Message| match m.get_msg_type() {
        MessageType::MsgRequestVoteResponse | MessageType::MsgRequestVote => {
            mutant::is(Mutant::VoteBeforeDurable)
        }
        MessageType::MsgAppendResponse => mutant::is(Mutant::AckBeforeDurable),
        _ => false,
    };
    waiting.extract_if(.., |m| early(m)).collect()
}

/// Acknowledges more than was asked for.
pub fn overstate(message: &mut Message, log: &RaftLog) {
    if message.get_msg_type() != MessageType::MsgAppendResponse {
        return;
    }
    if mutant::is(Mutant::AckOfOwnSuffix) && message.reject {
        message.reject = false;
        message.index = log.durable_last();
    }
    if mutant::is(Mutant::AckBeyondReceived) && !message.reject {
        message.index += 1;
    }
}

/// Whether a mutant drops a message of an older term without telling its sender.
pub fn ignores(message: &Message, term: Term) -> bool {
    let leading = matches!(
        message.get_msg_type(),
        MessageType::MsgAppend | MessageType::MsgHeartbeat
    );
    mutant::is(Mutant::LowerTermIgnored) && leading && message.term < term
}
