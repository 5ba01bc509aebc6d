//! Shows that the captures of a bed see frames before a case begins.

use crate::clock::Clock;
use crate::netns::enter;
use crate::port::{Port, drain};
use std::time::{Duration, Instant};

/// EtherType for local experiments (IEEE 802): no device does anything about it.
const EXPERIMENT: [u8; 2] = [0x88, 0xb5];

/// Sends a frame from each of these interfaces of the device's namespace and waits until the
/// captures that `shows` names have shown them: what the device sends from now on is seen.
pub(crate) fn barrier(
    namespace: &str,
    interfaces: Vec<String>,
    ports: &mut [Port],
    shows: impl Fn(usize) -> bool,
) -> Result<(), String> {
    let clock = Clock::starting_now();
    let namespace = namespace.to_owned();
    // Of a thread of its own: a thread is in one namespace.
    let sender = std::thread::spawn(move || -> Result<(), String> {
        enter(&namespace)?;
        for interface in interfaces {
            let text = |error: pcap::Error| format!("barrier at {interface}: {error}");
            let opened = pcap::Capture::from_device(interface.as_str()).map_err(text)?;
            let mut sender = opened.open().map_err(text)?;
            let mut frame = vec![0x01, 0x80, 0xc2, 0, 0, 0x0f, 0x02, 0, 0, 0, 0, 0x01];
            frame.extend(EXPERIMENT);
            frame.resize(60, 0);
            sender.sendpacket(frame).map_err(text)?;
        }
        Ok(())
    });
    let sent = sender.join();
    sent.map_err(|_panic| "the barrier's sender failed".to_owned())??;
    let begun = Instant::now();
    let mut missing: Vec<usize> = (0..ports.len()).filter(|port| shows(*port)).collect();
    while !missing.is_empty() {
        for (_, port, octets) in drain(ports, &clock).map_err(|error| error.to_string())? {
            if octets.get(12..14) == Some(&EXPERIMENT) {
                missing.retain(|index| *index != port);
            }
        }
        if begun.elapsed() > Duration::from_secs(5) {
            return Err("a capture does not show what was sent to it".to_owned());
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}
