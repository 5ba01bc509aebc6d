//! Which interfaces the links of a testbed are on wires.

use harness_suite::{Bed, Testbed};
use harness_trace::{Direction, Point};
use std::collections::BTreeMap;

/// The wires of a bed: cases of one shape share them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The testbed's ports, each between the tester and the one device.
    Ports,
    /// Those of a simulated testbed with several devices.
    Network(String),
}

/// One wire: a veth pair, or an interface that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cable {
    /// The tester's port or the link, as cases name it.
    pub(crate) name: String,
    /// Interface of its near end: the tester's of a port.
    pub(crate) near: String,
    /// Interface of its far end.
    pub(crate) far: String,
    /// It is a tester's port.
    pub(crate) port: bool,
}

/// Which frames a capture of a bed shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tap {
    /// Index of the cable.
    pub(crate) cable: usize,
    /// The way that they go: in is towards the near end.
    pub(crate) direction: Direction,
}

impl Shape {
    /// The shape that a case of a simulated testbed needs.
    pub(crate) fn of(name: &str, bed: &Bed) -> Self {
        if bed.is_alone() {
            Self::Ports
        } else {
            Self::Network(name.to_owned())
        }
    }

    /// The cables of a bed.
    pub(crate) fn cables(&self, testbed: &Testbed, bed: &Bed) -> Vec<Cable> {
        let cable = |index: usize, name: &String, port: bool| Cable {
            name: name.clone(),
            near: format!("{}{}", if port { "t" } else { "n" }, index + 1),
            far: format!("f{}", index + 1),
            port,
        };
        match self {
            Self::Ports => {
                let ports = testbed.ports.iter().enumerate();
                let one =
                    |(index, (name, port)): (usize, (&String, &harness_suite::TestbedPort))| {
                        Cable {
                            far: port.interface.clone().unwrap_or_else(|| name.clone()),
                            ..cable(index, name, true)
                        }
                    };
                ports.map(one).collect()
            }
            Self::Network(_) => {
                let links = bed.links.keys().map(|name| (name, false));
                let ports = bed.ports.keys().map(|name| (name, true));
                let all = links.chain(ports).enumerate();
                all.map(|(index, (name, port))| cable(index, name, port))
                    .collect()
            }
        }
    }
}

/// The ends of a cable in a simulated testbed, each `NODE PORT`, a host's name, or `tester`; `None`
/// when that has no such link.
pub(crate) fn ends<'a>(bed: &'a Bed, cable: &Cable) -> Option<(&'a str, &'a str)> {
    if cable.port {
        let port = bed.ports.get(&cable.name)?;
        return Some(("tester", &port.to));
    }
    let link = bed.links.get(&cable.name)?;
    Some((&link.a, &link.b))
}

fn device(end: &str) -> &str {
    end.split(' ').next().unwrap_or(end)
}

/// The point of observation that a cable is in a case.
pub(crate) fn point(bed: &Bed, cable: &Cable) -> Option<Point> {
    let (near, far) = ends(bed, cable)?;
    Some(Point {
        name: cable.name.clone(),
        near: device(near).to_owned(),
        far: device(far).to_owned(),
    })
}

/// A device's ports: its name of each (empty for a host's only one), and the interface.
pub(crate) fn ports_of(bed: &Bed, cables: &[Cable], name: &str) -> Vec<(String, String)> {
    let mut ports = Vec::new();
    for cable in cables {
        let Some((near, far)) = ends(bed, cable) else {
            continue;
        };
        for (end, interface) in [(near, &cable.near), (far, &cable.far)] {
            if device(end) == name {
                let port = end.split_once(' ').map_or("", |(_, port)| port);
                ports.push((port.to_owned(), interface.clone()));
            }
        }
    }
    ports
}

/// Whether a capture shows what a device sends.
pub(crate) fn sends(bed: &Bed, cables: &[Cable], tap: Tap, name: &str) -> bool {
    let ends = cables.get(tap.cable).and_then(|cable| ends(bed, cable));
    ends.is_some_and(|(near, far)| match tap.direction {
        Direction::Out => device(near) == name,
        Direction::In => device(far) == name,
    })
}

/// Hosts by the link that ends at them.
pub(crate) fn listeners(bed: &Bed) -> BTreeMap<String, String> {
    let mut listeners = BTreeMap::new();
    for (name, link) in &bed.links {
        let mut ends = [&link.a, &link.b].into_iter();
        if let Some(host) = ends.find(|end| bed.hosts.contains_key(*end)) {
            listeners.insert(name.clone(), host.clone());
        }
    }
    listeners
}
