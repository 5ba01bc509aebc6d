//! MLD's defects, by the requirement that they break.

/// The standard's variables with one of them changed.
macro_rules! variables {
    ($change:expr) => {
        |rules| {
            rules.mld.variables = |config, robustness, interval| {
                let mut variables = Variables::new(config, robustness, interval);
                let change: fn(&mut Variables, &dut_mld::InterfaceConfig) = $change;
                change(&mut variables, config);
                variables
            }
        }
    };
}

/// Drops what isn't accepted.
macro_rules! incoming {
    ($change:expr) => {
        || Box::new($crate::mld::frames::Incoming($change))
    };
}

mod afterwards;
mod election;
mod expiry;
pub(crate) mod frames;
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

use crate::Defect;
use dut_mld::DiscardReason;
use dut_mld::Row;
use dut_mld::checks::Heard;
use dut_mld::policy::Rule;
use dut_node::Rules;
use dut_wire::Malformed;
use dut_wire::mld::{Record, RecordType, Refused};

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
pub(crate) fn unchecked(rules: &mut Rules, reason: DiscardReason) {
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

/// A refusal for a message's length.
const fn refused(rule: &'static str) -> Refused {
    Refused::Length(Malformed {
        at: 0,
        field: "Length",
        rule,
    })
}

/// Records with two types exchanged.
pub(crate) fn swapped(mut records: Vec<Record>, one: RecordType, other: RecordType) -> Vec<Record> {
    for record in &mut records {
        if record.record_type == one {
            record.record_type = other;
        } else if record.record_type == other {
            record.record_type = one;
        }
    }
    records
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
