//! Which frames of a capture are sent, and when; what is none is named.

use super::*;
use harness_trace::{Direction, Frame, PointId};

const A: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const B: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

fn frame(ms: u64, from: MacAddr, octets: usize) -> Record {
    let mut frame = vec![0xff; 6];
    frame.extend(from.0);
    frame.resize(octets, 0);
    Record::Frame(Frame {
        at: Instant::from_millis(ms),
        point: PointId(0),
        direction: Direction::In,
        lost: false,
        octets: frame,
    })
}

fn trace(records: Vec<Record>) -> Trace {
    Trace {
        records,
        ..Trace::default()
    }
}

/// A speed is a decimal number above 0; everything else is refused, with what it was.
#[test]
fn speeds_are_numbers_above_zero() {
    assert_eq!(Speed::parse("1"), Ok(Speed::ONE));
    assert_eq!(Speed::parse("0.5"), Ok(Speed(500_000)));
    assert_eq!(Speed::parse("1000000"), Ok(Speed(1_000_000_000_000)));
    for text in [
        "",
        "0",
        "0.0",
        "-1",
        "+1",
        "1e3",
        "fast",
        ".5",
        "0.0000001",
        "1000000.1",
        "1,5",
        "99999999999999999999",
    ] {
        let error = Speed::parse(text).unwrap_err();
        assert!(error.contains(&format!("`{text}`")), "{error}");
    }
}

/// One side's frames are sent at their distances from its first, divided by the speed, each known
/// by its number in the capture.
#[test]
fn one_side_keeps_its_times_and_numbers() {
    let note = Record::Note {
        at: Instant::from_millis(150),
        json: "{}".to_owned(),
    };
    let records = vec![
        frame(100, B, 60),
        note,
        frame(200, A, 60),
        frame(700, A, 61),
    ];
    let trace = trace(records);
    let plan = |pace| -> Vec<(usize, u128, usize)> {
        let due = due(&trace, Some(A), pace).unwrap().into_iter();
        due.map(|due| (due.packet, due.after.as_millis(), due.octets.len()))
            .collect()
    };
    assert_eq!(plan(Pace::Times(Speed::ONE)), [(2, 0, 60), (3, 500, 61)]);
    let twice = Speed::parse("2").unwrap();
    assert_eq!(plan(Pace::Times(twice)), [(2, 0, 60), (3, 250, 61)]);
    assert_eq!(plan(Pace::Top), [(2, 0, 60), (3, 0, 61)]);
}

/// Without an address a capture of one side is sent whole; one of several sides is refused with
/// whose frames there are.
#[test]
fn a_capture_of_several_sides_needs_one_named() {
    let one = trace(vec![frame(1, A, 60), frame(2, A, 60)]);
    assert_eq!(due(&one, None, Pace::Top).map(|due| due.len()), Ok(2));
    let two = trace(vec![frame(1, A, 60), frame(2, B, 60), frame(3, B, 60)]);
    let error = due(&two, None, Pace::Top).unwrap_err().to_string();
    let known = "02:00:00:00:00:01 (1 frames), 02:00:00:00:00:02 (2 frames)";
    assert!(error.ends_with(known), "{error}");
    let other = MacAddr([2, 0, 0, 0, 0, 3]);
    let error = due(&two, Some(other), Pace::Top).unwrap_err().to_string();
    assert!(
        error.contains(&other.to_string()) && error.ends_with(known),
        "{error}"
    );
    assert_eq!(due(&trace(vec![]), None, Pace::Top), Err(OntoError::Empty));
}

/// A packet that is no frame, or was captured in part, is named by its number: what is sent is what
/// was there. A cut packet of the other side does no harm.
#[test]
fn what_cant_be_sent_is_named_by_its_number() {
    let short = trace(vec![frame(1, A, 60), frame(2, A, 13)]);
    let error = due(&short, None, Pace::Top).unwrap_err();
    assert_eq!(
        error,
        OntoError::Short {
            packet: 2,
            octets: 13
        }
    );
    let mut cut = trace(vec![frame(1, B, 60), frame(2, A, 60)]);
    cut.cut.insert(0, 1500);
    assert_eq!(due(&cut, Some(A), Pace::Top).map(|due| due.len()), Ok(1));
    let error = due(&cut, Some(B), Pace::Top).unwrap_err().to_string();
    assert_eq!(error, "of packet 1 only 60 of 1500 octets were captured");
}

/// What a recording says of itself is found in it again.
#[test]
fn the_note_is_read_back() {
    let note = OntoNote {
        measured: Measured {
            dropped: 3,
            ..Measured::default()
        },
        tolerance_ns: 5,
    };
    let trace = trace(vec![frame(1, A, 60), note.record(Instant::from_millis(2))]);
    assert_eq!(OntoNote::of(&trace), Some(note));
}
