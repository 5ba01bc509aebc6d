//! Every command sets what its documentation says, in capitals or not, in one file or in two.
#![expect(clippy::unwrap_used, reason = "tests")]

use dut_vrp::config::{Authentication, Interface, Mux, PeerBackup, WorkMode};
use dut_vrp::{Config, parse};
use std::net::Ipv6Addr;
use std::time::Duration;

fn load(text: &str) -> Config {
    parse(&[("x.cfg".to_owned(), text.to_owned())])
        .unwrap()
        .config
}

fn interface(text: &str) -> Interface {
    load(text).interfaces.into_iter().next_back().unwrap()
}

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

#[test]
fn the_e_trunk_view() {
    let config = load(
        "e-trunk ipv6 port 2000\ne-trunk 3\n priority 7\n authentication-mode hmac-sha1\n \
         sequence enable\n timer hello 9\n timer hold-on-failure multiplier 30\n \
         timer revert delay 60\n description to the other one\n \
         security-key cipher YsHsjx_202206\n",
    );
    let e_trunk = &config.e_trunks[&3];
    assert_eq!(e_trunk.port, 2000);
    assert_eq!(e_trunk.priority, 7);
    assert_eq!(e_trunk.authentication, Authentication::HmacSha1);
    assert!(e_trunk.sequence);
    assert_eq!((e_trunk.hello_100ms, e_trunk.multiplier), (9, 30));
    assert_eq!(e_trunk.revert_delay_s, Some(60));
    assert_eq!(e_trunk.description.as_deref(), Some("to the other one"));
    let key = e_trunk.security_key.as_ref().unwrap();
    // Typed plain, as in the procedure: not opaque.
    assert_eq!((key.cipher, key.text.as_str()), (false, "YsHsjx_202206"));
    let config = load("e-trunk 3\n revert disable\n authentication-mode hmac-sha256\n");
    assert_eq!(config.e_trunks[&3].revert_delay_s, None);
    assert_eq!(
        config.e_trunks[&3].authentication,
        Authentication::HmacSha256
    );
}

#[test]
fn the_backup_views() {
    let config = load(
        "remote-backup-service S.1\n shutdown\n#\nremote-backup-profile p\n service-type mld\n \
         peer-backup warm\n backup-id 4095 remote-backup-service s.1\n",
    );
    assert!(config.rbs[0].shutdown);
    assert_eq!(config.rbp[0].peer_backup, PeerBackup::Warm);
    // Service names ignore capitals.
    assert_eq!(config.rbp[0].backup_id, Some((4095, "S.1".to_owned())));
}

#[test]
fn the_eth_trunk_view() {
    let eth_trunk = interface(
        "e-trunk 1\n#\nINTERFACE eth-trunk 2\n mode lacp-static\n e-trunk 1 remote-eth-trunk 9\n \
         e-trunk mode force-backup\n lacp e-trunk system-id 00e0-fc12-3457\n \
         lacp e-trunk priority 5\n lacp timeout fast\n max active-linknumber 4\n \
         least active-linknumber 2\n lacp preempt delay 10\n lacp preempt enable\n \
         tandem mux independent\n tandem ntt-on-expired disable\n \
         tandem protocol-da 0180-c200-0003\n shutdown\n",
    );
    assert_eq!(eth_trunk.name, "Eth-Trunk2");
    assert!(eth_trunk.shutdown);
    let trunk = eth_trunk.trunk;
    assert_eq!(trunk.e_trunk, Some((1, Some(9))));
    assert_eq!(trunk.work_mode, WorkMode::ForceBackup);
    assert_eq!(
        trunk.lacp_system_id,
        Some("00e0-fc12-3457".parse().unwrap())
    );
    assert_eq!(trunk.lacp_system_priority, Some(5));
    assert!(trunk.timeout_fast && !trunk.ntt_on_expired);
    assert_eq!((trunk.max_active, trunk.least_active), (4, 2));
    assert_eq!((trunk.mux, trunk.protocol_da), (Mux::Independent, 3));
    assert_eq!(trunk.preempt_delay_s, Some(10));
    let trunk = interface(
        "interface Eth-Trunk2\n mode lacp-static\n tandem mux combined\n \
         tandem wait-to-restore 7\n",
    );
    assert_eq!(trunk.trunk.mux, Mux::Combined);
    assert_eq!(trunk.trunk.wait_to_restore_s, 7);
    let trunk = interface("interface Eth-Trunk2\n mode lacp-static\n lacp preempt enable\n").trunk;
    assert_eq!(trunk.preempt_delay_s, Some(30));
}

#[test]
fn the_port_view() {
    let port = interface(
        "interface Eth-Trunk1\n#\ninterface gigabitethernet 0/1/2\n eth-trunk 1\n \
         lacp priority 10\n tandem lacp-activity passive\n tandem lacp-aggregation individual\n",
    );
    assert_eq!(port.name, "GigabitEthernet0/1/2");
    assert_eq!(port.lacp_port_priority, 10);
    assert!(port.lacp_passive && port.lacp_individual);
}

