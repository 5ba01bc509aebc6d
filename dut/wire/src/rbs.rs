//! RBS frames and records: FORMATS.md section 2.
//!
//! [`Frame`] is one message, [`Framer`] cuts a byte stream into frames with a bounded buffer,
//! [`CanonicalDigest`] is the digest over a table without timers. Nothing here knows a dialogue.

mod body;
mod digest;
mod frame;
mod framer;
mod record;

pub use body::MatchedProfile;
pub use digest::{CanonicalDigest, digest_of};
pub use frame::{Frame, FrameError};
pub use framer::Framer;
pub use record::{
    GroupRecord, InterfaceRecord, Record, SOURCES_MAX, SourceRecord, Tombstone, Version,
};

/// The first four octets of every frame: `TRBS`.
pub const MAGIC: [u8; 4] = *b"TRBS";
/// The format's major version.
pub const MAJOR: u8 = 1;
/// The format's minor version.
pub const MINOR: u8 = 0;
/// Octets of the frame header.
pub const HEADER_LEN: usize = 32;
/// Octets of the longest frame.
pub const FRAME_MAX: usize = 65536;
/// The largest Backup_ID.
pub const BACKUP_ID_MAX: u16 = 4095;

/// An enumeration with the codes of the wire and its name on output.
macro_rules! coded {
    ($(#[$doc:meta])* $name:ident($int:ty) {
        $($(#[$vdoc:meta])* $variant:ident = $code:literal $text:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
        }

        impl $name {
            /// The value of a code; `None` when no value has it.
            #[must_use]
            pub const fn from_code(code: $int) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The code on the wire.
            #[must_use]
            pub const fn code(self) -> $int {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

coded! {
    /// What a profile backs up.
    Service(u8) {
        /// Nothing: the frame is the session's.
        None = 0 "none",
        /// MLD.
        Mld = 1 "MLD",
    }
}
coded! {
    /// Role of a device in a profile.
    Role(u8) {
        /// Not decided, or restarted and not yet synchronised.
        Init = 0 "init",
        /// Holds the copy.
        Slave = 1 "slave",
        /// Owns the state.
        Master = 2 "master",
    }
}
coded! {
    /// Filter mode of a group record.
    FilterMode(u8) {
        /// INCLUDE.
        Include = 1 "INCLUDE",
        /// EXCLUDE.
        Exclude = 2 "EXCLUDE",
    }
}
coded! {
    /// Why a session is closed by NOTIFY.
    NotifyCode(u16) {
        /// A frame is no legal frame.
        Malformed = 1 "malformed",
        /// No common version.
        Version = 2 "version",
        /// No common Backup_ID.
        UnknownBackupId = 3 "unknown_backup_id",
        /// A Backup_ID has different services.
        ServiceMismatch = 4 "service_mismatch",
        /// Not assigned.
        Reserved = 5 "reserved",
        /// Nothing was received for the hold time.
        HoldTimeExpired = 6 "hold_time_expired",
        /// There is a session already.
        SecondSession = 7 "second_session",
        /// A message that has no place in the dialogue now.
        UnexpectedMessage = 8 "unexpected_message",
        /// By command.
        Administrative = 9 "administrative",
    }
}
coded! {
    /// Why a message is refused by NAK.
    NakCode(u16) {
        /// A record is no legal record.
        MalformedRecord = 1 "malformed_record",
        /// The receiver has no such Backup_ID.
        UnknownBackupId = 2 "unknown_backup_id",
        /// The receiver is not the slave.
        NotTheSlave = 3 "not_the_slave",
        /// The receiver's table is full.
        Overflow = 4 "overflow",
    }
}
coded! {
    /// Why a device says goodbye.
    GoodbyeCause(u16) {
        /// By command.
        Administrative = 1 "administrative",
        /// The device restarts.
        Restart = 2 "restart",
    }
}

/// A profile in OPEN and OPEN_ACK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenProfile {
    /// Backup_ID, 1–4095.
    pub backup_id: u16,
    /// Its service.
    pub service: Service,
    /// The sender's role in it.
    pub role: Role,
    /// Tracked E-Trunk.
    pub e_trunk_id: u16,
    /// Tracked Eth-Trunk.
    pub eth_trunk: u16,
    /// SHA-256 over what must match.
    pub configuration_digest: [u8; 32],
}

/// The body of OPEN and OPEN_ACK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Lowest (major, minor) that the sender speaks.
    pub minimum: (u8, u8),
    /// Highest (major, minor) that the sender speaks.
    pub maximum: (u8, u8),
    /// Keepalive interval in units of 100 ms, 1–600.
    pub keepalive: u16,
    /// Hold time in units of 100 ms, 3–1800 and at least thrice the keepalive interval.
    pub hold: u16,
    /// Capability bit 0.
    pub digest: bool,
    /// Capability bit 1.
    pub timers: bool,
    /// The profiles.
    pub profiles: Vec<OpenProfile>,
}

/// The body of a frame; the variant is its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// 1 OPEN.
    Open(Open),
    /// 2 OPEN_ACK.
    OpenAck(Open),
    /// 3 NOTIFY: code and Message_ID refused (0 none).
    Notify {
        /// Why.
        code: NotifyCode,
        /// Message_ID refused.
        refused: u64,
    },
    /// 4 KEEPALIVE.
    Keepalive,
    /// 5 SYNC_REQ.
    SyncReq {
        /// Request number.
        number: u32,
    },
    /// 6 SYNC_BEGIN.
    SyncBegin {
        /// Generation of the batch.
        generation: u32,
        /// Records that are to come.
        count: u32,
    },
    /// 7 UPSERT.
    Upsert {
        /// Generation of the batch; 0 real-time.
        generation: u32,
        /// One record or more.
        records: Vec<Record>,
    },
    /// 8 DELETE.
    Delete {
        /// What is gone.
        tombstones: Vec<Tombstone>,
    },
    /// 9 SYNC_END.
    SyncEnd {
        /// Generation of the batch.
        generation: u32,
        /// Records that the batch had.
        count: u32,
        /// The sender's table.
        digest: [u8; 32],
    },
    /// 10 ACK: everything up to this was applied.
    Ack {
        /// Message_ID.
        message_id: u64,
    },
    /// 11 NAK.
    Nak {
        /// Message_ID refused.
        refused: u64,
        /// Why.
        code: NakCode,
    },
    /// 12 DIGEST.
    Digest {
        /// Group records in the sender's table.
        count: u32,
        /// Whether the sender wants the receiver's.
        answer_wanted: bool,
        /// The sender's table.
        digest: [u8; 32],
    },
    /// 13 ROLE.
    Role {
        /// The sender's role.
        role: Role,
    },
    /// 14 GOODBYE.
    Goodbye {
        /// Why.
        cause: GoodbyeCause,
    },
}

#[cfg(test)]
mod tests;
