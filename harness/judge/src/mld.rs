//! MLD's always-on invariants (RFC 3810, RFC 2710), from one device's frames: what every message
//! must be, and what a router's queries must be.

use crate::invariant::{Ledger, Roles, Rule};
use crate::listener;
use dut_device::Instant;
use harness_trace::{Frame, PointId};
use harness_wire::{Ip, MldView, checksum_holds, layers};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

pub(crate) const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

const HOP_LIMIT: Rule = Rule("MLD-001", "hop limit 1");
const ROUTER_ALERT: Rule = Rule("MLD-003", "one Router Alert option with value 0");
const CHECKSUM: Rule = Rule("MLD-004", "the ICMPv6 checksum is right");
const MAC: Rule = Rule("MLD-005", "the MAC address is the destination's");

/// Rules for every MLD message.
pub(crate) const COMMON: &[Rule] = &[HOP_LIMIT, ROUTER_ALERT, CHECKSUM, MAC];

const QUERY_SOURCE: Rule = Rule("MLD-002", "a query's source is in fe80::/64");
const ONE_SOURCE: Rule = Rule("MLD-002", "all queries have one source");
const TO_ALL: Rule = Rule("MLD-005", "a general query goes to ff02::1");
const TO_GROUP: Rule = Rule("MLD-006", "a specific query goes to its group");
const RESERVED: Rule = Rule("MLD-007", "Code, Reserved and flag bits are zero");
const LENGTH: Rule = Rule("MLD-008", "a query ends with its last source");
const GENERAL: Rule = Rule("MLD-009", "a general query names no sources");
const QRV: Rule = Rule("MLD-014", "QRV stays the same");
const QQIC: Rule = Rule("MLD-015", "QQIC stays the same");
const MTU: Rule = Rule("MLD-017", "a query fits the link's MTU");
const PERIOD: Rule = Rule(
    "MLD-061",
    "a querier's general queries come within QQIC's time",
);

/// Rules for a router's queries.
pub(crate) const QUERIES: &[Rule] = &[
    QUERY_SOURCE,
    ONE_SOURCE,
    TO_ALL,
    TO_GROUP,
    RESERVED,
    LENGTH,
    GENERAL,
    QRV,
    QQIC,
    MTU,
    PERIOD,
];

/// What is remembered of a router on a link.
#[derive(Debug)]
struct Router {
    source: Ipv6Addr,
    /// QRV and QQIC of its first version 2 query.
    variables: Option<(u8, u8)>,
    /// Its last general query.
    general: Option<Instant>,
    /// Another router queries on the link: variables may be adopted, and the querier may change.
    alone: bool,
}

/// What the rules remember.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Routers by point, the device that passed their queries on, and MAC address.
    routers: BTreeMap<(PointId, String, [u8; 6]), Router>,
    /// Nothing is done to the devices: what must come in time can be judged.
    pub(crate) undisturbed: bool,
}

fn link_local_64(address: Ipv6Addr) -> bool {
    let [a, b, rest @ ..] = address.octets();
    let [c, d, e, f, g, h, ..] = rest;
    a == 0xfe && b == 0x80 && [c, d, e, f, g, h] == [0; 6]
}

/// What a QQIC means (RFC 3810 5.1.9).
fn query_interval(code: u8) -> Duration {
    let code = u64::from(code);
    Duration::from_secs(if code < 0x80 {
        code
    } else {
        ((code & 0xf) | 0x10) << (((code >> 4) & 7) + 3)
    })
}

impl Rules {
    /// Somebody else's frame on a link.
    pub(crate) fn heard(&mut self, frame: &Frame) {
        if self.routers.is_empty() {
            return;
        }
        let Some(layers) = layers(&frame.octets) else {
            return;
        };
        let icmpv6 = layers.ip.filter(|ip| ip.next_header == 58);
        if icmpv6.is_some_and(|ip| ip.payload.first() == Some(&130)) {
            self.queried(frame.point, layers.source);
        }
    }

    /// `mac` has queried: the others are no longer alone.
    fn queried(&mut self, point: PointId, mac: [u8; 6]) {
        for ((at, _, other), router) in &mut self.routers {
            if *at == point && *other != mac {
                router.alone = false;
            }
        }
    }