#[test]
fn mld_on_an_interface() {
    let mld = interface(
        "multicast ipv6 routing-enable\ninterface GigabitEthernet0/1/1\n ipv6 enable\n \
         mld enable\n mld version 1\n mld timer query 60\n mld max-response-time 5\n \
         mld robust-count 3\n mld lastlistener-queryinterval 2\n undo mld require-router-alert\n \
         mld limit 7\n tandem mld-source-limit 8\n tandem mld-report-limit 9\n \
         tandem mld-last-listener-query-count 4\n \
         tandem mld-profile rfc9777\n tandem mld-compatibility disable\n",
    )
    .mld;
    assert!(mld.enable && mld.rfc9777 && !mld.compatibility && !mld.require_router_alert);
    assert_eq!(mld.version, 1);
    assert_eq!(mld.query_interval, Duration::from_secs(60));
    assert_eq!(mld.max_response_time, Duration::from_secs(5));
    assert_eq!(mld.robust_count, 3);
    assert_eq!(mld.last_listener_query_interval, Duration::from_secs(2));
    assert_eq!(mld.last_listener_query_count, Some(4));
    assert_eq!((mld.limit, mld.source_limit), (Some(7), Some(8)));
    assert_eq!((mld.limit, mld.report_limit), (Some(7), Some(9)));
    let mld = interface(
        "multicast ipv6 routing-enable\ninterface GigabitEthernet0/1/1\n ipv6 enable\n \
         mld enable\n tandem mld-query-interval 10001\n tandem mld-robustness 255\n \
         tandem mld-last-listener-query-interval 100\n",
    )
    .mld;
    assert_eq!(mld.query_interval, Duration::from_millis(10_001));
    assert_eq!(mld.robust_count, 255);
    assert_eq!(mld.last_listener_query_interval, Duration::from_millis(100));
}

#[test]
fn static_groups_step_by_the_lowest_bit_of_the_mask() {
    let groups = |command: &str| {
        interface(&format!(
            "multicast ipv6 routing-enable\ninterface GigabitEthernet0/1/1\n ipv6 enable\n \
             {command}\n"
        ))
        .mld
        .static_groups
    };
    assert_eq!(
        groups("mld static-group FF13::1 inc-step-mask 128 number 3"),
        [
            (ip("ff13::1"), None),
            (ip("ff13::2"), None),
            (ip("ff13::3"), None)
        ]
    );
    let source = Some(ip("2001:db8::101"));
    assert_eq!(
        groups("mld static-group FF33::1 inc-step-mask 24 number 2 source 2001:DB8::101"),
        [(ip("ff33::1"), source), (ip("ff33:100::1"), source)]
    );
    assert_eq!(
        groups("mld static-group FF04::202"),
        [(ip("ff04::202"), None)]
    );
    assert_eq!(
        groups("mld static-group FF3E::1 source 2001:DB8:5::2"),
        [(ip("ff3e::1"), Some(ip("2001:db8:5::2")))]
    );
}

#[test]
fn system_lines() {
    let config = load(
        "vlan batch 100 200 to 202\nlacp e-trunk priority 9\n\
         ipv6 route-static :: 0 2001:DB8:20::2\ninterface NULL 0\n",
    );
    assert_eq!(
        config.vlans.into_iter().collect::<Vec<_>>(),
        [100, 200, 201, 202]
    );
    assert_eq!(config.lacp_e_trunk_priority, Some(9));
    assert_eq!(
        (config.routes[0].prefix, config.routes[0].length),
        (ip("::"), 0)
    );
    assert_eq!(config.interfaces[0].name, "NULL0");
    let named = load(
        "interface GigabitEthernet0/1/1\n#\n\
         ipv6 route-static 2001:DB8:40:: 64 GigabitEthernet0/1/1 FE80::1\n",
    );
    assert_eq!(
        named.routes[0].interface.as_deref(),
        Some("GigabitEthernet0/1/1")
    );
    // All ones is the default: the bridge's own address.
    let config = load("lacp e-trunk system-id ffff-ffff-ffff\n");
    assert_eq!(config.lacp_e_trunk_system_id, None);
}

#[test]
fn a_fragments_lines_merge_into_the_devices_views() {
    let files = [
        (
            "own.cfg".to_owned(),
            "sysname X\n#\ninterface GigabitEthernet0/1/1\n ipv6 enable\n shutdown\n#\nreturn\n"
                .to_owned(),
        ),
        (
            "fragment.cfg".to_owned(),
            "# a remark\ninterface GigabitEthernet0/1/1\n undo shutdown\n \
             ipv6 address 2001:DB8::1 64\n"
                .to_owned(),
        ),
    ];
    let loaded = parse(&files).unwrap();
    assert_eq!(loaded.config.interfaces.len(), 1);
    let port = &loaded.config.interfaces[0];
    assert!(port.ipv6 && !port.shutdown);
    assert_eq!(port.addresses, [(ip("2001:db8::1"), 64)]);
    let place = loaded.place("interface GigabitEthernet0/1/1", "ipv6 address");
    assert_eq!(place.unwrap().to_string(), "fragment.cfg:4");
}
