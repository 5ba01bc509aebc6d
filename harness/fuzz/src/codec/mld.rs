//! MLD messages.

use super::{LONGEST, agree, same, with_buffer};
use dut_wire::mld::{
    LinkMtu, MaximumResponseCode, Message, Qqic, Query, QueryV2, Record, RecordType, Report,
};
use harness_wire::layouts::mld::{GROUP, HEAD, QUERY, REPORT};
use harness_wire::{Field, MldView, mld_anomalies};
use std::net::Ipv6Addr;

/// An MLD message through the strict codec: decoded and encoded. A report's records stand in the
/// encoded one as they did; any other message is decoded again. (`mld_agreement` decodes both.)
pub fn mld(octets: &[u8]) {
    let Ok(parsed) = Message::parse(octets) else {
        return;
    };
    with_buffer(|again| {
        parsed.emit(again);
        let same = match &parsed {
            Message::Report(_) => carried(octets, again) == Some(()),
            Message::Query(_) | Message::ReportV1 { .. } | Message::Done { .. } => {
                Message::parse(again).as_ref() == Ok(&parsed)
            }
        };
        assert!(same, "{parsed:?} encoded again");
    });
}

/// RFC 3810 5.2: the encoded report holds the type, the number of records and each record of the
/// octets, without their auxiliary data, and nothing else. Differences are gathered, since a
/// comparison each would be libFuzzer's to count.
fn carried(octets: &[u8], encoded: &[u8]) -> Option<()> {
    let (head, mut from) = octets.split_first_chunk::<8>()?;
    let (other, mut to) = encoded.split_first_chunk::<8>()?;
    let [kind, .., high, low] = *head;
    let wanted = u64::from_be_bytes([kind, 0, 0, 0, 0, 0, high, low]);
    let mut unlike = u128::from(u64::from_be_bytes(*other) ^ wanted);
    for _ in 0..u16::from_be_bytes([high, low]) {
        let (record, rest) = from.split_first_chunk::<20>()?;
        let [kind, aux, high, low, group @ ..] = *record;
        let length = 16 * usize::from(u16::from_be_bytes([high, low]));
        let (sources, rest) = rest.split_at_checked(length)?;
        let (record, others) = to.split_at_checked(20 + length)?;
        let (record, listed) = record.split_first_chunk::<20>()?;
        let [a, b, c, d, other @ ..] = *record;
        unlike |= u128::from(u32::from_be_bytes([kind ^ a, b, c ^ high, d ^ low]));
        unlike |= u128::from_be_bytes(group) ^ u128::from_be_bytes(other);
        let (sources, listed) = (sources.as_chunks::<16>().0, listed.as_chunks::<16>().0);
        for (one, other) in sources.iter().zip(listed) {
            unlike |= u128::from_be_bytes(*one) ^ u128::from_be_bytes(*other);
        }
        from = rest.get(4 * usize::from(aux)..)?;
        to = others;
    }
    (unlike == 0 && to.is_empty()).then_some(())
}

/// An ICMPv6 message in both codecs.
pub fn mld_agreement(octets: &[u8]) {
    if octets.len() > LONGEST {
        return;
    }
    let Ok(parsed) = Message::parse(octets) else {
        let overruns = |what: &str| what.contains("overruns the message");
        let legal = shape_legal(octets) && !mld_anomalies(octets).any(|odd| overruns(odd.what));
        return agree(false, legal, "MLD message", octets);
    };
    // That nothing overruns follows from the counts, which are read alike.
    agree(true, shape_legal(octets), "MLD message", octets);
    let end = read_alike(octets, &parsed);
    if matches!(octets.first(), Some(130 | 143)) {
        let odd = mld_anomalies(octets).next().is_some();
        assert_eq!(odd, end < octets.len(), "octets after the message");
    }
    with_buffer(|again| {
        parsed.emit(again);
        assert_eq!(again.len(), parsed.emitted_len(), "emitted_len");
        assert_eq!(read_alike(again, &parsed), again.len(), "the encoded end");
        assert_eq!(Message::parse(again).as_ref(), Ok(&parsed), "decoded again");
        let odd = mld_anomalies(again).next();
        assert!(odd.is_none(), "an encoded MLD message is odd: {odd:?}");
    });
}

