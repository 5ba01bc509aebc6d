//! What a router does with a message of its listeners or of another router (RFC 3810 6.2, 7.4,
//! 7.6 and 8.1, RFC 2710).

use super::mld::MldConfig;
use harness_wire::{Ip, Layers, MldView, checksum_holds, layers};
use std::net::Ipv6Addr;
use std::time::Duration;

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate<'a> {
    /// It is taken: the message and its source.
    Taken((&'a [u8], Ipv6Addr)),
    /// No text says whether it is.
    Open(Vec<u8>),
    /// It must be dropped, or is none.
    Refused,
}

/// `own`: the router's address on the link, where it is known.
pub(crate) fn fate(frame: &[u8], own: Option<Ipv6Addr>) -> Fate<'_> {
    let Some(layers) = layers(frame) else {
        return Fate::Refused;
    };
    let Some(ip) = layers.ip.as_ref().filter(|ip| ip.next_header == 58) else {
        return Fate::Refused;
    };
    let Some(view) = MldView::of(ip.payload) else {
        return Fate::Refused;
    };
    let open = || Fate::Open(ip.payload.to_vec());
    let [first, second, ..] = ip.source.octets();
    let link_local = first == 0xfe && second & 0xc0 == 0x80;
    if ip.hop_limit != 1 || ip.router_alerts.is_empty() || !checksum_holds(ip) || !link_local {
        return Fate::Refused;
    }
    let message = view.octets();
    let group = view.group();
    let multicast = group.is_some_and(|group| group.is_multicast());
    let number = |at: usize| {
        let octets: Option<[u8; 2]> = message.get(at..at + 2).and_then(|o| o.try_into().ok());
        usize::from(octets.map_or(0, u16::from_be_bytes))
    };
    let (whole, usual) = match view.kind() {
        130 => {
            let general = group.is_some_and(|group| group.is_unspecified());
            let length = message.len() == 24 || message.len() >= 28;
            let listed = if message.len() > 24 { number(26) } else { 0 };
            let legal = length && (multicast || general) && !(general && listed > 0);
            let all = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
            let usual = if general { all } else { group.unwrap_or(all) };
            if legal && view.sources().len() < listed {
                return open();
            }
            (legal, usual)
        }
        131 => (
            message.len() >= 24 && multicast,
            group.unwrap_or(ip.destination),
        ),
        132 => {
            let routers = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
            (message.len() >= 24 && multicast, routers)
        }
        _ => {
            if message.len() >= 8 && view.records().len() < number(6) {
                return open();
            }
            let routers = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16);
            (message.len() >= 8, routers)
        }
    };
    if !whole {
        return Fate::Refused;
    }
    let sure = as_usual(&layers, ip, usual) && own != Some(ip.source);
    if sure {
        // The octets are borrowed from the frame, which outlives the layers.
        let at = frame.len().saturating_sub(layers.payload.len());
        let start = at + 40 + ip.hop_by_hop.map_or(0, <[u8]>::len);
        return match frame.get(start..start + message.len()) {
            Some(message) => Fate::Taken((message, ip.source)),
            None => Fate::Refused,
        };
    }
    open()
}

/// Whether nothing about the envelope is such that texts and devices differ.
fn as_usual(layers: &Layers<'_>, ip: &Ip<'_>, destination: Ipv6Addr) -> bool {
    let [.., a, b, c, d] = ip.destination.octets();
    let mac = layers.destination == [0x33, 0x33, a, b, c, d];
    let plain = layers.vlan.is_none() && layers.source.first().is_some_and(|o| o & 1 == 0);
    // A value other than 0, two options, or another option beside it.
    let alert = ip.router_alerts == [0]
        && (ip.hop_by_hop).is_some_and(|options| options.get(1..) == Some(&[0, 5, 2, 0, 0, 1, 0]));
    let complete = usize::from(ip.payload_length) <= layers.payload.len().saturating_sub(40);
    mac && plain && alert && complete && ip.destination == destination
}

/// The code's duration in milliseconds or seconds (RFC 3810 5.1.3 and 5.1.9 differ in width alone).
pub(super) const fn floating(code: u64, mantissa: u32) -> u64 {
    let top = 1 << (mantissa + 3);
    if code < top {
        return code;
    }
    let low = code & ((1 << mantissa) - 1);
    let exponent = (code >> mantissa) & 7;
    (low | (1 << mantissa)) << (exponent + 3)
}

/// What of a query's variables isn't as configured, and the requirement that says so.
pub(super) fn fields(config: MldConfig, view: &MldView<'_>) -> Option<(&'static str, String)> {
    let message = view.octets();
    let code = u64::from(u16::from_be_bytes(message.get(4..6)?.try_into().ok()?));
    let (flags, qqic) = (*message.get(24)?, u64::from(*message.get(25)?));
    let general = view.group()?.is_unspecified();
    let (requirement, wanted) = if general {
        ("MLD-012", config.response_interval)
    } else {
        ("MLD-013", config.last_interval)
    };
    let delay = Duration::from_millis(floating(code, 12));
    if delay != wanted {
        let what = format!("Maximum Response Delay {delay:?} instead of {wanted:?}");
        return Some((requirement, what));
    }
    if u32::from(flags & 7) != config.robustness {
        let what = format!("QRV {} instead of {}", flags & 7, config.robustness);
        return Some(("MLD-014", what));
    }
    let interval = Duration::from_secs(floating(qqic, 4));
    (interval != config.query_interval).then(|| ("MLD-015", format!("QQIC says {interval:?}")))
}
