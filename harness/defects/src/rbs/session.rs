//! The session: who connects, what opens it, what keeps and closes it (RBS-001 to RBS-010,
//! RBS-021 to RBS-026, RBS-031).

use super::RIGHT;
use crate::{Defect, Frames};
use dut_device::{Instant, PortId};
use dut_wire::rbs::{Body, NotifyCode};
use std::time::Duration;

/// Takes the first connection to the service's port, and drops what would begin another.
#[derive(Debug)]
struct OneConnection(bool);

impl Frames for OneConnection {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        // IPv6, TCP, port 1025, SYN without ACK.
        let tcp = frame.get(12..14) == Some(&[0x86, 0xdd]) && frame.get(20) == Some(&6);
        let flags = frame.get(67).copied().unwrap_or(0);
        if tcp && frame.get(56..58) == Some(&[4, 1]) && flags & 0x12 == 0x02 {
            if self.0 {
                return Vec::new();
            }
            self.0 = true;
        }
        vec![frame.to_vec()]
    }
}

/// Defects of the session.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "rbs-larger-connects",
        &["RBS-001"],
        "the larger source address connects",
        |rules| rules.rbs.connects = |ours, theirs| ours > theirs,
    ),
    Defect::data(
        "rbs-both-connect",
        &["RBS-001"],
        "either device connects",
        |rules| rules.rbs.connects = |_, _| true,
    ),
    Defect::data(
        "rbs-listener-does-not-open",
        &["RBS-003"],
        "the listener sends no OPEN of its own",
        |rules| rules.rbs.opens = |connects| connects,
    ),
    Defect::data(
        "rbs-connector-does-not-open",
        &["RBS-003"],
        "the connector sends no OPEN of its own",
        |rules| rules.rbs.opens = |connects| !connects,
    ),
    Defect::data(
        "rbs-connected-by-open",
        &["RBS-004"],
        "a device is connected by OPEN alone",
        |rules| rules.rbs.connected = |open, _| open,
    ),
    Defect::data(
        "rbs-connected-by-either",
        &["RBS-004"],
        "a device is connected by OPEN or OPEN_ACK",
        |rules| rules.rbs.connected = |open, ack| open || ack,
    ),
    Defect::data(
        "rbs-early-ignored",
        &["RBS-005"],
        "a message before the session is connected is ignored",
        |rules| rules.rbs.early = |_| true,
    ),
    Defect::data(
        "rbs-early-keepalive-ignored",
        &["RBS-005"],
        "a KEEPALIVE before the session is connected is ignored",
        |rules| rules.rbs.early = |body| matches!(body, Body::Keepalive),
    ),
    Defect::data(
        "rbs-any-version",
        &["RBS-006"],
        "the range of versions isn't looked at",
        |rules| rules.rbs.version = |_, _, _| true,
    ),
    Defect::data(
        "rbs-version-must-be-equal",
        &["RBS-006"],
        "a range that reaches beyond the own version is refused",
        |rules| rules.rbs.version = |ours, minimum, maximum| ours == minimum && ours == maximum,
    ),
    Defect::data(
        "rbs-unknown-profile-taken",
        &["RBS-007"],
        "a Backup_ID in OPEN that isn't configured is ignored",
        |rules| {
            rules.rbs.open_profile = |same| same.and_then(|same| (RIGHT.open_profile)(Some(same)));
        },
    ),
    Defect::data(
        "rbs-any-service",
        &["RBS-007"],
        "another service in OPEN is taken",
        |rules| {
            rules.rbs.open_profile = |same| (RIGHT.open_profile)(same.map(|_| true));
        },
    ),
    Defect::data(
        "rbs-service-is-unknown",
        &["RBS-007"],
        "another service in OPEN is refused as an unknown Backup_ID",
        |rules| {
            rules.rbs.open_profile =
                |same| (same != Some(true)).then_some(NotifyCode::UnknownBackupId);
        },
    ),
    Defect::data(
        "rbs-slow-keepalive",
        &["RBS-008"],
        "KEEPALIVE leaves every third of the hold time",
        |rules| rules.rbs.keepalive = |_, hold| hold / 3,
    ),
    Defect::data(
        "rbs-own-hold",
        &["RBS-009"],
        "the own hold time counts",
        |rules| rules.rbs.hold = |ours, _| ours,
    ),
    Defect::data(
        "rbs-hold-of-the-peer",
        &["RBS-009"],
        "the peer's hold time counts",
        |rules| rules.rbs.hold = |_, theirs| theirs,
    ),
    Defect::data(
        "rbs-larger-hold",
        &["RBS-009"],
        "the larger hold time counts",
        |rules| rules.rbs.hold = |ours, theirs| ours.max(theirs),
    ),
    Defect::data(
        "rbs-message-id-unchecked",
        &["RBS-010"],
        "Message_ID isn't looked at",
        |rules| rules.rbs.in_order = |_, (epoch, known)| epoch == known,
    ),
    Defect::data(
        "rbs-message-id-repeats",
        &["RBS-010"],
        "a Message_ID that came already is taken",
        |rules| {
            rules.rbs.in_order = |(id, expected), (epoch, known)| id <= expected && epoch == known
        },
    ),
    Defect::data(
        "rbs-epoch-unchecked",
        &["RBS-010"],
        "Session_Epoch may change within a connection",
        |rules| rules.rbs.in_order = |(id, expected), _| id == expected,
    ),
    Defect::data(
        "rbs-refusals-for-ever",
        &["RBS-020", "RBS-021"],
        "malformed records never close the session",
        |rules| rules.rbs.refusals_max = u32::MAX,
    ),
    Defect::data(
        "rbs-first-refusal-closes",
        &["RBS-020"],
        "the first malformed record closes the session",
        |rules| rules.rbs.refusals_max = 1,
    ),
    Defect::data(
        "rbs-back-off-constant",
        &["RBS-022"],
        "attempts are a second apart for ever",
        |rules| rules.rbs.back_off_next = |delay| delay,
    ),
    Defect::data(
        "rbs-back-off-unbounded",
        &["RBS-022"],
        "the delay before another attempt doubles beyond 30 s",
        |rules| rules.rbs.back_off_next = |delay| delay * 2,
    ),
    Defect::data(
        "rbs-back-off-first",
        &["RBS-022"],
        "the first attempt follows after 3 s",
        |rules| {
            rules.rbs.back_off_first = Duration::from_secs(3);
            rules.rbs.back_off_anew = |_| Duration::from_secs(3);
        },
    ),
    Defect::data(
        "rbs-back-off-not-reset",
        &["RBS-023"],
        "a connection doesn't put the delay back",
        |rules| rules.rbs.back_off_anew = |delay| delay,
    ),
    Defect::data(
        "rbs-restart-not-noticed",
        &["RBS-024"],
        "a restarted device gives and sweeps as if it had never been away",
        |rules| rules.rbs.restarted = |_| false,
    ),
    Defect::data(
        "rbs-restarted-sweeps",
        &["RBS-024"],
        "a restarted device sweeps by the first batch",
        |rules| rules.rbs.sweeps = |master, _| !master,
    ),
    Defect::data(
        "rbs-waits-for-ever",
        &["RBS-024"],
        "a restarted device waits for a batch for ever",
        |rules| rules.rbs.waits = |_| Duration::from_secs(86_400),
    ),
    Defect::data(
        "rbs-waits-a-second",
        &["RBS-024"],
        "a restarted device waits for a batch for a second",
        |rules| rules.rbs.waits = |_| Duration::from_secs(1),
    ),
    Defect::frames(
        "rbs-does-not-listen-on",
        &["RBS-025", "RBS-026"],
        "no connection is taken after the first",
        || Box::new(OneConnection(false)),
    ),
    Defect::data(
        "rbs-configuration-not-compared",
        &["RBS-031"],
        "a configuration digest that differs isn't reported",
        |rules| rules.rbs.differs = |_, _| false,
    ),
];
