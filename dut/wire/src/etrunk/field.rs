//! The hello's fields as types that hold legal values only.

/// A number with a range.
macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident($int:ty) in $low:literal..=$high:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name($int);

        impl $name {
            /// The value; `None` outside the range.
            #[must_use]
            pub const fn new(value: $int) -> Option<Self> {
                if value < $low || value > $high { None } else { Some(Self(value)) }
            }

            /// The nearest legal value.
            #[must_use]
            pub const fn clamped(value: $int) -> Self {
                if value < $low {
                    Self($low)
                } else if value > $high {
                    Self($high)
                } else {
                    Self(value)
                }
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> $int {
                self.0
            }
        }
    };
}

ranged! {
    /// E_Trunk_ID, 1–128.
    ETrunkId(u16) in 1..=128
}
ranged! {
    /// Priority, 1–254.
    Priority(u8) in 1..=254
}
ranged! {
    /// Send_Period in units of 100 ms, 5–100.
    SendPeriod(u16) in 5..=100
}
ranged! {
    /// Fail_Time in units of 100 ms, 15–30000.
    FailTime(u16) in 15..=30000
}

/// System_ID: an individual MAC address, not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SystemId([u8; 6]);

impl SystemId {
    /// The address; `None` when it is zero or a group address.
    #[must_use]
    pub fn new(address: [u8; 6]) -> Option<Self> {
        let [first, ..] = address;
        (first & 1 == 0 && address != [0; 6]).then_some(Self(address))
    }

    /// The nearest legal address: the group bit cleared, zero made locally administered.
    #[must_use]
    pub fn clamped(address: [u8; 6]) -> Self {
        let [first, rest @ ..] = address;
        let [a, b, c, d, e] = rest;
        let individual = [first & !1, a, b, c, d, e];
        Self::new(individual).unwrap_or(Self([2, 0, 0, 0, 0, 0]))
    }

    /// The octets.
    #[must_use]
    pub const fn get(self) -> [u8; 6] {
        self.0
    }
}

/// An enumeration with the codes of the wire and the vendor's spelling.
macro_rules! coded {
    ($(#[$doc:meta])* $name:ident {
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
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The code on the wire.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// The vendor's word.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}
pub(super) use coded;

coded! {
    /// State of an E-Trunk on one device.
    State {
        /// No valid hello from the peer yet.
        Initialize = 1 "Initialize",
        /// Another device serves.
        Backup = 2 "Backup",
        /// This device serves.
        Master = 3 "Master",
    }
}
coded! {
    /// Causation of a device's state.
    Reason {
        /// Decided by priority and system id.
        Pri = 1 "PRI",
        /// The peer's fail-time ran out here.
        Timeout = 2 "TIMEOUT",
        /// The local BFD session went down.
        BfdDown = 3 "BFD_DOWN",
        /// Our fail-time ran out at the peer.
        PeerTimeout = 4 "PEER_TIMEOUT",
        /// The peer's BFD session went down.
        PeerBfdDown = 5 "PEER_BFD_DOWN",
        /// No member is link-ready.
        AllMemberDown = 6 "ALL_MEMBER_DOWN",
        /// Initialising.
        Init = 7 "INIT",
    }
}
coded! {
    /// Work mode of a member (`e-trunk mode`).
    WorkMode {
        /// The rules decide.
        Auto = 1 "auto",
        /// Backup by command.
        ForceBackup = 2 "force-backup",
        /// Master by command.
        ForceMaster = 3 "force-master",
    }
}
coded! {
    /// Role of a member.
    MemberRole {
        /// Holds Synchronization = 0.
        Backup = 1 "Backup",
        /// May carry traffic.
        Master = 2 "Master",
    }
}
coded! {
    /// Causation of a member's role.
    MemberReason {
        /// `force-backup`.
        ForceBackup = 1 "FORCE_BACKUP",
        /// `force-master`.
        ForceMaster = 2 "FORCE_MASTER",
        /// The E-Trunk is initialising.
        ETrunkInit = 3 "ETRUNK_INIT",
        /// The E-Trunk is Backup.
        ETrunkBackup = 4 "ETRUNK_BACKUP",
        /// The E-Trunk is Master.
        ETrunkMaster = 5 "ETRUNK_MASTER",
        /// The peer's member went down.
        PeerMemberDown = 6 "PEER_MEMBER_DOWN",
        /// The peer's member came up.
        PeerMemberUp = 7 "PEER_MEMBER_UP",
    }
}
