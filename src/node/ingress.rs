//! Takes in what clients ask and answers it: writes and read barriers go through the driver,
//! reads come from the store behind the barrier.
//!
//! Invariants: 1. at most [`MAX_CLIENT_TASKS`] requests are under way; 2. every answer is a typed
//! reply. Knows nothing of Raft messages or of plaintexts.

use super::bulk::BulkArea;
use super::driver::{ClientCommand, ClientReply};
use super::query::Queries;
use super::runtime::Commands;
use crate::api::{Denial, ProvenEntry, Reply, Request};
use crate::batch::SealedBatch;
use crate::ids::{LogIndex, TreeSize};
use crate::keyspace::cells::CellRow;
use crate::keyspace::session::Freshness;
use crate::kv::StoreError;
use crate::net::client_port::{ClientRequest, Responder};
use crate::registry::Change;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;

/// Requests served at once; one more is answered `Overloaded`.
const MAX_CLIENT_TASKS: usize = 256;
/// Registry changes looked up at once.
const CHANGES_AT_ONCE: usize = 64;

/// Everything a request may need.
#[derive(Clone)]
pub struct Ingress {
    pub commands: Commands,
    pub queries: Queries,
    pub bulk: Arc<BulkArea>,
    /// The size of the newest majority-cosigned checkpoint in the store.
    pub cosigned: watch::Receiver<TreeSize>,
    /// The node's state as JSON.
    pub status: watch::Receiver<String>,
}

pub(super) enum Failed {
    Store(StoreError),
    Denied(Denial, String),
    /// The client is gone.
    Hangup,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Failed::Store(error)
    }
}

impl Ingress {
    /// Serves requests until the client port closes.
    pub async fn serve(self, mut requests: mpsc::Receiver<ClientRequest>) {
        let permits = Arc::new(Semaphore::new(MAX_CLIENT_TASKS));
        while let Some(ClientRequest {
            bytes,
            mut responder,
        }) = requests.recv().await
        {
            let Ok(permit) = permits.clone().try_acquire_owned() else {
                let busy = Reply::denied(Denial::Overloaded, "too many requests; try again");
                tokio::spawn(async move { responder.send(busy.to_bytes()).await });
                continue;
            };
            let ingress = self.clone();
            tokio::spawn(async move {
                ingress.answer(&bytes, &mut responder).await;
                drop(permit);
            });
        }
    }

    async fn answer(&self, bytes: &[u8], to: &mut Responder) {
        let result = match Request::from_bytes(bytes) {
            Ok(request) => self.dispatch(request, to).await,
            Err(error) => Err(Failed::Denied(Denial::BadRequest, error.to_string())),
        };
        let reply = match result {
            Ok(()) | Err(Failed::Hangup) => return,
            Err(Failed::Denied(denial, reason)) => Reply::denied(denial, reason),
            Err(Failed::Store(error)) => {
                tracing::error!(%error, "a read failed");
                Reply::denied(
                    Denial::Unavailable,
                    "this node cannot read its store; ask another",
                )
            }
        };
        let _ = to.send(reply.to_bytes()).await;
    }

