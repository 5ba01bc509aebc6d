//! Marker responder (IEEE 802.1AX 6.5.4.2): answers, never asks.

use crate::event::DiscardReason;
use crate::port::Port;
use dut_wire::marker::{LEN, MARKER_INFORMATION, MARKER_RESPONSE_INFORMATION};
use dut_wire::marker::{MarkerKind, MarkerPdu, response_to};

/// Takes a Marker or Marker Response PDU and gives the answer, if it is to be answered.
///
/// A frame that was received before this one has been handed to the MAC client by then: the device
/// handles one frame at a time, which is what the answer promises. Answers don't count against any
/// limit.
//= LACP-125
//= LACP-128
//= LACP-129
pub(crate) fn receive(port: &mut Port, payload: &[u8]) -> Result<Option<Vec<u8>>, DiscardReason> {
    let Ok(pdu) = MarkerPdu::parse(payload) else {
        port.counters.illegal_rx += 1;
        return Err(reason(payload));
    };
    match pdu.kind {
        MarkerKind::MarkerInformation => {
            port.counters.markers_rx += 1;
            port.counters.marker_responses_tx += 1;
            Ok(response_to(payload).ok())
        }
        MarkerKind::MarkerResponseInformation => {
            port.counters.marker_responses_rx += 1;
            Ok(None)
        }
    }
}

fn reason(payload: &[u8]) -> DiscardReason {
    let types = [MARKER_INFORMATION, MARKER_RESPONSE_INFORMATION];
    match payload.get(2) {
        Some(tlv_type) if payload.len() >= LEN && !types.contains(tlv_type) => {
            DiscardReason::BadMarkerType
        }
        Some(_) if payload.len() >= LEN => DiscardReason::BadLength,
        Some(_) | None => DiscardReason::TooShort,
    }
}
