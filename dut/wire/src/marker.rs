//! Marker and Marker Response PDUs (IEEE 802.1AX 6.5.3).
//!
//! | octet | length | field |
//! |---|---|---|
//! | 0 | 1 | Subtype, 2 |
//! | 1 | 1 | Version Number |
//! | 2 | 1 | TLV_type: 1 Marker Information, 2 Marker Response Information |
//! | 3 | 1 | Marker_Information_Length, 16 |
//! | 4 | 2 | Requester_Port |
//! | 6 | 6 | Requester_System |
//! | 12 | 4 | Requester_Transaction_ID |
//! | 16 | 2 | Pad |
//! | 18 | 2 | TLV_type 0 and Terminator_Length 0 |
//! | 20 | 90 | Reserved |

use crate::Malformed;

/// Subtype of the Marker protocol among the slow protocols.
pub const SUBTYPE: u8 = 2;
/// Octets of a Marker PDU from the Subtype on.
pub const LEN: usize = 110;
/// TLV_type of a Marker Information TLV.
pub const MARKER_INFORMATION: u8 = 1;
/// TLV_type of a Marker Response Information TLV.
pub const MARKER_RESPONSE_INFORMATION: u8 = 2;

/// Which of the two a PDU is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkerKind {
    /// A Marker PDU, which is to be answered.
    MarkerInformation,
    /// A Marker Response PDU, which is never answered.
    MarkerResponseInformation,
}

/// A Marker or Marker Response PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkerPdu {
    /// Which of the two it is.
    pub kind: MarkerKind,
    /// Requester_Port: the Actor_Port of the port that asks.
    pub requester_port: u16,
    /// Requester_System.
    pub requester_system: [u8; 6],
    /// Requester_Transaction_ID; has a meaning for the requester alone.
    pub requester_transaction_id: u32,
}

impl MarkerPdu {
    /// Reads a Marker or Marker Response PDU from the Subtype octet on.
    ///
    /// # Errors
    /// [`Malformed`] when fewer than [`LEN`] octets are there, when the Subtype or the length of
    /// the first TLV is another one, or when that TLV is of neither type. Version, Pad, Terminator
    /// and reserved octets are not looked at.
    //= LACP-127
    //= LACP-130
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let Some(o) = payload.first_chunk::<LEN>() else {
            let (at, rule) = (payload.len(), "has fewer than 110 octets");
            return Err(Malformed {
                at,
                field: "Marker PDU",
                rule,
            });
        };
        if o[0] != SUBTYPE {
            return Err(Malformed {
                at: 0,
                field: "Subtype",
                rule: "must be 2",
            });
        }
        let kind = match o[2] {
            MARKER_INFORMATION => MarkerKind::MarkerInformation,
            MARKER_RESPONSE_INFORMATION => MarkerKind::MarkerResponseInformation,
            _ => {
                return Err(Malformed {
                    at: 2,
                    field: "TLV_type",
                    rule: "must be 1 or 2",
                });
            }
        };
        if o[3] != 16 {
            let field = "Marker_Information_Length";
            return Err(Malformed {
                at: 3,
                field,
                rule: "must be 16",
            });
        }
        Ok(Self {
            kind,
            requester_port: u16::from_be_bytes([o[4], o[5]]),
            requester_system: [o[6], o[7], o[8], o[9], o[10], o[11]],
            requester_transaction_id: u32::from_be_bytes([o[12], o[13], o[14], o[15]]),
        })
    }

    /// The octets of this PDU with Version 1 and zero in Pad and reserved octets: what a generator
    /// sends. A responder sends [`response_to`] instead.
    #[must_use]
    pub fn octets(&self) -> [u8; LEN] {
        let mut out = [0; LEN];
        let tlv_type = match self.kind {
            MarkerKind::MarkerInformation => MARKER_INFORMATION,
            MarkerKind::MarkerResponseInformation => MARKER_RESPONSE_INFORMATION,
        };
        [out[0], out[1], out[2], out[3]] = [SUBTYPE, 1, tlv_type, 16];
        out[4..6].copy_from_slice(&self.requester_port.to_be_bytes());
        out[6..12].copy_from_slice(&self.requester_system);
        out[12..16].copy_from_slice(&self.requester_transaction_id.to_be_bytes());
        out
    }
}

/// The Marker Response PDU to a received Marker PDU: every octet as received, but the TLV_type.
///
/// # Errors
/// [`Malformed`] when `payload` is no Marker PDU; a Marker Response PDU isn't one.
//= LACP-126
//= LACP-128
pub fn response_to(payload: &[u8]) -> Result<Vec<u8>, Malformed> {
    let marker = MarkerPdu::parse(payload)?;
    match marker.kind {
        MarkerKind::MarkerInformation => {
            let mut response = payload.to_vec();
            if let Some(tlv_type) = response.get_mut(2) {
                *tlv_type = MARKER_RESPONSE_INFORMATION;
            }
            Ok(response)
        }
        MarkerKind::MarkerResponseInformation => Err(Malformed {
            at: 2,
            field: "TLV_type",
            rule: "must be 1",
        }),
    }
}
