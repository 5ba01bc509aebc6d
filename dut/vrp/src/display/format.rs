//! How values are printed.

use dut_device::{Instant, Snapshot};
use std::net::Ipv6Addr;
use time::OffsetDateTime;

/// An IPv6 address in the vendor's capitals.
pub(super) fn ip(address: Ipv6Addr) -> String {
    address.to_string().to_uppercase()
}

/// An address, or `--`.
pub(super) fn ip_or_dashes(address: Option<Ipv6Addr>) -> String {
    address.map_or("--".to_owned(), ip)
}

/// `text` in a column of `width`, with a blank after it at least.
pub(super) fn column(text: &str, width: usize) -> String {
    format!("{text:<0$} ", width.saturating_sub(1))
}

/// `label : value` twice, the second from column 40 on.
pub(super) fn two(left: &str, right: &str) -> String {
    format!("{}{right}\n", column(left, 40))
}

/// A value, or `-`.
pub(super) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
}

/// Milliseconds as `hh:mm:ss`, seconds rounded up.
pub(super) fn hms(milliseconds: u64) -> String {
    let seconds = milliseconds.div_ceil(1000);
    let (minutes, second) = (seconds / 60, seconds % 60);
    let (hour, minute) = (minutes / 60, minutes % 60);
    format!("{hour:02}:{minute:02}:{second:02}")
}

/// Milliseconds as `hh:mm:ss`, or `off` when nothing is running.
pub(super) fn hms_or_off(milliseconds: Option<u64>) -> String {
    milliseconds
        .filter(|milliseconds| *milliseconds > 0)
        .map_or("off".to_owned(), hms)
}

/// Whole seconds of a setting, the rest cut off as the vendor does.
pub(super) const fn seconds(milliseconds: u64) -> u64 {
    milliseconds / 1000
}

/// How long ago `since` was, as `hh:mm:ss`, seconds rounded down.
pub(super) fn uptime(snapshot: &Snapshot, since: Instant) -> String {
    let milliseconds = (snapshot.at.as_nanos()).saturating_sub(since.as_nanos()) / 1_000_000;
    hms(milliseconds / 1000 * 1000)
}

/// Seconds since 1970 as `2021-05-29 03:21:36`.
pub(super) fn wall(seconds: u64) -> String {
    let Some(at) = date(seconds) else {
        return "--".to_owned();
    };
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

fn date(seconds: u64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()
}

/// `display clock`.
pub(super) fn clock(snapshot: &Snapshot, wall_origin_s: u64) -> String {
    let now = wall_origin_s.saturating_add(snapshot.at.as_nanos() / 1_000_000_000);
    let weekday = date(now).map_or("--".to_owned(), |at| at.weekday().to_string());
    format!(
        "{}\n{weekday}\nTime Zone(DefaultZoneName) : UTC\n",
        wall(now)
    )
}
