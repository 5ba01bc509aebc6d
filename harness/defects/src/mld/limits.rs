//! Limits (MLD-176 to MLD-178).

use super::frames::Memory;
use super::reports::is_report;
use crate::Defect;
use dut_mld::policy::Received;
use dut_mld::rows::admit;

/// Defects of limits.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-source-limit-ignored",
        &["MLD-177"],
        "sources aren't limited",
        |rules| rules.mld.admit = |_, _, listed, _| (listed, false),
    ),
    Defect::data(
        "mld-source-limit-for-ever",
        &["MLD-177"],
        "a record that is full takes no new source, though others have gone",
        |rules| {
            rules.mld.admit = |group, received, listed, limit| {
                let known = listed
                    .iter()
                    .filter(|source| group.sources.contains_key(source));
                let known = known.copied().collect();
                let full = group.since > dut_device::Instant::ZERO && !group.sources.is_empty();
                if full && received == Received::Allow {
                    return (known, true);
                }
                admit(group, received, listed, limit)
            };
        },
    ),
    Defect::frames(
        "mld-limit-stops-all",
        &["MLD-176"],
        "a router that has seen more addresses than it holds takes no report any more",
        || {
            Memory::hearing(|memory, _, mld| {
                for record in mld.records() {
                    if !memory.groups.contains(&record.group) {
                        memory.groups.push(record.group);
                    }
                }
                !is_report(mld) || memory.groups.len() < 4
            })
        },
    ),
    Defect::frames(
        "mld-limit-not-refreshed",
        &["MLD-176"],
        "a router at its limit refreshes nothing",
        || {
            Memory::hearing(|memory, _, mld| {
                let report = is_report(mld);
                memory.count += u32::from(report);
                !report || memory.count < 3
            })
        },
    ),
    Defect::frames(
        "mld-rate-limit-for-ever",
        &["MLD-178"],
        "a router that has had fifty reports takes none any more",
        || {
            Memory::hearing(|memory, _, mld| {
                let report = is_report(mld);
                memory.count += u32::from(report);
                !report || memory.count < 50
            })
        },
    ),
    Defect::frames(
        "mld-rate-limit-stops-queries",
        &["MLD-178"],
        "a router that has had fifty reports queries no more",
        || {
            Memory::boxed(
                |memory, _, mld| {
                    memory.count += u32::from(is_report(mld));
                    true
                },
                |memory, _, _| memory.count < 50,
            )
        },
    ),
];
