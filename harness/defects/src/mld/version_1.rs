//! Version 1 beside and instead of version 2 (MLD-138 to MLD-152).

use super::frames::{Incoming, Memory, Outgoing};
use super::{older_unchecked, record_unchecked};
use crate::Defect;
use dut_mld::DiscardReason;
use dut_mld::InterfaceConfig;
use dut_mld::policy::{Asked, Received, query};
use dut_mld::series::trigger;
use dut_mld::version_1::{self, Received as Older, State};
use dut_wire::mld::{DONE, MaximumResponseCode, Query, QueryV1, REPORT_V1, RecordType};
use std::time::Duration;

/// A version 1 query with this delay field.
fn with_delay(config: &InterfaceConfig, asked: Asked, delay: u16) -> Query {
    match query(config, asked) {
        Query::V1(older) => Query::V1(QueryV1 {
            maximum_response_delay: delay,
            ..older
        }),
        newer @ Query::V2(_) => newer,
    }
}

/// The configuration with version 2.
fn version_2(config: &InterfaceConfig) -> InterfaceConfig {
    InterfaceConfig {
        version: 2,
        ..config.clone()
    }
}

/// Defects of version 1.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "mld-version-1-deaf",
        &["MLD-138"],
        "version 1 reports are ignored",
        || Box::new(Incoming(|mld| mld.kind() != REPORT_V1)),
    )
    .seen("Zephyr PR 66532, for queries"),
    Defect::data(
        "mld-report-is-include",
        &["MLD-138"],
        "a version 1 Report is taken for IS_IN",
        |rules| rules.mld.older.0 = Received::IsIn,
    ),
    Defect::data(
        "mld-report-asks",
        &["MLD-138"],
        "a version 1 Report is taken for a leave and a join",
        |rules| {
            rules.mld.older.0 = Received::ToEx;
            for rule in &mut rules.mld.table {
                if rule.row == dut_mld::Row::ExcludeToEx {
                    rule.query_group = true;
                }
            }
        },
    ),
    Defect::data(
        "mld-done-ignored",
        &["MLD-139", "MLD-140"],
        "a Done is taken for BLOCK without sources",
        |rules| rules.mld.older.1 = Received::Block,
    ),
    Defect::data(
        "mld-done-is-exclude",
        &["MLD-139", "MLD-151"],
        "a Done is taken for TO_EX",
        |rules| rules.mld.older.1 = Received::ToEx,
    ),
    Defect::frames(
        "mld-done-to-all-routers-only",
        &["MLD-139"],
        "a Done counts only at ff02::2",
        || {
            Box::new(Incoming(|mld| {
                mld.kind() != DONE || mld.destination == dut_wire::mld::ALL_ROUTERS
            }))
        },
    ),
    Defect::frames(
        "mld-done-answered-in-version-1",
        &["MLD-139"],
        "the query for a Done is one of version 1",
        || {
            Memory::boxed(
                |memory, _, mld| {
                    memory.flag |= mld.kind() == DONE;
                    true
                },
                |memory, _, mld| {
                    if memory.flag && mld.is_specific() {
                        mld.message.truncate(24);
                    }
                    true
                },
            )
        },
    ),
    Defect::data(
        "mld-done-forgets",
        &["MLD-140", "MLD-119"],
        "a Done ends the address at once",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let sent = trigger(group, sources, ask_group, now, variables);
                if ask_group && group.v1_host.is_some() {
                    group.lower_filter(now + Duration::from_millis(50));
                }
                sent
            };
        },
    ),
    Defect::data(
        "mld-done-lowers-nothing",
        &["MLD-140"],
        "a Done lowers no timer",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let before = group.filter_timer;
                let sent = trigger(group, sources, ask_group, now, variables);
                if group.v1_host.is_some() {
                    group.filter_timer = before;
                }
                sent
            };
        },
    ),
    Defect::data(
        "mld-block-in-version-1",
        &["MLD-141"],
        "BLOCK counts beside a version 1 listener",
        |rules| record_unchecked(rules, DiscardReason::BlockInVersion1),
    ),
    Defect::data(
        "mld-allow-in-version-1",
        &["MLD-141", "MLD-142"],
        "ALLOW is ignored beside a version 1 listener",
        |rules| {
            for check in rules.mld.record_checks.to_mut() {
                if check.reason == DiscardReason::BlockInVersion1 {
                    check.refuses = |record, older| {
                        older
                            && [RecordType::BlockOldSources, RecordType::AllowNewSources]
                                .contains(&record.record_type)
                    };
                }
            }
        },
    ),
    Defect::data(
        "mld-to-in-in-version-1",
        &["MLD-141"],
        "TO_IN is ignored beside a version 1 listener",
        |rules| {
            for check in rules.mld.record_checks.to_mut() {
                if check.reason == DiscardReason::BlockInVersion1 {
                    check.refuses = |record, older| {
                        older
                            && [RecordType::BlockOldSources, RecordType::ChangeToInclude]
                                .contains(&record.record_type)
                    };
                }
            }
        },
    ),
    Defect::data(
        "mld-to-ex-sources-in-version-1",
        &["MLD-142"],
        "the sources of TO_EX count beside a version 1 listener",
        |rules| rules.mld.lists = |_, _| true,
    ),
    Defect::data(
        "mld-to-ex-ignored-in-version-1",
        &["MLD-142"],
        "TO_EX is ignored beside a version 1 listener",
        |rules| {
            for check in rules.mld.record_checks.to_mut() {
                if check.reason == DiscardReason::BlockInVersion1 {
                    check.refuses = |record, older| {
                        older
                            && [RecordType::BlockOldSources, RecordType::ChangeToExclude]
                                .contains(&record.record_type)
                    };
                }
            }
        },
    ),
    Defect::data(
        "mld-version-1-for-ever",
        &["MLD-143"],
        "a version 1 listener is never forgotten",
        |rules| {
            rules.mld.older_version_host = |now, _, _| Some(now + Duration::from_secs(36_000));
        },
    ),
    Defect::data(
        "mld-version-1-forgotten-early",
        &["MLD-143"],
        "a version 1 listener is forgotten after a Query Interval",
        |rules| {
            rules.mld.older_version_host = |now, variables, _| Some(now + variables.query_interval);
        },
    ),
    Defect::data(
        "mld-version-1-host-rfc9777",
        &["MLD-143"],
        "the listening interval is used for the older version timer",
        |rules| {
            rules.mld.older_version_host =
                |now, variables, _| Some(now + variables.listening_interval);
        },
    ),
    Defect::data(
        "mld-version-1-host-fixed",
        &["MLD-143"],
        "a version 1 listener is remembered for 260 s whatever is configured",
        |rules| {
            rules.mld.older_version_host = |now, _, _| Some(now + Duration::from_secs(260));
        },
    ),
    Defect::data(
        "mld-version-1-first-report",
        &["MLD-144"],
        "only the first version 1 Report starts the older version timer",
        |rules| {
            rules.mld.older_version_host = |now, variables, running| {
                running.or(Some(now + variables.older_version_host_present))
            };
        },
    ),
    Defect::data(
        "mld-no-version-1-mode",
        &["MLD-141", "MLD-144"],
        "there is no compatibility mode",
        |rules| rules.mld.older_version_host = |_, _, _| None,
    ),
    Defect::frames(
        "mld-version-1-for-all-groups",
        &["MLD-145"],
        "a version 1 listener puts all addresses into its mode",
        || {
            Memory::hearing(|memory, _, mld| {
                memory.flag |= mld.kind() == REPORT_V1;
                let blocks = mld
                    .records()
                    .iter()
                    .any(|record| record.record_type == RecordType::BlockOldSources);
                !(memory.flag && blocks)
            })
        },
    ),
    Defect::data(
        "mld-version-1-ignored",
        &["MLD-146", "MLD-148"],
        "a router that is configured for version 1 queries in version 2",
        |rules| {
            rules.mld.query = |config, asked| query(&version_2(config), asked);
        },
    ),
    Defect::data(
        "mld-version-1-float",
        &["MLD-146"],
        "version 1 queries hold a floating-point delay",
        |rules| {
            rules.mld.query = |config, asked| {
                let delay = MaximumResponseCode::encode(asked.delay).0;
                with_delay(config, asked, delay)
            };
        },
    ),
    Defect::data(
        "mld-version-1-saturates",
        &["MLD-146"],
        "a version 1 delay is never above 32767 ms",
        |rules| {
            rules.mld.query = |config, asked| {
                let delay = MaximumResponseCode::encode(asked.delay).0.min(0x7fff);
                with_delay(config, asked, delay)
            };
        },
    ),
    Defect::frames(
        "mld-version-1-long-query",
        &["MLD-146"],
        "version 1 queries have 28 octets",
        || {
            Box::new(Outgoing(|mld| {
                if mld.message.len() == 24 && mld.kind() == dut_wire::mld::QUERY {
                    mld.message.extend([2, 20, 0, 0]);
                }
                true
            }))
        },
    ),
    Defect::data(
        "mld-version-1-report-goes-on",
        &["MLD-152"],
        "in version 1 a Report doesn't end the series",
        |rules| {
            rules.mld.version_1.apply = |group, received, querier, now, variables| {
                let before = (group.query_count, group.query_due);
                let taken = version_1::apply(group, received, querier, now, variables);
                if matches!(received, Older::Report(_)) {
                    (group.query_count, group.query_due) = before;
                    group.checking = group.query_count > 0;
                }
                taken
            };
        },
    ),
    Defect::data(
        "mld-version-1-done-silent",
        &["MLD-147", "MLD-152"],
        "in version 1 a Done causes no query",
        |rules| rules.mld.hears_done = |_| false,
    ),
    Defect::frames(
        "mld-done-without-state-asks",
        &["MLD-151"],
        "a Done for an unknown address causes a query",
        || {
            Memory::hearing(|memory, _, mld| {
                if mld.kind() == DONE && !memory.groups.contains(&mld.group()) {
                    let mut report = mld.clone();
                    if let Some(kind) = report.message.first_mut() {
                        *kind = REPORT_V1;
                    }
                    memory.also = vec![report, mld.clone()];
                }
                if mld.kind() == REPORT_V1 {
                    memory.groups.push(mld.group());
                }
                true
            })
        },
    ),
    Defect::data(
        "mld-compatibility-never-off",
        &["MLD-145"],
        "the compatibility mode can't be turned off",
        |rules| older_unchecked(rules, DiscardReason::CompatibilityOff),
    ),
    Defect::data(
        "mld-mismatch-for-ever",
        &["MLD-149"],
        "a version mismatch is reported once and never again",
        |rules| rules.mld.mismatch_gap = |_| Duration::from_secs(360_000),
    ),
    Defect::data(
        "mld-mismatch-each-time",
        &["MLD-149"],
        "a version mismatch is reported for each query",
        |rules| rules.mld.mismatch_gap = |_| Duration::ZERO,
    ),
    Defect::data(
        "mld-version-1-non-querier-own-llqi",
        &["MLD-077"],
        "a version 1 non-querier lets the timer run after a specific query",
        |rules| {
            rules.mld.version_1.apply = |group, received, querier, now, variables| {
                if matches!(received, Older::SpecificQuery(_))
                    && version_1::state(group) != State::NoListenersPresent
                {
                    return None;
                }
                version_1::apply(group, received, querier, now, variables)
            };
        },
    ),
];
