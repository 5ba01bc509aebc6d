//! What a device's E-Trunk hellos must be (dut/wire/FORMATS.md section 1).

use crate::invariant::{Ledger, Rule};
use harness_trace::{Frame, PointId};
use harness_wire::HelloView;
use std::collections::BTreeMap;

const FORM: Rule = Rule("ETRUNK-001", "a hello is well-formed");
const EPOCH: Rule = Rule("ETRUNK-003", "Boot_Epoch never falls");
const SEQUENCE: Rule = Rule("ETRUNK-018", "Sequence rises within a boot");

/// Every rule.
pub(crate) const RULES: &[Rule] = &[FORM, EPOCH, SEQUENCE];

/// TLV types in the order of the format.
const ORDER: [u16; 7] = [0x8001, 0x8002, 0x8003, 0x8004, 5, 6, 0x8007];

/// What the rules remember.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// (Boot_Epoch, Sequence) of the last hello, by (point, device, E_Trunk_ID).
    last: BTreeMap<(PointId, String, u64), (u64, u64)>,
}

impl Rules {
    /// Judges one frame.
    pub(crate) fn judge(&mut self, ledger: &mut Ledger, at: (usize, &Frame), sender: &str) {
        let Some(hello) = HelloView::of(&at.1.octets) else {
            return;
        };
        let odd = mistake(&hello);
        ledger.rule(FORM, at, odd.is_none(), || odd.unwrap_or("").to_owned());
        let id = hello.e_trunk_id();
        let now = (hello.boot_epoch(), hello.sequence());
        let key = (at.1.point, sender.to_owned(), id);
        let Some((epoch, sequence)) = self.last.insert(key, now) else {
            return;
        };
        ledger.rule(EPOCH, at, now.0 >= epoch, || {
            format!("{} after {epoch}", now.0)
        });
        if hello.sequence_present() && now.0 == epoch {
            ledger.rule(SEQUENCE, at, now.1 > sequence, || {
                format!("{} after {sequence}", now.1)
            });
        }
    }
}

/// What is wrong with a hello's form.
fn mistake(hello: &HelloView<'_>) -> Option<&'static str> {
    let form = hello.form();
    if form.anomaly.is_some() {
        return form.anomaly;
    }
    let places = form.types.iter();
    let places: Option<Vec<usize>> = places
        .map(|kind| ORDER.iter().position(|known| known == kind))
        .collect();
    let Some(places) = places else {
        return Some("a TLV of unknown type");
    };
    let in_order = places.is_sorted();
    let once = |wanted: usize| places.iter().filter(|place| **place == wanted).count() == 1;
    let sequence = hello.sequence_present() || hello.sequence() == 0;
    let checks = [
        (in_order, "the TLVs stand in another order"),
        (
            [1, 2, 3, 6].into_iter().all(once),
            "LACP_SYS, ADDR, ECHO or AUTH is missing or repeated",
        ),
        (form.reserved_not_zero == 0, "reserved octets aren't zero"),
        (hello.major() == 1, "the major version isn't 1"),
        (
            matches!(hello.kind(), 1 | 2),
            "Type is neither hello nor goodbye",
        ),
        (sequence, "Sequence isn't 0 though its flag is clear"),
    ];
    let wrong = checks.into_iter().find(|(holds, _)| !holds);
    wrong.map(|(_, what)| what)
}

#[cfg(test)]
mod tests;
