//! Specific queries and their repetition (MLD-109 to MLD-124).

use crate::Defect;
use dut_device::Instant;
use dut_mld::FilterMode;
use dut_mld::policy::{Group, Sources, Specific, Variables};
use dut_mld::series::{transmit, trigger};
use std::time::Duration;

/// The standard's trigger under other variables.
macro_rules! trigger_under {
    ($change:expr) => {
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let mut variables = *variables;
                let change: fn(&mut Variables) = $change;
                change(&mut variables);
                trigger(group, sources, ask_group, now, &variables)
            }
        }
    };
}

/// The standard's messages of a series, changed.
macro_rules! transmit_with {
    ($change:expr) => {
        |rules| {
            rules.mld.transmit = |group, now, variables| {
                let sent = transmit(group, now, variables);
                let change: fn(Vec<Specific>) -> Vec<Specific> = $change;
                change(sent)
            }
        }
    };
}

/// The standard's trigger for sources whose timers are far away, whatever they are.
fn forgetful(
    group: &mut Group,
    sources: &Sources,
    ask_group: bool,
    now: Instant,
    variables: &Variables,
    postpones: bool,
) -> Vec<Specific> {
    let far = now + variables.llqt + Duration::from_secs(1);
    let mut before = Vec::new();
    for address in sources {
        if let Some(source) = group.sources.get_mut(address)
            && let Some(timer) = source.timer
        {
            before.push((*address, timer));
            source.timer = Some(timer.max(far));
        }
    }
    let sent = trigger(group, sources, ask_group, now, variables);
    for (address, timer) in before {
        if let Some(source) = group.sources.get_mut(&address)
            && !postpones
        {
            source.timer = source.timer.map(|lowered| lowered.min(timer));
        }
    }
    sent
}

/// Gives timers that a trigger has lowered their old values back.
fn without_lowering(
    group: &mut Group,
    sources: &Sources,
    ask_group: bool,
    now: Instant,
    variables: &Variables,
) -> (Vec<Specific>, Group) {
    let before = group.clone();
    (trigger(group, sources, ask_group, now, variables), before)
}