    async fn dispatch(&self, request: Request, to: &mut Responder) -> Result<(), Failed> {
        match request {
            Request::Submit { deadline_ms, batch } => self.submit(deadline_ms, batch, to).await,
            Request::Get { deadline_ms, route } => self.get(deadline_ms, &route, to).await,
            Request::Scan {
                deadline_ms,
                after,
                limit,
            } => self.scan(deadline_ms, after, limit as usize, to).await,
            Request::Receipt {
                deadline_ms,
                author,
                seq,
            } => {
                let deadline = deadline(deadline_ms);
                let applied = self.barrier(deadline).await?;
                match self.queries.session(&author, seq)? {
                    Freshness::Used(session) => self.entry(session.index, 0, deadline, to).await,
                    _ => send(to, &Reply::NotFound { applied }).await,
                }
            }
            Request::BulkBegin { .. }
            | Request::BulkPart { .. }
            | Request::BulkEnd { .. }
            | Request::BulkRead { .. } => self.bulk.serve(request, to).await,
            Request::Export { from, to: end } => self.export(from, end, to).await,
            Request::Head { author } => send(to, &self.queries.head(author.as_ref())?).await,
            Request::Consistency { from, to: size } => {
                send(to, &self.queries.consistency(from, size)?).await
            }
            Request::Change {
                deadline_ms,
                change,
            } => self.change(deadline_ms, change, to).await,
            Request::Registry { deadline_ms, after } => {
                self.registry(deadline(deadline_ms), after, to).await
            }
            Request::Cell {
                deadline_ms,
                keyspace,
                route,
            } => {
                let deadline = deadline(deadline_ms);
                let applied = self.barrier(deadline).await?;
                match self.queries.cell(keyspace, &route)? {
                    Some(row) => self.cell(route, row, deadline, to).await,
                    None => send(to, &Reply::NotFound { applied }).await,
                }
            }
            Request::Cells {
                deadline_ms,
                keyspace,
                after,
                limit,
            } => {
                let deadline = deadline(deadline_ms);
                self.barrier(deadline).await?;
                let rows = self
                    .queries
                    .cells(keyspace, after.as_ref(), limit as usize)?;
                for (route, row) in rows {
                    self.cell(route, row, deadline, to).await?;
                }
                send(to, &Reply::End).await
            }
            Request::Entry { deadline_ms, index } => {
                self.entry(index, 0, deadline(deadline_ms), to).await
            }
            Request::Evidence { after } => {
                let reply = match self.queries.evidence(&after)? {
                    Some((key, bytes)) => Reply::Evidence { key, bytes },
                    None => Reply::End,
                };
                send(to, &reply).await
            }
            Request::Status => {
                let json = self.status.borrow().clone();
                send(to, &Reply::Status { json }).await
            }
        }
    }

    async fn submit(
        &self,
        deadline_ms: u32,
        batch: Vec<u8>,
        to: &mut Responder,
    ) -> Result<(), Failed> {
        // Cheap refusals first: what does not decode never reaches the driver.
        SealedBatch::from_bytes(&batch)
            .map_err(|e| Failed::Denied(Denial::Invalid, format!("it does not decode: {e}")))?;
        let command = ClientCommand::Submit(batch.into());
        self.decide(command, deadline(deadline_ms), to).await
    }

    async fn change(
        &self,
        deadline_ms: u32,
        change: Vec<u8>,
        to: &mut Responder,
    ) -> Result<(), Failed> {
        Change::from_bytes(&change)
            .map_err(|e| Failed::Denied(Denial::Invalid, format!("it does not decode: {e}")))?;
        let command = ClientCommand::Change(change.into());
        self.decide(command, deadline(deadline_ms), to).await
    }

    /// The applied registry changes above an entry, as of now.
    async fn registry(
        &self,
        deadline: Instant,
        after: LogIndex,
        to: &mut Responder,
    ) -> Result<(), Failed> {
        let applied = self.barrier(deadline).await?;
        let mut from = after.saturating_add(1);
        loop {
            let (changes, next) = self.queries.changes(from, applied + 1, CHANGES_AT_ONCE)?;
            for index in changes {
                self.entry(index, 0, deadline, to).await?;
            }
            match next {
                Some(next) => from = next,
                None => return send(to, &Reply::End).await,
            }
        }
    }

    async fn decide(
        &self,
        command: ClientCommand,
        deadline: Instant,
        to: &mut Responder,
    ) -> Result<(), Failed> {
        let reply = match self.command(command, deadline).await? {
            ClientReply::Decided { index, outcome } => Reply::Decided { index, outcome },
            ClientReply::Refused(fault) => Reply::denied(Denial::Invalid, fault),
            ClientReply::ChangeRefused(fault) => Reply::denied(Denial::Invalid, fault),
            ClientReply::Overloaded => Reply::denied(Denial::Overloaded, "too many writes wait"),
            ClientReply::Unavailable | ClientReply::Readable { .. } => {
                return Err(unavailable("no decision within the deadline"));
            }
        };
        send(to, &reply).await
    }

    async fn get(
        &self,
        deadline_ms: u32,
        route: &[u8; 32],
        to: &mut Responder,
    ) -> Result<(), Failed> {
        let deadline = deadline(deadline_ms);
        let applied = self.barrier(deadline).await?;
        match self.queries.place(route)? {
            Some(place) => self.entry(place.index, place.slot, deadline, to).await,
            None => send(to, &Reply::NotFound { applied }).await,
        }
    }

