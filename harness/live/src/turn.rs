//! When this host lets a thread work: before other processes, or before everything.

use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// Asks the kernel for a better turn than other processes get; whether it was granted.
#[must_use]
pub fn prefer() -> bool {
    rustix::process::setpriority_process(None, -15).is_ok()
}

/// Asks the kernel for the turn of a device: at once when a frame or a timer is there, whatever
/// else works, beds that begin and verdicts that are worked out included. Where that isn't granted,
/// [`prefer`]; whether either was.
#[must_use]
pub fn at_once() -> bool {
    let round_robin = RealtimeThreadSchedulePolicy::RoundRobin;
    let policy = ThreadSchedulePolicy::Realtime(round_robin);
    let asked = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
    asked.is_ok() || prefer()
}
