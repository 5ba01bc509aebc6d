//! The shape of a command: its keywords and arguments, and how a line is held against it.

use crate::config::InterfaceKind;
use crate::interface_name;
use dut_device::MacAddr;
use std::collections::BTreeSet;
use std::net::Ipv6Addr;

/// One element of a command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// A keyword.
    Word(&'static str),
    /// One of several keywords, bound as text.
    OneOf(&'static [&'static str]),
    /// An integer from `1` to `2`, called `0`.
    Int(&'static str, u32, u32),
    /// A unicast IPv6 address.
    Address(&'static str),
    /// An IPv6 multicast address of a scope wider than the link.
    Group(&'static str),
    /// A unicast IPv6 address or prefix with `/length`.
    AddressLength,
    /// An IPv6 prefix, as `2001:DB8:40::`.
    Prefix,
    /// A MAC address as `00e0-fc12-3455`.
    Mac,
    /// A word of at most so many characters.
    Name(&'static str, usize),
    /// The rest of the line, of at most so many characters.
    Rest(&'static str, usize),
    /// An interface name, in one word or two.
    Interface,
    /// VLAN ids and ranges, as `100 200 to 210`.
    Vlans,
}

/// A word of a line and where it stands: characters, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) start: usize,
    pub(crate) length: usize,
}

/// What an argument was given as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Int(u32),
    Address(Ipv6Addr),
    AddressLength(Ipv6Addr, u8),
    Mac(MacAddr),
    Text(String),
    Interface(String, InterfaceKind),
    Vlans(BTreeSet<u16>),
}

/// The arguments of a matched line, in order. A command's function asks for what the command's
/// parts have bound; the neutral value answers for anything else.
#[derive(Debug, Default)]
pub(crate) struct Args {
    values: Vec<(Value, Token)>,
}

impl Args {
    pub(crate) fn int(&self, at: usize) -> u32 {
        if let Some((Value::Int(value), _)) = self.values.get(at) {
            *value
        } else {
            0
        }
    }

    pub(crate) fn u16(&self, at: usize) -> u16 {
        u16::try_from(self.int(at)).unwrap_or(u16::MAX)
    }

    pub(crate) fn u8(&self, at: usize) -> u8 {
        u8::try_from(self.int(at)).unwrap_or(u8::MAX)
    }

    pub(crate) fn address(&self, at: usize) -> Ipv6Addr {
        if let Some((Value::Address(address) | Value::AddressLength(address, _), _)) =
            self.values.get(at)
        {
            *address
        } else {
            Ipv6Addr::UNSPECIFIED
        }
    }

    pub(crate) fn length(&self, at: usize) -> u8 {
        if let Some((Value::AddressLength(_, length), _)) = self.values.get(at) {
            *length
        } else {
            self.u8(at)
        }
    }

    pub(crate) fn mac(&self, at: usize) -> MacAddr {
        if let Some((Value::Mac(mac), _)) = self.values.get(at) {
            *mac
        } else {
            MacAddr::ZERO
        }
    }

    pub(crate) fn text(&self, at: usize) -> &str {
        if let Some((Value::Text(text) | Value::Interface(text, _), _)) = self.values.get(at) {
            text
        } else {
            ""
        }
    }

    pub(crate) fn kind(&self, at: usize) -> InterfaceKind {
        if let Some((Value::Interface(_, kind), _)) = self.values.get(at) {
            *kind
        } else {
            InterfaceKind::Null
        }
    }

    pub(crate) fn vlans(&self, at: usize) -> BTreeSet<u16> {
        if let Some((Value::Vlans(vlans), _)) = self.values.get(at) {
            vlans.clone()
        } else {
            BTreeSet::new()
        }
    }

    /// Where the argument stands in the line.
    pub(crate) fn token(&self, at: usize) -> Option<&Token> {
        self.values.get(at).map(|(_, token)| token)
    }
}

/// Why a line isn't a command, and how far it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Words of the line that fit.
    pub(crate) fitting: usize,
    /// What is wrong with the next.
    pub(crate) why: Why,
}

/// What is wrong with a line's first word that doesn't fit a command. The later, the closer to
/// what was meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// Another keyword was expected.
    Word,
    /// The line goes on after the command's end.
    TooLong,
    /// The line ends before the command does.
    TooShort,
    /// The argument can't be this.
    Value(String),
}

