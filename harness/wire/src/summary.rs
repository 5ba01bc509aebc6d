//! A frame in one line, for ladders.

use crate::decode::decode;
use crate::kind::Kind;
use crate::lacp::state_bits;
use crate::value::Fields;
use serde_json::Value;

fn number(fields: &Fields, name: &str) -> u64 {
    fields.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or("?")
}

fn end(fields: &Fields, end: &str) -> String {
    let field = |name: &str| format!("{end}.{name}");
    let state = u8::try_from(number(fields, &field("state"))).unwrap_or(0);
    format!(
        "{end} {}/{} key {} port {}/{} 0x{state:02x}({})",
        number(fields, &field("system_priority")),
        text(fields, &field("system")),
        number(fields, &field("key")),
        number(fields, &field("port_priority")),
        number(fields, &field("port")),
        state_bits(state),
    )
}

fn records(fields: &Fields) -> String {
    let records = fields.get("records").and_then(Value::as_array);
    let record = |record: &Value| {
        let kind = record.get("type").map(|kind| {
            kind.as_str()
                .map_or_else(|| kind.to_string(), str::to_owned)
        });
        let group = record.get("group").and_then(Value::as_str).unwrap_or("?");
        let sources = record.get("sources").map(list).unwrap_or_default();
        format!("{} {group} {{{sources}}}", kind.unwrap_or_default())
    };
    first_four(records.into_iter().flatten().map(record))
}

/// The first four, and how many more there are.
fn first_four(mut all: impl Iterator<Item = String>) -> String {
    let shown: Vec<String> = all.by_ref().take(4).collect();
    let more = match all.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", shown.join(", "))
}

fn list(value: &Value) -> String {
    let items = value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    items.collect::<Vec<_>>().join(" ")
}

/// A frame in one line, as a protocol engineer would say it.
#[must_use]
pub fn summary(frame: &[u8]) -> String {
    let decoded = decode(frame);
    let fields = &decoded.fields;
    let said = match decoded.kind {
        Kind::Lacpdu => {
            format!(
                "LACPDU v{} {}, {}",
                number(fields, "version"),
                end(fields, "actor"),
                end(fields, "partner")
            )
        }
        Kind::Marker => {
            let kind = if number(fields, "tlv_type") == 2 {
                "Marker Response"
            } else {
                "Marker"
            };
            format!(
                "{kind} transaction {}",
                number(fields, "requester_transaction_id")
            )
        }
        Kind::Slow => format!("slow protocol subtype {}", number(fields, "subtype")),
        Kind::MldQuery | Kind::MldReport | Kind::MldV1Report | Kind::MldDone | Kind::Etrunk => {
            control(decoded.kind, fields)
        }
        Kind::Rbs => format!("RBS {}", text(fields, "name")),
        Kind::Udp => format!(
            "UDP {} > {} {}",
            text(fields, "ipv6.source"),
            text(fields, "ipv6.destination"),
            fields
                .get("sequence")
                .map(|n| format!("number {n}"))
                .unwrap_or_default(),
        ),
        Kind::Neighbor => {
            let kind = if number(fields, "type") == 135 {
                "solicitation"
            } else {
                "advertisement"
            };
            format!("neighbor {kind} {}", text(fields, "target"))
        }
        Kind::PimHello => format!(
            "PIM Hello holdtime {} s from {}",
            number(fields, "holdtime"),
            text(fields, "ipv6.source"),
        ),
        Kind::PimJoinPrune => join_prune(fields),
        Kind::Frame => format!(
            "frame 0x{:04x} of {} octets to {}",
            number(fields, "ether.ethertype"),
            frame.len(),
            text(fields, "ether.destination"),
        ),
    };
    match decoded.anomalies.first() {
        Some(anomaly) => format!("{said} [odd: {}]", anomaly.what),
        None => said,
    }
}

/// A Join/Prune with its entries, `(*,G)` and `(S,G)` as RFC 7761 writes them.
fn join_prune(fields: &Fields) -> String {
    let mut said = Vec::new();
    let groups = fields.get("groups").and_then(Value::as_array);
    for group in groups.into_iter().flatten() {
        let address = group.get("group").and_then(Value::as_str).unwrap_or("?");
        for (list, verb) in [("joined", "Join"), ("pruned", "Prune")] {
            let entries = group.get(list).and_then(Value::as_array);
            for entry in entries.into_iter().flatten() {
                let flag = |name: &str| entry.get(name).and_then(Value::as_u64) == Some(1);
                let source = entry.get("source").and_then(Value::as_str).unwrap_or("?");
                let source = if flag("wildcard") { "*" } else { source };
                let tree = if flag("rpt") && !flag("wildcard") {
                    ",rpt"
                } else {
                    ""
                };
                said.push(format!("{verb}({source},{address}{tree})"));
            }
        }
    }
    let neighbor = text(fields, "upstream_neighbor");
    format!("PIM {} to {neighbor}", first_four(said.into_iter()))
}

/// An MLD message or an E-Trunk hello in one line.
fn control(kind: Kind, fields: &Fields) -> String {
    match kind {
        Kind::MldQuery => {
            let sources = fields.get("sources").map(list).unwrap_or_default();
            let s = if number(fields, "s") == 1 { " S" } else { "" };
            format!(
                "MLDv{} query {} {{{sources}}}{s} {} ms from {}",
                number(fields, "version"),
                text(fields, "group"),
                number(fields, "max_response_delay_ms"),
                text(fields, "ipv6.source"),
            )
        }
        Kind::MldReport => {
            format!(
                "MLDv2 report {} from {}",
                records(fields),
                text(fields, "ipv6.source")
            )
        }
        Kind::Etrunk => {
            let states = ["?", "Initialize", "Backup", "Master"];
            let state = usize::try_from(number(fields, "state")).unwrap_or(0);
            format!(
                "E-Trunk {} hello {} priority {} epoch {} from {}",
                number(fields, "e_trunk_id"),
                states.get(state).unwrap_or(&"?"),
                number(fields, "priority"),
                number(fields, "boot_epoch"),
                text(fields, "ipv6.source"),
            )
        }
        Kind::MldV1Report
        | Kind::MldDone
        | Kind::Lacpdu
        | Kind::Marker
        | Kind::Slow
        | Kind::Rbs
        | Kind::Udp
        | Kind::Neighbor
        | Kind::PimHello
        | Kind::PimJoinPrune
        | Kind::Frame => format!("{} {}", kind.name(), text(fields, "group")),
    }
}
