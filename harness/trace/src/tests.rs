//! What is written is read back; foreign files are read as their own headers say.

use super::*;
use std::collections::BTreeMap;

fn sample() -> Trace {
    let point = |name: &str| Point {
        name: name.into(),
        near: "out".into(),
        far: "in".into(),
    };
    let frame = |ns, point, direction, lost, n: usize| {
        let at = Instant::from_nanos(ns);
        Record::Frame(Frame {
            at,
            point: PointId(point),
            direction,
            lost,
            octets: vec![7; n],
        })
    };
    Trace {
        points: vec![point("p1"), point("A-C")],
        records: vec![
            frame(2_000_000_005, 0, Direction::Out, false, 60),
            Record::Note {
                at: Instant::from_nanos(6),
                json: "{\"probe\":[1,2]}".into(),
            },
            frame(2_000_000_007, 1, Direction::In, true, 61),
            frame(3_000_000_001, 0, Direction::In, false, 1500),
        ],
        until: Instant::from_nanos(3_000_000_001),
        resolution: Duration::from_nanos(1),
        origin_s: 1_622_258_460,
        cut: BTreeMap::new(),
    }
}

#[test]
fn pcapng_is_read_back_as_it_was_written() {
    let trace = sample();
    let comments = BTreeMap::from([(0, vec!["one".to_owned(), "two".to_owned()])]);
    let octets = to_pcapng(&trace, "a case", &comments);
    assert_eq!(read_capture(&octets).unwrap(), trace);
}

#[test]
fn a_cut_file_is_refused_at_every_length_or_read_whole_blocks() {
    let octets = to_pcapng(&sample(), "", &BTreeMap::new());
    let whole = sample().records.len();
    for length in 0..octets.len() {
        if let Ok(trace) = read_capture(&octets[..length]) {
            assert!(trace.records.len() < whole, "{length}");
        }
    }
}

#[test]
fn classic_pcap_is_read_in_both_units() {
    for (magic, unit) in [(0xA1B2_C3D4_u32, 1000), (0xA1B2_3C4D, 1)] {
        let mut file = magic.to_le_bytes().to_vec();
        file.extend_from_slice(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]);
        for (seconds, units) in [(100_u32, 5_u32), (101, 7)] {
            file.extend_from_slice(&seconds.to_le_bytes());
            file.extend_from_slice(&units.to_le_bytes());
            file.extend_from_slice(&14_u32.to_le_bytes());
            file.extend_from_slice(&14_u32.to_le_bytes());
            file.extend_from_slice(&[0; 14]);
        }
        let trace = read_capture(&file).unwrap();
        let times: Vec<u64> = trace.frames().map(|(_, f)| f.at.as_nanos()).collect();
        assert_eq!(times, [5 * unit, 1_000_000_000 + 7 * unit]);
        assert_eq!(trace.origin_s, 100);
    }
}

#[test]
fn what_is_no_capture_is_named() {
    assert_eq!(read_capture(b"hello, world"), Err(ReadError::NotACapture));
    assert_eq!(read_capture(b""), Err(ReadError::NotACapture));
}

/// A damaged file says how many packets are whole, and a packet that was captured in part is known
/// with the length that it had: whoever sends it again must know.
#[test]
fn damage_and_cut_packets_are_told_by_their_number() {
    let mut file = 0xA1B2_C3D4_u32.to_le_bytes().to_vec();
    file.extend_from_slice(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]);
    for (captured, original) in [(14_u32, 14_u32), (14, 60)] {
        file.extend_from_slice(&[0; 8]);
        file.extend_from_slice(&captured.to_le_bytes());
        file.extend_from_slice(&original.to_le_bytes());
        file.extend_from_slice(&[0; 14]);
    }
    let trace = read_capture(&file).unwrap();
    assert_eq!(trace.cut, BTreeMap::from([(1, 60)]));
    let error = read_capture(&file[..file.len() - 1]).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("after packet 1, octet 54: "), "{text}");
    let octets = to_pcapng(&trace, "", &BTreeMap::new());
    let error = read_capture(&octets[..octets.len() - 8]).unwrap_err();
    assert!(error.to_string().starts_with("after packet 1, "), "{error}");
}
