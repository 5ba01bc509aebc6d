//! An E-Trunk peer on a tester's port: sends hellos, echoes what it hears, answers requests.

use dut_device::Instant;
use harness_wire::Fields;
use serde_json::Value;
use std::time::Duration;

/// An E-Trunk peer.
#[derive(Debug, Clone, Default)]
pub(crate) struct ETrunkPeer {
    overrides: Fields,
    next: Option<Instant>,
    sequence: u64,
    /// What it echoes: epoch, sequence, state and reason last heard.
    echo: Fields,
    /// The next hello answers a request or tells of a change.
    triggered: bool,
}

impl ETrunkPeer {
    /// Begins, or goes on with other values, at `now`: a hello leaves at once.
    pub(crate) fn start(&mut self, now: Instant, overrides: Fields) {
        self.triggered = self.next.is_some();
        self.overrides = overrides;
        self.next = Some(now);
    }

    pub(crate) const fn next(&self) -> Option<Instant> {
        self.next
    }

    /// A hello of the device has come.
    pub(crate) fn heard(&mut self, now: Instant, hello: &Fields) {
        for (echo, field) in [
            ("echo.epoch", "boot_epoch"),
            ("echo.sequence", "sequence"),
            ("echo.state", "state"),
            ("echo.reason", "reason"),
        ] {
            if let Some(value) = hello.get(field) {
                self.echo.insert(echo.to_owned(), value.clone());
            }
        }
        if hello.get("reply_requested") == Some(&1.into()) {
            self.triggered = true;
            self.next = Some(now);
        }
    }

    /// The fields of a hello when one is due.
    pub(crate) fn due(&mut self, now: Instant, defaults: &Fields) -> Option<Fields> {
        if self.next.is_none_or(|next| next > now) {
            return None;
        }
        let mut fields = defaults.clone();
        fields.extend(self.echo.clone());
        fields.extend(self.overrides.clone());
        if self.triggered {
            fields
                .entry("triggered".to_owned())
                .or_insert_with(|| 1.into());
            self.triggered = false;
        }
        self.sequence += 1;
        if fields.get("sequence_present") == Some(&1.into()) {
            fields
                .entry("sequence".to_owned())
                .or_insert_with(|| self.sequence.into());
        }
        let period = fields
            .get("send_period")
            .and_then(Value::as_u64)
            .unwrap_or(10)
            .max(1);
        self.next = Some(now + Duration::from_millis(period * 100));
        Some(fields)
    }
}
