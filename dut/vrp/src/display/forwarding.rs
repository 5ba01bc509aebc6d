//! `display multicast ipv6 forwarding-table`.

use super::format::ip;
use dut_device::{ForwardingEntry, Snapshot};

/// The forwarding table. A downstream interface that is held without forwarding, as the backup's
/// is, has `muted` after it: the vendor has no word for it.
pub(super) fn table(snapshot: &Snapshot) -> String {
    let count = snapshot.forwarding.len();
    let entries = if count == 1 { "entry" } else { "entries" };
    let mut text = format!(
        "IPv6 Multicast Forwarding Table of VPN-Instance: public net\n\
         Total {count} {entries}, {count} matched\n"
    );
    for (number, entry) in (1_usize..).zip(&snapshot.forwarding) {
        text += "\n";
        text += &one(number, entry);
    }
    text
}

fn one(number: usize, entry: &ForwardingEntry) -> String {
    let source = entry.source.map_or("*".to_owned(), ip);
    let mut text = format!("{number:05}. ({source}, {})\n", ip(entry.group));
    let upstream = entry.upstream.as_deref().unwrap_or("NULL");
    text += &format!("     Incoming interface: {upstream}\n");
    let count = entry.downstream.len();
    let plural = if count == 1 { "" } else { "s" };
    text += &format!("     List of {count} outgoing interface{plural}:\n");
    for (index, interface) in (1_usize..).zip(&entry.downstream) {
        let muted = if entry.muted.contains(interface) {
            " (muted)"
        } else {
            ""
        };
        text += &format!("       {index}: {interface}{muted}\n");
    }
    text += &format!("     Forwarded {} packets\n", entry.forwarded);
    text
}
