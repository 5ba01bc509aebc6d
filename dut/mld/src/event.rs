//! What goes into an [`crate::Interface`] beside octets, and what comes out of it.

use std::net::Ipv6Addr;

/// The IPv6 header's facts that a received message is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// Source address.
    pub source: Ipv6Addr,
    /// Destination address.
    pub destination: Ipv6Addr,
    /// Hop limit as received.
    pub hop_limit: u8,
    /// Value of the Router Alert option, when there is one.
    pub router_alert: Option<u16>,
}

/// A message to send from the interface's link-local address, with hop limit 1 and a Hop-by-Hop
/// header that holds Router Alert 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Destination address.
    pub destination: Ipv6Addr,
    /// The whole ICMPv6 message, checksummed.
    pub message: Vec<u8>,
}

/// What an interface reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MldEvent {
    /// Filter mode or source lists changed: what is forwarded may have changed.
    Changed {
        /// Multicast address.
        group: Ipv6Addr,
    },
    /// Timers, counters, last reporter or version-1 mode changed, nothing else.
    Refreshed {
        /// Multicast address.
        group: Ipv6Addr,
    },
    /// The record was deleted: nothing is forwarded.
    Removed {
        /// Multicast address.
        group: Ipv6Addr,
    },
    /// The querier changed.
    Querier {
        /// The querier's address.
        address: Ipv6Addr,
        /// Whether it is another router.
        other_querier: bool,
    },
    /// A row of a router table was taken.
    Row {
        /// Multicast address.
        group: Ipv6Addr,
        /// State left, in the standard's spelling.
        from: &'static str,
        /// State entered, in the standard's spelling.
        to: &'static str,
        /// Id of the row, as `MLD-ROW-01`.
        id: &'static str,
    },
    /// A message, or a record of one, was not used.
    Discarded {
        /// Why.
        reason: DiscardReason,
    },
    /// A new group, or new sources of a group, weren't taken: the limit is reached.
    LimitHit {
        /// Multicast address.
        group: Ipv6Addr,
    },
    /// A query of the other version was heard; at most one event a Query Interval.
    VersionMismatch {
        /// The other router.
        source: Ipv6Addr,
        /// The version of its query.
        version: u8,
    },
}

macro_rules! discard_reasons {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// Why a received message or record was not used.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DiscardReason {
            $($(#[$doc])* $variant,)*
        }

        impl DiscardReason {
            /// Every reason, in order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The reason's name in snake case, as `bad_checksum`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

discard_reasons! {
    /// The interface is down.
    InterfaceDown => "interface_down",
    /// More reports in this second than the limit says.
    ReportLimit => "report_limit",
    /// Hop limit isn't 1 (RFC 3810 6.2, 7.4, 7.6).
    HopLimit => "hop_limit",
    /// No Router Alert option (RFC 3810 6.2, 7.4, 7.6).
    NoRouterAlert => "no_router_alert",
    /// Source is `::` (RFC 3810 5.1.14, 5.2.13).
    SourceUnspecified => "source_unspecified",
    /// Source isn't link-local (RFC 3810 5.1.14, 5.2.13; RFC 2710 5, 6).
    SourceNotLinkLocal => "source_not_link_local",
    /// Checksum is wrong (RFC 3810 5.1.2, 5.2.2).
    BadChecksum => "bad_checksum",
    /// Source is this interface's own address.
    OwnMessage => "own_message",
    /// To an address that isn't this listener's (RFC 3810 5.1.15).
    NotAddressed => "not_addressed",
    /// No MLD type (RFC 3810 5).
    UnknownType => "unknown_type",
    /// A query that is neither 24 octets nor 28 or more (RFC 3810 8.1).
    QueryLength => "query_length",
    /// A version 2 Report of less than 8 octets.
    ReportLength => "report_length",
    /// A version 1 Report or Done of less than 24 octets (RFC 2710 6).
    Version1Length => "version_1_length",
    /// A count of sources, records or auxiliary words runs past the end.
    Overrun => "overrun",
    /// The address of a query, Report or Done of version 1 is no multicast address.
    GroupNotMulticast => "group_not_multicast",
    /// A general query that lists sources.
    GeneralQueryWithSources => "general_query_with_sources",
    /// A record of unknown type; the others are used (RFC 3810 5.2.12).
    UnknownRecordType => "unknown_record_type",
    /// A record whose address is no multicast address; the others are used.
    RecordNotMulticast => "record_not_multicast",
    /// A record that lists `::` or a multicast address as source; the others are used.
    RecordSource => "record_source",
    /// ff02::1, or an address of scope 0 or 1 (RFC 3810 6).
    GroupNotTracked => "group_not_tracked",
    /// IS_EX, TO_EX, or version 1, for a source-specific group (RFC 4604 3).
    SourceSpecificGroup => "source_specific_group",
    /// BLOCK while a version 1 listener is present (RFC 3810 8.3.2).
    BlockInVersion1 => "block_in_version_1",
    /// A version 1 Report or Done where compatibility is off (RFC 9777 8.3.2).
    CompatibilityOff => "compatibility_off",
    /// A version 2 Report at a router that is configured for version 1.
    Version2Report => "version_2_report",
    /// A version 1 Done at a router that isn't the querier and runs version 1 (RFC 2710 4).
    DoneAtNonQuerier => "done_at_non_querier",
}
