//! What an MLD listener's reports must be (RFC 3810 sections 5.2 and 6, RFC 2710).

use crate::invariant::{Ledger, Rule};
use crate::mld::ALL_NODES;
use harness_trace::Frame;
use harness_wire::{Ip, MldView};
use std::net::Ipv6Addr;

const ALL_MLDV2_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16);
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

const SCOPE: Rule = Rule("MLD-168", "no report for ff02::1 and scopes 0 and 1");
const UNSPECIFIED: Rule = Rule("MLD-169", "a report's source is link-local or unspecified");
const DESTINATION: Rule = Rule("MLD-174", "a report or done goes where its kind goes");
const RECORDS: Rule = Rule("MLD-175", "records are legal");
const LENGTH: Rule = Rule("MLD-175", "a report ends with its last record");

/// Every rule.
pub(crate) const RULES: &[Rule] = &[SCOPE, UNSPECIFIED, DESTINATION, RECORDS, LENGTH];

/// Judges a report or done.
pub(crate) fn judge(ledger: &mut Ledger, at: (usize, &Frame), ip: &Ip<'_>, view: &MldView<'_>) {
    let source = ip.source.is_unspecified() || ip.source.is_unicast_link_local();
    ledger.rule(UNSPECIFIED, at, source, || ip.source.to_string());
    let mut reported = Vec::new();
    let destination = if view.kind() == 143 {
        records(ledger, at, view, &mut reported);
        Some(ALL_MLDV2_ROUTERS)
    } else {
        reported.extend(view.group());
        if view.kind() == 131 {
            view.group()
        } else {
            Some(ALL_ROUTERS)
        }
    };
    if let Some(destination) = destination {
        let right = ip.destination == destination;
        ledger.rule(DESTINATION, at, right, || {
            format!("{} instead of {destination}", ip.destination)
        });
    }
    for group in reported {
        let [_, scope, ..] = group.octets();
        let legal = group != ALL_NODES && (!group.is_multicast() || scope & 0xf > 1);
        ledger.rule(SCOPE, at, legal, || group.to_string());
    }
}

fn records(
    ledger: &mut Ledger,
    at: (usize, &Frame),
    view: &MldView<'_>,
    reported: &mut Vec<Ipv6Addr>,
) {
    let message = view.octets();
    let number = message.get(6..8).and_then(|o| o.try_into().ok());
    let number = usize::from(number.map_or(0, u16::from_be_bytes));
    let records = view.records();
    let octets = |(sources, aux): (usize, usize)| 20 + 16 * sources + aux;
    let held = records
        .iter()
        .map(|r| octets((r.sources.len(), r.aux.len())));
    let length = 8 + held.sum::<usize>();
    let whole = records.len() == number && message.len() == length;
    ledger.rule(LENGTH, at, whole, || {
        format!(
            "{number} records announced, {} in {} octets",
            records.len(),
            message.len()
        )
    });
    for record in records {
        let unicast = |source: &Ipv6Addr| !source.is_multicast() && !source.is_unspecified();
        let legal = (1..=6).contains(&record.kind)
            && record.group.is_multicast()
            && record.sources.iter().all(unicast)
            && (record.kind != 1 || !record.sources.is_empty())
            && record.aux.is_empty();
        ledger.rule(RECORDS, at, legal, || {
            format!(
                "type {} for {} with sources {:?} and {} octets of auxiliary data",
                record.kind,
                record.group,
                record.sources,
                record.aux.len()
            )
        });
        reported.push(record.group);
    }
}
