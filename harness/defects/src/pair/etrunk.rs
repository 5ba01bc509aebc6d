//! E-Trunk's defects.

use super::datagram::{Hears, Says, hello_payload, resigned};
use crate::{Defect, Frames};
use dut_device::{Instant, PortId};
use dut_wire::etrunk::{Priority, Reason, State};

/// Drops hellos that leave: those with this flag, or every second without one.
#[derive(Debug)]
struct Withholds {
    triggered: bool,
    count: u32,
}

impl Frames for Withholds {
    fn sent(&mut self, _port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        let flags = hello_payload(&frame).and_then(|payload| payload.get(7).copied());
        let Some(flags) = flags else {
            return vec![frame];
        };
        self.count += 1;
        let drops = if self.triggered {
            flags & 1 != 0
        } else {
            self.count.is_multiple_of(2)
        };
        if drops && flags & 4 == 0 {
            Vec::new()
        } else {
            vec![frame]
        }
    }
}

/// Hears no hello any more after one for which this holds.
#[derive(Debug)]
struct DiesOf {
    what: fn(&[u8]) -> bool,
    dead: bool,
}

impl Frames for DiesOf {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let Some(payload) = hello_payload(frame) else {
            return vec![frame.to_vec()];
        };
        self.dead |= (self.what)(payload);
        if self.dead {
            Vec::new()
        } else {
            vec![frame.to_vec()]
        }
    }
}

/// Takes hellos whatever their digest.
#[derive(Debug)]
struct AnyKey;

impl Frames for AnyKey {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        vec![resigned(frame, |_| {}).unwrap_or_else(|| frame.to_vec())]
    }
}

macro_rules! says {
    ($id:literal, $breaks:expr, $what:literal, $change:expr) => {
        Defect::frames($id, $breaks, $what, || Box::new(Says($change))).of("etrunk")
    };
}

macro_rules! hears {
    ($id:literal, $breaks:expr, $what:literal, $change:expr) => {
        Defect::frames($id, $breaks, $what, || Box::new(Hears($change))).of("etrunk")
    };
}

macro_rules! dies {
    ($id:literal, $breaks:expr, $what:literal, $of:expr) => {
        Defect::frames($id, $breaks, $what, || {
            Box::new(DiesOf {
                what: $of,
                dead: false,
            })
        })
        .of("etrunk")
    };
}

/// E-Trunk's defects.
pub(super) const DEFECTS: &[Defect] = &[
    says!(
        "etrunk-echoes-nobody",
        &["ETRUNK-036"],
        "ECHO is always empty",
        |hello| {
            hello.echo = None;
        }
    ),
    says!(
        "etrunk-echo-epoch",
        &["ETRUNK-036"],
        "ECHO says another Boot_Epoch",
        |hello| {
            if let Some(echo) = &mut hello.echo {
                echo.boot_epoch += 1;
            }
        }
    ),
    says!(
        "etrunk-echo-state",
        &["ETRUNK-036"],
        "ECHO says Initialize always",
        |hello| {
            if let Some(echo) = &mut hello.echo {
                echo.state = State::Initialize;
            }
        }
    ),
    says!(
        "etrunk-priority-off",
        &["ETRUNK-026"],
        "hellos say another Priority",
        |hello| {
            hello.priority = Priority::clamped(hello.priority.get().wrapping_add(1));
        }
    ),
    says!(
        "etrunk-says-master",
        &["ETRUNK-030"],
        "hellos say Master always",
        |hello| {
            hello.state = State::Master;
        }
    ),
    says!(
        "etrunk-says-backup",
        &["ETRUNK-030"],
        "hellos say Backup always",
        |hello| {
            hello.state = State::Backup;
        }
    ),
    says!(
        "etrunk-reason-pri",
        &["ETRUNK-030", "ETRUNK-034"],
        "hellos say PRI always",
        |hello| {
            if let Some(reason) = Reason::from_code(1) {
                hello.reason = reason;
            }
        }
    ),
    says!(
        "etrunk-no-restart",
        &["ETRUNK-003"],
        "no hello has the restart flag",
        |hello| {
            hello.restart = false;
        }
    ),
    says!(
        "etrunk-period-off",
        &["ETRUNK-002"],
        "hellos are all triggered",
        |hello| {
            hello.triggered = true;
        }
    ),
    Defect::frames(
        "etrunk-half-rate",
        &["ETRUNK-002"],
        "every second hello isn't sent",
        || {
            Box::new(Withholds {
                triggered: false,
                count: 0,
            })
        },
    )
    .of("etrunk"),
    Defect::frames(
        "etrunk-never-at-once",
        &["ETRUNK-004", "ETRUNK-005"],
        "triggered hellos aren't sent",
        || {
            Box::new(Withholds {
                triggered: true,
                count: 0,
            })
        },
    )
    .of("etrunk"),
    Defect::frames(
        "etrunk-any-key",
        &["ETRUNK-013"],
        "a wrong digest is taken",
        || Box::new(AnyKey),
    )
    .of("etrunk"),
    hears!(
        "etrunk-any-peer",
        &["ETRUNK-010"],
        "ADDR isn't looked at",
        |hello| {
            hello.addr.source = std::net::Ipv6Addr::new(0x2001, 0xdb8, 0x33, 0, 0, 0, 0, 0x33);
            hello.addr.peer = std::net::Ipv6Addr::new(0x2001, 0xdb8, 0x11, 0, 0, 0, 0, 0x11);
        }
    ),
    hears!(
        "etrunk-initialize-unheard",
        &["ETRUNK-032"],
        "Initialize is heard as Backup",
        |hello| {
            if hello.state == State::Initialize {
                hello.state = State::Backup;
            }
        }
    ),
    hears!(
        "etrunk-own-fail-time",
        &["ETRUNK-033"],
        "the peer's Fail_Time isn't used",
        |hello| {
            hello.fail_time = None;
        }
    ),
    hears!(
        "etrunk-priority-unheard",
        &["ETRUNK-026"],
        "the peer's Priority is 254 always",
        |hello| {
            hello.priority = Priority::clamped(254);
        }
    ),
    dies!(
        "etrunk-dies-of-a-length",
        &["ETRUNK-009"],
        "no hello is heard after one with a wrong Length",
        |hello| {
            let length = hello
                .get(8..10)
                .map(|o| o.iter().fold(0, |all, o| all * 256 + usize::from(*o)));
            length != Some(hello.len())
        }
    ),
    dies!(
        "etrunk-dies-of-a-state",
        &["ETRUNK-023"],
        "no hello is heard after one with State 0",
        |hello| { hello.get(13).is_some_and(|state| !(1..=3).contains(state)) }
    ),
];
