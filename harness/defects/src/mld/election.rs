//! Querier, non-querier and the election between them (MLD-059 to MLD-083).

use super::frames::{Memory, Mld};
use crate::Defect;
use crate::octets::put_all;
use dut_mld::policy::{Candidate, Variables, adopts, loses, lower};
use dut_mld::{policy::version_1, series};
use dut_wire::mld::{Message, QUERY, Query, REPORT_V2};
use std::net::Ipv6Addr;
use std::time::Duration;

/// The low 64 bits of an address.
fn interface_id(address: Ipv6Addr) -> [u8; 8] {
    let [.., a, b, c, d, e, f, g, h] = address.octets();
    [a, b, c, d, e, f, g, h]
}

/// Whether the message is a query of a router with a lower address than any that queries here.
fn lower_query(mld: &Mld) -> bool {
    mld.kind() == QUERY && interface_id(mld.source) < [0, 0, 0, 0, 0, 0, 1, 0]
}

/// The specific query for an address that another router's general query stands for.
fn specific(general: &Mld, group: Ipv6Addr) -> Mld {
    let mut specific = general.clone();
    put_all(&mut specific.message, 8, &group.octets());
    specific
}

/// Defects of the querier's role and the election.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "mld-first-query-late",
        &["MLD-059"],
        "the first general query waits for the second startup interval",
        || {
            Memory::saying(|memory, _, mld| {
                let first = mld.is_general() && memory.count == 0;
                memory.count += u32::from(mld.is_general());
                !first
            })
        },
    ),
    Defect::data(
        "mld-no-startup-queries",
        &["MLD-060"],
        "one startup query is sent",
        |rules| rules.mld.startup_count = |_| 1,
    ),
    Defect::data(
        "mld-startup-never-ends",
        &["MLD-060", "MLD-061"],
        "five startup queries are sent",
        |rules| rules.mld.startup_count = |_| 5,
    ),
    Defect::data(
        "mld-startup-interval",
        &["MLD-060", "MLD-082"],
        "startup queries come Query Interval apart",
        |rules| {
            rules.mld.general_query_gap = |config, _| config.query_interval;
        },
    ),
    Defect::data(
        "mld-startup-interval-fixed",
        &["MLD-060"],
        "startup queries come 31.25 s apart",
        |rules| {
            rules.mld.general_query_gap = |config, startup| {
                if startup {
                    Duration::from_millis(31_250)
                } else {
                    config.query_interval
                }
            };
        },
    ),
    Defect::data(
        "mld-period-fixed",
        &["MLD-061"],
        "general queries come every 125 s",
        |rules| {
            rules.mld.general_query_gap = |config, startup| {
                if startup {
                    config.query_interval / 4
                } else {
                    Duration::from_secs(125)
                }
            };
        },
    ),
    Defect::data(
        "mld-period-plus-response",
        &["MLD-061"],
        "the next general query waits for the responses first",
        |rules| {
            rules.mld.general_query_gap = |config, startup| {
                if startup {
                    config.query_interval / 4
                } else {
                    config.query_interval + config.query_response_interval
                }
            };
        },
    ),
    Defect::data(
        "mld-never-yields",
        &["MLD-062"],
        "the router queries beside another with a lower address",
        |rules| rules.mld.loses = |_| false,
    ),
    Defect::data(
        "mld-yields-to-any",
        &["MLD-063"],
        "the router yields to any other",
        |rules| rules.mld.loses = |candidate| candidate.source != candidate.own,
    ),
    Defect::data(
        "mld-yields-to-higher",
        &["MLD-062", "MLD-063"],
        "the higher address wins the election, as in PIM",
        |rules| {
            rules.mld.loses =
                |candidate| interface_id(candidate.source) > interface_id(candidate.own);
        },
    ),
    Defect::data(
        "mld-little-endian",
        &["MLD-065"],
        "interface identifiers are compared last octet first",
        |rules| {
            rules.mld.loses = |candidate| {
                let backwards = |address| {
                    let mut id = interface_id(address);
                    id.reverse();
                    id
                };
                backwards(candidate.source) < backwards(candidate.own)
            };
        },
    ),
    Defect::data(
        "mld-signed-comparison",
        &["MLD-065"],
        "interface identifiers are compared as signed numbers",
        |rules| {
            rules.mld.loses = |candidate| {
                i64::from_be_bytes(interface_id(candidate.source))
                    < i64::from_be_bytes(interface_id(candidate.own))
            };
        },
    ),
    Defect::data(
        "mld-compares-32-bits",
        &["MLD-065"],
        "only the low 32 bits are compared",
        |rules| {
            rules.mld.loses = |candidate| {
                let low = |address| interface_id(address).last_chunk::<4>().copied();
                low(candidate.source) < low(candidate.own)
            };
        },
    ),
    Defect::data(
        "mld-compares-high-bits",
        &["MLD-065"],
        "the last octet isn't compared",
        |rules| {
            rules.mld.loses = |candidate| {
                let high = |address| interface_id(address).first_chunk::<7>().copied();
                high(candidate.source) < high(candidate.own)
            };
        },
    ),
    Defect::data(
        "mld-takeover-early",
        &["MLD-066"],
        "the Other Querier Present Timeout leaves out the response interval",
        variables!(|variables, _| {
            variables.other_querier_present = variables
                .query_interval
                .saturating_mul(variables.robustness.into());
        }),
    ),
    Defect::data(
        "mld-takeover-at-mali",
        &["MLD-066"],
        "the Other Querier Present Timeout is the listening interval",
        variables!(|variables, _| {
            variables.other_querier_present = variables.listening_interval;
        }),
    ),
    Defect::data(
        "mld-takeover-fixed",
        &["MLD-066"],
        "the router takes over after 255 s whatever is configured",
        variables!(|variables, _| {
            variables.other_querier_present = Duration::from_secs(255);
        }),
    ),
    Defect::data(
        "mld-takeover-rfc9777-doubles",
        &["MLD-066"],
        "RFC 9777's double response interval is used for the takeover too",
        variables!(|variables, config| {
            if config.profile == dut_mld::Profile::Rfc9777 {
                variables.other_querier_present += variables.query_response_interval / 2;
            }
        }),
    ),
    Defect::data(
        "mld-takeover-by-own-values",
        &["MLD-066", "MLD-067"],
        "nothing is adopted from the querier",
        |rules| rules.mld.adopts = |_, _| (None, None),
    ),
    Defect::data(
        "mld-qrv-not-adopted",
        &["MLD-067"],
        "the querier's Robustness Variable isn't adopted",
        |rules| {
            rules.mld.adopts = |config, query| (None, adopts(config, query).1);
        },
    ),
    Defect::data(
        "mld-qqic-not-adopted",
        &["MLD-067"],
        "the querier's Query Interval isn't adopted",
        |rules| {
            rules.mld.adopts = |config, query| (adopts(config, query).0, None);
        },
    ),
    Defect::data(
        "mld-mali-not-adopted",
        &["MLD-067", "MLD-125"],
        "the listening interval follows the own values alone",
        variables!(|variables, config| {
            variables.listening_interval =
                Variables::new(config, config.robustness, config.query_interval).listening_interval;
        }),
    ),
    Defect::data(
        "mld-qrv-zero-is-one",
        &["MLD-068"],
        "a QRV of 0 is taken for 1",
        |rules| {
            rules.mld.adopts = |config, query| {
                let (robustness, interval) = adopts(config, query);
                (robustness.or(Some(1)), interval)
            };
        },
    ),
    Defect::data(
        "mld-qrv-zero-is-two",
        &["MLD-068"],
        "a QRV of 0 is taken for the default 2",
        |rules| {
            rules.mld.adopts = |config, query| {
                let (robustness, interval) = adopts(config, query);
                (robustness.or(Some(2)), interval)
            };
        },
    ),
    Defect::data(
        "mld-qqic-zero-is-zero",
        &["MLD-069"],
        "a QQIC of 0 is taken for one second",
        |rules| {
            rules.mld.adopts = |config, query| {
                let (robustness, interval) = adopts(config, query);
                (robustness, interval.or(Some(Duration::from_secs(1))))
            };
        },
    ),
    Defect::data(
        "mld-qqic-linear-read",
        &["MLD-070"],
        "a QQIC above 127 is read as seconds",
        |rules| {
            rules.mld.adopts = |config, query| match query {
                Query::V2(version_2) if version_2.qqic.0 > 127 => (
                    adopts(config, query).0,
                    Some(Duration::from_secs(version_2.qqic.0.into())),
                ),
                Query::V1(_) | Query::V2(_) => adopts(config, query),
            };
        },
    ),
    Defect::data(
        "mld-any-query-refreshes",
        &["MLD-071"],
        "any query restarts the Other Querier Present timer",
        |rules| {
            rules.mld.loses = |candidate| {
                loses(candidate)
                    || (candidate.querier.is_some() && candidate.source != candidate.own)
            };
        },
    )
    .seen("mrd6"),
    Defect::frames(
        "mld-takeover-without-query",
        &["MLD-072"],
        "a router that takes over waits a Query Interval before it queries",
        || {
            Memory::boxed(
                |memory, _, mld| {
                    memory.flag |= lower_query(mld);
                    true
                },
                |memory, _, mld| !(mld.is_general() && std::mem::take(&mut memory.flag)),
            )
        },
    ),
    Defect::data(
        "mld-s-flag-no-election",
        &["MLD-073"],
        "a query with the S flag doesn't count in the election",
        |rules| {
            rules.mld.loses =
                |candidate: &Candidate<'_>| loses(candidate) && !candidate.query.suppress();
        },
    ),
    Defect::data(
        "mld-specific-no-election",
        &["MLD-074"],
        "a specific query doesn't count in the election",
        |rules| {
            rules.mld.loses = |candidate: &Candidate<'_>| {
                loses(candidate) && candidate.query.group().is_unspecified()
            };
        },
    ),
    Defect::data(
        "mld-source-query-no-election",
        &["MLD-074"],
        "a query with sources doesn't count in the election",
        |rules| {
            rules.mld.loses = |candidate: &Candidate<'_>| {
                loses(candidate) && candidate.query.sources().is_empty()
            };
        },
    ),
    Defect::data(
        "mld-older-query-no-election",
        &["MLD-062"],
        "a version 1 query doesn't count in the election",
        |rules| {
            rules.mld.loses = |candidate: &Candidate<'_>| {
                loses(candidate) && matches!(candidate.query, Query::V2(_))
            };
        },
    ),
    Defect::data(
        "mld-non-querier-asks",
        &["MLD-075"],
        "a non-querier sends specific queries too",
        |rules| {
            rules.mld.asks = |_| true;
            rules.mld.series_run_on = |_| true;
        },
    ),
    Defect::data(
        "mld-series-run-on",
        &["MLD-075", "MLD-083"],
        "a version 2 series runs on when the election is lost",
        |rules| rules.mld.series_run_on = |_| true,
    ),
    Defect::data(
        "mld-version-1-series-ends",
        &["MLD-083"],
        "a version 1 series ends when the election is lost",
        |rules| rules.mld.series_run_on = |_| false,
    )
    .survives("MLD-083 is recorded and not judged: RFC 2710 and 3810 differ"),
    Defect::frames(
        "mld-non-querier-deaf",
        &["MLD-076"],
        "a non-querier takes no reports",
        || {
            Memory::hearing(|memory, _, mld| {
                memory.flag |= lower_query(mld);
                !(memory.flag && mld.kind() == REPORT_V2)
            })
        },
    ),
    Defect::data(
        "mld-non-querier-never-lowers",
        &["MLD-077", "MLD-078"],
        "a query that is heard lowers no timer",
        |rules| rules.mld.lower = |_, _, _| false,
    )
    .seen("mrd6"),
    Defect::data(
        "mld-group-query-lowers-nothing",
        &["MLD-077"],
        "Q(G) that is heard lowers no timer",
        |rules| {
            rules.mld.lower =
                |group, query, until| !query.sources().is_empty() && lower(group, query, until);
        },
    ),
    Defect::data(
        "mld-source-query-lowers-nothing",
        &["MLD-078"],
        "Q(G,S) that is heard lowers no timer",
        |rules| {
            rules.mld.lower =
                |group, query, until| query.sources().is_empty() && lower(group, query, until);
        },
    ),
    Defect::data(
        "mld-source-query-lowers-all",
        &["MLD-078"],
        "Q(G,S) lowers the timers of all sources",
        |rules| {
            rules.mld.lower = |group, query, until| {
                let requested: Vec<Ipv6Addr> = group.requested().into_iter().collect();
                if query.sources().is_empty() || query.suppress() {
                    lower(group, query, until)
                } else {
                    group.lower_sources(&requested, until)
                }
            };
        },
    ),
    Defect::data(
        "mld-source-query-lowers-group",
        &["MLD-078"],
        "Q(G,S) lowers the filter timer too",
        |rules| {
            rules.mld.lower = |group, query, until| {
                let lowered = lower(group, query, until);
                lowered | (!query.suppress() && group.lower_filter(until))
            };
        },
    ),
    Defect::data(
        "mld-s-flag-ignored",
        &["MLD-079"],
        "a query with the S flag lowers timers",
        |rules| {
            rules.mld.lower = |group, query, until| {
                if query.sources().is_empty() {
                    group.lower_filter(until)
                } else {
                    group.lower_sources(query.sources(), until)
                }
            };
        },
    )
    .seen("mrd6"),
    Defect::data(
        "mld-lowering-raises",
        &["MLD-080"],
        "a further query restarts the lowered timer",
        |rules| {
            rules.mld.lower = |group, query, until| {
                if query.sources().is_empty()
                    && !query.suppress()
                    && group.filter_mode == dut_mld::FilterMode::Exclude
                {
                    group.filter_timer = until;
                    return true;
                }
                lower(group, query, until)
            };
        },
    ),
    Defect::frames(
        "mld-general-query-lowers",
        &["MLD-081"],
        "a general query lowers the timers of all groups",
        || {
            Memory::hearing(|memory, _, mld| {
                memory
                    .groups
                    .extend(mld.records().iter().map(|record| record.group));
                if mld.is_general() {
                    memory.also = memory
                        .groups
                        .iter()
                        .map(|group| specific(mld, *group))
                        .collect();
                }
                true
            })
        },
    ),
    Defect::frames(
        "mld-general-query-prolongs",
        &["MLD-081"],
        "a general query restarts the timers of all groups",
        || {
            Memory::boxed(
                |memory, _, mld| {
                    if mld.kind() == REPORT_V2 {
                        memory
                            .groups
                            .extend(mld.records().iter().map(|record| record.group));
                        memory.flag = true;
                    }
                    if mld.is_general() && memory.flag {
                        memory.also = refreshing(mld, &memory.groups);
                    }
                    true
                },
                |_, _, _| true,
            )
        },
    ),
    Defect::data(
        "mld-done-at-non-querier",
        &["MLD-150"],
        "in version 1 a non-querier takes Done",
        |rules| {
            rules.mld.hears_done = |_| true;
            rules.mld.version_1.apply = |group, received, querier, now, variables| {
                let done = received == version_1::Received::Done;
                version_1::apply(group, received, querier || done, now, variables)
            };
        },
    ),
    Defect::data(
        "mld-lowers-by-own-trigger",
        &["MLD-075", "MLD-076"],
        "a non-querier asks nobody, and forgets at once what is left",
        |rules| {
            rules.mld.asks = |_| true;
            rules.mld.series_run_on = |_| true;
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let _ = series::trigger(group, sources, ask_group, now, variables);
                Vec::new()
            };
        },
    ),
];

/// Reports that restart the timers of these groups.
fn refreshing(like: &Mld, groups: &[Ipv6Addr]) -> Vec<Mld> {
    let one = |group: &Ipv6Addr| {
        let mut mld = like.clone();
        let record = dut_wire::mld::Record {
            record_type: dut_wire::mld::RecordType::ModeIsExclude,
            group: *group,
            sources: Vec::new(),
        };
        mld.message.clear();
        Message::Report(dut_wire::mld::Report {
            records: vec![record],
        })
        .emit(&mut mld.message);
        mld
    };
    groups.iter().map(one).collect()
}
