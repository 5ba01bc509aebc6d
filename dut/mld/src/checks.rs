//! What is received is judged by: the checks of RFC 3810 6.2, 7.4, 7.6 and 8.3.2, RFC 2710 6 and
//! RFC 4604 3, in order; the first that refuses gives the reason.

use crate::config::InterfaceConfig;
use crate::event::{DiscardReason, Envelope};
use crate::rows::Received;
use crate::scope::{is_link_local, is_source_specific, is_tracked};
use dut_wire::icmpv6::checksum_holds;
use dut_wire::mld::Record;
use std::net::Ipv6Addr;

/// A message that was received.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// Its IPv6 header's facts.
    pub envelope: &'a Envelope,
    /// The whole ICMPv6 message.
    pub icmpv6: &'a [u8],
    /// The interface's configuration.
    pub config: &'a InterfaceConfig,
}

/// A check of a message.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Reason of the discard.
    pub reason: DiscardReason,
    /// Whether the message isn't used.
    pub refuses: fn(&Heard<'_>) -> bool,
}

/// The standard's checks of a message.
pub(crate) const CHECKS: &[Check] = &[
    //= MLD-021
    //= MLD-045
    Check {
        reason: DiscardReason::HopLimit,
        refuses: |heard| heard.envelope.hop_limit != 1,
    },
    //= MLD-022
    //= MLD-046
    Check {
        reason: DiscardReason::NoRouterAlert,
        refuses: |heard| heard.config.require_router_alert && heard.envelope.router_alert.is_none(),
    },
    //= MLD-024
    //= MLD-047
    Check {
        reason: DiscardReason::SourceUnspecified,
        refuses: |heard| heard.envelope.source.is_unspecified(),
    },
    //= MLD-025
    //= MLD-057
    Check {
        reason: DiscardReason::SourceNotLinkLocal,
        refuses: |heard| !is_link_local(heard.envelope.source),
    },
    //= MLD-026
    //= MLD-048
    Check {
        reason: DiscardReason::BadChecksum,
        refuses: |heard| {
            let Envelope {
                source,
                destination,
                ..
            } = *heard.envelope;
            !checksum_holds(heard.icmpv6, source, destination)
        },
    },
    //= MLD-058
    Check {
        reason: DiscardReason::OwnMessage,
        refuses: |heard| heard.envelope.source == heard.config.link_local,
    },
];

/// A check of a record.
#[derive(Debug, Clone, Copy)]
pub struct RecordCheck {
    /// Reason of the discard.
    pub reason: DiscardReason,
    /// Whether the record isn't used, by the record and whether a version 1 listener is present.
    pub refuses: fn(&Record, bool) -> bool,
}

/// The standard's checks of a record.
pub(crate) const RECORD_CHECKS: &[RecordCheck] = &[
    //= MLD-030
    //= MLD-031
    RecordCheck {
        reason: DiscardReason::UnknownRecordType,
        refuses: |record, _| Received::of(record.record_type).is_none(),
    },
    RecordCheck {
        reason: DiscardReason::RecordNotMulticast,
        refuses: |record, _| !record.group.is_multicast(),
    },
    RecordCheck {
        reason: DiscardReason::GroupNotTracked,
        refuses: |record, _| !is_tracked(record.group),
    },
    //= MLD-041
    RecordCheck {
        reason: DiscardReason::RecordSource,
        refuses: |record, _| {
            let illegal = |source: &Ipv6Addr| source.is_multicast() || source.is_unspecified();
            record.sources.iter().any(illegal)
        },
    },
    //= MLD-153
    //= MLD-154
    //= MLD-156
    RecordCheck {
        reason: DiscardReason::SourceSpecificGroup,
        refuses: |record, _| {
            let replaces = Received::of(record.record_type).is_some_and(Received::replaces);
            replaces && is_source_specific(record.group)
        },
    },
    //= MLD-141
    RecordCheck {
        reason: DiscardReason::BlockInVersion1,
        refuses: |record, older| older && Received::of(record.record_type) == Some(Received::Block),
    },
];

/// A check of a version 1 Report or Done.
#[derive(Debug, Clone, Copy)]
pub struct OlderCheck {
    /// Reason of the discard.
    pub reason: DiscardReason,
    /// Whether the message isn't used, by its group.
    pub refuses: fn(Ipv6Addr, &InterfaceConfig) -> bool,
}

/// The standard's checks of a version 1 Report or Done.
pub(crate) const OLDER_CHECKS: &[OlderCheck] = &[
    OlderCheck {
        reason: DiscardReason::GroupNotTracked,
        refuses: |group, _| !is_tracked(group),
    },
    //= MLD-155
    OlderCheck {
        reason: DiscardReason::SourceSpecificGroup,
        refuses: |group, _| is_source_specific(group),
    },
    OlderCheck {
        reason: DiscardReason::CompatibilityOff,
        refuses: |_, config| !config.compatibility && !config.is_version_1(),
    },
];