/// The words of a line.
pub(crate) fn tokens(line: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut open = false;
    for (start, character) in line.chars().enumerate() {
        if character.is_whitespace() {
            open = false;
            continue;
        }
        match tokens.last_mut().filter(|_| open) {
            Some(token) => {
                token.text.push(character);
                token.length += 1;
            }
            None => tokens.push(Token {
                text: character.to_string(),
                start,
                length: 1,
            }),
        }
        open = true;
    }
    tokens
}

/// Holds a line against a command.
pub(crate) fn matches(parts: &[Part], line: &[Token]) -> Result<Args, Mismatch> {
    let mut args = Args::default();
    let mut at = 0;
    for part in parts {
        let rest = line.get(at..).unwrap_or_default();
        let wrong = |why| Mismatch { fitting: at, why };
        let Some(first) = rest.first() else {
            return Err(wrong(Why::TooShort));
        };
        at += match part {
            Part::Word(word) if first.text.eq_ignore_ascii_case(word) => 1,
            Part::Word(_) => return Err(wrong(Why::Word)),
            Part::OneOf(_)
            | Part::Int(..)
            | Part::Address(_)
            | Part::Group(_)
            | Part::AddressLength
            | Part::Prefix
            | Part::Mac
            | Part::Name(..)
            | Part::Rest(..)
            | Part::Interface
            | Part::Vlans => {
                let (value, used) = value(*part, rest).map_err(|why| wrong(Why::Value(why)))?;
                args.values.push((value, span(rest, used)));
                used
            }
        };
    }
    if at < line.len() {
        return Err(Mismatch {
            fitting: at,
            why: Why::TooLong,
        });
    }
    Ok(args)
}

/// The first `count` words as one.
fn span(tokens: &[Token], count: usize) -> Token {
    let used = tokens.get(..count).unwrap_or_default();
    let start = used.first().map_or(0, |token| token.start);
    let end = used
        .last()
        .map_or(start, |token| token.start + token.length);
    Token {
        text: words(used),
        start,
        length: end - start,
    }
}

fn words(tokens: &[Token]) -> String {
    let texts: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    texts.join(" ")
}

/// An argument's value and how many words it took, or what it should be.
fn value(part: Part, rest: &[Token]) -> Result<(Value, usize), String> {
    let text = rest.first().map_or("", |token| token.text.as_str());
    let one = |value| Ok((value, 1));
    match part {
        Part::Word(word) => Err(format!("`{text}` is not `{word}`")),
        Part::OneOf(words) => words
            .iter()
            .find(|word| word.eq_ignore_ascii_case(text))
            .map(|word| (Value::Text((*word).to_owned()), 1))
            .ok_or_else(|| format!("`{text}` is none of {}", words.join(", "))),
        Part::Int(name, min, max) => one(Value::Int(integer(name, text, min, max)?)),
        Part::Address(name) => one(Value::Address(unicast(name, text)?)),
        Part::Group(name) => one(Value::Address(group(name, text)?)),
        Part::AddressLength => address_length(text).and_then(one),
        Part::Prefix => (text.parse().map(Value::Address))
            .map_err(|_| format!("`{text}` is no IPv6 prefix"))
            .and_then(one),
        Part::Mac => mac(text).and_then(one),
        Part::Name(name, most) => {
            sized(name, text, most).and_then(|text| one(Value::Text(text.to_owned())))
        }
        Part::Rest(name, most) => {
            let all = words(rest);
            sized(name, &all, most)?;
            Ok((Value::Text(all), rest.len()))
        }
        Part::Interface => interface(rest),
        Part::Vlans => Ok((Value::Vlans(vlans(rest)?), rest.len())),
    }
}

fn sized<'a>(name: &str, text: &'a str, most: usize) -> Result<&'a str, String> {
    let length = text.chars().count();
    if length > most {
        return Err(format!("{name} of {length} characters: at most {most}"));
    }
    Ok(text)
}

fn integer(name: &str, text: &str, min: u32, max: u32) -> Result<u32, String> {
    let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if !digits {
        return Err(format!("`{text}` is no number: {name} is {min}–{max}"));
    }
    (text.parse::<u32>().ok())
        .filter(|value| (min..=max).contains(value))
        .ok_or_else(|| format!("{name} {text} is out of range: {min}–{max}"))
}

