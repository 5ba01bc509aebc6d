//! The `display` commands: a device's state as the vendor prints it.
//!
//! Labels and their order are the vendor's; where it prints the same label with different blanks
//! on two devices, the first's are taken. What the vendor has no word for says so where it is made.

mod backup;
mod e_trunk;
mod eth_trunk;
mod format;
mod forwarding;
mod mld;

use crate::interface_name;
use dut_device::Snapshot;

/// An element of a display command.
#[derive(Debug, Clone, Copy)]
enum Word {
    Key(&'static str),
    Id,
    Name,
    Interface,
}

/// What a display command has been given.
#[derive(Debug, Default)]
struct Given {
    id: Option<u16>,
    name: Option<String>,
}

/// A display command's words and what prints it.
struct Display {
    words: &'static [Word],
    print: fn(&Snapshot, &Given, u64) -> Result<String, String>,
}

use Word::{Id, Interface, Key, Name};

const COMMANDS: &[Display] = &[
    show(&[Key("clock")], |snapshot, _, origin| {
        Ok(format::clock(snapshot, origin))
    }),
    show(&[Key("e-trunk")], |s, given, _| e_trunk::all(s, given.id)),
    show(&[Key("e-trunk"), Id], |s, given, _| {
        e_trunk::all(s, given.id)
    }),
    show(&[Key("e-trunk"), Key("brief")], |s, _, _| {
        Ok(e_trunk::brief(s))
    }),
    show(&[Key("e-trunk"), Key("packet-statistics")], |s, _, _| {
        Ok(e_trunk::packet_statistics(s))
    }),
    show(&[Key("eth-trunk")], |s, given, _| {
        eth_trunk::all(s, given.id)
    }),
    show(&[Key("eth-trunk"), Id], |s, given, _| {
        eth_trunk::all(s, given.id)
    }),
    show(
        &[Key("lacp"), Key("statistics"), Key("eth-trunk")],
        |s, given, _| eth_trunk::statistics(s, given.id),
    ),
    show(
        &[Key("lacp"), Key("statistics"), Key("eth-trunk"), Id],
        |s, given, _| eth_trunk::statistics(s, given.id),
    ),
    show(&[Key("mld"), Key("group")], |s, _, _| {
        Ok(mld::groups(s, false))
    }),
    show(&[Key("mld"), Key("group"), Key("verbose")], |s, _, _| {
        Ok(mld::groups(s, true))
    }),
    show(&[Key("mld"), Key("interface")], |s, given, _| {
        mld::interfaces(s, given.name.as_deref(), false)
    }),
    show(
        &[Key("mld"), Key("interface"), Key("verbose")],
        |s, given, _| mld::interfaces(s, given.name.as_deref(), true),
    ),
    show(&[Key("mld"), Key("interface"), Interface], |s, given, _| {
        mld::interfaces(s, given.name.as_deref(), false)
    }),
    show(
        &[Key("mld"), Key("interface"), Interface, Key("verbose")],
        |s, given, _| mld::interfaces(s, given.name.as_deref(), true),
    ),
    show(
        &[Key("multicast"), Key("ipv6"), Key("forwarding-table")],
        |s, _, _| Ok(forwarding::table(s)),
    ),
    show(&[Key("remote-backup-profile")], |s, _, _| {
        Ok(backup::profiles(s))
    }),
    show(&[Key("remote-backup-profile"), Name], |s, given, _| {
        backup::profile(s, given.name.as_deref().unwrap_or_default())
    }),
    show(&[Key("remote-backup-service")], |s, _, _| {
        Ok(backup::services(s))
    }),
    show(&[Key("remote-backup-service"), Name], |s, given, _| {
        backup::service(s, given.name.as_deref().unwrap_or_default())
    }),
];

const fn show(
    words: &'static [Word],
    print: fn(&Snapshot, &Given, u64) -> Result<String, String>,
) -> Display {
    Display { words, print }
}

/// Answers a `display` command with the state in `snapshot`. Keywords may be cut short while they
/// are unambiguous. `wall_origin_s` is the device's wall clock at the beginning of the run, in
/// seconds since 1970.
///
/// # Errors
/// What the device answers to a command that it doesn't know, with those that it knows, or that
/// names what isn't there.
pub fn display(command: &str, snapshot: &Snapshot, wall_origin_s: u64) -> Result<String, String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let Some((first, rest)) = words.split_first() else {
        return Err(unknown(command));
    };
    if first.len() < 3 || !begins("display", first) {
        return Err(unknown(command));
    }
    let fitting: Vec<_> = COMMANDS
        .iter()
        .filter_map(|display| {
            let (given, whole) = fit(display.words, rest)?;
            Some((display, given, whole))
        })
        .collect();
    // A keyword that is written out means itself, even when another begins with it.
    let most = fitting
        .iter()
        .map(|(_, _, whole)| *whole)
        .max()
        .unwrap_or(0);
    let mut best = fitting.iter().filter(|(_, _, whole)| *whole == most);
    match (best.next(), best.next()) {
        (Some((display, given, _)), None) => (display.print)(snapshot, given, wall_origin_s),
        (None, _) => Err(unknown(command)),
        (Some(_), Some(_)) => {
            let usages: Vec<String> = fitting
                .iter()
                .map(|(display, _, _)| format!(" {}", usage(display.words)))
                .collect();
            Err(format!(
                "Error: Ambiguous command found: `{}`. It is one of:\n{}",
                clean(command),
                usages.join("\n")
            ))
        }
    }
}

/// What a command is given when the line fits it, and how many keywords are written out.
fn fit(words: &[Word], line: &[&str]) -> Option<(Given, usize)> {
    let mut given = Given::default();
    let mut whole = 0;
    let mut line = line.iter().copied().peekable();
    for word in words {
        let text = line.next()?;
        match word {
            Key(key) => {
                if !begins(key, text) {
                    return None;
                }
                whole += usize::from(key.len() == text.len());
            }
            Id => given.id = Some(text.parse().ok()?),
            Name => given.name = Some(text.to_owned()),
            Interface => {
                let parsed = interface_name::parse(text).or_else(|| {
                    let both = line.peek().map(|next| format!("{text}{next}"))?;
                    let parsed = interface_name::parse(&both)?;
                    line.next();
                    Some(parsed)
                })?;
                given.name = Some(parsed.0);
            }
        }
    }
    line.next().is_none().then_some((given, whole))
}

fn begins(key: &str, text: &str) -> bool {
    key.get(..text.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(text))
}

fn usage(words: &[Word]) -> String {
    let mut usage = "display".to_owned();
    for word in words {
        usage.push(' ');
        usage.push_str(match word {
            Key(key) => key,
            Id => "<id>",
            Name => "<name>",
            Interface => "<interface>",
        });
    }
    usage
}

fn unknown(command: &str) -> String {
    let usages: Vec<String> = COMMANDS
        .iter()
        .map(|display| format!(" {}", usage(display.words)))
        .collect();
    format!(
        "Error: Unrecognized command found: `{}`. Known are:\n{}",
        clean(command),
        usages.join("\n")
    )
}

/// Without what a terminal would obey, and no longer than a line.
fn clean(text: &str) -> String {
    text.chars()
        .take(80)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
