//! Interface names in the vendor's capitals, and which groups are routed.

use crate::config::InterfaceKind;
use std::net::Ipv6Addr;

/// The full name and what it is, from any capitals. `None` when it names no interface that exists
/// here.
#[must_use]
pub fn parse(text: &str) -> Option<(String, InterfaceKind)> {
    let at = text.find(|c: char| c.is_ascii_digit())?;
    let (word, number) = text.split_at_checked(at)?;
    match word.to_ascii_lowercase().as_str() {
        "gigabitethernet" => {
            let parts: Vec<&str> = number.split('/').collect();
            let [slot, card, port] = parts.as_slice() else {
                return None;
            };
            let [slot, card, port] = [small(slot, 255)?, small(card, 255)?, small(port, 255)?];
            let name = format!("GigabitEthernet{slot}/{card}/{port}");
            Some((name, InterfaceKind::GigabitEthernet))
        }
        "eth-trunk" => {
            small(number, 511).map(|id| (format!("Eth-Trunk{id}"), InterfaceKind::EthTrunk(id)))
        }
        "loopback" => {
            small(number, 1023).map(|id| (format!("LoopBack{id}"), InterfaceKind::LoopBack(id)))
        }
        "null" => small(number, 0).map(|_| ("NULL0".to_owned(), InterfaceKind::Null)),
        _ => None,
    }
}

fn small(text: &str, most: u16) -> Option<u16> {
    let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let value = text.parse().ok().filter(|_| digits)?;
    (value <= most).then_some(value)
}

/// Whether the group may be joined statically: multicast, and of a scope wider than the link
/// (or scope 0, which the vendor lets through).
pub(crate) const fn is_routed_group(group: Ipv6Addr) -> bool {
    let [first, second, ..] = group.octets();
    first == 0xff && !matches!(second & 0x0f, 1 | 2)
}
