//! Whether a decoded frame is as expected, field by field.

use harness_judge::Difference;
use harness_wire::{Fields, state_bits};
use serde_json::Value;
use std::net::Ipv6Addr;

/// Values saved so far, by name.
pub type Known = Fields;

/// The fields of `seen` that aren't as `expected`.
#[must_use]
pub fn compare(expected: &Fields, seen: &Fields, known: &Known) -> Vec<Difference> {
    expected
        .iter()
        .filter(|(name, wanted)| !holds(wanted, seen.get(*name), known))
        .map(|(name, wanted)| Difference {
            field: name.clone(),
            expected: show(name, &resolve(wanted, known)),
            seen: seen
                .get(name)
                .map_or_else(|| "absent".to_owned(), |value| show(name, value)),
        })
        .collect()
}

/// A value with `$name` put in.
pub(crate) fn resolve(value: &Value, known: &Known) -> Value {
    match value {
        Value::String(text) => {
            let name = text.strip_prefix('$');
            name.and_then(|name| known.get(name))
                .cloned()
                .unwrap_or_else(|| value.clone())
        }
        Value::Array(items) => items.iter().map(|item| resolve(item, known)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, item)| (key.clone(), resolve(item, known)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn show(name: &str, value: &Value) -> String {
    let state =
        name.ends_with(".state") && (name.starts_with("actor") || name.starts_with("partner"));
    match value.as_u64().and_then(|state| u8::try_from(state).ok()) {
        Some(octet) if state => format!("0x{octet:02x} ({})", state_bits(octet)),
        _ => value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    }
}

fn holds(wanted: &Value, seen: Option<&Value>, known: &Known) -> bool {
    let wanted = resolve(wanted, known);
    if let Value::Object(map) = &wanted
        && let Some(operator) = operator(map, seen)
    {
        return operator;
    }
    seen.is_some_and(|seen| equal(&wanted, seen))
}

/// `{not: v}`, `{min: a, max: b}`, `{has: […]}`, `{one_of: […]}`, `{any: true}`, `{none: true}`.
fn operator(map: &serde_json::Map<String, Value>, seen: Option<&Value>) -> Option<bool> {
    const OPERATORS: [&str; 7] = ["not", "min", "max", "has", "one_of", "any", "none"];
    if map.is_empty() || !map.keys().all(|key| OPERATORS.contains(&key.as_str())) {
        return None;
    }
    Some(map.iter().all(|(key, value)| {
        match (key.as_str(), seen) {
            ("none", seen) => seen.is_none(),
            ("not", Some(seen)) => !equal(value, seen),
            ("min", Some(seen)) => number(seen).zip(number(value)).is_some_and(|(s, v)| s >= v),
            ("max", Some(seen)) => number(seen).zip(number(value)).is_some_and(|(s, v)| s <= v),
            ("has", Some(Value::Array(seen))) => value
                .as_array()
                .is_some_and(|wanted| wanted.iter().all(|w| seen.iter().any(|s| equal(w, s)))),
            ("one_of", Some(seen)) => value
                .as_array()
                .is_some_and(|wanted| wanted.iter().any(|w| equal(w, seen))),
            ("any", Some(_)) => true,
            _ => false,
        }
    }))
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Bool(bit) => Some(u64::from(*bit)),
        Value::Number(number) => number.as_u64(),
        Value::String(text) => {
            let hex = text.strip_prefix("0x")?;
            u64::from_str_radix(hex, 16).ok()
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn equal(wanted: &Value, seen: &Value) -> bool {
    // Fields of records and members are judged as those of frames are.
    if let Value::Object(map) = wanted
        && let Some(holds) = operator(map, Some(seen))
    {
        return holds;
    }
    match (wanted, seen) {
        (Value::Array(wanted), Value::Array(seen)) => same_members(wanted, seen),
        (Value::Object(wanted), Value::Object(seen)) => wanted
            .iter()
            .all(|(key, value)| seen.get(key).is_some_and(|seen| equal(value, seen))),
        (Value::String(wanted), Value::String(seen)) => same_text(wanted, seen),
        _ => match (number(wanted), number(seen)) {
            (Some(wanted), Some(seen)) => wanted == seen,
            _ => wanted == seen,
        },
    }
}

fn same_text(wanted: &str, seen: &str) -> bool {
    if wanted.eq_ignore_ascii_case(seen) {
        return true;
    }
    let address = |text: &str| text.parse::<Ipv6Addr>().ok();
    if let (Some(wanted), Some(seen)) = (address(wanted), address(seen)) {
        return wanted == seen;
    }
    let mac = |text: &str| text.parse::<dut_device::MacAddr>().ok();
    mac(wanted).is_some() && mac(wanted) == mac(seen)
}

/// Lists are sets here (sources, records, members): each wanted one has its own partner.
fn same_members(wanted: &[Value], seen: &[Value]) -> bool {
    let mut left: Vec<&Value> = seen.iter().collect();
    let found = wanted.iter().all(|wanted| {
        let at = left.iter().position(|seen| equal(wanted, seen));
        at.map(|at| left.swap_remove(at)).is_some()
    });
    found && left.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn differs(expected: Value, seen: Value) -> Vec<String> {
        let fields =
            |value: Value| -> Fields { value.as_object().unwrap().clone().into_iter().collect() };
        let known = fields(json!({"k": 7}));
        let found = compare(&fields(expected), &fields(seen), &known);
        found
            .into_iter()
            .map(|difference| difference.field)
            .collect()
    }

    #[test]
    fn values_operators_and_saved_names_match() {
        let seen = json!({"a": 5, "m": "02:00:00:00:00:01", "g": "ff1e::1", "k": 7,
            "l": [{"group": "ff1e::1", "sources": ["::1", "::2"]}], "b": 1});
        let none: Vec<String> = Vec::new();
        for expected in [
            json!({"a": 5}),
            json!({"a": "0x5"}),
            json!({"a": {"min": 4, "max": 5}}),
            json!({"a": {"not": 6}}),
            json!({"a": {"one_of": [1, 5]}}),
            json!({"m": "0200-0000-0001"}),
            json!({"g": "FF1E:0::1"}),
            json!({"k": "$k", "b": true}),
            json!({"l": [{"sources": ["::2", "::1"]}]}),
            json!({"l": {"has": [{"group": "ff1e::1"}]}}),
            json!({"l": [{"group": {"not": "ff1e::2"}, "sources": {"has": ["::2"]}}]}),
            json!({"x": {"none": true}, "a": {"any": true}}),
        ] {
            assert_eq!(differs(expected.clone(), seen.clone()), none, "{expected}");
        }
        for expected in [
            json!({"a": 6}),
            json!({"a": {"min": 6}}),
            json!({"a": {"not": 5}}),
            json!({"l": [{"sources": ["::1"]}]}),
            json!({"l": [{"group": {"not": "ff1e::1"}}]}),
            json!({"l": []}),
            json!({"x": 1}),
            json!({"a": {"none": true}}),
        ] {
            assert_eq!(
                differs(expected.clone(), seen.clone()).len(),
                1,
                "{expected}"
            );
        }
    }
}
