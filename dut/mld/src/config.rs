//! What an interface is configured with, and the variables of RFC 3810 section 9 that follow.

use dut_wire::{ipv6, mld};
use std::net::Ipv6Addr;
use std::time::Duration;

/// Which text the Multicast Address Listening Interval follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// RFC 3810 9.4: RV * QI + QRI; 260 s by default.
    #[default]
    Rfc3810,
    /// RFC 9777 9.4: RV * QI + 2 * QRI; 270 s by default.
    Rfc9777,
}

/// The configuration of an MLD router interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceConfig {
    /// Interface name.
    pub name: String,
    /// Link-local address that queries carry as source; in fe80::/64 for a conforming router.
    pub link_local: Ipv6Addr,
    /// 1 or 2; anything else is taken for 2.
    pub version: u8,
    /// Which MALI applies.
    pub profile: Profile,
    /// Robustness Variable; 0 is taken for 1. Default 2.
    pub robustness: u8,
    /// Query Interval, at least 1 s. Default 125 s.
    pub query_interval: Duration,
    /// Query Response Interval, less than the Query Interval. Default 10 s.
    pub query_response_interval: Duration,
    /// Last Listener Query Interval, at least 1 ms. Default 1 s.
    pub last_listener_query_interval: Duration,
    /// Last Listener Query Count; `None`, the default, follows the Robustness Variable.
    pub last_listener_query_count: Option<u8>,
    /// Startup Query Interval; `None`, the default, is a quarter of the Query Interval.
    pub startup_query_interval: Option<Duration>,
    /// Startup Query Count; `None`, the default, follows the Robustness Variable.
    pub startup_query_count: Option<u8>,
    /// Link MTU in octets, at least 1280. Default 1500.
    pub mtu: u16,
    /// Whether messages without a Router Alert option are dropped, as RFC 3810 7.4 and 7.6 say.
    /// Default true.
    pub require_router_alert: bool,
    /// How many groups the interface holds. Default 65536.
    pub group_limit: usize,
    /// How many sources a group holds. Default 1024.
    pub source_limit: usize,
    /// How many reports and Dones are processed a second; queries always are. Default 20,000.
    pub report_limit: u32,
    /// Whether version 1 listeners are served (RFC 9777 8.3.2); off in SSM-only networks.
    /// Default true.
    pub compatibility: bool,
    /// What the router itself listens to, and reports. Default ff02::2, ff02::d, ff02::16 and the
    /// solicited-node group of `link_local`.
    pub listener_groups: Vec<Ipv6Addr>,
    /// The secret of the hash by which records are found, so that no peer can choose groups that
    /// are found slowly. It changes nothing that can be seen. Default 0.
    pub seed: u64,
}

impl InterfaceConfig {
    /// The RFC defaults: version 2, RFC 3810's intervals.
    #[must_use]
    pub fn new(name: impl Into<String>, link_local: Ipv6Addr) -> Self {
        Self {
            name: name.into(),
            link_local,
            version: 2,
            profile: Profile::Rfc3810,
            robustness: 2,
            query_interval: Duration::from_secs(125),
            query_response_interval: Duration::from_secs(10),
            last_listener_query_interval: Duration::from_secs(1),
            last_listener_query_count: None,
            startup_query_interval: None,
            startup_query_count: None,
            mtu: 1500,
            require_router_alert: true,
            group_limit: 65_536,
            source_limit: 1024,
            report_limit: 20_000,
            compatibility: true,
            listener_groups: vec![
                mld::ALL_ROUTERS,
                Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xd),
                mld::ALL_MLDV2_ROUTERS,
                ipv6::solicited_node(link_local),
            ],
            seed: 0,
        }
    }

    /// The same with what can't work replaced by the nearest that can.
    pub(crate) fn checked(mut self) -> Self {
        if self.version != 1 {
            self.version = 2;
        }
        let least = Duration::from_secs(1);
        self.robustness = self.robustness.max(1);
        self.query_interval = self.query_interval.max(least);
        self.last_listener_query_interval = self
            .last_listener_query_interval
            .max(Duration::from_millis(1));
        self.startup_query_interval = self.startup_query_interval.map(|d| d.max(least / 1000));
        //= MLD-168
        self.listener_groups
            .retain(|group| crate::is_tracked(*group));
        self.listener_groups.sort_unstable();
        self.listener_groups.dedup();
        self
    }

    /// Whether version 1 is configured.
    #[must_use]
    pub const fn is_version_1(&self) -> bool {
        //= MLD-148
        self.version == 1
    }

    /// [Startup Query Interval]
    #[must_use]
    pub fn startup_query_interval(&self) -> Duration {
        self.startup_query_interval
            .unwrap_or(self.query_interval / 4)
    }

    /// [Startup Query Count]
    #[must_use]
    pub fn startup_query_count(&self) -> u8 {
        self.startup_query_count.unwrap_or(self.robustness).max(1)
    }

    /// [Last Listener Query Count] under the Robustness Variable in use.
    #[must_use]
    pub fn last_listener_query_count(&self, robustness: u8) -> u8 {
        //= MLD-122
        //= MLD-123
        self.last_listener_query_count.unwrap_or(robustness).max(1)
    }
}

impl Default for InterfaceConfig {
    /// [`InterfaceConfig::new`] without a name and address.
    fn default() -> Self {
        Self::new("", Ipv6Addr::UNSPECIFIED)
    }
}

/// The variables in use: RV and QI may be adopted from the querier (RFC 3810 5.1.8, 5.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variables {
    /// Robustness Variable.
    pub robustness: u8,
    /// Query Interval.
    pub query_interval: Duration,
    /// Query Response Interval; never adopted.
    pub query_response_interval: Duration,
    /// [Last Listener Query Interval]; never adopted.
    pub llqi: Duration,
    /// [Last Listener Query Count].
    pub llqc: u8,
    /// MALI, or in version 1 the Multicast Listener Interval.
    pub listening_interval: Duration,
    /// [Last Listener Query Time].
    pub llqt: Duration,
    /// [Other Querier Present Timeout].
    pub other_querier_present: Duration,
    /// [Older Version Host Present Timeout]; RFC 9777 didn't change it.
    pub older_version_host_present: Duration,
}

impl Variables {
    /// Those of the configuration under a Robustness Variable and Query Interval in use.
    #[must_use]
    pub fn new(config: &InterfaceConfig, robustness: u8, query_interval: Duration) -> Self {
        let response = config.query_response_interval;
        let llqi = config.last_listener_query_interval;
        let llqc = config.last_listener_query_count(robustness);
        //= MLD-125
        //= MLD-137
        let twice = config.profile == Profile::Rfc9777 && !config.is_version_1();
        let tail = if twice { response * 2 } else { response };
        let present = query_interval.saturating_mul(robustness.into());
        Self {
            robustness,
            query_interval,
            query_response_interval: response,
            llqi,
            llqc,
            listening_interval: present + tail,
            llqt: llqi.saturating_mul(llqc.into()),
            //= MLD-066
            other_querier_present: present + response / 2,
            older_version_host_present: present + response,
        }
    }
}
