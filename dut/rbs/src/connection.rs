//! One TCP connection: message ids, acknowledgements, timers.

use crate::entry::Key;
use dut_device::Instant;
use dut_wire::rbs::{Body, Frame, Framer, Record, Service};
use std::collections::VecDeque;
use std::time::Duration;

/// Data messages that may be unacknowledged; the rest waits in the profiles' change sets.
pub(crate) const UNACKNOWLEDGED_MAX: usize = 64;

/// What a connection begins with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) keepalive: Duration,
    pub(crate) hold: Duration,
    /// How long an acknowledgement may wait for others.
    pub(crate) ack_delay: Duration,
}

/// A data message that was sent and not acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) id: u64,
    at: Instant,
    pub(crate) backup_id: u16,
    /// Entries whose remaining times it carries.
    pub(crate) keys: Vec<Key>,
    /// Whether it carries an interface's.
    pub(crate) interface: bool,
}

impl Sent {
    /// Whether it carries remaining times.
    pub(crate) fn tells_times(&self) -> bool {
        self.interface || !self.keys.is_empty()
    }

    fn new(now: Instant, id: u64, backup_id: u16, body: &Body) -> Self {
        let records: &[Record] = if let Body::Upsert { records, .. } = body {
            records
        } else {
            &[]
        };
        let key = |record: &Record| match record {
            Record::Group(record) => Some((record.eth_trunk, record.group)),
            Record::Interface(_) => None,
        };
        let keys: Vec<Key> = records.iter().filter_map(key).collect();
        Self {
            id,
            at: now,
            backup_id,
            interface: keys.len() < records.len(),
            keys,
        }
    }
}

/// A connection from TCP up to its end.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    epoch: u64,
    pub(crate) opened_at: Instant,
    pub(crate) framer: Framer,
    /// Frames for the TCP stack.
    pub(crate) outgoing: VecDeque<Vec<u8>>,
    next_id: u64,
    last_sent: Instant,
    pub(crate) last_received: Instant,
    /// Message_ID of the last frame received.
    pub(crate) received_id: u64,
    /// Session_Epoch of the peer on this connection.
    pub(crate) peer_epoch: Option<u64>,
    pub(crate) got_open: bool,
    pub(crate) got_ack: bool,
    /// OPEN and OPEN_ACK have come.
    pub(crate) connected: bool,
    /// Hold time in use.
    pub(crate) hold: Duration,
    /// Keepalive interval in use.
    pub(crate) keepalive: Duration,
    /// Data messages sent and not acknowledged.
    pub(crate) unacknowledged: VecDeque<Sent>,
    /// The shortest time from a data message to its acknowledgement; at first what opening took.
    shortest: Option<Duration>,
    /// Whether a record has been acknowledged in a time that was judged by it.
    measured: bool,
    /// When the acknowledgement of what was applied is due.
    pub(crate) ack_due: Option<Instant>,
    /// Message_ID of the last data message applied.
    pub(crate) applied_id: u64,
    /// How long an acknowledgement may wait for others.
    ack_delay: Duration,
}

impl Connection {
    pub(crate) fn new(now: Instant, epoch: u64, times: Times) -> Self {
        let Times {
            keepalive,
            hold,
            ack_delay,
        } = times;
        Self {
            epoch,
            opened_at: now,
            framer: Framer::new(),
            outgoing: VecDeque::new(),
            next_id: 1,
            last_sent: now,
            last_received: now,
            received_id: 0,
            peer_epoch: None,
            got_open: false,
            got_ack: false,
            connected: false,
            hold,
            keepalive,
            unacknowledged: VecDeque::new(),
            shortest: None,
            measured: false,
            ack_due: None,
            applied_id: 0,
            ack_delay,
        }
    }

    /// Sends a frame of the session (`backup_id` 0) or of a profile.
    pub(crate) fn send(&mut self, now: Instant, backup_id: u16, body: Body) {
        let message_id = self.next_id;
        self.next_id = self.next_id.saturating_add(1);
        if body.is_data() {
            let sent = Sent::new(now, message_id, backup_id, &body);
            self.unacknowledged.push_back(sent);
        }
        let frame = Frame {
            session_epoch: self.epoch,
            message_id,
            backup_id,
            service: if backup_id == 0 {
                Service::None
            } else {
                Service::Mld
            },
            body,
        };
        self.outgoing.push_back(frame.to_vec());
        self.last_sent = now;
    }

    /// The dialogue has been opened: what is acknowledged later than that tells is late.
    pub(crate) fn opened(&mut self, now: Instant) {
        self.shortest = Some(now.since(self.opened_at));
    }

    /// Message_ID of the last frame sent.
    pub(crate) const fn sent_id(&self) -> u64 {
        self.next_id.saturating_sub(1)
    }

    /// Whether another data message may be sent.
    pub(crate) fn has_room(&self) -> bool {
        self.unacknowledged.len() < UNACKNOWLEDGED_MAX
    }

    /// Everything up to `id` was applied: each message, and whether it was `late`; and whether the
    /// path is so much faster now that what was in time until now was late.
    pub(crate) fn acknowledged(
        &mut self,
        now: Instant,
        id: u64,
        late: fn(Duration, Duration) -> bool,
    ) -> (Vec<(Sent, bool)>, bool) {
        let known = self.unacknowledged.iter().take_while(|sent| sent.id <= id);
        let known = known.count();
        let mut done = Vec::new();
        let mut faster = false;
        for sent in self.unacknowledged.drain(..known) {
            let took = now.since(sent.at);
            let old = self.shortest.unwrap_or(took);
            let shortest = old.min(took);
            faster |= self.measured && late(old, shortest);
            self.measured |= sent.tells_times();
            self.shortest = Some(shortest);
            done.push((sent, late(took, shortest)));
        }
        (done, faster)
    }

    /// Notes that data message `id` was applied.
    pub(crate) fn applied(&mut self, now: Instant, id: u64) {
        self.applied_id = id;
        self.ack_due.get_or_insert(now + self.ack_delay);
    }

    //= RBS-008
    pub(crate) fn keepalive_at(&self) -> Instant {
        self.last_sent + self.keepalive
    }

    /// When silence, or an opening that is never finished, ends the connection.
    pub(crate) fn hold_at(&self) -> Instant {
        let since = if self.connected {
            self.last_received
        } else {
            self.opened_at
        };
        since + self.hold
    }
}
