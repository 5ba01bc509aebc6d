//! What a listener tells of its sockets' requests (MLD-158 to MLD-160).

use crate::Defect;
use crate::mld::swapped;
use dut_mld::FilterMode;
use dut_mld::host::{Difference, Filter, Sources};
use dut_wire::mld::{Record, RecordType};
use std::time::Duration;

fn of_mode(requests: &[&Filter], mode: FilterMode) -> Vec<Sources> {
    let of_mode = requests.iter().filter(|filter| filter.mode == mode);
    of_mode.map(|filter| filter.sources.clone()).collect()
}

/// Defects of what is told of changes.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-host-says-once",
        &["MLD-158"],
        "a listener tells a change once",
        |rules| rules.listener.copies = |_| 1,
    ),
    Defect::data(
        "mld-host-says-once-more",
        &["MLD-158"],
        "a listener tells a change once more than the Robustness Variable",
        |rules| rules.listener.copies = |robustness| robustness + 1,
    ),
    Defect::data(
        "mld-host-says-twice",
        &["MLD-158"],
        "a listener tells a change twice whatever the Robustness Variable is",
        |rules| rules.listener.copies = |_| 2,
    ),
    Defect::data(
        "mld-host-copies-at-once",
        &["MLD-158"],
        "the copies of a change follow at once",
        |rules| rules.listener.retransmission_gap = |_, _| Duration::from_millis(1),
    ),
    Defect::data(
        "mld-host-copies-at-the-end",
        &["MLD-158"],
        "the copies of a change are a whole Unsolicited Report Interval apart",
        |rules| rules.listener.retransmission_gap = |_, longest| longest,
    ),
    Defect::data(
        "mld-host-copies-late",
        &["MLD-158"],
        "the copies of a change come within twice the Unsolicited Report Interval",
        |rules| {
            rules.listener.retransmission_gap = |random, longest| {
                let permille = u32::try_from(random % 2000).unwrap_or(0);
                longest * permille / 1000
            };
        },
    ),
    Defect::data(
        "mld-host-last-socket-counts",
        &["MLD-159"],
        "of several sockets only one's request counts",
        |rules| {
            rules.listener.merge = |requests| {
                let last = requests.last().map(|filter| (*filter).clone());
                last.unwrap_or_else(Filter::nothing)
            };
        },
    ),
    Defect::data(
        "mld-host-excludes-the-union",
        &["MLD-159"],
        "the interface excludes what any of its sockets excludes",
        |rules| {
            rules.listener.merge = |requests| {
                let excluding = of_mode(requests, FilterMode::Exclude);
                if excluding.is_empty() {
                    return Filter::merge(requests);
                }
                Filter::exclude(excluding.into_iter().flatten().collect())
            };
        },
    ),
    Defect::data(
        "mld-host-include-is-forgotten",
        &["MLD-159"],
        "a source that one socket includes is excluded when another excludes it",
        |rules| {
            rules.listener.merge = |requests| {
                let excluding = requests.iter().filter(|f| f.mode == FilterMode::Exclude);
                let excluding: Vec<&Filter> = excluding.copied().collect();
                Filter::merge(if excluding.is_empty() {
                    requests
                } else {
                    &excluding
                })
            };
        },
    ),
    Defect::data(
        "mld-host-includes-the-intersection",
        &["MLD-159"],
        "the interface includes only what all of its sockets include",
        |rules| {
            rules.listener.merge = |requests| {
                let mut all = of_mode(requests, FilterMode::Include).into_iter();
                match (Filter::merge(requests), all.next()) {
                    (merged, Some(first)) if merged.mode == FilterMode::Include => {
                        Filter::include(all.fold(first, |a, b| &a & &b))
                    }
                    (merged, _) => merged,
                }
            };
        },
    ),
    Defect::data(
        "mld-host-changes-as-states",
        &["MLD-159"],
        "a listener tells changes by current-state records",
        |rules| {
            rules.listener.change_records = |_, group, filter| {
                let record_type = match filter.mode {
                    FilterMode::Include => RecordType::ModeIsInclude,
                    FilterMode::Exclude => RecordType::ModeIsExclude,
                };
                let sources = filter.sources.iter().copied().collect();
                vec![Record {
                    record_type,
                    group,
                    sources,
                }]
            };
        },
    )
    .seen("Zephyr before its change 72457"),
    Defect::data(
        "mld-host-allow-and-block-swapped",
        &["MLD-159"],
        "a listener takes ALLOW_NEW_SOURCES and BLOCK_OLD_SOURCES for each other",
        |rules| {
            rules.listener.change_records = |pending, group, filter| {
                let records = pending.records(group, filter);
                swapped(
                    records,
                    RecordType::AllowNewSources,
                    RecordType::BlockOldSources,
                )
            };
        },
    ),
    Defect::data(
        "mld-host-modes-swapped",
        &["MLD-158", "MLD-159"],
        "a listener takes CHANGE_TO_INCLUDE_MODE and CHANGE_TO_EXCLUDE_MODE for each other",
        |rules| {
            rules.listener.change_records = |pending, group, filter| {
                let records = pending.records(group, filter);
                swapped(
                    records,
                    RecordType::ChangeToInclude,
                    RecordType::ChangeToExclude,
                )
            };
        },
    ),
    Defect::data(
        "mld-host-allows-all",
        &["MLD-159"],
        "ALLOW_NEW_SOURCES lists all sources and not the new ones",
        |rules| {
            rules.listener.change_records = |pending, group, filter| {
                let mut records = pending.records(group, filter);
                for record in &mut records {
                    if record.record_type == RecordType::AllowNewSources {
                        record.sources = filter.sources.iter().copied().collect();
                    }
                }
                records
            };
        },
    ),
    Defect::data(
        "mld-host-never-blocks",
        &["MLD-159"],
        "a dropped source isn't told",
        |rules| {
            rules.listener.change_records = |pending, group, filter| {
                let mut records = pending.records(group, filter);
                records.retain(|record| record.record_type != RecordType::BlockOldSources);
                records
            };
        },
    ),
    Defect::data(
        "mld-host-leaves-silently",
        &["MLD-159"],
        "the end of listening isn't told",
        |rules| {
            rules.listener.change_records = |pending, group, filter| {
                let mut records = pending.records(group, filter);
                records.retain(|_| !filter.is_nothing());
                records
            };
        },
    ),
    Defect::data(
        "mld-host-mode-without-sources",
        &["MLD-159"],
        "a change of filter mode is told without its sources",
        |rules| {
            rules.listener.change_records = |pending, group, filter| {
                let mut records = pending.records(group, filter);
                if pending.filter_mode > 0 {
                    records.iter_mut().for_each(|record| record.sources.clear());
                }
                records
            };
        },
    ),
    Defect::data(
        "mld-host-sources-beside-mode",
        &["MLD-160"],
        "pending source list records are sent beside a change of filter mode",
        |rules| {
            rules.listener.change_records = |pending, group, filter| {
                let mut records = pending.records(group, filter);
                if pending.filter_mode > 0 {
                    let mut sources = pending.clone();
                    sources.filter_mode = 0;
                    records.extend(sources.records(group, filter));
                }
                records
            };
        },
    ),
    Defect::data(
        "mld-host-mode-told-once",
        &["MLD-158", "MLD-160"],
        "a change of filter mode is told once, one of sources as often as it must be",
        |rules| {
            rules.listener.join = |pending, difference, copies| {
                let once = *difference == Difference::Mode;
                pending.join(difference, if once { 1 } else { copies });
            };
        },
    ),
    Defect::data(
        "mld-host-mode-hides-sources",
        &["MLD-160"],
        "sources that change while the filter mode is told get no records of their own",
        |rules| {
            rules.listener.sent = |pending| {
                if pending.filter_mode > 0 {
                    pending.sources.clear();
                }
                pending.sent();
            };
        },
    ),
    Defect::data(
        "mld-host-forgets-earlier-sources",
        &["MLD-158", "MLD-160"],
        "a second change ends the copies of the first",
        |rules| {
            rules.listener.join = |pending, difference, copies| {
                pending.sources.clear();
                pending.join(difference, copies);
            };
        },
    ),
    Defect::data(
        "mld-host-counts-on",
        &["MLD-160"],
        "a source that changes again is told only as often as was left of its first change",
        |rules| {
            rules.listener.join = |pending, difference, copies| match difference {
                Difference::Mode => pending.join(difference, copies),
                Difference::Sources(changed) => {
                    for source in changed {
                        pending.sources.entry(*source).or_insert(copies);
                    }
                }
            };
        },
    ),
    Defect::data(
        "mld-host-mode-change-as-source-change",
        &["MLD-159", "MLD-160"],
        "a change of filter mode is told as one of sources",
        |rules| {
            rules.listener.difference = |before, after| {
                let changed = before.sources.symmetric_difference(&after.sources);
                Difference::Sources(changed.copied().collect())
            };
        },
    ),
    Defect::data(
        "mld-host-every-change-is-a-mode-change",
        &["MLD-159"],
        "every change is told by the whole state",
        |rules| rules.listener.difference = |_, _| Difference::Mode,
    ),
];
