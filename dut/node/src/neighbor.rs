//! The neighbour cache (RFC 4861 7.3): addresses on links, and what waits for them.

use dut_device::Instant;
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv6Addr;
use std::time::Duration;

/// RETRANS_TIMER.
const RETRANS: Duration = Duration::from_secs(1);
/// REACHABLE_TIME, without its random factor: a reference must be repeatable.
const REACHABLE: Duration = Duration::from_secs(30);
/// DELAY_FIRST_PROBE_TIME.
const DELAY: Duration = Duration::from_secs(5);
/// MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT.
const SOLICITS: u8 = 3;
/// Packets kept for one neighbour that is being resolved.
const WAITING: usize = 16;
/// Neighbours kept: a flood of solicitations must not fill the memory.
const NEIGHBORS: usize = 1024;

#[derive(Debug, Clone)]
enum State {
    Incomplete {
        tries: u8,
        next: Instant,
        waiting: VecDeque<Vec<u8>>,
    },
    Reachable {
        until: Instant,
    },
    Stale,
    Delay {
        until: Instant,
    },
    Probe {
        tries: u8,
        next: Instant,
    },
}

#[derive(Debug, Clone)]
struct Neighbor {
    mac: [u8; 6],
    state: State,
}

/// What the cache wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Ask for `target`; to its solicited-node group, or to `unicast`.
    Solicit {
        interface: usize,
        target: Ipv6Addr,
        unicast: Option<[u8; 6]>,
    },
    /// Send a packet that was waiting.
    Send {
        interface: usize,
        mac: [u8; 6],
        packet: Vec<u8>,
    },
}

/// The neighbour cache of a node.
#[derive(Debug, Default)]
pub(crate) struct Neighbors {
    cache: BTreeMap<(usize, Ipv6Addr), Neighbor>,
    wishes: VecDeque<Wish>,
}

impl Neighbors {
    /// A packet wants to go to `address`: its MAC when it is known, else the packet waits.
    pub(crate) fn resolve(
        &mut self,
        now: Instant,
        interface: usize,
        address: Ipv6Addr,
        packet: &[u8],
    ) -> Option<[u8; 6]> {
        match self.cache.get_mut(&(interface, address)) {
            Some(neighbor) => match &mut neighbor.state {
                State::Incomplete { waiting, .. } => {
                    if waiting.len() >= WAITING {
                        waiting.pop_front();
                    }
                    waiting.push_back(packet.to_vec());
                    None
                }
                State::Stale => {
                    neighbor.state = State::Delay { until: now + DELAY };
                    Some(neighbor.mac)
                }
                State::Reachable { until } => {
                    if *until <= now {
                        neighbor.state = State::Delay { until: now + DELAY };
                    }
                    Some(neighbor.mac)
                }
                State::Delay { .. } | State::Probe { .. } => Some(neighbor.mac),
            },
            None => {
                self.make_room();
                let waiting = VecDeque::from([packet.to_vec()]);
                let state = State::Incomplete {
                    tries: 1,
                    next: now + RETRANS,
                    waiting,
                };
                self.cache
                    .insert((interface, address), Neighbor { mac: [0; 6], state });
                let wish = Wish::Solicit {
                    interface,
                    target: address,
                    unicast: None,
                };
                self.wishes.push_back(wish);
                None
            }
        }
    }

    fn make_room(&mut self) {
        if self.cache.len() >= NEIGHBORS {
            let stale = |neighbor: &Neighbor| matches!(neighbor.state, State::Stale);
            let victim = self
                .cache
                .iter()
                .find(|(_, n)| stale(n))
                .or_else(|| self.cache.iter().next());
            if let Some(key) = victim.map(|(key, _)| *key) {
                self.cache.remove(&key);
            }
        }
    }

