//! E-Trunk: hellos around Initialize, Backup and Master. What a hello must do to the device is
//! worked out from the format's checks while the plan is made, and stands in the plan.

mod command;

use super::{Plan, Protocol};
use crate::beds;
use crate::codec::acceptable;
use crate::mutate::{self, Source};
use command::Settings;
use harness_wire::{Fields, Kind, build, layers};
use serde_json::{Value, json};

/// The key of the testbed's E-Trunk.
const KEY: &str = "tandem-lab";
/// The Boot_Epoch of the first stimulus; each has one of its own, by which its echo is told.
const EPOCH: u64 = 1000;

pub(super) fn plan(source: &mut Source<'_, '_>, commands: bool) -> Plan {
    let mut plan = Plan::new(Protocol::Etrunk);
    let sequence = source.chance(25);
    plan.set(
        "etrunk.sequence",
        if sequence { "enabled" } else { "disabled" },
    );
    let multiplier = *source.pick(&[20_u64, 6]);
    plan.set("etrunk.multiplier", multiplier);
    plan.step(json!({"neighbor": {"on": "p1", "addresses": ["2001:db8:10::2"]}}));
    plan.step(json!({"expect": {
        "on": "p1", "within": "3s", "frame": {"etrunk": {
            "restart": 1, "state": 1, "reason": 7, "send_period": 10, "fail_time": 10 * multiplier,
        }},
    }}));
    let member = source.chance(60);
    if member {
        plan.step(json!({"partner": {"on": "p2", "fields": {"actor.lacp_timeout": 1}}}));
        plan.step(json!({"wait": "3500ms"}));
    }
    let flag = u64::from(sequence);
    dialogue(source, &mut plan, member, flag);
    plan.begin();
    let mut last = Last {
        epoch: 1,
        system: "00e0-fc00-0b00".to_owned(),
        flag,
    };
    let mut begins = Vec::new();
    for number in 0..=source.below(6) {
        begins.push(plan.steps.len());
        let epoch = EPOCH + u64::try_from(number).unwrap_or(0);
        stimulus(source, &mut plan, epoch, &mut last);
    }
    let mut settings = Settings::new(multiplier);
    if commands && source.chance(60) {
        plan.between(source, &begins, |source, plan| {
            settings.change(source, plan, member);
        });
    }
    if commands && source.chance(25) {
        settings.shut_down(source, &mut plan);
    }
    plan.end();
    settings.put_back(&mut plan);
    golden(&mut plan, &last);
    plan
}

/// What the device has accepted last.
struct Last {
    /// The greatest so far: a System_ID may change where it rises (FORMATS 1, check 7).
    epoch: u64,
    system: String,
    /// Whether hellos carry a Sequence.
    flag: u64,
}

/// The election, and what follows it: the losing device holds its member back, silence makes it
/// Master.
fn dialogue(source: &mut Source<'_, '_>, plan: &mut Plan, member: bool, flag: u64) {
    let initialize = json!({
        "state": 1, "reason": 7, "expected_state": 1, "sequence_present": flag, "sequence": flag,
        "reply_requested": 1,
    });
    let told = |priority: u64| {
        let mut hello = initialize.clone();
        if let Some(map) = hello.as_object_mut() {
            map.insert("priority".to_owned(), priority.into());
        }
        json!({"send": {"on": "p1", "frame": {"etrunk": hello}, "save": "told"}})
    };
    match source.below(4) {
        0 => {
            plan.step(told(21));
            plan.step(json!({"expect": {
                "on": "p1", "within": "20ms", "first": true,
                "frame": {"etrunk": {
                    "state": 3, "reason": 1, "echo.epoch": 1, "echo.state": 1, "echo.reason": 7,
                    "priority": 20, "e_trunk_id": 1, "system_id": "00e0-fc00-0a00",
                }},
            }}));
            if member {
                plan.step(json!({"expect": {
                    "on": "p2", "frame": {"lacpdu": {"actor.synchronization": 1}}, "within": "3s",
                }}));
                all_members_down(plan, flag);
            }
        }
        1 => {
            plan.step(told(19));
            plan.step(json!({"expect": {
                "on": "p1", "within": "20ms", "first": true,
                "frame": {"etrunk": {"state": 2, "reason": 1}},
            }}));
            if member {
                // A backup's member is ready and held: it isn't up.
                let held = json!([{"local_id": 1, "link_ready": 1, "oper_up": 0, "role": 1}]);
                plan.step(json!({"expect": {
                    "on": "p1", "within": "1100ms", "frame": {"etrunk": {"members": held}},
                }}));
            }
            plan.step(json!({"never": {
                "on": "p2", "frame": {"lacpdu": {"actor.synchronization": 1}}, "for": "700ms",
            }}));
            // The peer's Fail_Time runs out 2 s after its only hello.
            plan.step(json!({"expect": {
                "on": "p1", "frame": {"etrunk": {"state": 3}}, "at": "told + 2s",
                "tolerance": {"early": "50ms", "late": "50ms"},
            }}));
        }
        2 => {
            plan.step(json!({"etrunk-peer": {"on": "p1", "fields": {
                "priority": 10, "state": 3, "expected_state": 3, "sequence_present": flag,
            }}}));
            plan.step(json!({"wait": "1500ms"}));
            plan.step(json!({"expect": {
                "on": "p1", "frame": {"etrunk": {"state": 2, "echo.epoch": 1, "echo.state": 3}},
                "within": "1100ms",
            }}));
            plan.step(json!({"etrunk-peer": {"on": "p1", "stop": true}}));
        }
        _ => {}
    }
    // Send_Period is 1 s.
    plan.step(json!({"count": {
        "on": "p1", "frame": {"etrunk": {"triggered": 0}}, "for": "5s", "min": 4, "max": 6,
    }}));
}

