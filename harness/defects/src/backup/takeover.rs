//! What a device does that becomes master (BACKUP-004, BACKUP-020 to BACKUP-022).

use super::RIGHT;
use crate::Defect;
use dut_device::MacAddr;
use dut_mld::QuerierState;
use std::time::Duration;

/// Defects of the takeover.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "backup-relearns",
        &["BACKUP-004"],
        "a new master begins with an empty table and asks",
        |rules| rules.pair.adopts = |_| false,
    ),
    Defect::data(
        "backup-timers-lengthened",
        &["BACKUP-005", "BACKUP-006"],
        "a new master gives adopted entries a whole listening interval",
        |rules| {
            rules.pair.group = |entry| {
                let mut group = (RIGHT.group)(entry);
                if !group.filter_timer.is_zero() {
                    group.filter_timer = Duration::from_secs(260);
                }
                group
            };
        },
    ),
    Defect::data(
        "backup-timers-shortened",
        &["BACKUP-006"],
        "a new master lowers adopted timers to the last listener query time",
        |rules| {
            rules.pair.group = |entry| {
                let mut group = (RIGHT.group)(entry);
                group.filter_timer = group.filter_timer.min(Duration::from_secs(2));
                group
            };
        },
    ),
    Defect::data(
        "backup-excluded-lost-at-adoption",
        &["BACKUP-004"],
        "a new master drops the excluded sources of adopted entries",
        |rules| {
            rules.pair.group = |entry| {
                let mut group = (RIGHT.group)(entry);
                group.sources.retain(|source| !source.timer.is_zero());
                group
            };
        },
    ),
    Defect::data(
        "backup-old-master-is-querier",
        &["BACKUP-021"],
        "a new master takes the old one for another querier",
        |rules| {
            rules.pair.querier = |_, state| {
                let peer = std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
                state.querier.map(|_| QuerierState {
                    querier: Some(peer),
                    other_querier_remaining: Duration::from_secs(255),
                    general_query_in: Duration::ZERO,
                })
            };
        },
    ),
    Defect::data(
        "backup-addresses-not-announced",
        &["BACKUP-020"],
        "a new master doesn't announce the shared addresses",
        |rules| rules.pair.announces = false,
    ),
    Defect::data(
        "backup-own-mac",
        &["BACKUP-020"],
        "each device uses its own MAC address on the Eth-Trunk",
        |rules| {
            rules.pair.trunk_mac =
                |_, MacAddr([a, b, c, d, e, f])| MacAddr([a, b, c, d, e, f.wrapping_add(1)])
        },
    ),
];
