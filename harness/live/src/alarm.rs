//! A timer without a tick: the kernel's, on the wall clock.
//!
//! tokio's own timers are up to a millisecond late by design; a timer descriptor wakes within tens
//! of microseconds on an idle host.

use crate::readable::readable;
use rustix::fd::OwnedFd;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::io;
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// A timer to wait on.
#[derive(Debug)]
pub struct Alarm {
    timer: AsyncFd<OwnedFd>,
}

impl Alarm {
    /// A timer that isn't set. Call within a runtime.
    ///
    /// # Errors
    /// Those of the kernel.
    pub fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Realtime, flags)?;
        Ok(Self {
            timer: readable(timer)?,
        })
    }

    /// Waits until the wall clock shows `wall` (since 1970); `None` waits for ever.
    ///
    /// # Errors
    /// Those of the kernel.
    pub async fn until(&self, wall: Option<Duration>) -> io::Result<()> {
        let Some(wall) = wall else {
            return std::future::pending().await;
        };
        let it_value = Timespec {
            tv_sec: i64::try_from(wall.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(wall.subsec_nanos()),
        };
        let it_interval = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let spec = Itimerspec {
            it_interval,
            it_value,
        };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::ABSTIME, &spec)?;
        loop {
            let mut ready = self.timer.readable().await?;
            let mut expirations = [0; 8];
            match ready.try_io(|timer| Ok(rustix::io::read(timer, &mut expirations)?)) {
                Ok(read) => return read.map(|_| ()),
                // A timer that was set anew meanwhile: it isn't due.
                Err(_would_block) => {}
            }
        }
    }
}
