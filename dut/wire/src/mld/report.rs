//! Version 2 Multicast Listener Report (RFC 3810 5.2).

use super::query::addresses;
use super::room::{Room, count};
use super::{LinkMtu, REPORT_V2, Refused};
use crate::Reader;
use crate::reader::fixed;
use std::net::Ipv6Addr;

/// Octets before the first record.
const HEADER_LEN: usize = 8;
/// Octets of a record without sources.
const RECORD_LEN: usize = 20;

/// A version 2 Report.
///
/// ```text
/// | Type 143      | Reserved      | Checksum                      |
/// | Reserved / Flags              | Nr of Mcast Address Records   |
/// | Multicast Address Record [i]                                  |
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Multicast Address Records; at most 65535 are emitted.
    pub records: Vec<Record>,
}

/// A Multicast Address Record. Auxiliary data is skipped on receipt and never sent.
///
/// ```text
/// | Record Type   | Aux Data Len  | Number of Sources             |
/// | Multicast Address (16 octets)                                 |
/// | Source Address [i] (16 octets each)                           |
/// | Auxiliary Data (4 octets times Aux Data Len)                  |
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Record Type.
    pub record_type: RecordType,
    /// Multicast Address as received: whether it is one is the receiver's to judge.
    pub group: Ipv6Addr,
    /// Source addresses as received; at most 65535 are emitted.
    pub sources: Vec<Ipv6Addr>,
}

/// Record Type (RFC 3810 5.2.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RecordType {
    /// 1: MODE_IS_INCLUDE, IS_IN.
    ModeIsInclude = 1,
    /// 2: MODE_IS_EXCLUDE, IS_EX.
    ModeIsExclude = 2,
    /// 3: CHANGE_TO_INCLUDE_MODE, TO_IN.
    ChangeToInclude = 3,
    /// 4: CHANGE_TO_EXCLUDE_MODE, TO_EX.
    ChangeToExclude = 4,
    /// 5: ALLOW_NEW_SOURCES, ALLOW.
    AllowNewSources = 5,
    /// 6: BLOCK_OLD_SOURCES, BLOCK.
    BlockOldSources = 6,
    /// Any other value; the record is ignored, its neighbours aren't.
    Unknown(u8) = 7,
}

impl RecordType {
    /// The type of a field value.
    #[must_use]
    pub const fn from_value(value: u8) -> Self {
        match value {
            1 => Self::ModeIsInclude,
            2 => Self::ModeIsExclude,
            3 => Self::ChangeToInclude,
            4 => Self::ChangeToExclude,
            5 => Self::AllowNewSources,
            6 => Self::BlockOldSources,
            _ => Self::Unknown(value),
        }
    }

    /// The field value.
    #[must_use]
    pub const fn value(self) -> u8 {
        let number = self.number();
        if let Self::Unknown(value) = self {
            value
        } else {
            number
        }
    }

    /// The field value of a type that has a name: as a table of constants it costs no branch.
    const fn number(self) -> u8 {
        match self {
            Self::ModeIsInclude => 1,
            Self::ModeIsExclude => 2,
            Self::ChangeToInclude => 3,
            Self::ChangeToExclude => 4,
            Self::AllowNewSources => 5,
            Self::BlockOldSources => 6,
            Self::Unknown(_) => 7,
        }
    }

    /// Whether a source list too long for a report is cut instead of split (RFC 3810 5.2.15).
    const fn truncates(self) -> bool {
        matches!(self, Self::ModeIsExclude | Self::ChangeToExclude)
    }
}

impl Report {
    /// Parses the whole ICMPv6 message of type 143; all of it or nothing.
    pub(super) fn parse(message: &[u8]) -> Result<Self, Refused> {
        let mut reader = Reader::new(message);
        //= MLD-028
        let head: &[u8; HEADER_LEN] = reader.chunk("Header").map_err(Refused::Length)?;
        let count = fixed::u16::<6, _>(head);
        // Where a count overruns, nothing has been allocated.
        let mut ahead = reader.clone();
        for _ in 0..count {
            Fields::take(&mut ahead)?;
        }
        //= MLD-035
        // Now all of them are there, so that their number is known and the list never grows.
        let next = |_| match Fields::take(&mut reader) {
            Ok(fields) => fields.record(),
            Err(_) => Record::NOTHING,
        };
        let records = (0..count).map(next).collect();
        //= MLD-027
        //= MLD-157
        Ok(Self { records })
    }

    /// The multicast address of a report's first record, from the whole ICMPv6 message and without
    /// decoding it; `None` of another type, and where there is no record.
    #[must_use]
    pub fn first_group(message: &[u8]) -> Option<Ipv6Addr> {
        let (header, records) = message.split_first_chunk::<HEADER_LEN>()?;
        let (record, _) = records.split_first_chunk::<RECORD_LEN>()?;
        let [_, _, _, _, group @ ..] = *record;
        (header.first() == Some(&REPORT_V2)).then(|| Ipv6Addr::from_octets(group))
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        //= MLD-027
        let count = count(&self.records);
        let [high, low] = count.to_be_bytes();
        let mut room = Room::new(out, self.emitted_len());
        room.put([REPORT_V2, 0, 0, 0, 0, 0, high, low]);
        let records = self.records.iter().take(count.into());
        records.for_each(|record| record.emit(&mut room));
        debug_assert!(room.is_full(), "emitted_len is the length");
    }