/// RFC 3810 5 and 8.1, RFC 2710 3 and 6: lengths and addresses. Counts are another matter.
fn shape_legal(octets: &[u8]) -> bool {
    const ADDRESS: Field = Field::named(&GROUP, "group");
    const SOURCES: Field = Field::named(&QUERY, "number_of_sources");
    let group = ADDRESS.number(octets);
    let multicast = group.is_some_and(|group| group >> 120 == 0xff);
    match octets.first() {
        Some(130) => {
            let length = octets.len() == 24 || octets.len() >= 28;
            let listed = octets.len() > 24 && SOURCES.number(octets) != Some(0);
            length && (multicast || (group == Some(0) && !listed))
        }
        Some(131 | 132) => octets.len() >= 24 && multicast,
        Some(143) => octets.len() >= 8,
        Some(_) | None => false,
    }
}

/// Every field as both read it; where the message ends as the permissive codec reads it.
fn read_alike(octets: &[u8], parsed: &Message) -> usize {
    let Some(view) = MldView::of(octets) else {
        panic!("the permissive codec knows no such type")
    };
    let (kind, group, end) = match parsed {
        Message::Query(query) => (130_u8, query.group(), same_query(query, octets, &view)),
        Message::ReportV1 { group } => (131, *group, 24),
        Message::Done { group } => (132, *group, 24),
        Message::Report(report) => return same_report(report, octets, &view),
    };
    same!("MLD message", octets, HEAD, { "type": kind });
    same!("MLD message", octets, GROUP, { "group": group.to_bits() });
    end
}

fn same_query(query: &Query, octets: &[u8], view: &MldView<'_>) -> usize {
    let delay = query.maximum_response_delay().as_millis();
    let other = u128::from(view.response_delay_ms());
    assert_eq!(other, delay, "Maximum Response Delay in ms");
    match query {
        Query::V1(one) => {
            assert_eq!(view.version(), 1, "version");
            same!("query", octets, HEAD, { "max_response_code": one.maximum_response_delay });
            24
        }
        Query::V2(two) => {
            assert_eq!(view.version(), 2, "version");
            same!("query", octets, HEAD, { "max_response_code": two.maximum_response_code.0 });
            let number = two.sources.len();
            same!("query", octets, QUERY, {
                "s": two.suppress,
                "qrv": two.qrv.get(),
                "qqic": two.qqic.0,
                "number_of_sources": u64::from_be_bytes(number.to_be_bytes()),
            });
            assert!(listed_alike(&two.sources, view.listed()), "sources");
            28 + 16 * number
        }
    }
}

fn listed_alike(own: &[Ipv6Addr], other: impl ExactSizeIterator<Item = Ipv6Addr>) -> bool {
    let unlike =
        |unlike, (one, other): (&Ipv6Addr, Ipv6Addr)| unlike | (one.to_bits() ^ other.to_bits());
    own.len() == other.len() && own.iter().zip(other).fold(0, unlike) == 0
}

fn same_report(report: &Report, octets: &[u8], view: &MldView<'_>) -> usize {
    let number = report.records.len().to_be_bytes();
    let number = u64::from_be_bytes(number);
    same!("report", octets, REPORT, { "type": 143_u8, "number_of_records": number });
    let mut others = view.walk();
    let mut end = 8;
    for own in &report.records {
        let Some(other) = others.next() else {
            panic!("the permissive codec finds fewer records")
        };
        let kinds = own.record_type.value() ^ other.kind;
        let groups = own.group.to_bits() ^ other.group.to_bits();
        assert!(groups | u128::from(kinds) == 0, "a record's type and group");
        assert!(listed_alike(&own.sources, other.sources()), "its sources");
        end = other.end;
    }
    assert!(others.next().is_none(), "number of records");
    end
}

/// A legal message put into as many as the link's MTU asks for; the first two octets are the MTU.
///
/// RFC 3810 5.1.10, 5.2.15: each fits; the sources are all there in their order, but those of IS_EX
/// and TO_EX records, which are cut.
pub fn packed(input: &[u8]) {
    let Some((mtu, octets)) = input.split_first_chunk().filter(|_| input.len() <= LONGEST) else {
        return;
    };
    let mtu = LinkMtu::new(u16::from_be_bytes(*mtu));
    assert!(mtu.octets() >= 1280, "the least MTU of a link");
    match Message::parse(octets) {
        Ok(Message::Report(report)) => packed_reports(report.records, mtu),
        Ok(Message::Query(Query::V2(query))) => split_queries(&query, mtu),
        Ok(Message::Query(Query::V1(_)) | Message::ReportV1 { .. } | Message::Done { .. })
        | Err(_) => {}
    }
}