    /// A solicitation has shown its sender's address (RFC 4861 7.2.3).
    pub(crate) fn heard(&mut self, interface: usize, address: Ipv6Addr, mac: [u8; 6]) {
        match self.cache.get_mut(&(interface, address)) {
            Some(neighbor) => {
                if neighbor.mac != mac || matches!(neighbor.state, State::Incomplete { .. }) {
                    let before = std::mem::replace(&mut neighbor.state, State::Stale);
                    neighbor.mac = mac;
                    self.release(interface, mac, before);
                }
            }
            None => {
                self.make_room();
                self.cache.insert(
                    (interface, address),
                    Neighbor {
                        mac,
                        state: State::Stale,
                    },
                );
            }
        }
    }

    fn release(&mut self, interface: usize, mac: [u8; 6], state: State) {
        if let State::Incomplete { waiting, .. } = state {
            for packet in waiting {
                self.wishes.push_back(Wish::Send {
                    interface,
                    mac,
                    packet,
                });
            }
        }
    }

    /// An advertisement has come (RFC 4861 7.2.5).
    pub(crate) fn advertised(
        &mut self,
        now: Instant,
        interface: usize,
        target: Ipv6Addr,
        mac: Option<[u8; 6]>,
        solicited: bool,
        override_: bool,
    ) {
        let Some(neighbor) = self.cache.get_mut(&(interface, target)) else {
            return;
        };
        let incomplete = matches!(neighbor.state, State::Incomplete { .. });
        let reached = State::Reachable {
            until: now + REACHABLE,
        };
        match mac {
            None if incomplete => {}
            Some(mac) if incomplete => {
                let next = if solicited { reached } else { State::Stale };
                let before = std::mem::replace(&mut neighbor.state, next);
                neighbor.mac = mac;
                self.release(interface, mac, before);
            }
            Some(mac) if mac != neighbor.mac && !override_ => {
                if matches!(neighbor.state, State::Reachable { .. }) {
                    neighbor.state = State::Stale;
                }
            }
            mac => {
                let changed = mac.is_some_and(|mac| mac != neighbor.mac);
                neighbor.mac = mac.unwrap_or(neighbor.mac);
                if solicited {
                    neighbor.state = reached;
                } else if changed {
                    neighbor.state = State::Stale;
                }
            }
        }
    }

    /// The interface went down: nothing is known there.
    pub(crate) fn forget(&mut self, interface: usize) {
        self.cache.retain(|(at, _), _| *at != interface);
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let mut gone = Vec::new();
        for ((interface, target), neighbor) in &mut self.cache {
            let (interface, target) = (*interface, *target);
            match &mut neighbor.state {
                State::Incomplete { tries, next, .. } if *next <= now => {
                    if *tries >= SOLICITS {
                        gone.push((interface, target));
                    } else {
                        *tries += 1;
                        *next = now + RETRANS;
                        let wish = Wish::Solicit {
                            interface,
                            target,
                            unicast: None,
                        };
                        self.wishes.push_back(wish);
                    }
                }
                State::Delay { until } if *until <= now => {
                    neighbor.state = State::Probe {
                        tries: 1,
                        next: now + RETRANS,
                    };
                    let unicast = Some(neighbor.mac);
                    self.wishes.push_back(Wish::Solicit {
                        interface,
                        target,
                        unicast,
                    });
                }
                State::Probe { tries, next } if *next <= now => {
                    if *tries >= SOLICITS {
                        gone.push((interface, target));
                    } else {
                        *tries += 1;
                        *next = now + RETRANS;
                        let unicast = Some(neighbor.mac);
                        self.wishes.push_back(Wish::Solicit {
                            interface,
                            target,
                            unicast,
                        });
                    }
                }
                State::Incomplete { .. }
                | State::Reachable { .. }
                | State::Stale
                | State::Delay { .. }
                | State::Probe { .. } => {}
            }
        }
        for key in gone {
            self.cache.remove(&key);
        }
    }

    /// When [`Neighbors::handle_timeout`] wants to be called.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let due = |neighbor: &Neighbor| match &neighbor.state {
            State::Incomplete { next, .. } | State::Probe { next, .. } => Some(*next),
            State::Delay { until } => Some(*until),
            State::Reachable { .. } | State::Stale => None,
        };
        self.cache.values().filter_map(due).min()
    }

    /// The next thing to do.
    pub(crate) fn poll(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }
}
