//! The rows of the router's tables (MLD-084 to MLD-108).

use super::frames::Mld;
use super::row;
use crate::{Defect, Frames};
use dut_device::{Instant, PortId};
use dut_mld::policy::{Set, Timer};
use dut_mld::{DiscardReason, FilterMode, Row, is_forwardable, series};
use std::net::Ipv6Addr;

/// Changes one row.
macro_rules! row {
    ($row:ident, $change:expr) => {
        |rules| row(rules, Row::$row, $change)
    };
}

/// Forwards to listeners what has this scope at most.
#[derive(Debug)]
struct NarrowScope(u16, Vec<Ipv6Addr>);

impl Frames for NarrowScope {
    fn answer(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        let records = Mld::of(frame).map(|mld| mld.records()).unwrap_or_default();
        self.1.extend(records.iter().map(|record| record.group));
        let group: Option<[u8; 16]> = frame.get(38..54).and_then(|octets| octets.try_into().ok());
        let group = group.map(Ipv6Addr::from).filter(|group| {
            let [first, ..] = group.segments();
            frame.get(20) == Some(&17) && first & 0xf <= self.0 && self.1.contains(group)
        });
        if port == PortId(1) && group.is_some() {
            vec![(PortId(0), frame.to_vec())]
        } else {
            Vec::new()
        }
    }
}

