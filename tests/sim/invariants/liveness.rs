//! Within ten election timeouts after the last fault every client is served, all follow
//! one leader, and all logs agree.

use crate::world::World;
use ukehi::node::driver::TICK_MS;
use ukehi::replica::replica::ELECTION_TICKS;

/// An election timeout is at most twice [`ELECTION_TICKS`].
pub const TEN_TIMEOUTS_MS: u64 = 10 * 2 * ELECTION_TICKS as u64 * TICK_MS;

/// To be called when the faults have ended.
pub fn check(world: &mut World) -> Option<String> {
    let calm = |w: &World| w.clients.idle() && w.converged();
    if world.run_until(TEN_TIMEOUTS_MS, calm) {
        return None;
    }
    let shown: Vec<_> = world
        .present()
        .map(|n| n.driver.as_ref().map(|d| d.status()))
        .collect();
    let clients = &world.clients;
    Some(format!(
        "liveness: not settled after ten election timeouts; clients {clients:?}; {shown:#?}"
    ))
}
