//! How a listener answers (MLD-161 to MLD-164, MLD-166, MLD-167).

use crate::Defect;
use dut_mld::FilterMode;
use dut_mld::host::{Addressed, Policy};
use dut_wire::mld::{ALL_NODES, Query, RecordType};
use std::time::Duration;

/// Defects of answers.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-host-answers-at-once",
        &["MLD-161"],
        "a listener answers without delay",
        |rules| rules.listener.response_delay = |_, _| Duration::from_nanos(1),
    ),
    Defect::data(
        "mld-host-answers-regularly",
        &["MLD-161"],
        "a listener answers after half the Maximum Response Delay",
        |rules| rules.listener.response_delay = |_, maximum| maximum / 2,
    ),
    Defect::data(
        "mld-host-answers-early",
        &["MLD-161"],
        "a listener answers in the first half of the Maximum Response Delay",
        |rules| {
            rules.listener.response_delay =
                |random, maximum| (Policy::STANDARD.response_delay)(random, maximum / 2);
        },
    ),
    Defect::data(
        "mld-host-answers-late",
        &["MLD-161"],
        "a listener answers in the second half of the Maximum Response Delay",
        |rules| {
            rules.listener.response_delay = |random, maximum| {
                maximum / 2 + (Policy::STANDARD.response_delay)(random, maximum / 2)
            };
        },
    ),
    Defect::data(
        "mld-host-answers-too-late",
        &["MLD-161"],
        "a listener answers within twice the Maximum Response Delay",
        |rules| {
            rules.listener.response_delay =
                |random, maximum| (Policy::STANDARD.response_delay)(random, maximum * 2);
        },
    ),
    Defect::data(
        "mld-host-own-delay",
        &["MLD-161"],
        "a listener takes 10 s for its answer whatever the querier allows",
        |rules| rules.listener.maximum_response_delay = |_| Duration::from_secs(10),
    ),
    Defect::data(
        "mld-host-delay-in-tenths",
        &["MLD-161"],
        "a listener reads the Maximum Response Code in tenths of seconds, as IGMP's",
        |rules| {
            rules.listener.maximum_response_delay =
                |query| Query::maximum_response_delay(query).saturating_mul(100);
        },
    ),
    Defect::data(
        "mld-host-linear-code",
        &["MLD-167"],
        "a listener reads every Maximum Response Code as milliseconds",
        |rules| {
            rules.listener.maximum_response_delay = |query| match query {
                Query::V1(query) => Duration::from_millis(query.maximum_response_delay.into()),
                Query::V2(query) => Duration::from_millis(query.maximum_response_code.0.into()),
            };
        },
    )
    .seen("lwIP, which takes version 2 queries for version 1"),
    Defect::data(
        "mld-host-modes-in-answers-swapped",
        &["MLD-161", "MLD-162"],
        "current-state records tell the other filter mode",
        |rules| {
            rules.listener.current = |group, filter| {
                let mut record = (Policy::STANDARD.current)(group, filter)?;
                record.record_type = match filter.mode {
                    FilterMode::Include => RecordType::ModeIsExclude,
                    FilterMode::Exclude => RecordType::ModeIsInclude,
                };
                Some(record)
            };
        },
    ),
    Defect::data(
        "mld-host-answers-as-changes",
        &["MLD-161", "MLD-162"],
        "queries are answered with filter mode changes",
        |rules| {
            rules.listener.current = |group, filter| {
                let mut record = (Policy::STANDARD.current)(group, filter)?;
                record.record_type = match filter.mode {
                    FilterMode::Include => RecordType::ChangeToInclude,
                    FilterMode::Exclude => RecordType::ChangeToExclude,
                };
                Some(record)
            };
        },
    ),
    Defect::data(
        "mld-host-excludes-untold",
        &["MLD-161", "MLD-162"],
        "an answer in EXCLUDE lists no sources",
        |rules| {
            rules.listener.current = |group, filter| {
                let mut record = (Policy::STANDARD.current)(group, filter)?;
                if filter.mode == FilterMode::Exclude {
                    record.sources.clear();
                }
                Some(record)
            };
        },
    ),
    Defect::data(
        "mld-host-exclude-alone-answers",
        &["MLD-161", "MLD-162"],
        "addresses in INCLUDE are left out of answers",
        |rules| {
            rules.listener.current = |group, filter| {
                let record = (Policy::STANDARD.current)(group, filter)?;
                (filter.mode == FilterMode::Exclude).then_some(record)
            };
        },
    ),
    Defect::data(
        "mld-host-echoes-sources",
        &["MLD-163"],
        "a source query is answered with all that it asks for",
        |rules| rules.listener.wanted = |_, asked| asked.clone(),
    ),
    Defect::data(
        "mld-host-answers-its-list",
        &["MLD-163"],
        "a source query is answered with the listener's own list",
        |rules| rules.listener.wanted = |filter, _| filter.sources.clone(),
    ),
    Defect::data(
        "mld-host-answers-the-excluded",
        &["MLD-163"],
        "in EXCLUDE a source query is answered with the excluded sources",
        |rules| rules.listener.wanted = |filter, asked| &filter.sources & asked,
    ),
    Defect::data(
        "mld-host-source-queries-unanswered",
        &["MLD-163"],
        "source queries get no answer",
        |rules| rules.listener.wanted = |_, _| [].into(),
    ),
    Defect::data(
        "mld-host-asks-back-anything",
        &["MLD-163", "MLD-175"],
        "unspecified and multicast addresses are named as wanted sources",
        |rules| {
            rules.listener.wanted = |filter, asked| {
                let wanted = asked.iter().filter(|source| filter.wants(source));
                wanted.copied().collect()
            };
        },
    )
    .survives("RFC 3810 6.3 speaks of all queried sources: naming such ones is legal"),
    Defect::data(
        "mld-host-last-query-counts",
        &["MLD-164"],
        "a query replaces the answer that another is still owed",
        |rules| {
            rules.listener.schedule = |answers, ask| match ask.group {
                Some(group) => {
                    answers.specific.insert(group, (ask.due, ask.sources));
                }
                None => answers.general = Some(ask.due),
            };
        },
    ),
    Defect::data(
        "mld-host-first-query-counts",
        &["MLD-164"],
        "while an answer is owed further queries for the address are ignored",
        |rules| {
            rules.listener.schedule = |answers, ask| {
                let owed = ask.group.is_some_and(|g| answers.specific.contains_key(&g));
                if !owed && (ask.group.is_some() || answers.general.is_none()) {
                    answers.schedule(ask);
                }
            };
        },
    ),
    Defect::data(
        "mld-host-narrows-the-whole",
        &["MLD-164"],
        "a source query narrows an answer of the whole state",
        |rules| {
            rules.listener.schedule = |answers, ask| {
                let asked = ask.clone();
                answers.schedule(ask);
                let owed = asked.group.and_then(|g| answers.specific.get_mut(&g));
                if let Some((_, recorded)) = owed {
                    recorded.extend(asked.sources);
                }
            };
        },
    ),
    Defect::data(
        "mld-host-sources-outlive-the-whole",
        &["MLD-164"],
        "a specific query doesn't widen a pending source answer",
        |rules| {
            rules.listener.schedule = |answers, ask| {
                let whole = ask.sources.is_empty();
                let owed = ask.group.is_some_and(|g| answers.specific.contains_key(&g));
                if !(whole && owed) {
                    answers.schedule(ask);
                }
            };
        },
    ),
    Defect::data(
        "mld-host-latest-delay",
        &["MLD-164"],
        "of two delays for one address the later counts",
        |rules| {
            rules.listener.schedule = |answers, ask| {
                let (group, due) = (ask.group, ask.due);
                let before = group
                    .and_then(|g| answers.specific.get(&g))
                    .map(|(due, _)| *due);
                answers.schedule(ask);
                let owed = group.and_then(|g| answers.specific.get_mut(&g));
                if let (Some(before), Some((pending, _))) = (before, owed) {
                    *pending = before.max(due);
                }
            };
        },
    ),
    Defect::data(
        "mld-host-answers-twice",
        &["MLD-164"],
        "a specific query is answered beside a General Query's answer that comes sooner",
        |rules| {
            rules.listener.schedule = |answers, ask| {
                let general = if ask.group.is_some() {
                    answers.general.take()
                } else {
                    None
                };
                answers.schedule(ask);
                answers.general = general.or(answers.general);
            };
        },
    ),
    Defect::data(
        "mld-host-deaf-to-unicast",
        &["MLD-166"],
        "a query to the listener's unicast address is ignored",
        |rules| {
            rules.listener.accepts = |to: &Addressed| to.listened || to.destination == ALL_NODES;
        },
    ),
];
