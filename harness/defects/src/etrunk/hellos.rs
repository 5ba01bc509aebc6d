//! What hellos say and when they leave (ETRUNK-001 to ETRUNK-007, ETRUNK-036, ETRUNK-059).

use super::frames::{Keeps, Octets, Says, ToPort, at};
use crate::Defect;
use dut_wire::etrunk::{Echo, FailTime, SendPeriod};
use std::time::Duration;

/// A hello that says something else.
macro_rules! says {
    ($change:expr) => {
        || Box::new(Says($change))
    };
}

/// Defects of the hellos.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "etrunk-other-port",
        &["ETRUNK-001"],
        "hellos go to port 1026",
        || Box::new(ToPort(1026)),
    ),
    Defect::frames(
        "etrunk-addr-as-the-peer",
        &["ETRUNK-001"],
        "ADDR says the addresses as the receiver configures them",
        says!(|hello| std::mem::swap(&mut hello.addr.source, &mut hello.addr.peer)),
    ),
    Defect::frames(
        "etrunk-without-digest",
        &["ETRUNK-001", "ETRUNK-059"],
        "CFG_DIGEST is left out",
        says!(|hello| hello.cfg_digest = None),
    ),
    Defect::frames(
        "etrunk-flags-after-digest",
        &["ETRUNK-015", "ETRUNK-016"],
        "flags are set after the digest has been computed",
        || {
            Box::new(Octets(|payload| {
                if let Some(flags) = payload.get_mut(7) {
                    *flags ^= 1;
                }
            }))
        },
    ),
    Defect::frames(
        "etrunk-sequence-after-digest",
        &["ETRUNK-015", "ETRUNK-016", "ETRUNK-017"],
        "Boot_Epoch and Sequence are left out of the digest",
        || {
            Box::new(Octets(|payload| {
                if let Some(epoch) = payload.get_mut(at::BOOT_EPOCH..at::SEQUENCE) {
                    epoch.rotate_left(1);
                }
            }))
        },
    ),
    Defect::frames(
        "etrunk-period-in-seconds",
        &["ETRUNK-002"],
        "Send_Period is said in seconds",
        says!(|hello| hello.send_period = SendPeriod::clamped(hello.send_period.get() / 10)),
    ),
    Defect::data(
        "etrunk-fail-time-in-seconds",
        &["ETRUNK-002", "ETRUNK-030"],
        "Fail_Time is the multiplier alone",
        |rules| rules.etrunk.local_fail_time = |_, multiplier| multiplier,
    ),
    Defect::data(
        "etrunk-fail-time-plus-one",
        &["ETRUNK-002", "ETRUNK-030"],
        "Fail_Time is one period too long",
        |rules| {
            rules.etrunk.local_fail_time =
                |period, multiplier| period.saturating_mul(multiplier.saturating_add(1));
        },
    ),
    Defect::frames(
        "etrunk-first-hello-lost",
        &["ETRUNK-003"],
        "the first hello of a boot is lost",
        || Box::new(Keeps(|_, count| count > 0, 0)),
    ),
    Defect::frames(
        "etrunk-restart-said-always",
        &["ETRUNK-003"],
        "every hello has the restart flag",
        says!(|hello| hello.restart = true),
    ),
    Defect::frames(
        "etrunk-no-reply-requested",
        &["ETRUNK-003"],
        "the first hello requests no reply",
        says!(|hello| hello.reply_requested = false),
    ),
    Defect::data(
        "etrunk-same-epoch",
        &["ETRUNK-003"],
        "Boot_Epoch isn't raised at a boot",
        |rules| rules.etrunk.boot_epoch = |_| 1,
    ),
    Defect::data(
        "etrunk-no-reply",
        &["ETRUNK-004"],
        "a request for a reply is ignored",
        |rules| rules.etrunk.replies = |_| false,
    ),
    Defect::data(
        "etrunk-replies-to-all",
        &["ETRUNK-004"],
        "every hello is answered",
        |rules| rules.etrunk.replies = |_| true,
    ),
    Defect::frames(
        "etrunk-reply-requests-one",
        &["ETRUNK-004"],
        "an answer requests an answer",
        says!(|hello| hello.reply_requested = !hello.triggered),
    ),
    Defect::data(
        "etrunk-not-triggered",
        &["ETRUNK-005"],
        "changes wait for the next periodic hello",
        |rules| rules.etrunk.tells = |_, _| false,
    ),
    Defect::frames(
        "etrunk-trigger-not-said",
        &["ETRUNK-005"],
        "the triggered flag is never set",
        says!(|hello| hello.triggered = false),
    ),
    Defect::data(
        "etrunk-roles-alone-trigger",
        &["ETRUNK-005", "ETRUNK-006"],
        "a change of a member isn't told at once",
        |rules| rules.etrunk.tells = |before, after| before.state != after.state,
    ),
    Defect::data(
        "etrunk-no-fast-hellos",
        &["ETRUNK-006"],
        "a member's change is told once",
        |rules| rules.etrunk.hastens = |_, _| false,
    ),
    Defect::data(
        "etrunk-two-fast-hellos",
        &["ETRUNK-006"],
        "two fast hellos follow a member's change, not three",
        |rules| rules.etrunk.fast_count = 2,
    ),
    Defect::data(
        "etrunk-slow-fast-hellos",
        &["ETRUNK-006"],
        "the fast hellos are 200 ms apart",
        |rules| rules.etrunk.fast_period = Duration::from_millis(200),
    ),
    Defect::data(
        "etrunk-echo-kept",
        &["ETRUNK-036"],
        "ECHO repeats what a silent peer said last",
        |rules| rules.etrunk.echo = |_, echo| Some(echo),
    ),
    Defect::data(
        "etrunk-no-echo",
        &["ETRUNK-036"],
        "ECHO is always zero",
        |rules| rules.etrunk.echo = |_, _| None,
    ),
    Defect::data(
        "etrunk-echo-of-one-hello",
        &["ETRUNK-036"],
        "ECHO doesn't count the hellos",
        |rules| {
            rules.etrunk.echo = |heard, echo| {
                heard.then_some(Echo {
                    sequence: 1,
                    ..echo
                })
            };
        },
    ),
    Defect::frames(
        "etrunk-own-state-echoed",
        &["ETRUNK-036"],
        "ECHO repeats the own state",
        says!(|hello| {
            if let Some(echo) = &mut hello.echo {
                echo.state = hello.state;
            }
        }),
    ),
    Defect::frames(
        "etrunk-no-fail-time",
        &["ETRUNK-002"],
        "Fail_Time isn't said",
        says!(|hello| hello.fail_time = None),
    ),
    Defect::frames(
        "etrunk-fail-time-half",
        &["ETRUNK-002"],
        "half of the Fail_Time is said",
        says!(|hello| {
            hello.fail_time = hello
                .fail_time
                .map(|time| FailTime::clamped(time.get() / 2));
        }),
    ),
];
