//! LACPDU (IEEE 802.1AX 6.4.2.3): read whatever its version, written as version 1.
//!
//! | octet | length | field |
//! |---|---|---|
//! | 0 | 1 | Subtype, 1 |
//! | 1 | 1 | Version Number |
//! | 2 | 2 | TLV_type 1 and Actor_Information_Length 20 |
//! | 4 | 8 | Actor_System_Priority (2), Actor_System (6) |
//! | 12 | 7 | Actor_Key (2), Actor_Port_Priority (2), Actor_Port (2), Actor_State (1) |
//! | 19 | 3 | Reserved |
//! | 22 | 2 | TLV_type 2 and Partner_Information_Length 20 |
//! | 24 | 15 | the same six fields for the partner, Partner_System_Priority to Partner_State |
//! | 39 | 3 | Reserved |
//! | 42 | 2 | TLV_type 3 and Collector_Information_Length 16 |
//! | 44 | 2 | Collector_Max_Delay |
//! | 46 | 12 | Reserved |
//! | 58 | 2 | TLV_type 0 and Terminator_Length 0 |
//! | 60 | 50 | Reserved |

use crate::Malformed;

/// Subtype of LACP among the slow protocols.
pub const SUBTYPE: u8 = 1;
/// Octets of a version 1 LACPDU from the Subtype on.
pub const LEN: usize = 110;
/// The version that is written.
pub const VERSION: u8 = 1;

/// Actor_State or Partner_State: eight flags. Every octet is legal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State(pub u8);

impl State {
    /// LACP_Activity: set is Active LACP.
    pub const LACP_ACTIVITY: u8 = 0x01;
    /// LACP_Timeout: set is Short Timeout.
    pub const LACP_TIMEOUT: u8 = 0x02;
    /// Aggregation: set is Aggregatable, clear is Individual.
    pub const AGGREGATION: u8 = 0x04;
    /// Synchronization.
    pub const SYNCHRONIZATION: u8 = 0x08;
    /// Collecting.
    pub const COLLECTING: u8 = 0x10;
    /// Distributing.
    pub const DISTRIBUTING: u8 = 0x20;
    /// Defaulted.
    pub const DEFAULTED: u8 = 0x40;
    /// Expired.
    pub const EXPIRED: u8 = 0x80;

    /// Whether every flag of `flags` is set.
    #[must_use]
    pub const fn has(self, flags: u8) -> bool {
        self.0 & flags == flags
    }

    /// Sets or clears `flags`.
    pub const fn set(&mut self, flags: u8, on: bool) {
        if on {
            self.0 |= flags;
        } else {
            self.0 &= !flags;
        }
    }
}

/// What a LACPDU says of one end: an Actor or Partner Information TLV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Information {
    /// System_Priority; lower is better.
    pub system_priority: u16,
    /// System, the MAC part of the System ID.
    pub system: [u8; 6],
    /// Operational Key.
    pub key: u16,
    /// Port_Priority; lower is better.
    pub port_priority: u16,
    /// Port number.
    pub port: u16,
    /// State.
    pub state: State,
}

/// A LACPDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lacpdu {
    /// Version Number as received; always written as [`VERSION`].
    pub version: u8,
    /// Actor Information.
    pub actor: Information,
    /// Partner Information.
    pub partner: Information,
    /// Collector_Max_Delay in units of 10 µs.
    pub collector_max_delay: u16,
}

impl Lacpdu {
    /// Reads a LACPDU from the Subtype octet on.
    ///
    /// # Errors
    /// [`Malformed`] when fewer than [`LEN`] octets are there, when the Subtype is another one, or
    /// when one of the first three TLVs has another length than the standard's.
    ///
    /// Version, TLV types, reserved octets and what follows the 110 octets are not looked at
    /// (6.4.12). Terminator_Length isn't either, though the clause would allow it: a version 2
    /// LACPDU has its Port Algorithm TLV there, and must stay usable.
    //= LACP-032
    //= LACP-033
    //= LACP-034
    //= LACP-035
    //= LACP-036
    //= LACP-037
    //= LACP-038
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let Some(o) = payload.first_chunk::<LEN>() else {
            return Err(Malformed {
                at: payload.len(),
                field: "LACPDU",
                rule: "has fewer than 110 octets",
            });
        };
        let checks = [
            (0, SUBTYPE, "Subtype", "must be 1"),
            (3, 20, "Actor_Information_Length", "must be 20"),
            (23, 20, "Partner_Information_Length", "must be 20"),
            (43, 16, "Collector_Information_Length", "must be 16"),
        ];
        for ((at, value, field, rule), octet) in checks.into_iter().zip([o[0], o[3], o[23], o[43]])
        {
            if octet != value {
                return Err(Malformed { at, field, rule });
            }
        }
        let u16_of = |high: u8, low: u8| u16::from_be_bytes([high, low]);
        Ok(Self {
            version: o[1],
            actor: Information {
                system_priority: u16_of(o[4], o[5]),
                system: [o[6], o[7], o[8], o[9], o[10], o[11]],
                key: u16_of(o[12], o[13]),
                port_priority: u16_of(o[14], o[15]),
                port: u16_of(o[16], o[17]),
                state: State(o[18]),
            },
            partner: Information {
                system_priority: u16_of(o[24], o[25]),
                system: [o[26], o[27], o[28], o[29], o[30], o[31]],
                key: u16_of(o[32], o[33]),
                port_priority: u16_of(o[34], o[35]),
                port: u16_of(o[36], o[37]),
                state: State(o[38]),
            },
            collector_max_delay: u16_of(o[44], o[45]),
        })
    }

    /// The 110 octets of a version 1 LACPDU, reserved octets zero.
    //= LACP-004
    //= LACP-013
    //= LACP-014
    //= LACP-015
    //= LACP-016
    #[must_use]
    pub fn octets(&self) -> [u8; LEN] {
        let mut out = [0; LEN];
        let Self {
            version: _,
            actor,
            partner,
            collector_max_delay,
        } = self;
        [out[0], out[1]] = [SUBTYPE, VERSION];
        [out[2], out[3]] = [1, 20];
        out[4..19].copy_from_slice(&information(actor));
        [out[22], out[23]] = [2, 20];
        out[24..39].copy_from_slice(&information(partner));
        [out[42], out[43]] = [3, 16];
        out[44..46].copy_from_slice(&collector_max_delay.to_be_bytes());
        out
    }

    /// Appends [`Self::octets`].
    pub fn emit(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.octets());
    }
}

fn information(info: &Information) -> [u8; 15] {
    let [a, b] = info.system_priority.to_be_bytes();
    let [c, d, e, f, g, h] = info.system;
    let [i, j] = info.key.to_be_bytes();
    let [k, l] = info.port_priority.to_be_bytes();
    let [m, n] = info.port.to_be_bytes();
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, info.state.0]
}
