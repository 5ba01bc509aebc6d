//! The unicast routing table: connected and static routes, longest match.

use std::net::Ipv6Addr;

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    prefix: u128,
    length: u8,
    /// Layer 3 interface, by its index.
    pub(crate) interface: usize,
    /// `None`: the destination is on the link.
    pub(crate) next_hop: Option<Ipv6Addr>,
}

/// The routing table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Routes(Vec<Route>);

const fn mask(length: u8) -> u128 {
    match length {
        0 => 0,
        1..=127 => u128::MAX << (128 - length),
        _ => u128::MAX,
    }
}

impl Routes {
    pub(crate) fn add(
        &mut self,
        prefix: Ipv6Addr,
        length: u8,
        interface: usize,
        next_hop: Option<Ipv6Addr>,
    ) {
        let prefix = u128::from(prefix) & mask(length);
        self.0.push(Route {
            prefix,
            length,
            interface,
            next_hop,
        });
    }

    /// The route to an address among those whose interface is `usable`; connected before static.
    pub(crate) fn lookup(
        &self,
        address: Ipv6Addr,
        usable: impl Fn(usize) -> bool,
    ) -> Option<Route> {
        let address = u128::from(address);
        let matching = |route: &&Route| {
            address & mask(route.length) == route.prefix && usable(route.interface)
        };
        let rank = |route: &&Route| (route.length, route.next_hop.is_none());
        // Of equal ones the first configured is taken.
        self.0
            .iter()
            .rev()
            .filter(matching)
            .max_by_key(rank)
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_usable_prefix_wins() {
        let address = |text: &str| text.parse::<Ipv6Addr>().unwrap();
        let mut routes = Routes::default();
        routes.add(address("::"), 0, 0, Some(address("fe80::1")));
        routes.add(address("2001:db8::"), 32, 1, Some(address("2001:db8::9")));
        routes.add(address("2001:db8:10::"), 64, 2, None);
        let interface = |to: &str, usable: fn(usize) -> bool| {
            routes
                .lookup(address(to), usable)
                .map(|route| route.interface)
        };
        assert_eq!(interface("2001:db8:10::7", |_| true), Some(2));
        assert_eq!(interface("2001:db8:10::7", |i| i != 2), Some(1));
        assert_eq!(interface("2001:db9::7", |_| true), Some(0));
        assert_eq!(interface("2001:db9::7", |i| i != 0), None);
    }
}
