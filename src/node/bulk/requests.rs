//! The requests about bulk ciphertexts and their answers.

use super::{Begun, BulkArea, BulkError};
use crate::api::{Denial, MAX_BULK_PART_BYTES, MAX_BULK_READ_PARTS, Reply, Request};
use crate::net::client_port::Responder;
use crate::node::ingress::{Failed, send};

impl From<BulkError> for Failed {
    fn from(error: BulkError) -> Self {
        let denial = match &error {
            BulkError::Store(error) => return Failed::Store(error.clone()),
            BulkError::UnknownAuthor(_) | BulkError::Signature | BulkError::Upload(_) => {
                Denial::Invalid
            }
            BulkError::Randomness | BulkError::Stopping => Denial::Unavailable,
        };
        Failed::Denied(denial, error.to_string())
    }
}

impl BulkArea {
    /// Serves the requests whose name begins with `Bulk`.
    pub(in crate::node) async fn serve(
        &self,
        request: Request,
        to: &mut Responder,
    ) -> Result<(), Failed> {
        let reply = match request {
            Request::BulkBegin {
                author,
                reference,
                signature,
            } => match self.begin(author, reference, &signature).await? {
                Begun::Stored => Reply::BulkStored,
                Begun::Upload(token) => Reply::BulkReady { token },
            },
            Request::BulkPart {
                token,
                offset,
                bytes,
            } => Reply::BulkTaken {
                received: self.part(token, offset, bytes).await?,
            },
            Request::BulkEnd { token } => {
                self.end(token).await?;
                Reply::BulkStored
            }
            Request::BulkRead { digest, offset } => return self.show(&digest, offset, to).await,
            _ => Reply::denied(Denial::BadRequest, "not about bulk values"),
        };
        send(to, &reply).await
    }

    /// Part after part, one in memory at a time: the next is read when the client took the last.
    async fn show(&self, digest: &[u8; 32], offset: u64, to: &mut Responder) -> Result<(), Failed> {
        let Some((token, length)) = self.find(digest)? else {
            return send(to, &Reply::BulkAbsent).await;
        };
        let size = MAX_BULK_PART_BYTES as u64;
        if !offset.is_multiple_of(size) || offset >= length {
            let reply = Reply::denied(Denial::BadRequest, "no part begins there");
            return send(to, &reply).await;
        }
        let parts = (offset / size)..length.div_ceil(size);
        for part in parts.take(MAX_BULK_READ_PARTS) {
            let bytes = self.read(&token, part as u32)?;
            send(to, &Reply::BulkPart { bytes }).await?;
        }
        send(to, &Reply::End).await
    }
}
