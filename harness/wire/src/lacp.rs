//! LACPDU, Marker and other slow protocol frames, as permissive tables.

use crate::build::{BuildError, set_fields};
use crate::decode::Anomaly;
use crate::envelope;
use crate::table::{Field, bit, hex, int, mac, read};
use crate::value::{Fields, parse_hex};

/// Destination of slow protocol frames.
const SLOW: [u8; 6] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x02];

/// Names of the state octet's bits, from bit 0.
pub const STATE_BITS: [&str; 8] = [
    "lacp_activity",
    "lacp_timeout",
    "aggregation",
    "synchronization",
    "collecting",
    "distributing",
    "defaulted",
    "expired",
];

/// A state octet as the names of its set bits.
#[must_use]
pub fn state_bits(state: u8) -> String {
    let set = STATE_BITS
        .iter()
        .enumerate()
        .filter(|(n, _)| state >> n & 1 == 1)
        .map(|(_, name)| *name);
    set.collect::<Vec<_>>().join("+")
}

const fn end(at: usize, names: &'static [&'static str; 17]) -> [Field; 17] {
    [
        int(names[0], at, 1),
        int(names[1], at + 1, 1),
        int(names[2], at + 2, 2),
        mac(names[3], at + 4),
        int(names[4], at + 10, 2),
        int(names[5], at + 12, 2),
        int(names[6], at + 14, 2),
        int(names[7], at + 16, 1),
        bit(names[8], at + 16, 0),
        bit(names[9], at + 16, 1),
        bit(names[10], at + 16, 2),
        bit(names[11], at + 16, 3),
        bit(names[12], at + 16, 4),
        bit(names[13], at + 16, 5),
        bit(names[14], at + 16, 6),
        bit(names[15], at + 16, 7),
        hex(names[16], at + 17, 3),
    ]
}

const ACTOR: [&str; 17] = [
    "actor.tlv_type",
    "actor.length",
    "actor.system_priority",
    "actor.system",
    "actor.key",
    "actor.port_priority",
    "actor.port",
    "actor.state",
    "actor.lacp_activity",
    "actor.lacp_timeout",
    "actor.aggregation",
    "actor.synchronization",
    "actor.collecting",
    "actor.distributing",
    "actor.defaulted",
    "actor.expired",
    "actor.reserved",
];

const PARTNER: [&str; 17] = [
    "partner.tlv_type",
    "partner.length",
    "partner.system_priority",
    "partner.system",
    "partner.key",
    "partner.port_priority",
    "partner.port",
    "partner.state",
    "partner.lacp_activity",
    "partner.lacp_timeout",
    "partner.aggregation",
    "partner.synchronization",
    "partner.collecting",
    "partner.distributing",
    "partner.defaulted",
    "partner.expired",
    "partner.reserved",
];

const A: [Field; 17] = end(2, &ACTOR);
const P: [Field; 17] = end(22, &PARTNER);

/// The LACPDU's fields (802.1AX 6.4.2.3), offsets from the Subtype octet.
#[rustfmt::skip]
pub const LACPDU: [Field; 43] = [
    int("subtype", 0, 1),
    int("version", 1, 1),
    A[0], A[1], A[2], A[3], A[4], A[5], A[6], A[7], A[8],
    A[9], A[10], A[11], A[12], A[13], A[14], A[15], A[16],
    P[0], P[1], P[2], P[3], P[4], P[5], P[6], P[7], P[8],
    P[9], P[10], P[11], P[12], P[13], P[14], P[15], P[16],
    int("collector.tlv_type", 42, 1),
    int("collector.length", 43, 1),
    int("collector.max_delay", 44, 2),
    hex("collector.reserved", 46, 12),
    int("terminator.tlv_type", 58, 1),
    int("terminator.length", 59, 1),
    hex("reserved", 60, 50),
];

/// The Marker PDU's fields (802.1AX 6.5).
pub const MARKER: [Field; 11] = [
    int("subtype", 0, 1),
    int("version", 1, 1),
    int("tlv_type", 2, 1),
    int("length", 3, 1),
    int("requester_port", 4, 2),
    mac("requester_system", 6),
    int("requester_transaction_id", 12, 4),
    hex("pad", 16, 2),
    int("terminator.tlv_type", 18, 1),
    int("terminator.length", 19, 1),
    hex("reserved", 20, 90),
];

/// The default LACPDU's payload: version 1, legal, addressed to nobody in particular.
fn default_lacpdu() -> Vec<u8> {
    let mut pdu = vec![0; 110];
    let actor = [1, 20, 0x80, 0, 2, 0, 0, 0, 0, 1, 0, 17, 0x80, 0, 0, 1, 0x05];
    let head = [1, 1].into_iter().chain(actor);
    for (to, from) in pdu.iter_mut().zip(head) {
        *to = from;
    }
    for (at, value) in [(22, 2), (23, 20), (42, 3), (43, 16)] {
        if let Some(octet) = pdu.get_mut(at) {
            *octet = value;
        }
    }
    pdu
}

/// The payload of a version 2 LACPDU: its TLVs stand before the Terminator.
fn with_tlvs(pdu: &[u8], tlvs: &[u8]) -> Vec<u8> {
    let mut out = pdu.get(..58).unwrap_or_default().to_vec();
    out.extend_from_slice(tlvs);
    out.extend_from_slice(&[0, 0]);
    while out.len() < 110 {
        out.push(0);
    }
    out
}

