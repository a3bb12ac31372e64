//! A client as the library makes one: what it calls acknowledged, it has a verified receipt for.

use super::corpus::Batch;
use super::template::template;
use super::{DEADLINE, runtime};
use std::sync::Arc;
use std::time::Duration;
use ukehi::api::{Reply, Request};
use ukehi::client::Reader;
use ukehi::client::remote::{Endpoint, Remote, RemoteError};
use ukehi::ids::{LogIndex, ShardId};
use ukehi::log::{Outcome, Receipt, VerifiedReceipt};
use ukehi::registry::Registry;
use ukehi_keys::{AuthorId, keystore};

pub struct Client {
    remote: Remote,
}

impl Client {
    pub fn new(endpoints: Vec<Endpoint>, timeout: Duration) -> Self {
        Self {
            remote: Remote::new(template().trust.genesis.cluster_id(), endpoints, timeout),
        }
    }

    pub fn patient(endpoints: Vec<Endpoint>) -> Self {
        Self::new(endpoints, DEADLINE)
    }

    pub fn submit(&mut self, bytes: &[u8]) -> Result<(LogIndex, Outcome), RemoteError> {
        runtime().block_on(self.remote.submit(bytes))
    }

    pub fn ask(&mut self, request: impl Fn(u32) -> Request) -> Result<Reply, RemoteError> {
        let asked = runtime().block_on(self.remote.ask(request));
        asked.map(|(_, reply)| reply)
    }

    /// Submits and fetches the receipt; only then is the write acknowledged.
    pub fn write(&mut self, batch: &Batch) -> VerifiedReceipt {
        let (index, outcome) = self.submit(&batch.bytes).expect("decided");
        assert_eq!(outcome, Outcome::Applied, "sequence {}", batch.seq);
        let receipt = self.receipt(&batch.author, batch.seq).expect("a receipt");
        assert_eq!(receipt.record.index, index);
        assert_eq!(receipt.record.outcome, outcome);
        assert_eq!(receipt.record.x, batch.x, "the receipt is another batch's");
        receipt
    }

    pub fn receipt(&mut self, author: &AuthorId, seq: u64) -> Option<VerifiedReceipt> {
        let asked = self.ask(|deadline_ms| Request::Receipt {
            deadline_ms,
            author: *author,
            seq,
        });
        match asked.expect("an answer") {
            Reply::Entry { entry, .. } => {
                let receipt = Receipt::from_entry(
                    entry.record,
                    &entry.payload,
                    &entry.inclusion,
                    &entry.note,
                );
                let genesis = &template().trust.genesis;
                let verified = receipt.and_then(|r| r.verify(genesis, ShardId(0)));
                Some(verified.expect("the receipt verifies"))
            }
            Reply::NotFound { .. } => None,
            other => panic!("answered {other:?}"),
        }
    }

    /// Reads linearizably and decrypts.
    pub fn get(&mut self, key: &str) -> Result<Option<String>, RemoteError> {
        let reader = reader();
        let route = reader.route(key.as_bytes()).expect("a short key");
        match self.ask(|deadline_ms| Request::Get { deadline_ms, route })? {
            Reply::Entry { entry, slot } => {
                let opened = reader.open(&entry, slot, Some(&route)).expect("it opens");
                let text = String::from_utf8(opened.body.as_bytes().to_vec());
                Ok(Some(text.expect("our values are text")))
            }
            Reply::NotFound { .. } => Ok(None),
            other => panic!("answered {other:?}"),
        }
    }
}

fn reader() -> Reader {
    let template = template();
    let (keyspace, epoch) = template.trust.newest_epoch().expect("an epoch");
    let path = format!("client/epochs/{keyspace}-{epoch}.key");
    let secret = keystore::load(&template.dir.join(path), &template.pass).expect("the epoch key");
    let route = keystore::load(&template.dir.join("client/route.key"), &template.pass)
        .expect("the route key");
    let verifier = template
        .trust
        .batch_verifier(ShardId(0))
        .expect("a verifier");
    let registry = Registry::from_genesis(&template.trust.genesis, ShardId(0));
    let mut reader = Reader::new(route, Arc::new(verifier), Arc::new(registry));
    reader.hold(secret);
    reader
}
