//! The configuration of a station: one setting a line.

use super::proxy::QUERY_RESPONSE_INTERVAL;
use dut_device::BuildSpec;
use dut_mld::Profile;
use dut_mld::host::HostConfig;
use std::net::Ipv6Addr;
use std::time::Duration;

/// What the first line of a station's configuration begins with.
const HEAD: &str = "tandem device ";

/// Which device is to be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An MLD listener.
    Host,
    /// An MLD proxy.
    Proxy,
    /// A bridge that listens in on MLD.
    Snooper,
}

/// The settings of a station.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// The listener's; its address is filled in by the device.
    pub(super) host: HostConfig,
    /// Query Response Interval of a proxy's routers, and of those that a bridge listens to.
    pub(super) query_response_interval: Duration,
}

/// The lines of a spec that say something: (file, line number, text).
fn lines(spec: &BuildSpec) -> impl Iterator<Item = (&str, usize, &str)> {
    let said = spec.configuration.iter().flat_map(|(file, text)| {
        let numbered = text.lines().enumerate();
        numbered.map(|(at, line)| (file.as_str(), at + 1, line.trim()))
    });
    said.filter(|(_, _, line)| !line.is_empty() && !line.starts_with('#'))
}

/// The kind of station; `None` when the configuration is a router's.
///
/// # Errors
/// An unknown kind, with its place and what would be known.
pub(super) fn kind(spec: &BuildSpec) -> Result<Option<Kind>, String> {
    let Some((file, line, text)) = lines(spec).next() else {
        return Ok(None);
    };
    match text.strip_prefix(HEAD).map(str::trim) {
        None => Ok(None),
        Some("mld-host") => Ok(Some(Kind::Host)),
        Some("mld-proxy") => Ok(Some(Kind::Proxy)),
        Some("mld-snooper") => Ok(Some(Kind::Snooper)),
        Some(other) => Err(format!(
            "{file}:{line}: no device `{other}`; there are `mld-host`, `mld-proxy` and \
             `mld-snooper`"
        )),
    }
}

impl Settings {
    /// Reads every line after the first.
    ///
    /// # Errors
    /// Each line that is no setting, with its place and what would be right.
    pub(super) fn parse(spec: &BuildSpec) -> Result<Self, String> {
        let mut settings = Self {
            host: HostConfig::new(Ipv6Addr::UNSPECIFIED),
            query_response_interval: QUERY_RESPONSE_INTERVAL,
        };
        let wrong: Vec<String> = lines(spec)
            .skip(1)
            .filter_map(|(file, line, text)| {
                let error = settings.set(text).err()?;
                Some(format!("{file}:{line}: `{text}`: {error}"))
            })
            .collect();
        if wrong.is_empty() {
            Ok(settings)
        } else {
            Err(wrong.join("\n"))
        }
    }

    fn set(&mut self, text: &str) -> Result<(), String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let host = &mut self.host;
        match words.as_slice() {
            ["robustness", n] => host.robustness = number(n, 1, 255)?,
            ["unsolicited-report-interval", ms] => {
                host.unsolicited_report_interval = milliseconds(ms)?;
            }
            ["unsolicited-report-interval-v1", ms] => {
                host.unsolicited_report_interval_v1 = milliseconds(ms)?;
            }
            ["query-interval", ms] => host.query_interval = milliseconds(ms)?,
            ["query-response-interval", ms] => {
                self.query_response_interval = milliseconds(ms)?;
            }
            ["duplicate-address-detection", ms] => host.address_after = milliseconds(ms)?,
            ["version", n] => host.version = number(n, 1, 2)?,
            ["profile", "rfc3810"] => host.profile = Profile::Rfc3810,
            ["profile", "rfc9777"] => host.profile = Profile::Rfc9777,
            ["compatibility", "enable"] => host.compatibility = true,
            ["compatibility", "disable"] => host.compatibility = false,
            ["mtu", octets] => host.mtu = number(octets, 1280, u16::MAX)?,
            ["group-limit", n] => host.group_limit = number(n, 1, 1_000_000)?,
            ["source-limit", n] => host.source_limit = number(n, 1, 65_535)?,
            _ => {
                return Err(
                    "a setting is `robustness N`, `unsolicited-report-interval MS`, \
                     `unsolicited-report-interval-v1 MS`, `query-interval MS`, \
                     `query-response-interval MS`, \
                     `duplicate-address-detection MS`, `version 1|2`, \
                     `profile rfc3810|rfc9777`, \
                     `compatibility enable|disable`, `mtu N`, `group-limit N` or \
                     `source-limit N`"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }
}

fn number<T>(text: &str, least: T, most: T) -> Result<T, String>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display + Copy,
{
    let value = text.parse().ok();
    let value = value.filter(|value| (least..=most).contains(value));
    value.ok_or_else(|| format!("must be a number from {least} to {most}"))
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    number(text, 0, 31_744_000).map(Duration::from_millis)
}