pub(crate) fn build_lacpdu(fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let mut pdu = default_lacpdu();
    set_fields(&LACPDU, &mut pdu, fields)?;
    if let Some(value) = fields.get("tlvs") {
        let tlvs = value.as_str().and_then(parse_hex);
        pdu = with_tlvs(&pdu, &tlvs.ok_or_else(|| BuildError::value("tlvs", value))?);
    }
    envelope::ethernet(fields, SLOW, 0x8809, &pdu)
}

pub(crate) fn build_marker(fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let mut pdu = vec![0; 110];
    let head = [2, 1, 1, 16, 0, 1, 2, 0, 0, 0, 0, 1, 0, 0, 0, 1];
    for (to, from) in pdu.iter_mut().zip(head) {
        *to = from;
    }
    set_fields(&MARKER, &mut pdu, fields)?;
    envelope::ethernet(fields, SLOW, 0x8809, &pdu)
}

pub(crate) fn build_slow(fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let mut pdu = vec![0; 46];
    if let Some(first) = pdu.first_mut() {
        *first = 3;
    }
    if let Some(value) = fields.get("payload") {
        let payload = value.as_str().and_then(parse_hex);
        pdu = payload.ok_or_else(|| BuildError::value("payload", value))?;
    }
    set_fields(&SLOW_TABLE, &mut pdu, fields)?;
    envelope::ethernet(fields, SLOW, 0x8809, &pdu)
}

/// What every slow protocol frame has.
pub(crate) const SLOW_TABLE: [Field; 1] = [int("subtype", 0, 1)];

pub(crate) fn decode_slow(payload: &[u8], fields: &mut Fields, anomalies: &mut Vec<Anomaly>) {
    fields.insert("length".to_owned(), payload.len().into());
    match payload.first() {
        Some(1) => {
            read(&LACPDU, payload, "", fields);
            anomalies.extend(lacpdu_anomalies(payload));
        }
        Some(2) => read(&MARKER, payload, "", fields),
        _ => read(&SLOW_TABLE, payload, "", fields),
    }
}

/// What a strict receiver of version 1 would object to in a LACPDU, from the Subtype octet on.
#[must_use]
pub fn lacpdu_anomalies(pdu: &[u8]) -> Vec<Anomaly> {
    let mut anomalies = Vec::new();
    let mut object = |at: usize, what: &'static str| anomalies.push(Anomaly { at, what });
    if pdu.len() < 110 {
        object(pdu.len(), "a LACPDU has 110 octets at least");
    }
    let wanted = [
        (2, 1, "the first TLV is Actor Information (1)"),
        (3, 20, "Actor_Information_Length is 20"),
        (22, 2, "the second TLV is Partner Information (2)"),
        (23, 20, "Partner_Information_Length is 20"),
        (42, 3, "the third TLV is Collector Information (3)"),
        (43, 16, "Collector_Information_Length is 16"),
        (58, 0, "the Terminator follows"),
        (59, 0, "Terminator_Length is 0"),
    ];
    // Only version 1 is known to end there.
    let known = pdu.get(1) == Some(&1);
    if known && pdu.len() > 110 {
        object(110, "octets follow a version 1 LACPDU");
    }
    if known && !is_zero(pdu.get(60..110)) {
        object(60, "reserved octets are zero");
    }
    for (at, value, what) in wanted.into_iter().take(if known { 8 } else { 6 }) {
        if pdu.get(at).is_some_and(|octet| *octet != value) {
            object(at, what);
        }
    }
    for range in [19..22, 39..42, 46..58] {
        let at = range.start;
        if !is_zero(pdu.get(range)) {
            object(at, "reserved octets are zero");
        }
    }
    anomalies
}

/// Whether octets that are there are zero.
fn is_zero(octets: Option<&[u8]>) -> bool {
    let octets = octets.unwrap_or_default().iter();
    octets.fold(0, |all, octet| all | octet) == 0
}

/// A LACPDU's parts that invariants look at, without a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LacpView<'a>(&'a [u8]);

impl<'a> LacpView<'a> {
    /// The view of a frame that is a LACPDU of 110 octets or more.
    #[must_use]
    pub fn of(frame: &'a [u8]) -> Option<Self> {
        let layers = envelope::layers(frame)?;
        let slow = layers.ethertype == 0x8809 && layers.payload.first() == Some(&1);
        (slow && layers.payload.len() >= 110).then_some(Self(layers.payload))
    }

    /// The PDU from the Subtype octet on.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.0
    }

    fn octet(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or(0)
    }

    /// Version Number.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.octet(1)
    }

    /// Actor_State.
    #[must_use]
    pub fn actor_state(&self) -> u8 {
        self.octet(18)
    }

    /// Partner_State.
    #[must_use]
    pub fn partner_state(&self) -> u8 {
        self.octet(38)
    }

    /// Actor's port tuple: System_Priority, System, Key, Port_Priority, Port (14 octets).
    #[must_use]
    pub fn actor_tuple(&self) -> &'a [u8] {
        self.0.get(4..18).unwrap_or_default()
    }

    /// Partner's port tuple.
    #[must_use]
    pub fn partner_tuple(&self) -> &'a [u8] {
        self.0.get(24..38).unwrap_or_default()
    }
}
