//! Constants of LACP (IEEE 802.1AX 6.4.4).

use std::time::Duration;

/// The constants that the machines run by; [`Constants::STANDARD`] are the standard's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constants {
    /// Fast_Periodic_Time: time between periodic transmissions with Short Timeouts.
    pub fast_periodic_time: Duration,
    /// Slow_Periodic_Time: time between periodic transmissions with Long Timeouts.
    pub slow_periodic_time: Duration,
    /// Short_Timeout_Time: time before received information is invalid, three fast periods.
    pub short_timeout_time: Duration,
    /// Long_Timeout_Time: the same with Long Timeouts, three slow periods.
    pub long_timeout_time: Duration,
    /// Churn_Detection_Time: time that Synchronization may take before it is called churn.
    pub churn_detection_time: Duration,
    /// Aggregate_Wait_Time: time that a port waits for others to attach with.
    pub aggregate_wait_time: Duration,
    /// LACPDUs that may leave in any Fast_Periodic_Time (6.4.16).
    pub tx_limit: usize,
}

impl Constants {
    /// The standard's values.
    pub const STANDARD: Self = Self {
        fast_periodic_time: Duration::from_secs(1),
        slow_periodic_time: Duration::from_secs(30),
        short_timeout_time: Duration::from_secs(3),
        long_timeout_time: Duration::from_secs(90),
        churn_detection_time: Duration::from_secs(60),
        aggregate_wait_time: Duration::from_secs(2),
        tx_limit: 3,
    };
}

/// How much longer than Fast_Periodic_Time the limiter makes its window, so that a capture with
/// microsecond timestamps never shows a fourth LACPDU in a window of which both ends count.
pub const TX_WINDOW_MARGIN: Duration = Duration::from_micros(1);
