//! MLD's defects, by the requirement that they break.

mod afterwards;
mod election;
mod expiry;
mod frames;
mod limits;
mod listener;
mod queries;
mod records;
mod reports;
mod series;
mod ssm;
mod tables;
mod transmit;
mod version_1;

use crate::{Defect, Frames};
use dut_mld::DiscardReason;
use dut_mld::Row;
use dut_mld::checks::Heard;
use dut_mld::policy::Rule;
use dut_node::Rules;

/// One that is data.
const fn data(
    id: &'static str,
    breaks: &'static [&'static str],
    what: &'static str,
    change: fn(&mut Rules),
) -> Defect {
    Defect::data(id, breaks, what, change).of("mld")
}

/// One that changes frames.
const fn framed(
    id: &'static str,
    breaks: &'static [&'static str],
    what: &'static str,
    frames: fn() -> Box<dyn Frames>,
) -> Defect {
    Defect::frames(id, breaks, what, frames).of("mld")
}

/// Changes one row of the tables.
fn row(rules: &mut Rules, row: Row, change: fn(&mut Rule)) {
    rules
        .mld
        .table
        .iter_mut()
        .filter(|rule| rule.row == row)
        .for_each(change);
}

/// Leaves out a check of messages.
fn unchecked(rules: &mut Rules, reason: DiscardReason) {
    let checks = rules.mld.checks.to_mut();
    checks.retain(|check| check.reason != reason);
}

/// Gives a check of messages another condition.
fn checked(rules: &mut Rules, reason: DiscardReason, refuses: fn(&Heard<'_>) -> bool) {
    let checks = rules.mld.checks.to_mut().iter_mut();
    checks
        .filter(|check| check.reason == reason)
        .for_each(|check| check.refuses = refuses);
}

/// Leaves out a check of records.
fn record_unchecked(rules: &mut Rules, reason: DiscardReason) {
    let checks = rules.mld.record_checks.to_mut();
    checks.retain(|check| check.reason != reason);
}

/// Leaves out a check of version 1 Reports and Dones.
fn older_unchecked(rules: &mut Rules, reason: DiscardReason) {
    let checks = rules.mld.older_checks.to_mut();
    checks.retain(|check| check.reason != reason);
}

/// MLD's defects.
pub(crate) fn defects() -> Vec<Defect> {
    [
        afterwards::DEFECTS,
        election::DEFECTS,
        expiry::DEFECTS,
        limits::DEFECTS,
        listener::DEFECTS,
        queries::DEFECTS,
        records::DEFECTS,
        reports::DEFECTS,
        series::DEFECTS,
        ssm::DEFECTS,
        tables::DEFECTS,
        transmit::DEFECTS,
        version_1::DEFECTS,
    ]
    .concat()
}
