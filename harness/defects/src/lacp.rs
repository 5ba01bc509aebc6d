//! LACP's defects, by the requirement that they break.

use crate::{Defect, Frames, Make};
use dut_device::PortId;
use dut_fsm::Arc;
use dut_lacp::Table;
use std::borrow::Cow;
use std::time::Duration;

/// A table without one arc.
fn without<S: Clone, V: Clone>(table: &mut Table<S, V>, id: &str) {
    let kept: Vec<Arc<S, V>> = table.iter().filter(|arc| arc.id != id).cloned().collect();
    *table = Cow::Owned(kept);
}

/// A defect that is data and was not seen in the field.
const fn data(
    id: &'static str,
    breaks: &'static [&'static str],
    what: &'static str,
    change: fn(&mut dut_node::Rules),
) -> Defect {
    Defect {
        id,
        suite: "lacp",
        breaks,
        what,
        seen: "",
        make: Make::Rules(change),
        survives: "",
    }
}

/// Changes octets of every LACPDU that leaves.
#[derive(Debug)]
struct Outgoing(fn(&mut Vec<u8>));

impl Frames for Outgoing {
    fn sent(&mut self, _port: PortId, mut frame: Vec<u8>) -> Vec<Vec<u8>> {
        let lacpdu = frame.get(12..15) == Some(&[0x88, 0x09, 1]);
        if lacpdu {
            (self.0)(&mut frame);
        }
        vec![frame]
    }
}

fn put(frame: &mut [u8], at: usize, value: u8) {
    if let Some(octet) = frame.get_mut(at) {
        *octet = value;
    }
}

/// LACP's defects.
pub(crate) fn defects() -> Vec<Defect> {
    vec![
        data(
            "lacp-expired-for-ever",
            &["LACP-048", "LACP-062"],
            "EXPIRED never becomes DEFAULTED",
            |rules| {
                without(&mut rules.lacp.receive, "LACP-RX-09");
            },
        ),
        data(
            "lacp-never-expires",
            &["LACP-059", "LACP-060"],
            "CURRENT never expires",
            |rules| {
                without(&mut rules.lacp.receive, "LACP-RX-12");
            },
        ),
        Defect {
            seen: "VPP's lacp plugin compares the wrong pair",
            ..data(
                "lacp-no-match",
                &["LACP-055"],
                "any partner information counts as a match",
                |rules| {
                    rules.lacp.functions.matched = |_, _| true;
                },
            )
        },
        data(
            "lacp-no-activity-clause",
            &["LACP-057"],
            "a passive pair counts as maintained",
            |rules| {
                rules.lacp.functions.active = |_, _| true;
            },
        ),
        data(
            "lacp-no-wait",
            &["LACP-112", "LACP-120"],
            "a port attaches without Aggregate_Wait_Time",
            |rules| {
                rules.lacp.constants.aggregate_wait_time = Duration::from_millis(1);
            },
        ),
        data(
            "lacp-no-limit",
            &["LACP-085"],
            "transmission is not limited",
            |rules| {
                rules.lacp.constants.tx_limit = 1000;
            },
        ),
        Defect {
            make: Make::Frames(|| Box::new(Outgoing(|frame| put(frame, 14 + 19, 0xff)))),
            ..data(
                "lacp-reserved-not-zero",
                &["LACP-015"],
                "reserved octets are sent as ones",
                |_| {},
            )
        },
    ]
}
