//! LACPDU and Marker PDU.

use super::{LONGEST, agree, holds, mac, same};
use dut_wire::lacp::Lacpdu;
use dut_wire::marker::{MarkerKind, MarkerPdu, response_to};
use harness_wire::lacpdu_anomalies;
use harness_wire::layouts::{LACPDU, MARKER};

/// A slow protocol payload through the strict codec: decoded, encoded, decoded.
pub fn slow(payload: &[u8]) {
    if let Ok(pdu) = Lacpdu::parse(payload) {
        let again = Lacpdu::parse(&pdu.octets());
        let pdu = Lacpdu { version: 1, ..pdu };
        assert_eq!(again, Ok(pdu), "a LACPDU encoded again");
    }
    if let Ok(pdu) = MarkerPdu::parse(payload) {
        let again = MarkerPdu::parse(&pdu.octets());
        assert_eq!(again, Ok(pdu), "a Marker PDU encoded again");
    }
    if let Ok(response) = response_to(payload) {
        let kind = MarkerKind::MarkerResponseInformation;
        let answer = MarkerPdu::parse(payload).map(|pdu| MarkerPdu { kind, ..pdu });
        assert_eq!(MarkerPdu::parse(&response), answer, "a response");
        let same = response.len() == payload.len()
            && response.get(..2) == payload.get(..2)
            && response.get(3..) == payload.get(3..);
        assert!(same, "a response changes the type alone");
    }
}

/// A slow protocol payload in both codecs.
pub fn slow_agreement(payload: &[u8]) {
    if payload.len() <= LONGEST {
        lacpdu(payload);
        marker(payload);
    }
}

fn lacpdu(payload: &[u8]) {
    let legal = payload.len() >= 110
        && holds!(payload, LACPDU, {
            "subtype": 1_u8,
            "actor.length": 20_u8,
            "partner.length": 20_u8,
            "collector.length": 16_u8,
        });
    let parsed = Lacpdu::parse(payload);
    agree(parsed.is_ok(), legal, "LACPDU", payload);
    let Ok(pdu) = parsed else { return };
    read_alike(payload, &pdu);
    let again = pdu.octets();
    read_alike(&again, &Lacpdu { version: 1, ..pdu });
    let odd = lacpdu_anomalies(&again);
    assert!(odd.is_empty(), "an encoded LACPDU is odd: {odd:?}");
}

fn read_alike(octets: &[u8], pdu: &Lacpdu) {
    let (actor, partner) = (&pdu.actor, &pdu.partner);
    same!("LACPDU", octets, LACPDU, {
        "version": pdu.version,
        "collector.max_delay": pdu.collector_max_delay,
        "actor.system_priority": actor.system_priority,
        "actor.system": mac(actor.system),
        "actor.key": actor.key,
        "actor.port_priority": actor.port_priority,
        "actor.port": actor.port,
        "actor.state": actor.state.0,
        "partner.system_priority": partner.system_priority,
        "partner.system": mac(partner.system),
        "partner.key": partner.key,
        "partner.port_priority": partner.port_priority,
        "partner.port": partner.port,
        "partner.state": partner.state.0,
    });
}

fn marker(payload: &[u8]) {
    let is = |kind: u8| holds!(payload, MARKER, { "tlv_type": kind });
    let legal = payload.len() >= 110
        && holds!(payload, MARKER, { "subtype": 2_u8, "length": 16_u8 })
        && (is(1) || is(2));
    let parsed = MarkerPdu::parse(payload);
    agree(parsed.is_ok(), legal, "Marker PDU", payload);
    let answered = response_to(payload).is_ok();
    agree(
        answered,
        legal && is(1),
        "Marker PDU to be answered",
        payload,
    );
    if let Ok(pdu) = parsed {
        marker_alike(payload, &pdu);
        marker_alike(&pdu.octets(), &pdu);
    }
}

fn marker_alike(octets: &[u8], pdu: &MarkerPdu) {
    same!("Marker PDU", octets, MARKER, {
        "tlv_type": match pdu.kind {
            MarkerKind::MarkerInformation => 1_u8,
            MarkerKind::MarkerResponseInformation => 2,
        },
        "requester_port": pdu.requester_port,
        "requester_system": mac(pdu.requester_system),
        "requester_transaction_id": pdu.requester_transaction_id,
    });
}
