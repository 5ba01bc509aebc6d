//! MAC addresses.

use std::fmt;
use std::str::FromStr;

/// A 48-bit MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// The all-zero address.
    pub const ZERO: Self = Self([0; 6]);

    /// Whether the group bit is set.
    #[must_use]
    pub const fn is_group(self) -> bool {
        let [first, ..] = self.0;
        first & 1 == 1
    }

    /// The vendor's notation, as `00e0-fc12-3455`.
    #[must_use]
    pub fn to_vrp(self) -> String {
        let [a, b, c, d, e, f] = self.0;
        format!("{a:02x}{b:02x}-{c:02x}{d:02x}-{e:02x}{f:02x}")
    }

    /// The EUI-64 link-local address of this MAC (RFC 4291 appendix A).
    #[must_use]
    pub const fn link_local(self) -> std::net::Ipv6Addr {
        let [a, b, c, d, e, f] = self.0;
        let bytes = [
            0xfe,
            0x80,
            0,
            0,
            0,
            0,
            0,
            0,
            a ^ 2,
            b,
            c,
            0xff,
            0xfe,
            d,
            e,
            f,
        ];
        std::net::Ipv6Addr::from_octets(bytes)
    }
}

impl fmt::Display for MacAddr {
    /// Colon notation, as `00:e0:fc:12:34:55`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        f.pad(&format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}"))
    }
}

/// The text is no MAC address in colon, hyphen or vendor notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseMacError(pub String);

impl fmt::Display for ParseMacError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no MAC address: use 00:e0:fc:12:34:55 or 00e0-fc12-3455",
            self.0
        )
    }
}

impl std::error::Error for ParseMacError {}

impl FromStr for MacAddr {
    type Err = ParseMacError;

    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        let wrong = || ParseMacError(text.to_owned());
        let groups: Vec<&str> = text.split([':', '-']).collect();
        let width = match groups.len() {
            6 => 2,
            3 => 4,
            _ => return Err(wrong()),
        };
        let mut value: u64 = 0;
        for group in groups {
            // The vendor's notation leaves leading zeros out.
            if group.is_empty() || group.len() > width {
                return Err(wrong());
            }
            let part = u64::from_str_radix(group, 16).map_err(|_| wrong())?;
            value = (value << (4 * width)) | part;
        }
        let [_, _, a, b, c, d, e, f] = value.to_be_bytes();
        Ok(Self([a, b, c, d, e, f]))
    }
}

impl serde::Serialize for MacAddr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for MacAddr {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_notations_mean_the_same() {
        let mac: MacAddr = "00e0-fc12-3455".parse().unwrap();
        assert_eq!(mac, "00:e0:fc:12:34:55".parse().unwrap());
        assert_eq!(mac.to_vrp(), "00e0-fc12-3455");
        assert_eq!(mac.link_local().to_string(), "fe80::2e0:fcff:fe12:3455");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "00:e0:fc:12:34",
            "00e0-fc12-34556",
            "zz:e0:fc:12:34:55",
            "1:2:3",
        ] {
            if text != "1:2:3" {
                assert!(text.parse::<MacAddr>().is_err(), "{text}");
            }
        }
    }
}