/// A Master whose only member fails yields to a Backup whose member is ready.
fn all_members_down(plan: &mut Plan, flag: u64) {
    let ready = json!({
        "priority": 21, "state": 2, "reason": 1, "expected_state": 2, "boot_epoch": 1,
        "sequence_present": flag, "sequence": flag * 2,
        "members": [{"link_ready": 1, "oper_up": 0, "role": 1}],
    });
    plan.step(json!({"send": {"on": "p1", "frame": {"etrunk": ready}}}));
    plan.step(json!({"wait": "100ms"}));
    plan.step(json!({"link": {"name": "p2", "up": false}}));
    plan.step(json!({"expect": {
        "on": "p1", "within": "50ms", "frame": {"etrunk": {
            "triggered": 1, "state": 2, "reason": 6, "members": [{"link_ready": 0}],
        }},
    }}));
    plan.step(json!({"link": {"name": "p2", "up": true}}));
    plan.step(json!({"wait": "4s"}));
}

/// A hello that the device accepts.
fn base(source: &mut Source<'_, '_>, epoch: u64, last: &Last) -> Fields {
    let (state, reason) = *source.pick(&[(2, 1), (3, 1), (1, 7), (3, 2), (2, 6)]);
    let hello = json!({
        "boot_epoch": epoch, "reply_requested": 1, "system_id": last.system,
        "sequence_present": last.flag, "sequence": last.flag,
        "priority": *source.pick(&[30, 10, 20, 1, 254]), "state": state, "reason": reason,
        "expected_state": *source.pick(&[2, 3, 1]),
        "send_period": *source.pick(&[10, 5, 100]),
        "fail_time": *source.pick(&[20, 0, 15, 30_000]),
        "members": [{
            "link_ready": source.below(2), "role": 1 + source.below(2),
            "work_mode": *source.pick(&[1, 2, 3]),
        }],
    });
    hello
        .as_object()
        .cloned()
        .unwrap_or_default()
        .into_iter()
        .collect()
}

