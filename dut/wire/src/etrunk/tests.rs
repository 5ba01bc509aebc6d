//! The hello against hand-assembled octets, the primitives against their RFCs' vectors.

use super::*;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;

/// Assembled octet by octet outside this crate, digest by another implementation.
const SHA1_HELLO: &str = "\
    5445544b0100010b00d400011403010300e0fc120001000a00c80000000000000000000300000000\
    0000000980010010010100010001010101020500000003e88002000a800000e0fc12345501000000\
    8003002020010db800110000000000000000001120010db800330000000000000000003380040014\
    0000000000000007000000000000002a020100000005002027db6215a0c0383a8512c0d74e0f2ffe\
    63e47c8ebbf17262af2b7817095cebf500060004000000008007001801000000b30f065fd1b0aedf\
    aecf03a0d65396bb0d7c3c11";
/// Assembled octet by octet outside this crate, digest by another implementation.
const SHA256_HELLO: &str = "\
    5445544b0100010b00e000011403010300e0fc120001000a00c80000000000000000000300000000\
    0000000980010010010100010001010101020500000003e88002000a800000e0fc12345501000000\
    8003002020010db800110000000000000000001120010db800330000000000000000003380040014\
    0000000000000007000000000000002a0201000000050020ae1d8dee5237f42d964940182cd600a7\
    334b446c9d8019d34c4ea1016881cb3c00060004000000008007002402000000e439f5ed90902553\
    a01b8db3034a559bea0b16fbfc528a6799345630619b7092";
/// Assembled octet by octet outside this crate, digest by another implementation.
const ENHANCED_HELLO: &str = "\
    5445544b0100010b00e000011403010300e0fc120001000a00c80000000000000000000300000000\
    0000000980010010010100010001010101020500000003e88002000a800000e0fc12345501000000\
    8003002020010db800110000000000000000001120010db800330000000000000000003380040014\
    0000000000000007000000000000002a0201000000050020dd401690549299c97542b2877e146076\
    7b9e27a6f2c5fe424f17aa1c73e96edc00060004000000008007002403000000e2066302196db331\
    7d676e2414102545785f5960ef490d374911af5370dea886";