    /// Judges one frame.
    pub(crate) fn judge(
        &mut self,
        ledger: &mut Ledger,
        at: (usize, &Frame),
        sender: &str,
        roles: Roles,
    ) {
        let Some(layers) = layers(&at.1.octets) else {
            return;
        };
        let Some(ip) = layers.ip.as_ref().filter(|ip| ip.next_header == 58) else {
            return;
        };
        let Some(view) = MldView::of(ip.payload) else {
            return;
        };
        ledger.rule(HOP_LIMIT, at, ip.hop_limit == 1, || {
            ip.hop_limit.to_string()
        });
        let alert = ip.router_alerts == [0];
        ledger.rule(ROUTER_ALERT, at, alert, || {
            format!("{:?}", ip.router_alerts)
        });
        let right = checksum_holds(ip);
        ledger.rule(CHECKSUM, at, right, || "it isn't".into());
        let [.., a, b, c, d] = ip.destination.octets();
        if ip.destination.is_multicast() {
            let mac = layers.destination == [0x33, 0x33, a, b, c, d];
            ledger.rule(MAC, at, mac, || format!("{:02x?}", layers.destination));
        }
        if view.kind() == 130 {
            self.queried(at.1.point, layers.source);
            if roles.router {
                query(ledger, at, ip, &view);
                let key = (at.1.point, sender.to_owned(), layers.source);
                self.constant(ledger, at, key, ip, &view);
            }
        } else if roles.listener {
            listener::judge(ledger, at, ip, &view);
        }
    }

    /// What stays the same from query to query, and the period of general ones.
    fn constant(
        &mut self,
        ledger: &mut Ledger,
        at: (usize, &Frame),
        key: (PointId, String, [u8; 6]),
        ip: &Ip<'_>,
        view: &MldView<'_>,
    ) {
        let now = at.1.at;
        let message = view.octets();
        let variables = message.get(24).zip(message.get(25));
        let variables = variables.map(|(flags, qqic)| (flags & 7, *qqic));
        let general = view.group().is_none_or(|group| group.is_unspecified());
        let first = !self.routers.contains_key(&key);
        let router = self.routers.entry(key).or_insert(Router {
            source: ip.source,
            variables,
            general: None,
            alone: true,
        });
        if !first {
            let (one, source) = (router.source == ip.source, router.source);
            ledger.rule(ONE_SOURCE, at, one, || {
                format!("{}, at first {source}", ip.source)
            });
        }
        let Some((qrv, qqic)) = variables.filter(|_| router.alone) else {
            router.general = None;
            return;
        };
        let (first_qrv, first_qqic) = *router.variables.get_or_insert((qrv, qqic));
        if !first {
            ledger.rule(QRV, at, qrv == first_qrv, || {
                format!("{qrv}, at first {first_qrv}")
            });
            ledger.rule(QQIC, at, qqic == first_qqic, || {
                format!("{qqic}, at first {first_qqic}")
            });
        }
        if general {
            let last = router.general.replace(now);
            if let Some(last) = last.filter(|_| self.undisturbed) {
                // Timers of kernels run late by an eighth.
                let interval = query_interval(qqic);
                let most = interval + interval / 8 + Duration::from_millis(250);
                let apart = now.since(last);
                ledger.rule(PERIOD, at, apart <= most, || {
                    format!(
                        "{} ms after the last, QQIC says {interval:?}",
                        apart.as_millis()
                    )
                });
            }
        }
    }
}

fn query(ledger: &mut Ledger, at: (usize, &Frame), ip: &Ip<'_>, view: &MldView<'_>) {
    let local = link_local_64(ip.source);
    ledger.rule(QUERY_SOURCE, at, local, || ip.source.to_string());
    let message = view.octets();
    let group = view.group().unwrap_or(Ipv6Addr::UNSPECIFIED);
    let sources = view.sources();
    if group.is_unspecified() {
        let to_all = ip.destination == ALL_NODES;
        ledger.rule(TO_ALL, at, to_all, || ip.destination.to_string());
        let none = message.len() == 24 || sources.is_empty();
        ledger.rule(GENERAL, at, none, || format!("{} sources", sources.len()));
    } else {
        let to_group = ip.destination == group;
        ledger.rule(TO_GROUP, at, to_group, || ip.destination.to_string());
    }
    let reserved = message.get(1) == Some(&0)
        && message.get(6..8) == Some(&[0, 0])
        && message.get(24).is_none_or(|octet| octet & 0xf0 == 0);
    ledger.rule(RESERVED, at, reserved, || "they aren't".into());
    if message.len() != 24 {
        let number = message
            .get(26..28)
            .and_then(|o| o.try_into().ok())
            .map(u16::from_be_bytes);
        let length = 28 + 16 * usize::from(number.unwrap_or(0));
        ledger.rule(LENGTH, at, message.len() == length, || {
            format!("{} octets, {length} with its sources", message.len())
        });
    }
    let fits = at.1.octets.len() <= 1514;
    ledger.rule(MTU, at, fits, || format!("{} octets", at.1.octets.len()));
}

#[cfg(test)]
mod tests;