fn unicast(name: &str, text: &str) -> Result<Ipv6Addr, String> {
    let address: Ipv6Addr =
        (text.parse()).map_err(|_| format!("`{text}` is no IPv6 address: {name} is one"))?;
    if address.is_multicast() || address.is_unspecified() || address.is_loopback() {
        return Err(format!("{name} {text} can't be: it is a unicast address"));
    }
    Ok(address)
}

fn group(name: &str, text: &str) -> Result<Ipv6Addr, String> {
    let address: Ipv6Addr =
        (text.parse()).map_err(|_| format!("`{text}` is no IPv6 address: {name} is one"))?;
    if !interface_name::is_routed_group(address) {
        return Err(format!(
            "{name} {text} can't be: it is FFx3:: to FFxF::, or FFx0::"
        ));
    }
    Ok(address)
}

fn address_length(text: &str) -> Result<Value, String> {
    let wrong = || format!("`{text}` is no IPv6 address with length, as 2001:DB8:15::1/64");
    let (address, length) = text.split_once('/').ok_or_else(wrong)?;
    let address = unicast("ipv6-address", address)?;
    let length = integer("prefix-length", length, 1, 128)?;
    Ok(Value::AddressLength(
        address,
        u8::try_from(length).unwrap_or(128),
    ))
}

fn mac(text: &str) -> Result<Value, String> {
    let wrong = || format!("`{text}` is no MAC address, as 00e0-fc12-3455");
    if text.contains(':') || text.matches('-').count() != 2 {
        return Err(wrong());
    }
    text.parse().map(Value::Mac).map_err(|_| wrong())
}

fn interface(rest: &[Token]) -> Result<(Value, usize), String> {
    let first = rest.first().map_or("", |token| token.text.as_str());
    let found = |(name, kind)| Value::Interface(name, kind);
    if let Some(interface) = interface_name::parse(first) {
        return Ok((found(interface), 1));
    }
    let both = rest
        .get(1)
        .and_then(|second| interface_name::parse(&format!("{first}{}", second.text)));
    both.map(|interface| (found(interface), 2)).ok_or_else(|| {
        format!(
            "`{first}` is no interface: GigabitEthernetX/Y/Z, Eth-Trunk0–511, LoopBack0–1023 \
             or NULL0"
        )
    })
}

fn vlans(rest: &[Token]) -> Result<BTreeSet<u16>, String> {
    let mut vlans = BTreeSet::new();
    let mut words = rest.iter().peekable();
    let id = |text: &str| {
        integer("vlan-id", text, 1, 4094).map(|id| u16::try_from(id).unwrap_or(u16::MAX))
    };
    while let Some(word) = words.next() {
        let first = id(&word.text)?;
        let mut last = first;
        if words
            .next_if(|word| word.text.eq_ignore_ascii_case("to"))
            .is_some()
        {
            let end = words
                .next()
                .ok_or("`to` needs a vlan-id after it".to_owned())?;
            last = id(&end.text)?;
            if last <= first {
                return Err(format!("{first} to {last} is no range"));
            }
        }
        vlans.extend(first..=last);
    }
    Ok(vlans)
}

/// The command as its usage line.
pub(crate) fn usage(parts: &[Part]) -> String {
    let texts: Vec<String> = parts.iter().map(|part| part_usage(*part)).collect();
    texts.join(" ")
}

fn part_usage(part: Part) -> String {
    match part {
        Part::Word(word) => word.to_owned(),
        Part::OneOf(words) => format!("{{ {} }}", words.join(" | ")),
        Part::Int(name, min, max) => format!("<{name} {min}–{max}>"),
        Part::Address(name) | Part::Group(name) => format!("<{name}>"),
        Part::AddressLength => "<ipv6-address/prefix-length>".to_owned(),
        Part::Prefix => "<ipv6-prefix>".to_owned(),
        Part::Mac => "<H-H-H>".to_owned(),
        Part::Name(name, most) | Part::Rest(name, most) => format!("<{name} 1–{most} characters>"),
        Part::Interface => "<interface>".to_owned(),
        Part::Vlans => "<vlan-id> [ to <vlan-id> ] …".to_owned(),
    }
}

/// The command's keywords alone.
pub(crate) fn keywords(parts: &[Part]) -> String {
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|part| {
            if let Part::Word(word) = part {
                Some(*word)
            } else {
                None
            }
        })
        .collect();
    texts.join(" ")
}