const KEY: &[u8] = b"Huawei@2021";

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .bytes()
        .filter_map(|c| char::from(c).to_digit(16))
        .map(|d| u8::try_from(d).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn endpoints() -> Endpoints {
    Endpoints {
        source: "2001:db8:11::11".parse().unwrap(),
        destination: "2001:db8:33::33".parse().unwrap(),
        source_port: 1025,
        destination_port: 1025,
    }
}

/// The hello that the constants above carry.
fn hello(mode: AuthenticationMode) -> Hello {
    let matched = MatchedConfiguration {
        e_trunk_id: 1,
        send_period: 10,
        fail_time: 200,
        revert_delay_s: Some(120),
        authentication: mode,
        sequence: true,
        lacp_system_priority: 32768,
        lacp_system_id: [0, 0xe0, 0xfc, 0x12, 0x34, 0x55],
        members: vec![1],
    };
    let member = Member {
        work_mode: WorkMode::Auto,
        remote_id: 1,
        link_ready: true,
        oper_up: true,
        selected: 1,
        role: MemberRole::Master,
        reason: MemberReason::ETrunkMaster,
        bandwidth_mbps: 1000,
    };
    Hello {
        kind: Kind::Hello,
        triggered: true,
        restart: false,
        reply_requested: true,
        e_trunk_id: ETrunkId::new(1).unwrap(),
        priority: Priority::new(20).unwrap(),
        state: State::Master,
        reason: Reason::Pri,
        expected_state: State::Master,
        system_id: SystemId::new([0, 0xe0, 0xfc, 0x12, 0, 1]).unwrap(),
        send_period: SendPeriod::new(10).unwrap(),
        fail_time: FailTime::new(200),
        boot_epoch: 3,
        sequence: Some(9),
        members: BTreeMap::from([(1, member)]),
        lacp_sys: LacpSys {
            priority: 32768,
            system_id: [0, 0xe0, 0xfc, 0x12, 0x34, 0x55],
            port_offset: true,
        },
        addr: Addr {
            source: endpoints().source,
            peer: endpoints().destination,
        },
        echo: Some(Echo {
            boot_epoch: 7,
            sequence: 42,
            state: State::Backup,
            reason: Reason::Pri,
        }),
        cfg_digest: Some(matched.digest()),
        bfd_bound: Some(false),
    }
}

fn vectors() -> [(AuthenticationMode, Vec<u8>); 3] {
    [
        (AuthenticationMode::HmacSha1, octets(SHA1_HELLO)),
        (AuthenticationMode::HmacSha256, octets(SHA256_HELLO)),
        (
            AuthenticationMode::EnhancedHmacSha256,
            octets(ENHANCED_HELLO),
        ),
    ]
}

fn parse(payload: &[u8]) -> Result<Hello, Refused> {
    let refuse = |check| move |why| Refused { check, why };
    let envelope = Envelope::parse(payload).map_err(refuse(Check::Length))?;
    envelope.body().map_err(refuse(Check::Tlv))?.hello()
}

#[test]
fn the_primitives_hold_their_rfcs_vectors() {
    // RFC 2202 3, case 2.
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(b"Jefe").unwrap();
    mac.update(b"what do ya want for nothing?");
    let expected = octets("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    assert_eq!(mac.finalize().into_bytes()[..], expected[..]);
    // RFC 4231 4.3.
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"Jefe").unwrap();
    mac.update(b"what do ya want for nothing?");
    let expected = octets("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_eq!(mac.finalize().into_bytes()[..], expected[..]);
    // RFC 5869 A.1.
    let salt: Vec<u8> = (0..=12).collect();
    let info: Vec<u8> = (0xf0..=0xf9).collect();
    let mut okm = [0; 42];
    hkdf::Hkdf::<sha2::Sha256>::new(Some(&salt), &[0x0b; 22])
        .expand(&info, &mut okm)
        .unwrap();
    let expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf\
                    34007208d5b887185865";
    assert_eq!(okm[..], octets(expected)[..]);
}

#[test]
fn a_hello_has_the_octets_of_the_page() {
    for (mode, expected) in vectors() {
        assert_eq!(
            hello(mode).to_vec(mode, KEY, &endpoints()),
            expected,
            "{mode}"
        );
        assert_eq!(parse(&expected), Ok(hello(mode)), "{mode}");
    }
}

#[test]
fn a_digest_binds_key_payload_and_in_the_enhanced_mode_the_datagram() {
    for (mode, payload) in vectors() {
        let right = |payload: &[u8], key: &[u8], endpoints: &Endpoints| {
            let body = Envelope::parse(payload).unwrap().body().unwrap();
            body.authenticates(mode, key, endpoints)
        };
        assert!(right(&payload, KEY, &endpoints()));
        assert!(!right(&payload, b"Huawei@2022", &endpoints()));
        let mut changed = payload.clone();
        changed[12] ^= 1;
        assert!(!right(&changed, KEY, &endpoints()), "{mode}: priority");
        let mut changed = payload.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(!right(&changed, KEY, &endpoints()), "{mode}: digest");
        let moved = Endpoints {
            source_port: 1026,
            ..endpoints()
        };
        let enhanced = mode == AuthenticationMode::EnhancedHmacSha256;
        assert_eq!(right(&payload, KEY, &moved), !enhanced, "{mode}");
        let moved = Endpoints {
            source: "2001:db8:11::12".parse().unwrap(),
            ..endpoints()
        };
        assert_eq!(right(&payload, KEY, &moved), !enhanced, "{mode}");
    }
}

#[test]
fn another_algorithm_never_authenticates() {
    for (mode, payload) in vectors() {
        let body = Envelope::parse(&payload).unwrap().body().unwrap();
        for (other, _) in vectors() {
            assert_eq!(body.authenticates(other, KEY, &endpoints()), mode == other);
        }
    }
}

#[test]
fn the_configuration_digest_is_over_the_listed_octets() {
    // CFG_DIGEST of the constants was computed outside this crate; here each field moves it.
    let mode = AuthenticationMode::HmacSha1;
    let base = hello(mode).cfg_digest;
    let matched = |revert_delay_s, members| {
        MatchedConfiguration {
            e_trunk_id: 1,
            send_period: 10,
            fail_time: 200,
            revert_delay_s,
            authentication: mode,
            sequence: true,
            lacp_system_priority: 32768,
            lacp_system_id: [0, 0xe0, 0xfc, 0x12, 0x34, 0x55],
            members,
        }
        .digest()
    };
    assert_eq!(Some(matched(Some(120), vec![1])), base);
    assert_eq!(matched(None, vec![1]), matched(Some(u32::MAX), vec![1]));
    assert_ne!(Some(matched(Some(121), vec![1])), base);
    assert_ne!(Some(matched(Some(120), vec![1, 2])), base);
}

/// (octets changed, check that must fail).
fn expect(change: impl Fn(&mut Vec<u8>), check: Check) {
    let mut payload = octets(SHA256_HELLO);
    change(&mut payload);
    assert_eq!(parse(&payload).unwrap_err().check, check);
}

#[test]
fn length_magic_major_and_type_are_check_1() {
    expect(|p| p[0] = b'X', Check::Length);
    expect(|p| p[4] = 2, Check::Length);
    expect(|p| p[6] = 0, Check::Length);
    expect(|p| p[6] = 3, Check::Length);
    expect(|p| p[9] += 1, Check::Length);
    expect(|p| p.push(0), Check::Length);
    expect(|p| p.truncate(43), Check::Length);
    let mut minor = octets(SHA256_HELLO);
    minor[5] = 9;
    assert!(parse(&minor).is_ok(), "another minor version is ignored");
    let mut goodbye = octets(SHA256_HELLO);
    goodbye[6] = 2;
    assert_eq!(parse(&goodbye).unwrap().kind, Kind::Goodbye);
}

/// Replaces the octets from `from` on, mends Length.
fn with_tail(from: usize, tail: &[u8]) -> Vec<u8> {
    let mut payload = octets(SHA256_HELLO);
    payload.truncate(from);
    payload.extend_from_slice(tail);
    let length = u16::try_from(payload.len()).unwrap();
    payload[8..10].copy_from_slice(&length.to_be_bytes());
    payload
}

/// Offsets of the TLVs of the constants.
const LACP_SYS_AT: usize = 64;
const ADDR_AT: usize = 80;
const ECHO_AT: usize = 116;
const AUTH_AT: usize = 184;

fn tlv_error(payload: &[u8]) {
    assert_eq!(parse(payload).unwrap_err().check, Check::Tlv);
}

#[test]
fn tlvs_are_check_4() {
    let whole = octets(SHA256_HELLO);
    let auth = whole[AUTH_AT..].to_vec();
    // No AUTH; AUTH not last; AUTH twice; octets left over.
    tlv_error(&with_tail(AUTH_AT, &[]));
    tlv_error(&with_tail(whole.len(), &[0x00, 0x06, 0, 4, 0, 0, 0, 0]));
    tlv_error(&with_tail(whole.len(), &auth));
    tlv_error(&with_tail(whole.len(), &[0]));
    // Each of the three that must be there once.
    for (from, to) in [(LACP_SYS_AT, ADDR_AT), (ADDR_AT, ECHO_AT), (ECHO_AT, 140)] {
        tlv_error(&with_tail(from, &whole[to..]));
        let mut twice = whole[from..to].to_vec();
        twice.extend_from_slice(&whole[from..]);
        tlv_error(&with_tail(from, &twice));
    }
    // Unknown: optional is skipped, must-understand refused.
    let tail = |kind: u8| [&[kind, 0x55, 0, 3, 1, 2, 3, 0][..], &auth].concat();
    let optional = with_tail(AUTH_AT, &tail(0));
    let body = Envelope::parse(&optional).unwrap().body().unwrap();
    assert_eq!(body.unknown_tlvs(), 1);
    tlv_error(&with_tail(AUTH_AT, &tail(0x80)));
    // Padding that is not zero, a wrong length of a known TLV, a length that overruns.
    expect(|p| p[ADDR_AT - 1] = 1, Check::Tlv);
    expect(|p| p[LACP_SYS_AT + 3] = 9, Check::Tlv);
    expect(|p| p[AUTH_AT + 2] = 1, Check::Tlv);
    // Members that repeat or descend.
    let member = &whole[44..64];
    tlv_error(&with_tail(64, &[member, &whole[64..]].concat()));
    let mut two = member.to_vec();
    two[7] = 2;
    let payload = with_tail(64, &[&two, &whole[64..]].concat());
    assert_eq!(parse(&payload).unwrap().members.len(), 2);
    tlv_error(&with_tail(44, &[&two, &whole[44..]].concat()));
    // More members than the page allows.
    let members = |last: u8| -> Vec<u8> {
        let numbered = (1..=last).map(|id| [&member[..7], &[id], &member[8..]].concat());
        with_tail(
            44,
            &[numbered.flatten().collect(), whole[64..].to_vec()].concat(),
        )
    };
    assert_eq!(parse(&members(62)).unwrap().members.len(), 62);
    tlv_error(&members(63));
}

#[test]
fn the_addresses_are_found_before_the_tlvs_are_judged() {
    let whole = octets(SHA256_HELLO);
    let broken = with_tail(AUTH_AT, &[0x80, 0x55, 0, 0]);
    let addr = hello(AuthenticationMode::HmacSha256).addr;
    assert_eq!(Envelope::parse(&broken).unwrap().addr(), Some(addr));
    let without = with_tail(ADDR_AT, &whole[ECHO_AT..]);
    assert_eq!(Envelope::parse(&without).unwrap().addr(), None);
}

#[test]
fn fields_out_of_range_are_checks_7_to_11_in_order() {
    expect(|p| p[16] = 1, Check::SystemId);
    expect(|p| p[16..22].fill(0), Check::SystemId);
    expect(|p| p[12] = 0, Check::Priority);
    expect(|p| p[12] = 255, Check::Priority);
    expect(|p| p[23] = 4, Check::FailTime);
    expect(|p| p[23] = 101, Check::FailTime);
    expect(|p| p[25] = 14, Check::FailTime);
    expect(
        |p| p[24..26].copy_from_slice(&30001_u16.to_be_bytes()),
        Check::FailTime,
    );
    for at in [13, 15] {
        expect(|p| p[at] = 0, Check::State);
        expect(|p| p[at] = 4, Check::State);
    }
    expect(|p| p[ECHO_AT + 20] = 4, Check::State);
    expect(|p| p[ECHO_AT + 21] = 8, Check::StateReason);
    expect(|p| p[14] = 0, Check::StateReason);
    expect(|p| p[14] = 8, Check::StateReason);
    // MEMBER: type, work mode, link ready, operationally up, role, reason.
    for (at, value) in [
        (0, 2),
        (1, 0),
        (1, 4),
        (6, 2),
        (7, 2),
        (9, 0),
        (9, 3),
        (10, 0),
        (10, 8),
    ] {
        expect(|p| p[48 + at] = value, Check::StateReason);
    }
    // The order: everything wrong at once names the first.
    let mut payload = octets(SHA256_HELLO);
    for (at, check) in [
        (14, Check::StateReason),
        (13, Check::State),
        (22, Check::FailTime),
        (12, Check::Priority),
        (16, Check::SystemId),
        (AUTH_AT + 1, Check::Tlv),
        (0, Check::Length),
    ] {
        payload[at] = 0xff;
        assert_eq!(parse(&payload).unwrap_err().check, check);
    }
}

#[test]
fn reserved_octets_and_a_zero_fail_time_are_accepted() {
    let mut payload = octets(SHA256_HELLO);
    payload[26] = 0xff;
    payload[7] |= 0xf0;
    payload[24..26].fill(0);
    payload[48 + 11] = 0xff;
    let hello = parse(&payload).unwrap();
    assert_eq!(hello.fail_time, None);
}

#[test]
fn an_echo_of_nothing_is_zero() {
    let mode = AuthenticationMode::HmacSha1;
    let deaf = Hello {
        echo: None,
        sequence: None,
        ..hello(mode)
    };
    let payload = deaf.to_vec(mode, KEY, &endpoints());
    assert_eq!(payload[ECHO_AT + 4..ECHO_AT + 24], [0; 20]);
    assert_eq!(payload[7] & 2, 0);
    assert_eq!(payload[36..44], [0; 8]);
    assert_eq!(parse(&payload), Ok(deaf));
}

#[test]
fn cut_short_at_every_length_it_is_refused() {
    for (_, payload) in vectors() {
        for length in 0..payload.len() {
            let mut cut = payload[..length].to_vec();
            assert_eq!(parse(&cut).unwrap_err().check, Check::Length);
            if let Some(field) = cut.get_mut(8..10) {
                field.copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
                let check = if length < FIXED_LEN {
                    Check::Length
                } else {
                    Check::Tlv
                };
                assert_eq!(parse(&cut).unwrap_err().check, check, "{length}");
            }
        }
    }
}

#[test]
fn counters_have_the_names_of_the_page_in_the_order_of_the_page() {
    let names = [
        "length_error",
        "e_trunk_id_error",
        "peer_ip_error",
        "tlv_check_error",
        "authentication_error",
        "sequence_error",
        "system_id_error",
        "priority_error",
        "fail_time_error",
        "state_error",
        "state_reason_error",
    ];
    assert_eq!(Check::ALL.map(Check::counter), names);
    assert!(Check::ALL.is_sorted());
}

proptest! {
    #[test]
    fn arbitrary_octets_never_panic(payload in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&payload);
    }

    #[test]
    fn a_legal_prefix_with_arbitrary_octets_never_panics(
        tail in prop::collection::vec(any::<u8>(), 0..200),
        from in 44_usize..224,
    ) {
        let payload = with_tail(from, &tail);
        let _ = Envelope::parse(&payload).map(|e| (e.addr(), e.body().map(|b| b.hello())));
    }

    #[test]
    fn what_parses_emits_and_parses_again(at in 0_usize..184, value in any::<u8>()) {
        let mut payload = octets(SHA256_HELLO);
        payload[at] = value;
        if let Ok(hello) = parse(&payload) {
            let again = hello.to_vec(AuthenticationMode::HmacSha256, KEY, &endpoints());
            prop_assert_eq!(parse(&again), Ok(hello));
        }
    }
}
