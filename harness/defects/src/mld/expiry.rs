//! Expiry and forwarding (MLD-125 to MLD-137).

use super::row;
use crate::{Defect, Frames};
use dut_device::{Instant, PortId};
use dut_mld::policy::{Set, Variables};
use dut_mld::rows::{Expired, expire};
use dut_mld::{FilterMode, Profile, Row};
use std::time::Duration;

/// Copies what comes in for a group to the first port, listeners or not.
#[derive(Debug)]
struct Floods;

impl Frames for Floods {
    fn answer(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        let udp = frame.get(12..14) == Some(&[0x86, 0xdd]) && frame.get(20) == Some(&17);
        let group = frame.get(38) == Some(&0xff);
        if port == PortId(1) && udp && group {
            vec![(PortId(0), frame.to_vec())]
        } else {
            Vec::new()
        }
    }
}

/// Whether a filter timer has ended that left sources to listen to.
fn filter_ended(expired: &Expired) -> bool {
    let mut rows = expired.rows.iter();
    rows.any(|(row, ..)| *row == Row::FilterExpiresToInclude)
}

/// Defects of expiry and forwarding.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-mali-without-response",
        &["MLD-125"],
        "the listening interval leaves out the response interval",
        variables!(|variables, _| {
            variables.listening_interval = variables
                .query_interval
                .saturating_mul(variables.robustness.into());
        }),
    ),
    Defect::data(
        "mld-mali-always-rfc3810",
        &["MLD-125"],
        "RFC 9777's profile has RFC 3810's listening interval",
        variables!(|variables, config| {
            if config.profile == Profile::Rfc9777 {
                variables.listening_interval -= variables.query_response_interval;
            }
        }),
    ),
    Defect::data(
        "mld-mali-always-rfc9777",
        &["MLD-125"],
        "RFC 3810's profile has RFC 9777's listening interval",
        variables!(|variables, config| {
            if config.profile == Profile::Rfc3810 {
                variables.listening_interval += variables.query_response_interval;
            }
        }),
    ),
    Defect::data(
        "mld-mali-fixed",
        &["MLD-125"],
        "the listening interval is 260 s whatever is configured",
        variables!(|variables, _| {
            variables.listening_interval = Duration::from_secs(260);
        }),
    ),
    Defect::data(
        "mld-mali-without-robustness",
        &["MLD-137", "MLD-125"],
        "the listening interval leaves out the Robustness Variable",
        variables!(|variables, _| {
            variables.listening_interval =
                variables.query_interval + variables.query_response_interval;
        }),
    ),
    Defect::data(
        "mld-last-source-stays",
        &["MLD-126"],
        "the last source of a record never ends",
        |rules| {
            rules.mld.expire = |group, now| {
                if group.filter_mode == FilterMode::Include && group.sources.len() == 1 {
                    for source in group.sources.values_mut() {
                        source.timer = Some(now + Duration::from_secs(3600));
                    }
                }
                expire(group, now)
            };
        },
    ),
    Defect::data(
        "mld-empty-exclude-stays",
        &["MLD-127"],
        "a record without requested sources never ends",
        |rules| {
            rules.mld.expire = |group, now| {
                if group.filter_timer <= now && group.requested().is_empty() {
                    group.filter_timer = now + Duration::from_secs(3600);
                }
                expire(group, now)
            };
        },
    ),
    Defect::data(
        "mld-filter-end-keeps-excluded",
        &["MLD-127", "MLD-128"],
        "excluded sources are requested when the filter timer ends",
        |rules| {
            rules.mld.expire = |group, now| {
                if group.filter_mode == FilterMode::Exclude && group.filter_timer <= now {
                    for source in group.sources.values_mut().filter(|source| !source.runs()) {
                        source.timer = Some(now + Duration::from_secs(30));
                    }
                }
                expire(group, now)
            };
        },
    ),
    Defect::data(
        "mld-filter-end-drops-all",
        &["MLD-128"],
        "requested sources end with the filter timer",
        |rules| {
            rules.mld.expire = |group, now| {
                let expired = expire(group, now);
                if filter_ended(&expired) {
                    group.sources.clear();
                }
                expired
            };
        },
    ),
    Defect::data(
        "mld-filter-end-restarts-sources",
        &["MLD-128"],
        "requested sources get new timers when the filter timer ends",
        |rules| {
            rules.mld.expire = |group, now| {
                let expired = expire(group, now);
                if filter_ended(&expired) {
                    for source in group.sources.values_mut() {
                        source.timer = Some(now + Duration::from_secs(43));
                    }
                }
                expired
            };
        },
    ),
    Defect::data(
        "mld-exclude-source-deleted",
        &["MLD-129"],
        "in EXCLUDE a source whose timer ends is deleted",
        |rules| {
            rules.mld.expire = |group, now| {
                let out: Vec<_> = group
                    .sources
                    .iter()
                    .filter(|(_, source)| source.timer.is_some_and(|timer| timer <= now))
                    .map(|(address, _)| *address)
                    .collect();
                let exclude = group.filter_mode == FilterMode::Exclude;
                let expired = expire(group, now);
                for address in out.iter().filter(|_| exclude) {
                    group.sources.remove(address);
                }
                expired
            };
        },
    ),
    Defect::data(
        "mld-exclude-source-stays",
        &["MLD-129"],
        "in EXCLUDE a requested source never ends",
        |rules| {
            rules.mld.expire = |group, now| {
                if group.filter_mode == FilterMode::Exclude {
                    for source in group.sources.values_mut() {
                        source.timer = source.timer.map(|timer| {
                            if timer <= now {
                                now + Duration::from_secs(3600)
                            } else {
                                timer
                            }
                        });
                    }
                }
                expire(group, now)
            };
        },
    ),
    Defect::data(
        "mld-excluded-forgotten",
        &["MLD-130"],
        "IS_EX deletes the excluded sources",
        |rules| {
            row(rules, Row::ExcludeIsEx, |rule| {
                rule.request.0 = Set::ListedNotRequested
            });
        },
    ),
    Defect::data(
        "mld-include-forwards-all",
        &["MLD-131"],
        "in INCLUDE a source that isn't listed is forwarded",
        |rules| {
            rules.mld.forwards = |group, source| {
                group
                    .sources
                    .get(&source)
                    .is_none_or(|listed| listed.runs())
            };
        },
    ),
    Defect::data(
        "mld-exclude-forwards-listed",
        &["MLD-132"],
        "in EXCLUDE only requested sources are forwarded",
        |rules| {
            rules.mld.forwards = |group, source| {
                group
                    .sources
                    .get(&source)
                    .is_some_and(|listed| listed.runs())
            };
        },
    ),
    Defect::data(
        "mld-exclude-forwards-excluded",
        &["MLD-132"],
        "in EXCLUDE excluded sources are forwarded too",
        |rules| {
            rules.mld.forwards =
                |group, source| group.filter_mode == FilterMode::Exclude || group.forwards(source);
        },
    ),
    Defect::data(
        "mld-forwards-inverted",
        &["MLD-131", "MLD-132"],
        "listed sources are taken for blocked ones",
        |rules| {
            rules.mld.forwards = |group, source| !group.forwards(source);
        },
    ),
    Defect::frames(
        "mld-floods",
        &["MLD-133"],
        "traffic is forwarded without a record",
        || Box::new(Floods),
    ),
    Defect::data(
        "mld-never-forwards",
        &["MLD-134", "MLD-020"],
        "a join doesn't reach the forwarding table",
        |rules| rules.mld.forwardable = |_| false,
    ),
    Defect::data(
        "mld-is-ex-no-refresh",
        &["MLD-136"],
        "IS_EX in EXCLUDE doesn't restart the filter timer",
        |rules| {
            row(rules, Row::ExcludeIsEx, |rule| rule.filter_timer = None);
        },
    ),
];
