//! Readiness of a descriptor.

use rustix::fd::OwnedFd;
use std::io;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A descriptor whose readability can be waited for. Call within a runtime.
#[expect(
    deprecated,
    reason = "the other way is unsafe; an owned descriptor stays what it is while it is registered"
)]
pub(crate) fn readable(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, Interest::READABLE)
}