fn text(fields: &Fields, name: &str) -> Option<String> {
    fields.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Whether the device accepts it, by the eleven checks; `None` where they don't say.
fn accepted(fields: &Fields, last: &Last) -> Option<bool> {
    let odd = [
        "ether.",
        "vlan.",
        "ipv6.hop_limit",
        "ipv6.next_header",
        "ipv6.payload_length",
        "cut",
    ];
    if fields
        .keys()
        .any(|name| odd.iter().any(|odd| name.starts_with(odd)))
    {
        return None;
    }
    let patched = fields
        .get("patch")
        .and_then(|patch| patch.get(0)?.get(0)?.as_u64());
    if patched.is_some_and(|at| at < 62) {
        return None;
    }
    let (_, bed) = beds::catalogue().beds.get("etrunk")?;
    let mut all = bed.frames.get("etrunk").cloned().unwrap_or_default();
    all.extend(fields.clone());
    let frame = build(Kind::Etrunk, &all).ok()?;
    let digest = harness_wire::digest_correct(&frame, KEY);
    let ip = layers(&frame)?.ip?;
    // The UDP checksum is right wherever the octets under it weren't changed.
    if !harness_wire::datagram_checksum_holds(&ip) {
        return Some(false);
    }
    let hello = ip.payload.get(8..)?;
    let decoded = harness_wire::decode(&frame).fields;
    let number = |name: &str| decoded.get(name).and_then(Value::as_u64);
    let addresses = text(&decoded, "ipv6.source").as_deref() == Some("2001:db8:33::33")
        && text(&decoded, "ipv6.destination").as_deref() == Some("2001:db8:11::11")
        && text(&decoded, "addr.source").as_deref() == Some("2001:db8:33::33")
        && text(&decoded, "addr.peer").as_deref() == Some("2001:db8:11::11");
    let epoch = number("boot_epoch")?;
    let counted =
        number("sequence_present")? == last.flag && (last.flag == 0 || epoch > last.epoch);
    let system = text(&decoded, "system_id").unwrap_or_default();
    let known = system == canonical(&last.system) || epoch > last.epoch;
    Some(
        acceptable(hello)
            && number("e_trunk_id") == Some(1)
            && addresses
            && number("auth.algorithm") == Some(3)
            && number("auth.key_id") == Some(0)
            && digest == Some(true)
            && counted
            && known
            && system != "00:e0:fc:00:0a:00",
    )
}

fn canonical(mac: &str) -> String {
    mac.parse::<dut_device::MacAddr>().map_or_else(
        |_| String::new(),
        |mac| mac.0.map(|octet| format!("{octet:02x}")).join(":"),
    )
}

fn stimulus(source: &mut Source<'_, '_>, plan: &mut Plan, epoch: u64, last: &mut Last) {
    let base = base(source, epoch, last);
    let fields = if source.chance(65) {
        mutate::frame(source, Kind::Etrunk, &base)
    } else {
        base
    };
    let accepted = accepted(&fields, last);
    let told = fields
        .get("boot_epoch")
        .and_then(Value::as_u64)
        .unwrap_or(epoch);
    let goodbye = fields.get("type") == Some(&2.into());
    plan.step(json!({"send": {"on": "p1", "frame": {"etrunk": fields}}}));
    let asked = fields.get("reply_requested") == Some(&1.into())
        && !fields.contains_key("flags")
        && !fields.contains_key("patch");
    match accepted {
        Some(true) => {
            // Without sequence an older one is accepted, too, and isn't forgotten by it.
            last.epoch = last.epoch.max(told);
            last.system = text(&fields, "system_id").unwrap_or_else(|| last.system.clone());
            if asked && !goodbye {
                let state = fields.get("state").cloned().unwrap_or(Value::Null);
                plan.step(json!({"expect": {
                    "on": "p1", "within": "20ms", "frame": {"etrunk": {
                        "echo.epoch": told, "echo.state": state,
                    }},
                }}));
            }
        }
        Some(false) if told >= EPOCH && told != last.epoch => plan.step(json!({"never": {
            "on": "p1", "frame": {"etrunk": {"echo.epoch": told}}, "for": "1200ms",
        }})),
        Some(false) => {}
        // Whether it was taken is the device's choice; what comes after has a higher epoch.
        None => last.epoch = last.epoch.max(told),
    }
    plan.step(json!({"wait": *source.pick(&["100ms", "10ms", "1s", "3s"])}));
}

/// The golden exchange: a legal hello is echoed at once, and hellos go on at their period.
fn golden(plan: &mut Plan, last: &Last) {
    // Nothing is newer than a Boot_Epoch near the end of its field.
    if last.epoch > u64::MAX / 2 {
        return;
    }
    let epoch = last.epoch.max(1_000_000).saturating_add(1);
    plan.step(json!({"send": {"on": "p1", "frame": {"etrunk": {
        "boot_epoch": epoch, "reply_requested": 1, "sequence_present": last.flag,
        "sequence": last.flag,
    }}}}));
    plan.step(json!({"expect": {
        "on": "p1", "within": "50ms", "frame": {"etrunk": {
            "echo.epoch": epoch, "echo.state": 2, "addr.source": "2001:db8:11::11",
            "addr.peer": "2001:db8:33::33", "lacp_system_id": "00e0-fc12-3455",
        }},
    }}));
    plan.step(json!({"count": {
        "on": "p1", "frame": {"etrunk": {"triggered": 0}}, "for": "4s", "min": 3, "max": 5,
    }}));
}