    pub(super) fn emitted_len(&self) -> usize {
        let records = self.records.iter().take(count(&self.records).into());
        records.fold(HEADER_LEN, |sum, record| {
            sum.wrapping_add(record.emitted_len())
        })
    }

    /// Packs records, in their order, into as few reports as that gives; each fits the MTU.
    /// A list that fits no report is split, in IS_EX and TO_EX records cut (RFC 3810 5.2.15).
    #[must_use]
    pub fn pack(records: Vec<Record>, mtu: LinkMtu) -> Vec<Self> {
        let room = mtu.message().saturating_sub(HEADER_LEN);
        let capacity = (room.saturating_sub(RECORD_LEN) / 16).max(1);
        let mut reports: Vec<Self> = Vec::new();
        let mut free = 0;
        for record in records {
            for part in record.split(capacity) {
                let length = part.emitted_len();
                match reports.last_mut() {
                    Some(report) if length <= free => report.records.push(part),
                    Some(_) | None => {
                        reports.push(Self {
                            records: vec![part],
                        });
                        free = room;
                    }
                }
                free = free.saturating_sub(length);
            }
        }
        reports
    }
}

/// A record's octets: its fixed layout and its list of sources.
struct Fields<'a> {
    head: &'a [u8; RECORD_LEN],
    sources: &'a [u8],
}

impl<'a> Fields<'a> {
    /// One check for a record's fixed layout, and one for all that follows it.
    fn take(reader: &mut Reader<'a>) -> Result<Self, Refused> {
        let head = reader.chunk::<RECORD_LEN>("Record");
        let head = head.map_err(Refused::Overrun)?;
        let [_, aux, ..] = *head;
        //= MLD-036
        //= MLD-037
        let listed = 16 * usize::from(fixed::u16::<2, _>(head));
        let field = if reader.rest().len() < listed {
            "Source Address"
        } else {
            "Auxiliary Data"
        };
        let body = reader.take(listed + 4 * usize::from(aux), field);
        let body = body.map_err(Refused::Overrun)?;
        let sources = body.get(..listed).unwrap_or_default();
        Ok(Self { head, sources })
    }

    fn record(&self) -> Record {
        let [record_type, ..] = *self.head;
        Record {
            record_type: RecordType::from_value(record_type),
            group: fixed::ipv6::<4, _>(self.head),
            sources: addresses(self.sources),
        }
    }
}

impl Record {
    /// No record at all: of a type that everyone ignores.
    const NOTHING: Self = Self {
        record_type: RecordType::Unknown(0),
        group: Ipv6Addr::UNSPECIFIED,
        sources: Vec::new(),
    };

    fn emit(&self, room: &mut Room<'_>) {
        //= MLD-029
        let count = count(&self.sources);
        let mut o = [0; RECORD_LEN];
        fixed::put::<0, 1, _>(&mut o, [self.record_type.value()]);
        fixed::put::<2, 2, _>(&mut o, count.to_be_bytes());
        fixed::put::<4, 16, _>(&mut o, self.group.octets());
        room.put_list(o, &self.sources, count);
    }

    fn emitted_len(&self) -> usize {
        RECORD_LEN + 16 * usize::from(count(&self.sources))
    }

    fn split(mut self, capacity: usize) -> Vec<Self> {
        if self.sources.len() <= capacity {
            return vec![self];
        }
        if self.record_type.truncates() {
            self.sources.truncate(capacity);
            return vec![self];
        }
        let part = |sources: &[Ipv6Addr]| Self {
            record_type: self.record_type,
            group: self.group,
            sources: sources.to_vec(),
        };
        self.sources.chunks(capacity).map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Record, RecordType, Report};
    use crate::mld::{Message, Query, QueryV1};
    use std::net::Ipv6Addr;

    /// A report's first octets say its first group, before it is decoded and whatever follows;
    /// those of another message, of a report without records and of one cut short say none.
    #[test]
    fn the_first_group_is_known_before_the_report_is_decoded() {
        let group = |n| Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, n);
        let octets = |message: Message| message.to_vec(Ipv6Addr::LOCALHOST, group(1));
        let record = |n| Record {
            record_type: RecordType::AllowNewSources,
            group: group(n),
            sources: vec![group(9)],
        };
        let records = vec![record(5), record(6)];
        let report = octets(Message::Report(Report { records }));
        assert_eq!(Report::first_group(&report), Some(group(5)));
        assert_eq!(Report::first_group(&report[..28]), Some(group(5)));
        assert_eq!(Report::first_group(&report[..27]), None);
        let empty = octets(Message::Report(Report::default()));
        assert_eq!(Report::first_group(&empty), None);
        let query = Message::Query(Query::V1(QueryV1 {
            maximum_response_delay: 0,
            group: group(5),
        }));
        let long = [octets(query), vec![0; 9]].concat();
        assert_eq!(Report::first_group(&long), None);
    }
}
