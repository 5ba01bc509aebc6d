//! Proves that no device can make a case endless.

use super::run_case;
use crate::bed::Factory;
use crate::event::CaseResult;
use crate::judge::judge_trace;
use dut_device::{
    BuildSpec, Control, ControlError, Device, Event, Instant, MacAddr, PortId, PortInfo, Transmit,
    TxId,
};
use harness_judge::Verdict;
use harness_sim::Budget;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How a device goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    /// Its timer stays in the past, and it says nothing.
    TimerInThePast,
    /// Its timer is due at once again, and sends a frame each time.
    FrameATimeout,
    /// It has always another frame to send.
    FramesWithoutEnd,
    /// It has always another event to tell.
    EventsWithoutEnd,
}

/// A device with one wrong habit, and nothing else.
#[derive(Debug)]
struct Habit {
    ports: Vec<PortInfo>,
    wrong: Wrong,
    queued: bool,
    sent: u64,
}

impl Device for Habit {
    fn ports(&self) -> &[PortInfo] {
        &self.ports
    }

    fn handle_frame(&mut self, _now: Instant, _port: PortId, _frame: &[u8]) {}

    fn handle_timeout(&mut self, _now: Instant) {
        self.queued = self.wrong == Wrong::FrameATimeout;
    }

    fn handle_control(&mut self, _now: Instant, _control: &Control) -> Result<(), ControlError> {
        Ok(())
    }

    fn handle_transmitted(&mut self, _at: Instant, _tx: TxId) {}

    fn poll_transmit(&mut self) -> Option<Transmit> {
        let queued = std::mem::take(&mut self.queued) || self.wrong == Wrong::FramesWithoutEnd;
        queued.then(|| {
            self.sent += 1;
            Transmit {
                port: PortId(0),
                tx: TxId(self.sent),
                frame: vec![0xff; 60],
            }
        })
    }

    fn poll_event(&mut self) -> Option<Event> {
        (self.wrong == Wrong::EventsWithoutEnd).then_some(Event::Discarded {
            port: None,
            protocol: "ethernet",
            reason: "too_short",
        })
    }

    fn next_timeout(&self) -> Option<Instant> {
        let timer = [Wrong::TimerInThePast, Wrong::FrameATimeout].contains(&self.wrong);
        timer.then_some(Instant::ZERO)
    }
}

/// A case of the proxy's bed, played on such a device.
fn played(wrong: Wrong) -> CaseResult {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites");
    let catalogue = harness_suite::load(&root).unwrap();
    let mut cases = catalogue.cases.iter();
    let case = cases.find(|case| case.id == "mld/proxy/queries-downstream");
    let factory: Factory = Arc::new(move |_: &BuildSpec| {
        let port = |n: u8| PortInfo {
            id: PortId(n.into()),
            name: format!("eth{n}"),
            mac: MacAddr([2, 0, 0, 0, 2, n]),
        };
        Ok(Box::new(Habit {
            ports: (0..3).map(port).collect(),
            wrong,
            queued: false,
            sent: 0,
        }))
    });
    run_case(case.unwrap(), &catalogue, &factory, 1, Duration::ZERO)
}

/// Proves that the case has failed for this reason, and does so again from its trace alone.
fn stopped(wrong: Wrong, reason: &str) {
    let result = played(wrong);
    let what = |result: &CaseResult| result.finding.as_ref().map(|finding| finding.what.clone());
    assert_eq!(
        result.verdict,
        Verdict::Fail,
        "{wrong:?}: {:?}",
        what(&result)
    );
    assert!(
        what(&result).unwrap().starts_with(reason),
        "{:?}",
        what(&result)
    );
    let again = judge_trace(&result.trace).unwrap();
    assert_eq!(
        (again.verdict, what(&again)),
        (Verdict::Fail, what(&result))
    );
}

/// A device whose timer is in the past for ever ends its case by *fail*, and nothing hangs.
#[test]
fn a_timer_in_the_past_for_ever_ends_the_case() {
    let most = Budget::CASE.events;
    stopped(
        Wrong::TimerInThePast,
        &format!("dut has acted more than {most} times"),
    );
}

/// A device that sends at every timeout, each at once, ends its case by *fail*.
#[test]
fn a_flood_of_frames_ends_the_case() {
    let most = Budget::CASE.frames;
    stopped(
        Wrong::FrameATimeout,
        &format!("dut has sent more than {most} frames"),
    );
}

/// A device that can't be emptied of frames, or of events, ends its case by *fail*.
#[test]
fn a_device_without_an_end_ends_the_case() {
    let Budget { frames, events } = Budget::CASE;
    stopped(
        Wrong::FramesWithoutEnd,
        &format!("dut has sent more than {frames} frames"),
    );
    stopped(
        Wrong::EventsWithoutEnd,
        &format!("dut has acted more than {events} times"),
    );
}
