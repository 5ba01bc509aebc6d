//! The golden LACP partner: echoes the device, follows the standard, sends at the device's rate.

use dut_device::Instant;
use harness_wire::Fields;
use serde_json::Value;
use std::time::Duration;

/// Fast_Periodic_Time and Slow_Periodic_Time.
const FAST: Duration = Duration::from_secs(1);
const SLOW: Duration = Duration::from_secs(30);

/// A golden partner on one port.
#[derive(Debug, Clone, Default)]
pub(crate) struct Partner {
    /// Values that replace its own.
    pub(crate) overrides: Fields,
    /// When it sends next.
    pub(crate) next: Option<Instant>,
    /// When it sent its last LACPDUs: three in a second at most.
    sent: Vec<Instant>,
    /// The fields of its last LACPDU.
    last: Option<Fields>,
    /// The device's last LACPDU.
    heard: Option<Fields>,
}

/// Parameters that identify one end.
const TUPLE: [&str; 5] = ["system_priority", "system", "key", "port_priority", "port"];

/// What the device must echo beside the tuple (802.1AX update_NTT).
const STATE: [&str; 4] = [
    "lacp_activity",
    "lacp_timeout",
    "synchronization",
    "aggregation",
];

impl Partner {
    /// Begins at `now`, knowing what the port has heard last.
    pub(crate) fn start(&mut self, now: Instant, overrides: Fields, heard: Option<Fields>) {
        self.overrides = overrides;
        self.heard = heard.or_else(|| self.heard.take());
        self.next = Some(now);
    }

    /// Its own Actor fields, over the port's defaults.
    pub(crate) fn actor(&self, defaults: &Fields) -> Fields {
        let mut actor = defaults.clone();
        let both = |echo: &Fields| {
            let named = |end: &str, name: &str| format!("{end}.{name}");
            TUPLE
                .iter()
                .all(|name| echo.get(&named("partner", name)) == Some(&self.value(defaults, name)))
        };
        let device_in_sync = self
            .heard
            .as_ref()
            .is_some_and(|heard| heard.get("actor.synchronization") == Some(&1.into()));
        let up = device_in_sync && self.heard.as_ref().is_some_and(both);
        let whole = self.overrides.get("actor.state").and_then(Value::as_u64);
        let bits = [
            ("lacp_activity", true),
            ("lacp_timeout", false),
            ("aggregation", true),
            ("synchronization", true),
            ("collecting", up),
            ("distributing", up),
            ("defaulted", self.heard.is_none()),
            ("expired", false),
        ];
        for (place, (name, bit)) in bits.into_iter().enumerate() {
            // A whole octet given replaces the bits.
            let bit = whole.map_or(u64::from(bit), |octet| octet >> place & 1);
            actor.insert(format!("actor.{name}"), bit.into());
        }
        actor.extend(self.overrides.clone());
        actor
    }

    fn value(&self, defaults: &Fields, name: &str) -> Value {
        let name = format!("actor.{name}");
        self.overrides
            .get(&name)
            .or_else(|| defaults.get(&name))
            .cloned()
            .unwrap_or(Value::Null)
    }

    /// The device has sent a LACPDU.
    pub(crate) fn heard(&mut self, now: Instant, pdu: &Fields, defaults: &Fields) {
        let rate = |pdu: &Fields| pdu.get("actor.lacp_timeout").cloned();
        let faster =
            rate(pdu) == Some(1.into()) && self.heard.as_ref().and_then(rate) == Some(0.into());
        self.heard = Some(pdu.clone());
        let actor = self.actor(defaults);
        let changed = self.last.as_ref().is_none_or(|last| {
            actor
                .iter()
                .any(|(name, value)| last.get(name) != Some(value))
        });
        let echoed = TUPLE.iter().chain(&STATE).all(|name| {
            let mine = actor.get(&format!("actor.{name}"));
            same(mine, pdu.get(&format!("partner.{name}")))
        });
        if changed || !echoed || faster {
            self.next = Some(now);
        } else if let Some(next) = self.next {
            // A slower rate than planned is not made up for; a faster one is.
            self.next = Some(next.min(self.last_sent() + self.period()).max(now));
        }
    }

    fn last_sent(&self) -> Instant {
        self.sent.last().copied().unwrap_or(Instant::ZERO)
    }

    fn period(&self) -> Duration {
        let fast = self
            .heard
            .as_ref()
            .and_then(|pdu| pdu.get("actor.lacp_timeout"));
        if fast == Some(&1.into()) { FAST } else { SLOW }
    }

    /// Its LACPDU when one is due, at most three in any second.
    pub(crate) fn due(&mut self, now: Instant, defaults: &Fields) -> Option<Fields> {
        if self.next.is_none_or(|next| next > now) {
            return None;
        }
        self.sent.retain(|sent| now.since(*sent) < FAST);
        if let (true, Some(first)) = (self.sent.len() >= 3, self.sent.first()) {
            self.next = Some(*first + FAST);
            return None;
        }
        self.sent.push(now);
        self.next = Some(now + self.period());
        let actor = self.actor(defaults);
        self.last = Some(actor.clone());
        Some(actor)
    }
}

fn same(mine: Option<&Value>, echoed: Option<&Value>) -> bool {
    match (mine.and_then(Value::as_str), echoed.and_then(Value::as_str)) {
        (Some(mine), Some(echoed)) => {
            let mac = |text: &str| text.parse::<dut_device::MacAddr>().ok();
            mac(mine) == mac(echoed)
        }
        _ => mine == echoed,
    }
}
