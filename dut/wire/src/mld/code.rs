//! The floating-point codes of version 2 (RFC 3810 5.1.3, 5.1.9) and the linear delay of version 1.

use std::time::Duration;

/// Maximum Response Code: milliseconds, exact below 32768, then a 12-bit mantissa.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MaximumResponseCode(pub u16);

impl MaximumResponseCode {
    /// The greatest code whose delay isn't longer than `delay`; at most 8387584 ms.
    #[must_use]
    pub fn encode(delay: Duration) -> Self {
        //= MLD-016
        let ms = u32::try_from(delay.as_millis()).unwrap_or(u32::MAX);
        Self(u16::try_from(encode(ms, 12)).unwrap_or(u16::MAX))
    }

    /// Maximum Response Delay.
    #[must_use]
    pub fn delay(self) -> Duration {
        Duration::from_millis(decode(u32::from(self.0), 12).into())
    }
}

/// Querier's Query Interval Code: seconds, exact below 128, then a 4-bit mantissa.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Qqic(pub u8);

impl Qqic {
    /// The greatest code whose interval isn't longer than `interval`; at most 31744 s.
    #[must_use]
    pub fn encode(interval: Duration) -> Self {
        let s = u32::try_from(interval.as_secs()).unwrap_or(u32::MAX);
        Self(u8::try_from(encode(s, 4)).unwrap_or(u8::MAX))
    }

    /// Querier's Query Interval.
    #[must_use]
    pub fn interval(self) -> Duration {
        Duration::from_secs(decode(u32::from(self.0), 4).into())
    }
}

/// The version 1 Maximum Response Delay field: linear milliseconds, at most 65535.
#[must_use]
pub fn delay_v1(delay: Duration) -> u16 {
    u16::try_from(delay.as_millis()).unwrap_or(u16::MAX)
}

/// Encodes with `bits` of mantissa: 1 | exponent (3) | mantissa, rounding down.
fn encode(value: u32, bits: u32) -> u32 {
    let linear = bits + 3;
    let Some(exponent) = value
        .checked_ilog2()
        .and_then(|log| log.checked_sub(linear))
    else {
        return value;
    };
    if exponent > 7 {
        return (1 << (linear + 1)) - 1;
    }
    let mantissa = (value >> (exponent + 3)) & ((1 << bits) - 1);
    1 << linear | exponent << bits | mantissa
}

/// The value of a code with `bits` of mantissa.
const fn decode(code: u32, bits: u32) -> u32 {
    if code < 1 << (bits + 3) {
        return code;
    }
    let mantissa = code & ((1 << bits) - 1) | 1 << bits;
    mantissa << ((code >> bits & 7) + 3)
}