    async fn scan(
        &self,
        deadline_ms: u32,
        after: Option<[u8; 32]>,
        limit: usize,
        to: &mut Responder,
    ) -> Result<(), Failed> {
        let deadline = deadline(deadline_ms);
        self.barrier(deadline).await?;
        for (_, place) in self.queries.scan(after.as_ref(), limit)? {
            self.entry(place.index, place.slot, deadline, to).await?;
        }
        send(to, &Reply::End).await
    }

    async fn export(
        &self,
        from: LogIndex,
        end: Option<LogIndex>,
        to: &mut Responder,
    ) -> Result<(), Failed> {
        let start = self.queries.export_start(from, end)?;
        let (range, size, note) = match &start {
            Reply::ExportStart {
                from,
                to,
                size,
                note,
                ..
            } => (*from..*to, *size, note.clone()),
            _ => return send(to, &start).await,
        };
        send(to, &start).await?;
        // A trail from genesis holds the registry's changes as entries; a range is judged by them.
        let mut next = Some(1).filter(|_| range.start > 0);
        while let Some(from) = next {
            let changes = self.queries.changes(from, range.start, CHANGES_AT_ONCE)?;
            for index in changes.0 {
                let entry = self.queries.proven_under(index, size, note.clone())?;
                send(to, &Reply::Entry { entry, slot: 0 }).await?;
            }
            next = changes.1;
        }
        for index in range {
            let (record, payload) = self.queries.entry(index)?;
            send(to, &Reply::ExportEntry { record, payload }).await?;
        }
        send(to, &Reply::End).await
    }

    /// Sends where a cell's newest opening stands.
    async fn cell(
        &self,
        route: [u8; 32],
        row: CellRow,
        deadline: Instant,
        to: &mut Responder,
    ) -> Result<(), Failed> {
        let entry = self.cosigned_entry(row.source.index(), deadline).await?;
        let reply = Reply::Cell {
            route,
            version: row.version,
            entry,
            slot: row.source.slot(),
        };
        send(to, &reply).await
    }

    /// Sends one entry, once a cosigned checkpoint covers it.
    async fn entry(
        &self,
        index: LogIndex,
        slot: u8,
        deadline: Instant,
        to: &mut Responder,
    ) -> Result<(), Failed> {
        let entry = self.cosigned_entry(index, deadline).await?;
        send(to, &Reply::Entry { entry, slot }).await
    }

    async fn cosigned_entry(
        &self,
        index: LogIndex,
        deadline: Instant,
    ) -> Result<ProvenEntry, Failed> {
        let mut cosigned = self.cosigned.clone();
        let covered = cosigned.wait_for(|size| *size > index);
        match tokio::time::timeout_at(deadline, covered).await {
            Ok(Ok(_)) => {}
            _ => {
                return Err(unavailable(
                    "the entry is applied, but no majority has cosigned a checkpoint over it yet",
                ));
            }
        }
        self.queries
            .proven_entry(index)?
            .ok_or_else(|| unavailable("the checkpoint over the entry is not in the store yet"))
    }

    /// Waits until this node has applied all that was committed when the request came.
    async fn barrier(&self, deadline: Instant) -> Result<LogIndex, Failed> {
        match self.command(ClientCommand::Barrier, deadline).await? {
            ClientReply::Readable { applied } => Ok(applied),
            ClientReply::Overloaded => Err(Failed::Denied(
                Denial::Overloaded,
                "too many reads wait".into(),
            )),
            _ => Err(unavailable(
                "no leader confirmed the read within the deadline",
            )),
        }
    }

    async fn command(
        &self,
        command: ClientCommand,
        deadline: Instant,
    ) -> Result<ClientReply, Failed> {
        let answer = self.commands.send(command, deadline);
        match tokio::time::timeout_at(deadline + Duration::from_secs(1), answer).await {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(unavailable("the node is stopping")),
            Err(_) => Err(unavailable("no answer within the deadline")),
        }
    }
}

fn deadline(ms: u32) -> Instant {
    Instant::now() + Duration::from_millis(u64::from(ms))
}

fn unavailable(reason: &str) -> Failed {
    Failed::Denied(Denial::Unavailable, reason.to_owned())
}

pub(super) async fn send(to: &mut Responder, reply: &Reply) -> Result<(), Failed> {
    to.send(reply.to_bytes()).await.map_err(|_| Failed::Hangup)
}
