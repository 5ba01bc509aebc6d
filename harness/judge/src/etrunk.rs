//! What a device's E-Trunk hellos must be (dut/wire/FORMATS.md section 1).

use crate::invariant::{Ledger, Rule};
use harness_trace::{Frame, PointId};
use harness_wire::{Fields, Kind, classify, decode};
use serde_json::Value;
use std::collections::BTreeMap;

const FORM: Rule = Rule("ETRUNK-001", "a hello is well-formed");
const EPOCH: Rule = Rule("ETRUNK-003", "Boot_Epoch never falls");
const SEQUENCE: Rule = Rule("ETRUNK-018", "Sequence rises within a boot");

/// Every rule.
pub(crate) const RULES: &[Rule] = &[FORM, EPOCH, SEQUENCE];

/// TLV types in the order of the format.
const ORDER: [&str; 7] = ["8001", "8002", "8003", "8004", "0005", "0006", "8007"];

/// What the rules remember.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// (Boot_Epoch, Sequence) of the last hello, by (point, device, E_Trunk_ID).
    last: BTreeMap<(PointId, String, u64), (u64, u64)>,
}

fn number(fields: &Fields, name: &str) -> u64 {
    fields.get(name).and_then(Value::as_u64).unwrap_or(0)
}

impl Rules {
    /// Judges one frame.
    pub(crate) fn judge(&mut self, ledger: &mut Ledger, at: (usize, &Frame), sender: &str) {
        if classify(&at.1.octets) != Kind::Etrunk {
            return;
        }
        let decoded = decode(&at.1.octets);
        let fields = &decoded.fields;
        let odd = mistake(fields, decoded.anomalies.first().map(|odd| odd.what));
        ledger.rule(FORM, at, odd.is_none(), || odd.unwrap_or("").to_owned());
        let id = number(fields, "e_trunk_id");
        let now = (number(fields, "boot_epoch"), number(fields, "sequence"));
        let key = (at.1.point, sender.to_owned(), id);
        let Some((epoch, sequence)) = self.last.insert(key, now) else {
            return;
        };
        ledger.rule(EPOCH, at, now.0 >= epoch, || {
            format!("{} after {epoch}", now.0)
        });
        if number(fields, "sequence_present") == 1 && now.0 == epoch {
            ledger.rule(SEQUENCE, at, now.1 > sequence, || {
                format!("{} after {sequence}", now.1)
            });
        }
    }
}

/// What is wrong with a hello's form.
fn mistake(fields: &Fields, anomaly: Option<&'static str>) -> Option<&'static str> {
    if anomaly.is_some() {
        return anomaly;
    }
    let types = fields.get("tlvs.types").and_then(Value::as_str);
    let places = types.unwrap_or("").split_whitespace();
    let places: Option<Vec<usize>> = places
        .map(|kind| ORDER.iter().position(|known| *known == kind))
        .collect();
    let Some(places) = places else {
        return Some("a TLV of unknown type");
    };
    let in_order = places.is_sorted();
    let once = |wanted: usize| places.iter().filter(|place| **place == wanted).count() == 1;
    let sequence = number(fields, "sequence_present") == 1 || number(fields, "sequence") == 0;
    let checks = [
        (in_order, "the TLVs stand in another order"),
        (
            [1, 2, 3, 6].into_iter().all(once),
            "LACP_SYS, ADDR, ECHO or AUTH is missing or repeated",
        ),
        (
            number(fields, "reserved.not_zero") == 0,
            "reserved octets aren't zero",
        ),
        (number(fields, "major") == 1, "the major version isn't 1"),
        (
            matches!(number(fields, "type"), 1 | 2),
            "Type is neither hello nor goodbye",
        ),
        (sequence, "Sequence isn't 0 though its flag is clear"),
    ];
    let wrong = checks.into_iter().find(|(holds, _)| !holds);
    wrong.map(|(_, what)| what)
}

#[cfg(test)]
mod tests;
