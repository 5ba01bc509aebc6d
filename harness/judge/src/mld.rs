//! MLD's always-on invariants (RFC 3810, RFC 2710), from one device's frames.

use crate::invariant::{Ledger, Roles};
use harness_trace::Frame;
use harness_wire::{Ip, MldView, checksum_holds, layers};
use std::net::Ipv6Addr;

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

fn link_local_64(address: Ipv6Addr) -> bool {
    let [a, b, rest @ ..] = address.octets();
    let [c, d, e, f, g, h, ..] = rest;
    a == 0xfe && b == 0x80 && [c, d, e, f, g, h] == [0; 6]
}

/// Judges one frame.
pub(crate) fn judge(ledger: &mut Ledger, record: usize, frame: &Frame, roles: Roles) {
    let Some(layers) = layers(&frame.octets) else {
        return;
    };
    let Some(ip) = layers.ip.as_ref().filter(|ip| ip.next_header == 58) else {
        return;
    };
    let Some(view) = MldView::of(ip.payload) else {
        return;
    };
    let at = (record, frame);
    ledger.rule("MLD-001", "hop limit 1", at, ip.hop_limit == 1, || {
        ip.hop_limit.to_string()
    });
    let alert = ip.router_alerts == [0];
    ledger.rule(
        "MLD-003",
        "one Router Alert option with value 0",
        at,
        alert,
        || format!("{:?}", ip.router_alerts),
    );
    let right = checksum_holds(ip);
    ledger.rule("MLD-004", "the ICMPv6 checksum is right", at, right, || {
        "it isn't".into()
    });
    let [.., a, b, c, d] = ip.destination.octets();
    if ip.destination.is_multicast() {
        let mac = layers.destination == [0x33, 0x33, a, b, c, d];
        ledger.rule(
            "MLD-005",
            "the MAC address is the destination's",
            at,
            mac,
            || format!("{:02x?}", layers.destination),
        );
    }
    if roles.router && view.kind() == 130 {
        query(ledger, at, ip, &view);
    }
}

fn query(ledger: &mut Ledger, at: (usize, &Frame), ip: &Ip<'_>, view: &MldView<'_>) {
    let local = link_local_64(ip.source);
    ledger.rule(
        "MLD-002",
        "a query's source is in fe80::/64",
        at,
        local,
        || ip.source.to_string(),
    );
    let message = view.octets();
    let group = view.group().unwrap_or(Ipv6Addr::UNSPECIFIED);
    let sources = view.sources();
    if group.is_unspecified() {
        let to_all = ip.destination == ALL_NODES;
        ledger.rule(
            "MLD-005",
            "a general query goes to ff02::1",
            at,
            to_all,
            || ip.destination.to_string(),
        );
        let none = message.len() == 24 || sources.is_empty();
        ledger.rule(
            "MLD-009",
            "a general query names no sources",
            at,
            none,
            || format!("{} sources", sources.len()),
        );
    } else {
        let to_group = ip.destination == group;
        ledger.rule(
            "MLD-006",
            "a specific query goes to its group",
            at,
            to_group,
            || ip.destination.to_string(),
        );
    }
    let reserved = message.get(1) == Some(&0)
        && message.get(6..8) == Some(&[0, 0])
        && message.get(24).is_none_or(|octet| octet & 0xf0 == 0);
    ledger.rule(
        "MLD-007",
        "Code, Reserved and flag bits are zero",
        at,
        reserved,
        || "they aren't".into(),
    );
    if message.len() != 24 {
        let number = message
            .get(26..28)
            .and_then(|o| o.try_into().ok())
            .map(u16::from_be_bytes);
        let length = 28 + 16 * usize::from(number.unwrap_or(0));
        ledger.rule(
            "MLD-008",
            "a query ends with its last source",
            at,
            message.len() == length,
            || format!("{} octets, {length} with its sources", message.len()),
        );
    }
    let fits = at.1.octets.len() <= 1514;
    ledger.rule("MLD-017", "a query fits the link's MTU", at, fits, || {
        format!("{} octets", at.1.octets.len())
    });
}
