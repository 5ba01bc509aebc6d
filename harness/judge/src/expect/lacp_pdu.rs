//! What a LACPDU says, as the LACP model needs it.

use harness_wire::{LacpView, layers};

pub(crate) const ACTIVITY: u8 = 0x01;
pub(crate) const TIMEOUT: u8 = 0x02;
pub(crate) const AGGREGATION: u8 = 0x04;
pub(crate) const SYNCHRONIZATION: u8 = 0x08;
pub(crate) const COLLECTING: u8 = 0x10;
pub(crate) const DISTRIBUTING: u8 = 0x20;
pub(crate) const DEFAULTED: u8 = 0x40;
pub(crate) const EXPIRED: u8 = 0x80;

/// System_Priority, System, Key, Port_Priority, Port.
pub(crate) type Tuple = [u8; 14];

/// Both ends as a LACPDU gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pdu {
    pub(crate) actor: Tuple,
    pub(crate) actor_state: u8,
    pub(crate) partner: Tuple,
    pub(crate) partner_state: u8,
}

/// What a receiver does with a frame of the tester.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is recorded.
    Taken(Pdu),
    /// It may be recorded as a whole, or not at all (802.1AX leaves the check open).
    Open(Pdu),
    /// It must not be recorded.
    Refused,
    /// It is a Marker PDU that must be answered: the payload.
    Marker,
    /// It is no business of LACP's.
    Other,
}

impl Pdu {
    pub(crate) fn of(frame: &[u8]) -> Option<Self> {
        let view = LacpView::of(frame)?;
        Some(Self {
            actor: view.actor_tuple().try_into().ok()?,
            actor_state: view.actor_state(),
            partner: view.partner_tuple().try_into().ok()?,
            partner_state: view.partner_state(),
        })
    }

    /// Whether what this says of its receiver is what the receiver is (802.1AX recordPDU).
    pub(crate) fn matches(&self, receiver: &Self) -> bool {
        self.partner == receiver.actor
            && (self.partner_state ^ receiver.actor_state) & AGGREGATION == 0
    }

    /// Whether it makes its receiver send at once (update_NTT), judged by the receiver's last.
    pub(crate) fn is_outdated(&self, receiver: &Self) -> bool {
        let flags = ACTIVITY | TIMEOUT | SYNCHRONIZATION | AGGREGATION;
        self.partner != receiver.actor || (self.partner_state ^ receiver.actor_state) & flags != 0
    }
}

/// The rules of 802.1AX 6.4.12 and 57A for a frame from the tester.
pub(crate) fn fate(frame: &[u8]) -> Fate {
    let Some(layers) = layers(frame) else {
        return Fate::Other;
    };
    if layers.ethertype != 0x8809 {
        return Fate::Other;
    }
    let slow = layers.destination == [0x01, 0x80, 0xc2, 0, 0, 2] && layers.vlan.is_none();
    let payload = layers.payload;
    let octet = |at: usize| payload.get(at).copied();
    match octet(0) {
        Some(1) => {
            let Some(pdu) = Pdu::of(frame).filter(|_| slow) else {
                return Fate::Refused;
            };
            let lengths = [(3, 20), (23, 20), (43, 16)];
            let right = lengths.iter().all(|(at, value)| octet(*at) == Some(*value));
            // A source that is a group address no switch lets through.
            let individual = layers.source.first().is_some_and(|octet| octet & 1 == 0);
            if right && individual {
                Fate::Taken(pdu)
            } else {
                Fate::Open(pdu)
            }
        }
        Some(2) => {
            let marker =
                slow && payload.len() >= 110 && octet(2) == Some(1) && octet(3) == Some(16);
            if marker { Fate::Marker } else { Fate::Other }
        }
        Some(_) | None => Fate::Other,
    }
}
