//! Commands of the E-Trunk view.

use super::{Command, command};
use crate::builder::{Builder, Outcome, Problem};
use crate::config::{Authentication, SecurityKey};
use crate::diagnostic::NoticeKind;
use crate::grammar::Args;
use crate::grammar::Part::{Address, Int, Name, OneOf, Rest, Word};

pub(super) const COMMANDS: &[Command] = &[
    command(&[Word("priority"), Int("priority", 1, 254)], |b, args| {
        b.e_trunk()?.priority = args.u8(0);
        Ok(())
    }),
    command(
        &[
            Word("peer-ipv6"),
            Address("peer-ipv6-address"),
            Word("source-ipv6"),
            Address("source-ipv6-address"),
        ],
        |b, args| {
            let (peer, source) = (args.address(0), args.address(1));
            if peer == source {
                return Err(Problem::at(1, "peer and source are the same address"));
            }
            b.e_trunk()?.addresses = Some((peer, source));
            Ok(())
        },
    ),
    command(
        &[
            Word("security-key"),
            OneOf(&["simple", "cipher"]),
            Name("security-key", 432),
        ],
        security_key,
    ),
    command(
        &[
            Word("authentication-mode"),
            OneOf(&["hmac-sha1", "hmac-sha256", "enhanced-hmac-sha256"]),
        ],
        |b, args| {
            b.e_trunk()?.authentication = match args.text(0) {
                "hmac-sha1" => Authentication::HmacSha1,
                "hmac-sha256" => Authentication::HmacSha256,
                _ => Authentication::EnhancedHmacSha256,
            };
            Ok(())
        },
    ),
    command(&[Word("sequence"), Word("enable")], |b, _| {
        b.e_trunk()?.sequence = true;
        Ok(())
    }),
    command(&[Word("undo"), Word("sequence"), Word("enable")], |b, _| {
        b.e_trunk()?.sequence = false;
        Ok(())
    }),
    command(
        &[Word("timer"), Word("hello"), Int("hello-time", 5, 100)],
        |b, args| {
            b.e_trunk()?.hello_100ms = args.u16(0);
            Ok(())
        },
    ),
    command(
        &[
            Word("timer"),
            Word("hold-on-failure"),
            Word("multiplier"),
            Int("multiplier", 3, 300),
        ],
        |b, args| {
            b.e_trunk()?.multiplier = args.u16(0);
            Ok(())
        },
    ),
    command(
        &[
            Word("timer"),
            Word("revert"),
            Word("delay"),
            Int("delay-value", 0, 10800),
        ],
        |b, args| {
            b.e_trunk()?.revert_delay_s = Some(args.int(0));
            Ok(())
        },
    ),
    command(&[Word("revert"), Word("disable")], |b, _| {
        b.e_trunk()?.revert_delay_s = None;
        Ok(())
    }),
    command(
        &[Word("description"), Rest("description", 80)],
        |b, args| {
            b.e_trunk()?.description = Some(args.text(0).to_owned());
            Ok(())
        },
    ),
];

/// `cipher` takes a ciphertext between `%^%#` marks, which nobody can read back here, or the plain
/// key as an operator types it.
fn security_key(b: &mut Builder, args: &Args) -> Outcome {
    const MARK: &str = "%^%#";
    let text = args.text(1).to_owned();
    let marked = text.len() > 2 * MARK.len() && text.starts_with(MARK) && text.ends_with(MARK);
    let cipher = args.text(0) == "cipher" && marked;
    if !cipher && text.chars().count() > 255 {
        return Err(Problem::at(1, "a plain key has 1–255 characters"));
    }
    b.e_trunk()?.security_key = Some(SecurityKey { cipher, text });
    if cipher {
        let reason = "the ciphertext can't be read: the key is the testbed's secret for it, \
                      else the ciphertext itself";
        b.notice(NoticeKind::OpaqueKey, reason);
    }
    Ok(())
}