/// Defects of specific queries.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-specific-late",
        &["MLD-109"],
        "the first specific query comes an interval late",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let sent = trigger(group, sources, ask_group, now, variables);
                for specific in &sent {
                    if specific.sources.is_empty() {
                        group.query_count += 1;
                    }
                    for address in &specific.sources {
                        if let Some(source) = group.sources.get_mut(address) {
                            source.query_count += 1;
                        }
                    }
                }
                Vec::new()
            };
        },
    ),
    Defect::data(
        "mld-one-copy",
        &["MLD-110"],
        "a specific query is sent once",
        variables!(|variables, _| variables.llqc = 1),
    ),
    Defect::data(
        "mld-one-more-copy",
        &["MLD-110"],
        "a specific query is sent once more than the count says",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let mut variables = *variables;
                variables.llqc += 1;
                trigger(group, sources, ask_group, now, &variables)
            };
        },
    ),
    Defect::data(
        "mld-spacing-llqt",
        &["MLD-110"],
        "copies come Last Listener Query Time apart",
        variables!(|variables, _| variables.llqi = variables.llqt),
    )
    .seen("mrd6"),
    Defect::data(
        "mld-spacing-half",
        &["MLD-110"],
        "copies come half the interval apart",
        variables!(|variables, _| variables.llqi /= 2),
    ),
    Defect::data(
        "mld-spacing-fixed",
        &["MLD-122"],
        "copies come 1 s apart whatever is configured",
        variables!(|variables, _| variables.llqi = Duration::from_secs(1)),
    ),
    Defect::data(
        "mld-copies-fixed",
        &["MLD-122", "MLD-123"],
        "two copies are sent whatever is configured",
        variables!(|variables, _| {
            variables.llqc = 2;
        }),
    ),
    Defect::data(
        "mld-llqt-fixed",
        &["MLD-122", "MLD-117"],
        "Last Listener Query Time is 2 s whatever is configured",
        variables!(|variables, _| variables.llqt = Duration::from_secs(2)),
    ),
    Defect::data(
        "mld-startup-count-fixed",
        &["MLD-123", "MLD-060"],
        "two startup queries are sent whatever the Robustness Variable",
        |rules| rules.mld.startup_count = |_| 2,
    ),
    Defect::data(
        "mld-s-flag-always",
        &["MLD-111"],
        "every copy has the S flag",
        transmit_with!(|mut sent| {
            for specific in &mut sent {
                specific.suppress = true;
            }
            sent
        }),
    ),
    Defect::data(
        "mld-s-flag-first",
        &["MLD-111"],
        "the first query has the S flag",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let mut sent = trigger(group, sources, ask_group, now, variables);
                for specific in &mut sent {
                    specific.suppress = true;
                }
                sent
            };
        },
    ),
    Defect::data(
        "mld-s-flag-never",
        &["MLD-112", "MLD-113"],
        "no copy has the S flag",
        transmit_with!(|mut sent| {
            for specific in &mut sent {
                specific.suppress = false;
            }
            sent
        }),
    )
    .seen("mrd6"),
    Defect::data(
        "mld-s-flag-never-group",
        &["MLD-112"],
        "no copy of Q(G) has the S flag",
        transmit_with!(|mut sent| {
            for specific in &mut sent {
                specific.suppress &= !specific.sources.is_empty();
            }
            sent
        }),
    ),
    Defect::data(
        "mld-s-flag-never-sources",
        &["MLD-113", "MLD-124"],
        "no copy of Q(G,S) has the S flag",
        transmit_with!(|mut sent| {
            for specific in &mut sent {
                specific.suppress &= specific.sources.is_empty();
            }
            sent
        }),
    ),
    Defect::data(
        "mld-s-flag-inverted",
        &["MLD-111", "MLD-112"],
        "the S flag says the opposite",
        transmit_with!(|mut sent| {
            for specific in &mut sent {
                specific.suppress = !specific.suppress;
            }
            sent
        }),
    ),
    Defect::data(
        "mld-one-message",
        &["MLD-113"],
        "all sources of a copy stand in one message with the S flag of the first",
        transmit_with!(|sent| {
            let mut one: Option<Specific> = None;
            let mut rest = Vec::new();
            for specific in sent {
                match &mut one {
                    Some(first) if !specific.sources.is_empty() => {
                        first.sources.extend(specific.sources)
                    }
                    None if !specific.sources.is_empty() => one = Some(specific),
                    Some(_) | None => rest.push(specific),
                }
            }
            one.into_iter().chain(rest).collect()
        }),
    ),
    Defect::data(
        "mld-answered-dropped",
        &["MLD-113", "MLD-124", "MLD-112"],
        "what is answered isn't asked for again",
        transmit_with!(|mut sent| {
            sent.retain(|specific| !specific.suppress);
            sent
        }),
    ),
    Defect::data(
        "mld-unanswered-dropped",
        &["MLD-113"],
        "only answered sources are asked for again",
        transmit_with!(|mut sent| {
            if sent.iter().any(|specific| specific.suppress) {
                sent.retain(|specific| specific.suppress);
            }
            sent
        }),
    ),
    Defect::data(
        "mld-empty-half",
        &["MLD-114"],
        "a copy for sources consists of two messages, one without sources",
        transmit_with!(|mut sent| {
            if sent.len() == 1 && sent.iter().all(|specific| !specific.sources.is_empty()) {
                let suppress = sent.iter().all(|specific| !specific.suppress);
                sent.push(Specific {
                    suppress,
                    sources: Vec::new(),
                });
            }
            sent
        }),
    ),
    Defect::data(
        "mld-series-restarts",
        &["MLD-115"],
        "a new trigger restarts the count of all sources",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let sent = trigger(group, sources, ask_group, now, variables);
                for source in group
                    .sources
                    .values_mut()
                    .filter(|source| source.query_count > 0)
                {
                    source.query_count = variables.llqc.saturating_sub(1);
                }
                sent
            };
        },
    ),
    Defect::data(
        "mld-series-repeats-all",
        &["MLD-115"],
        "a new trigger sends all that is being asked for again",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let running = group
                    .sources
                    .iter()
                    .filter(|(_, source)| source.query_count > 0);
                let running: Vec<_> = running.map(|(address, _)| *address).collect();
                let mut sent = trigger(group, sources, ask_group, now, variables);
                if let Some(specific) = sent
                    .iter_mut()
                    .find(|specific| !specific.sources.is_empty())
                {
                    specific.sources.extend(running);
                    specific.sources.sort_unstable();
                    specific.sources.dedup();
                }
                sent
            };
        },
    ),
    Defect::data(
        "mld-series-replaced",
        &["MLD-115"],
        "a new trigger ends the series that runs",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                if !sources.is_empty() {
                    group.stop_series();
                }
                trigger(group, sources, ask_group, now, variables)
            };
        },
    ),
    Defect::data(
        "mld-series-not-joined",
        &["MLD-115", "MLD-109"],
        "what comes during a series is asked for with its next copy",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let running = group.series_runs();
                let sent = trigger(group, sources, ask_group, now, variables);
                if running { Vec::new() } else { sent }
            };
        },
    ),
    Defect::data(
        "mld-series-no-repeat-after-join",
        &["MLD-115"],
        "a source that joins a series late is asked for once",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let running = group.series_runs();
                let sent = trigger(group, sources, ask_group, now, variables);
                for address in sent.iter().flat_map(|specific| &specific.sources) {
                    if let Some(source) = group.sources.get_mut(address).filter(|_| running) {
                        source.query_count = 0;
                    }
                }
                sent
            };
        },
    ),
    Defect::data(
        "mld-block-requeues",
        &["MLD-116"],
        "a repeated BLOCK asks anew",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                forgetful(group, sources, ask_group, now, variables, false)
            };
        },
    ),
    Defect::data(
        "mld-block-postpones",
        &["MLD-116", "MLD-080"],
        "a repeated BLOCK restarts the lowered timer",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                forgetful(group, sources, ask_group, now, variables, true)
            };
        },
    ),
    Defect::data(
        "mld-filter-not-lowered",
        &["MLD-117"],
        "asking for an address doesn't lower its filter timer",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let (sent, before) = without_lowering(group, sources, ask_group, now, variables);
                group.filter_timer = before.filter_timer;
                sent
            };
        },
    ),
    Defect::data(
        "mld-sources-not-lowered",
        &["MLD-118"],
        "asking for sources doesn't lower their timers",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let (sent, before) = without_lowering(group, sources, ask_group, now, variables);
                for (address, source) in &mut group.sources {
                    source.timer = before.sources.get(address).and_then(|source| source.timer);
                }
                sent
            };
        },
    ),
    Defect::data(
        "mld-sources-lowered-all",
        &["MLD-118", "MLD-089"],
        "asking for a source lowers the timers of all",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let sent = trigger(group, sources, ask_group, now, variables);
                let all: Vec<_> = group.requested().into_iter().collect();
                if !sources.is_empty() {
                    group.lower_sources(&all, now + variables.llqt);
                }
                sent
            };
        },
    ),
    Defect::data(
        "mld-immediate-leave",
        &["MLD-119", "MLD-135"],
        "what is asked for is forgotten after a tenth of a second",
        trigger_under!(|variables| {
            variables.llqt = Duration::from_millis(100);
        }),
    )
    .seen("immediate leave of Cisco, Junos and others, when it is on"),
    Defect::data(
        "mld-llqt-short",
        &["MLD-119", "MLD-117"],
        "Last Listener Query Time is one interval short",
        variables!(|variables, _| variables.llqt -= variables.llqi),
    ),
    Defect::data(
        "mld-llqt-long",
        &["MLD-117", "MLD-118"],
        "Last Listener Query Time is an interval too long",
        variables!(|variables, _| variables.llqt += variables.llqi),
    ),
    Defect::data(
        "mld-llqt-includes-response",
        &["MLD-117", "MLD-118"],
        "what is asked for stays for a response interval more",
        trigger_under!(|variables| {
            variables.llqt += variables.query_response_interval;
        }),
    ),
    Defect::data(
        "mld-answer-not-enough",
        &["MLD-120"],
        "an answer gives Last Listener Query Time again",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let sent = trigger(group, sources, ask_group, now, variables);
                group.query_count = group.query_count.saturating_mul(2);
                sent
            };
            rules.mld.transmit = |group, now, variables| {
                let until = now + variables.llqt;
                let sent = transmit(group, now, variables);
                group.lower_filter(until);
                let all: Vec<_> = sent
                    .iter()
                    .flat_map(|specific| specific.sources.clone())
                    .collect();
                group.lower_sources(&all, until);
                sent
            };
        },
    ),
    Defect::data(
        "mld-late-answer-lost",
        &["MLD-121"],
        "timers are looked at 100 ms ahead",
        |rules| {
            rules.mld.expire =
                |group, now| dut_mld::rows::expire(group, now + Duration::from_millis(100));
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let mut variables = *variables;
                variables.llqt -= Duration::from_millis(100);
                trigger(group, sources, ask_group, now, &variables)
            };
        },
    ),
    Defect::data(
        "mld-s-flag-by-sources-mode",
        &["MLD-112"],
        "Q(G) has the S flag only while no source is requested",
        |rules| {
            rules.mld.transmit = |group, now, variables| {
                let requested = !group.requested().is_empty();
                let exclude = group.filter_mode == FilterMode::Exclude;
                let mut sent = transmit(group, now, variables);
                for specific in sent
                    .iter_mut()
                    .filter(|specific| specific.sources.is_empty())
                {
                    specific.suppress &= exclude && !requested;
                }
                sent
            };
        },
    ),
];
