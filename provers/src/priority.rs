//! Thread priority. On Linux a nice value belongs to a thread (setpriority(2), "C library/kernel
//! differences"), so lowering a prover's leaves the Raft threads of the same process alone.

pub(crate) const MAX_NICE: u8 = 19;

/// Adds `by` to this thread's nice value, capped at 19: lowering needs no privilege.
#[cfg(target_os = "linux")]
pub(crate) fn lower_this_thread(by: u8) -> std::io::Result<()> {
    use rustix::process::{getpriority_process, setpriority_process};
    if by == 0 {
        return Ok(());
    }
    let this = Some(rustix::thread::gettid());
    let lowered = getpriority_process(this)?.saturating_add(i32::from(by));
    Ok(setpriority_process(this, lowered.min(i32::from(MAX_NICE)))?)
}

/// Elsewhere priorities belong to the process, and lowering Raft's with the provers' would gain nothing.
#[cfg(not(target_os = "linux"))]
pub(crate) fn lower_this_thread(_by: u8) -> std::io::Result<()> {
    Ok(())
}