fn packed_reports(mut records: Vec<Record>, mtu: LinkMtu) {
    // Inputs are short: lists get as long as a link's MTU asks for.
    for (record, number) in records.iter_mut().zip([90, 300, 0]) {
        let more = (1..=number).map(|n| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n));
        record.sources.extend(more);
    }
    let cut = [RecordType::ModeIsExclude, RecordType::ChangeToExclude];
    let mut wanted = records.clone().into_iter();
    let mut open: Option<Record> = None;
    for report in Report::pack(records, mtu) {
        let message = Message::Report(report.clone());
        let fits = message.emitted_len() + 48 <= usize::from(mtu.octets());
        assert!(fits, "a report of {} octets", message.emitted_len());
        for part in report.records {
            let mut whole = open.take().or_else(|| wanted.next());
            let Some(whole) = &mut whole else {
                panic!("a record that nobody gave")
            };
            let same = part.record_type == whole.record_type && part.group == whole.group;
            assert!(same, "a record's type and group");
            assert!(whole.sources.starts_with(&part.sources), "its sources");
            let rest = whole.sources.split_off(part.sources.len());
            if !rest.is_empty() && !cut.contains(&part.record_type) {
                assert!(!part.sources.is_empty(), "a part without sources");
                whole.sources = rest;
                open = Some(whole.clone());
            }
        }
    }
    assert!(
        open.is_none() && wanted.next().is_none(),
        "records are lost"
    );
}

fn split_queries(query: &QueryV2, mtu: LinkMtu) {
    let code = query.maximum_response_code;
    assert_eq!(MaximumResponseCode::encode(code.delay()), code, "its code");
    assert_eq!(Qqic::encode(query.qqic.interval()), query.qqic, "QQIC");
    let mut query = query.clone();
    if !query.group.is_unspecified() {
        let more = (1..=200).map(|n| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n));
        query.sources.extend(more);
    }
    let mut sources = Vec::new();
    for part in query.clone().split(mtu) {
        let message = Message::Query(Query::V2(part.clone()));
        let fits = message.emitted_len() + 48 <= usize::from(mtu.octets());
        assert!(fits, "a query of {} octets", message.emitted_len());
        let head = QueryV2 {
            sources: query.sources.clone(),
            ..part.clone()
        };
        assert_eq!(head, query, "all but the sources");
        sources.extend(part.sources);
    }
    assert_eq!(sources, query.sources, "the sources in their order");
}

#[cfg(test)]
mod tests {
    use super::carried;

    /// Two records, the first with auxiliary data, and octets after them; and how they are encoded.
    fn report() -> (Vec<u8>, Vec<u8>) {
        let record = |aux: u8| {
            let mut octets = vec![2, aux, 0, 1];
            octets.extend([0xff; 16]);
            octets.extend([0x20; 16]);
            octets
        };
        let head = [143, 9, 0xab, 0xcd, 7, 7, 0, 2];
        let received = [&head[..], &record(1), &[1, 2, 3, 4], &record(0), &[5, 5]].concat();
        let encoded = [&[143, 0, 0, 0, 0, 0, 0, 2][..], &record(0), &record(0)].concat();
        (received, encoded)
    }

    /// Proves that a report is told from one whose encoding differs in any bit or in its length.
    #[test]
    fn what_is_not_carried_is_noticed() {
        let (received, encoded) = report();
        assert_eq!(carried(&received, &encoded), Some(()));
        for bit in 0..8 * encoded.len() {
            let mut other = encoded.clone();
            if let Some(octet) = other.get_mut(bit / 8) {
                *octet ^= 1 << (bit % 8);
            }
            assert_eq!(carried(&received, &other), None, "bit {bit}");
        }
        let longer = [&encoded[..], &[0]].concat();
        assert_eq!(carried(&received, &longer), None, "longer");
        let shorter = encoded.get(..encoded.len() - 1).unwrap_or_default();
        assert_eq!(carried(&received, shorter), None, "shorter");
    }
}