/// Defects of the tables.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-in-is-in-no-timer",
        &["MLD-084"],
        "INCLUDE, IS_IN: sources that are held keep their timers",
        row!(IncludeIsIn, |rule| rule.request.0 = Set::ListedNotRequested),
    ),
    Defect::data(
        "mld-in-is-in-replaces",
        &["MLD-084", "MLD-102"],
        "INCLUDE, IS_IN: the list replaces the one there was",
        row!(IncludeIsIn, |rule| rule.delete_unlisted = true),
    ),
    Defect::data(
        "mld-in-is-in-ignored",
        &["MLD-084"],
        "INCLUDE, IS_IN is ignored",
        row!(IncludeIsIn, |rule| rule.request.0 = Set::Empty),
    ),
    Defect::data(
        "mld-in-is-in-asks",
        &["MLD-098", "MLD-084"],
        "INCLUDE, IS_IN asks for what it leaves out",
        row!(IncludeIsIn, |rule| rule.query_sources =
            Set::RequestedNotListed),
    ),
    Defect::data(
        "mld-in-is-ex-excludes-all",
        &["MLD-085"],
        "INCLUDE, IS_EX: all of B is excluded",
        row!(IncludeIsEx, |rule| rule.exclude = Set::Listed),
    ),
    Defect::data(
        "mld-in-is-ex-excludes-none",
        &["MLD-085"],
        "INCLUDE, IS_EX: nothing is excluded",
        row!(IncludeIsEx, |rule| rule.exclude = Set::Empty),
    ),
    Defect::data(
        "mld-in-is-ex-keeps",
        &["MLD-085"],
        "INCLUDE, IS_EX: A-B isn't deleted",
        row!(IncludeIsEx, |rule| rule.delete_unlisted = false),
    ),
    Defect::data(
        "mld-in-is-ex-asks",
        &["MLD-098", "MLD-085"],
        "INCLUDE, IS_EX asks for A*B",
        row!(IncludeIsEx, |rule| rule.query_sources =
            Set::ListedRequested),
    ),
    Defect::data(
        "mld-in-is-ex-stays",
        &["MLD-085", "MLD-103"],
        "INCLUDE, IS_EX leaves the mode",
        row!(IncludeIsEx, |rule| rule.to = FilterMode::Include),
    ),
    Defect::data(
        "mld-ex-is-in-keeps-excluded",
        &["MLD-086"],
        "EXCLUDE, IS_IN: what is excluded stays so",
        row!(ExcludeIsIn, |rule| rule.request.0 = Set::ListedNotExcluded),
    ),
    Defect::data(
        "mld-ex-is-in-only-known",
        &["MLD-086"],
        "EXCLUDE, IS_IN: sources that aren't listed yet aren't noted",
        |rules| {
            row(rules, Row::ExcludeIsIn, |rule| {
                rule.request.0 = Set::ListedRequested
            });
        },
    ),
    Defect::data(
        "mld-ex-is-in-replaces",
        &["MLD-086"],
        "EXCLUDE, IS_IN: the list replaces both lists",
        row!(ExcludeIsIn, |rule| rule.delete_unlisted = true),
    ),
    Defect::data(
        "mld-ex-is-in-to-include",
        &["MLD-086"],
        "EXCLUDE, IS_IN: the mode becomes INCLUDE",
        row!(ExcludeIsIn, |rule| rule.to = FilterMode::Include),
    ),
    Defect::data(
        "mld-ex-is-in-asks",
        &["MLD-098", "MLD-086"],
        "EXCLUDE, IS_IN asks for what it leaves out",
        row!(ExcludeIsIn, |rule| rule.query_group = true),
    ),
    Defect::data(
        "mld-ex-is-ex-filter-timer",
        &["MLD-087", "MLD-099"],
        "EXCLUDE, IS_EX: A-X-Y gets the filter timer",
        row!(ExcludeIsEx, |rule| rule.request.1 = Timer::FilterTimer),
    )
    .seen("mrd6"),
    Defect::data(
        "mld-ex-is-ex-excludes-new",
        &["MLD-087"],
        "EXCLUDE, IS_EX: A-X-Y is excluded at once",
        row!(ExcludeIsEx, |rule| {
            rule.request.0 = Set::Empty;
            rule.exclude = Set::ListedNew;
        }),
    ),
    Defect::data(
        "mld-ex-is-ex-keeps",
        &["MLD-087"],
        "EXCLUDE, IS_EX: X-A and Y-A aren't deleted",
        row!(ExcludeIsEx, |rule| rule.delete_unlisted = false),
    ),
    Defect::data(
        "mld-ex-is-ex-requests-excluded",
        &["MLD-087", "MLD-130"],
        "EXCLUDE, IS_EX: excluded sources are requested again",
        row!(ExcludeIsEx, |rule| rule.request.0 = Set::ListedNotRequested),
    ),
    Defect::data(
        "mld-ex-is-ex-blocks-missing",
        &["MLD-101"],
        "EXCLUDE, IS_EX: requested sources that are missing are excluded",
        row!(ExcludeIsEx, |rule| rule.exclude = Set::RequestedNotListed),
    ),
    Defect::data(
        "mld-ex-is-ex-asks",
        &["MLD-098", "MLD-087"],
        "EXCLUDE, IS_EX asks for what it excludes",
        row!(ExcludeIsEx, |rule| rule.query_sources =
            Set::ListedNotExcluded),
    ),
    Defect::data(
        "mld-ex-is-ex-asks-group",
        &["MLD-098"],
        "EXCLUDE, IS_EX asks for the address",
        row!(ExcludeIsEx, |rule| rule.query_group = true),
    ),
    Defect::data(
        "mld-in-allow-ignored",
        &["MLD-088"],
        "INCLUDE, ALLOW is ignored",
        row!(IncludeAllow, |rule| rule.request.0 = Set::Empty),
    ),
    Defect::data(
        "mld-in-allow-replaces",
        &["MLD-088", "MLD-102"],
        "INCLUDE, ALLOW: the list replaces the one there was",
        row!(IncludeAllow, |rule| rule.delete_unlisted = true),
    ),
    Defect::data(
        "mld-in-allow-asks",
        &["MLD-088"],
        "INCLUDE, ALLOW asks for what it leaves out",
        row!(IncludeAllow, |rule| rule.query_sources =
            Set::RequestedNotListed),
    ),
    Defect::data(
        "mld-in-allow-excludes",
        &["MLD-088"],
        "INCLUDE, ALLOW: the mode becomes EXCLUDE",
        row!(IncludeAllow, |rule| {
            rule.to = FilterMode::Exclude;
            rule.filter_timer = Some(Timer::Mali);
        }),
    ),
    Defect::data(
        "mld-in-allow-no-refresh",
        &["MLD-088", "MLD-120"],
        "INCLUDE, ALLOW: sources that are held keep their timers",
        row!(IncludeAllow, |rule| rule.request.0 =
            Set::ListedNotRequested),
    ),
    Defect::data(
        "mld-in-block-silent",
        &["MLD-089"],
        "INCLUDE, BLOCK asks nobody",
        row!(IncludeBlock, |rule| rule.query_sources = Set::Empty),
    ),
    Defect::data(
        "mld-in-block-asks-for-all",
        &["MLD-089", "MLD-011"],
        "INCLUDE, BLOCK asks for all of A",
        row!(IncludeBlock, |rule| rule.query_sources = Set::Requested),
    ),
    Defect::data(
        "mld-in-block-asks-b",
        &["MLD-090", "MLD-011"],
        "INCLUDE, BLOCK asks for all of B",
        |rules| {
            row(rules, Row::IncludeBlock, |rule| {
                rule.query_sources = Set::Listed
            });
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let unknown = sources
                    .iter()
                    .filter(|source| !group.sources.contains_key(source));
                let unknown: Vec<_> = unknown.copied().collect();
                let mut sent = series::trigger(group, sources, ask_group, now, variables);
                if !unknown.is_empty() {
                    sent.push(series::Specific {
                        suppress: false,
                        sources: unknown,
                    });
                }
                sent
            };
        },
    )
    .seen("mrd6"),
    Defect::data(
        "mld-in-block-allows",
        &["MLD-089", "MLD-100"],
        "INCLUDE, BLOCK: the sources are requested",
        row!(IncludeBlock, |rule| rule.request.0 = Set::Listed),
    ),
    Defect::data(
        "mld-in-block-deletes",
        &["MLD-089", "MLD-119"],
        "INCLUDE, BLOCK keeps the blocked sources alone",
        row!(IncludeBlock, |rule| rule.delete_unlisted = true),
    ),
    Defect::data(
        "mld-in-to-ex-silent",
        &["MLD-091"],
        "INCLUDE, TO_EX asks nobody",
        row!(IncludeToEx, |rule| rule.query_sources = Set::Empty),
    ),
    Defect::data(
        "mld-in-to-ex-excludes-all",
        &["MLD-091"],
        "INCLUDE, TO_EX: all of B is excluded",
        row!(IncludeToEx, |rule| rule.exclude = Set::Listed),
    ),
    Defect::data(
        "mld-in-to-ex-excludes-none",
        &["MLD-091"],
        "INCLUDE, TO_EX: nothing is excluded",
        row!(IncludeToEx, |rule| rule.exclude = Set::Empty),
    ),
    Defect::data(
        "mld-in-to-ex-keeps",
        &["MLD-091"],
        "INCLUDE, TO_EX: A-B isn't deleted",
        row!(IncludeToEx, |rule| rule.delete_unlisted = false),
    ),
    Defect::data(
        "mld-in-to-ex-asks-for-a",
        &["MLD-091"],
        "INCLUDE, TO_EX asks for A-B",
        row!(IncludeToEx, |rule| rule.query_sources =
            Set::RequestedNotListed),
    ),
    Defect::data(
        "mld-in-to-ex-stays",
        &["MLD-091", "MLD-103", "MLD-020"],
        "INCLUDE, TO_EX leaves the mode",
        row!(IncludeToEx, |rule| rule.to = FilterMode::Include),
    ),
    Defect::data(
        "mld-in-to-in-silent",
        &["MLD-092"],
        "INCLUDE, TO_IN asks nobody",
        row!(IncludeToIn, |rule| rule.query_sources = Set::Empty),
    ),
    Defect::data(
        "mld-in-to-in-replaces",
        &["MLD-092"],
        "INCLUDE, TO_IN: the list replaces the one there was at once",
        row!(IncludeToIn, |rule| rule.delete_unlisted = true),
    ),
    Defect::data(
        "mld-in-to-in-ignored",
        &["MLD-092"],
        "INCLUDE, TO_IN: B isn't added",
        row!(IncludeToIn, |rule| rule.request.0 = Set::Empty),
    ),
    Defect::data(
        "mld-in-to-in-asks-for-all",
        &["MLD-092", "MLD-097"],
        "INCLUDE, TO_IN asks for all of A",
        row!(IncludeToIn, |rule| {
            rule.query_sources = Set::Requested;
            rule.request.0 = Set::ListedNotRequested;
        }),
    ),
    Defect::data(
        "mld-ex-allow-keeps-excluded",
        &["MLD-093"],
        "EXCLUDE, ALLOW: what is excluded stays so",
        row!(ExcludeAllow, |rule| rule.request.0 = Set::ListedNotExcluded),
    ),
    Defect::data(
        "mld-ex-allow-replaces",
        &["MLD-093"],
        "EXCLUDE, ALLOW: the list replaces both lists",
        row!(ExcludeAllow, |rule| rule.delete_unlisted = true),
    ),
    Defect::data(
        "mld-ex-allow-only-known",
        &["MLD-093"],
        "EXCLUDE, ALLOW: sources that aren't listed yet aren't noted",
        row!(ExcludeAllow, |rule| rule.request.0 = Set::ListedRequested),
    ),
    Defect::data(
        "mld-ex-allow-asks",
        &["MLD-093"],
        "EXCLUDE, ALLOW asks for the address",
        row!(ExcludeAllow, |rule| rule.query_group = true),
    ),
    Defect::data(
        "mld-ex-block-ignored",
        &["MLD-094"],
        "EXCLUDE, BLOCK is ignored",
        row!(ExcludeBlock, |rule| {
            rule.request.0 = Set::Empty;
            rule.query_sources = Set::Empty;
        }),
    ),
    Defect::data(
        "mld-ex-block-at-once",
        &["MLD-094", "MLD-119"],
        "EXCLUDE, BLOCK: A-X-Y is excluded at once",
        row!(ExcludeBlock, |rule| {
            rule.request.0 = Set::Empty;
            rule.exclude = Set::ListedNew;
        }),
    ),
    Defect::data(
        "mld-ex-block-mali",
        &["MLD-094"],
        "EXCLUDE, BLOCK: A-X-Y gets the listening interval",
        row!(ExcludeBlock, |rule| rule.request.1 = Timer::Mali),
    ),
    Defect::data(
        "mld-ex-block-silent",
        &["MLD-094"],
        "EXCLUDE, BLOCK asks nobody",
        row!(ExcludeBlock, |rule| rule.query_sources = Set::Empty),
    ),
    Defect::data(
        "mld-ex-block-only-new",
        &["MLD-094"],
        "EXCLUDE, BLOCK asks for A-X-Y alone",
        row!(ExcludeBlock, |rule| rule.query_sources = Set::ListedNew),
    ),
    Defect::data(
        "mld-ex-block-frees-excluded",
        &["MLD-094", "MLD-097"],
        "EXCLUDE, BLOCK requests what is excluded",
        row!(ExcludeBlock, |rule| {
            rule.request = (Set::ListedNotRequested, Timer::FilterTimer);
            rule.query_sources = Set::Listed;
        }),
    ),
    Defect::data(
        "mld-ex-block-asks-group",
        &["MLD-094", "MLD-097"],
        "EXCLUDE, BLOCK asks for the address too",
        row!(ExcludeBlock, |rule| rule.query_group = true),
    ),
    Defect::data(
        "mld-ex-to-ex-mali",
        &["MLD-095", "MLD-099"],
        "EXCLUDE, TO_EX: A-X-Y gets the listening interval",
        row!(ExcludeToEx, |rule| rule.request.1 = Timer::Mali),
    ),
    Defect::data(
        "mld-ex-to-ex-silent",
        &["MLD-095"],
        "EXCLUDE, TO_EX asks nobody",
        row!(ExcludeToEx, |rule| rule.query_sources = Set::Empty),
    ),
    Defect::data(
        "mld-ex-to-ex-keeps",
        &["MLD-095"],
        "EXCLUDE, TO_EX: X-A and Y-A aren't deleted",
        row!(ExcludeToEx, |rule| rule.delete_unlisted = false),
    ),
    Defect::data(
        "mld-ex-to-ex-at-once",
        &["MLD-095"],
        "EXCLUDE, TO_EX: A-X-Y is excluded at once",
        row!(ExcludeToEx, |rule| {
            rule.request.0 = Set::Empty;
            rule.exclude = Set::ListedNew;
        }),
    ),
    Defect::data(
        "mld-ex-to-ex-frees-excluded",
        &["MLD-095"],
        "EXCLUDE, TO_EX: excluded sources are requested again",
        row!(ExcludeToEx, |rule| {
            rule.request.0 = Set::ListedNotRequested;
            rule.query_sources = Set::Listed;
        }),
    ),
    Defect::data(
        "mld-ex-to-ex-no-refresh",
        &["MLD-095", "MLD-136"],
        "EXCLUDE, TO_EX doesn't restart the filter timer",
        row!(ExcludeToEx, |rule| rule.filter_timer = None),
    ),
    Defect::data(
        "mld-ex-to-in-no-group-query",
        &["MLD-096"],
        "EXCLUDE, TO_IN doesn't ask for the address",
        row!(ExcludeToIn, |rule| rule.query_group = false),
    ),
    Defect::data(
        "mld-ex-to-in-no-source-query",
        &["MLD-096"],
        "EXCLUDE, TO_IN doesn't ask for X-A",
        row!(ExcludeToIn, |rule| rule.query_sources = Set::Empty),
    ),
    Defect::data(
        "mld-ex-to-in-asks-for-all",
        &["MLD-096"],
        "EXCLUDE, TO_IN asks for all of X",
        row!(ExcludeToIn, |rule| {
            rule.query_sources = Set::Requested;
            rule.request.0 = Set::ListedNotRequested;
        }),
    ),
    Defect::data(
        "mld-ex-to-in-at-once",
        &["MLD-096", "MLD-119", "MLD-135"],
        "EXCLUDE, TO_IN: the mode becomes INCLUDE at once",
        row!(ExcludeToIn, |rule| rule.to = FilterMode::Include),
    ),
    Defect::data(
        "mld-ex-to-in-wipes",
        &["MLD-096"],
        "EXCLUDE, TO_IN forgets the requested sources",
        row!(ExcludeToIn, |rule| rule.delete_unlisted = true),
    )
    .seen("mrd6"),
    Defect::data(
        "mld-ex-to-in-ignores-list",
        &["MLD-096"],
        "EXCLUDE, TO_IN: A isn't added",
        row!(ExcludeToIn, |rule| rule.request.0 = Set::Empty),
    ),
    Defect::data(
        "mld-empty-query",
        &["MLD-097"],
        "an empty list of sources is asked for",
        |rules| {
            row(rules, Row::IncludeBlock, |rule| {
                rule.query_sources = Set::Listed
            });
            row(rules, Row::ExcludeBlock, |rule| {
                rule.query_sources = Set::Listed
            });
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let known = sources
                    .iter()
                    .any(|source| group.sources.get(source).is_some_and(|s| s.runs()));
                let mut sent = series::trigger(group, sources, ask_group, now, variables);
                if !known && !ask_group {
                    sent.push(series::Specific {
                        suppress: false,
                        sources: Vec::new(),
                    });
                }
                sent
            };
        },
    ),
    Defect::data(
        "mld-to-in-creates",
        &["MLD-100"],
        "TO_IN without a record creates one in EXCLUDE",
        row!(IncludeToIn, |rule| {
            rule.to = FilterMode::Exclude;
            rule.filter_timer = Some(Timer::Mali);
        }),
    ),
    Defect::data(
        "mld-is-in-creates",
        &["MLD-100"],
        "IS_IN without a record creates one in EXCLUDE",
        row!(IncludeIsIn, |rule| {
            rule.to = FilterMode::Exclude;
            rule.filter_timer = Some(Timer::Mali);
        }),
    ),
    Defect::frames(
        "mld-link-scope-forwarded",
        &["MLD-107"],
        "ff02::/16 is forwarded to listeners",
        || Box::new(NarrowScope(2, Vec::new())),
    ),
    Defect::data(
        "mld-link-scope-untracked",
        &["MLD-107"],
        "records for ff02::/16 are ignored",
        |rules| {
            for check in rules.mld.record_checks.to_mut() {
                if check.reason == DiscardReason::GroupNotTracked {
                    check.refuses = |record, _| !is_forwardable(record.group);
                }
            }
        },
    ),
    Defect::frames(
        "mld-narrow-scope-forwarded",
        &["MLD-108"],
        "ff01::/16 and ff00::/16 are forwarded to listeners",
        || Box::new(NarrowScope(1, Vec::new())),
    ),
];
