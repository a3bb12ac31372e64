//! Clients' requests on their way to a node.

use super::{Due, World};
use crate::network::MS;
use std::sync::Arc;
use ukehi::node::driver::{ClientCommand, Event, RequestId, TICK_MS};

impl World {
    pub fn wake_client(&mut self, client: usize, ms: u64) {
        self.at(ms * MS, Due::Client(client));
    }

    /// Steps a client: it may send a command to a node.
    pub(super) fn act(&mut self, client: usize) {
        let nodes = self.nodes.len();
        let next = self.clients.next(client, nodes, self.now, &mut self.rng);
        let Some((node, request, command, ticks)) = next else {
            return;
        };
        self.note("client", node, &request.to_le_bytes());
        // Should the node die, nobody answers: the client asks again.
        self.wake_client(client, (ticks + 20) * TICK_MS);
        self.request(node, request, command, ticks);
    }

    fn request(&mut self, node: usize, request: RequestId, command: ClientCommand, ticks: u64) {
        let event = Event::Client {
            request,
            command,
            deadline_ticks: ticks,
        };
        self.happen(Due::Request { node, event });
    }

    /// A batch outside any client's script; its answer is kept.
    pub fn submit(&mut self, node: usize, batch: &Arc<[u8]>, ticks: u64) -> RequestId {
        let request = self.clients.adopt(batch, self.now);
        let command = ClientCommand::Submit(batch.clone());
        self.request(node, request, command, ticks);
        request
    }

    /// A registry change, likewise.
    pub fn submit_change(&mut self, node: usize, change: &Arc<[u8]>, ticks: u64) -> RequestId {
        let request = self.clients.adopt_change();
        let command = ClientCommand::Change(change.clone());
        self.request(node, request, command, ticks);
        request
    }

    /// A barrier, likewise: see [`crate::clients::Clients::readable`].
    pub fn barrier(&mut self, node: usize, ticks: u64) -> RequestId {
        let request = self.clients.adopt_barrier();
        self.request(node, request, ClientCommand::Barrier, ticks);
        request
    }
}
