//! What the player sends: by its steps, in the background, and by its ports' own behaviour.

use crate::matching::resolve;
use crate::measuring::Varying;
use crate::outcome::{Action, SetupError};
use crate::player::{Background, Current, Player};
use crate::rbs_peer::RbsPeer;
use dut_device::Instant;
use harness_suite::{Expression, Partner, Peer, Send, Stream};
use harness_trace::Frame;
use harness_wire::{
    Fields, Kind, STATE_BITS, build, classify, decode, decoded_names, field_names, layers,
};
use serde_json::Value;
use std::net::Ipv6Addr;
use std::time::Duration;

impl Player {
    /// Looks the whole case through for what can't be played.
    pub(crate) fn check(&self) -> Result<(), SetupError> {
        for located in &self.case.steps {
            let line = located.line;
            let Some((points, frames, sends)) = located.step.frames() else {
                continue;
            };
            let known = if sends {
                self.ports
                    .iter()
                    .map(|port| port.name.clone())
                    .collect::<Vec<_>>()
            } else {
                self.points.iter().map(|point| point.name.clone()).collect()
            };
            if let Some(point) = points.iter().find(|point| !known.contains(point)) {
                let (name, known) = (point.clone(), known.join(", "));
                return Err(SetupError::NoPoint { line, name, known });
            }
            let Some((kind, fields)) = frames.only() else {
                let what = "a frame has exactly one kind".to_owned();
                return Err(SetupError::Frame { line, what });
            };
            let names = if sends {
                field_names(kind)
            } else {
                decoded_names(kind)
            };
            if let Some(name) = fields.keys().find(|name| !names.contains(name)) {
                let what = format!(
                    "a {} has no field `{name}`; it has {}",
                    kind.name(),
                    names.join(", ")
                );
                return Err(SetupError::Frame { line, what });
            }
        }
        self.check_times()
    }

    fn check_times(&self) -> Result<(), SetupError> {
        for located in &self.case.steps {
            for text in located.step.times() {
                let parsed = Expression::parse(text);
                let line = located.line;
                parsed.map_err(|source| SetupError::Expression { line, source })?;
            }
        }
        Ok(())
    }

    /// A frame's fields: the port's defaults, then the case's own.
    pub(crate) fn outgoing(&self, port: usize, kind: Kind, given: &Fields) -> Fields {
        let mut fields = Fields::new();
        let Some(port) = self.ports.get(port) else {
            return given.clone();
        };
        if kind != Kind::Frame && kind != Kind::Rbs {
            fields.insert("ether.source".to_owned(), port.mac.clone().into());
        }
        if kind == Kind::Lacpdu {
            let defaults = port.lacp_defaults();
            match &port.partner {
                Some(partner) => fields.extend(partner.actor(&defaults)),
                None => fields.extend(defaults),
            }
            fields.extend(port.device_actor.clone());
        } else {
            fields.extend(port.defaults.get(kind.name()).cloned().unwrap_or_default());
        }
        let unicast = |value: Option<&Value>| {
            let value = resolve(value?, &self.known);
            let address: Option<Ipv6Addr> = value.as_str()?.parse().ok();
            address.map(|address| !address.is_multicast())
        };
        let default_unicast = kind == Kind::Etrunk;
        let destination = given
            .get("ipv6.destination")
            .or_else(|| fields.get("ipv6.destination"));
        if unicast(destination).unwrap_or(default_unicast)
            && let Some(mac) = &port.device_mac
        {
            fields.insert("ether.destination".to_owned(), mac.clone().into());
        }
        for (name, value) in given {
            fields.insert(name.clone(), resolve(value, &self.known));
        }
        // A whole state octet given replaces default bits, which would else be set after it.
        for end in ["actor", "partner"] {
            if given.contains_key(&format!("{end}.state")) {
                let prefix = format!("{end}.");
                fields.retain(|name, _| {
                    given.contains_key(name)
                        || !name
                            .strip_prefix(&prefix)
                            .is_some_and(|bit| STATE_BITS.contains(&bit))
                });
            }
        }
        fields
    }

    pub(crate) fn transmit(
        &mut self,
        port: usize,
        kind: Kind,
        given: &Fields,
    ) -> Result<(), String> {
        if kind == Kind::Rbs {
            let mut fields = self
                .ports
                .get(port)
                .and_then(|p| p.defaults.get("rbs").cloned());
            let fields = fields.get_or_insert_default();
            for (name, value) in given {
                fields.insert(name.clone(), resolve(value, &self.known));
            }
            let peer = self.ports.get_mut(port).and_then(|port| port.rbs.as_mut());
            let peer = peer.ok_or("an RBS message needs an `rbs-peer` on its port first")?;
            return peer.send(fields).map_err(|error| error.to_string());
        }
        let fields = self.outgoing(port, kind, given);
        let octets = build(kind, &fields).map_err(|error| error.to_string())?;
        self.put(port, octets);
        Ok(())
    }

    /// Sends octets on a port.
    fn put(&mut self, port: usize, octets: Vec<u8>) {
        let name = self.ports.get(port).map(|port| port.name.clone());
        if let Some(port) = name {
            self.mark("last_sent", self.now);
            self.actions.push_back(Action::Send { port, octets });
        }
    }

    pub(crate) fn begin_send(&mut self, send: Send) -> Result<(), String> {
        let port = self.port_index(&send.on)?;
        let (kind, fields) = send.frame.only().ok_or("a frame has exactly one kind")?;
        let (kind, fields) = (kind, fields.clone());
        let every = send
            .every
            .as_deref()
            .map(|every| self.duration(every))
            .transpose();
        let every = every
            .map_err(|error| error.to_string())?
            .unwrap_or_default();
        let left = match &send.vary {
            None => send.count.unwrap_or(1),
            Some(_) if send.count.is_some() => {
                return Err("`vary` goes without `count`".to_owned());
            }
            Some(vary) => u32::try_from((vary.to + 1).saturating_sub(vary.from))
                .map_err(|_| "`vary` has too many values")?,
        };
        let varying = Varying {
            field: send.vary.map(|vary| (vary.field, vary.from)),
            fresh: send.fresh,
        };
        let next = self.now;
        self.save_sent = send.save;
        if send.background {
            let (name, left) = (String::new(), Some(left));
            let sequence = None;
            let background = Background {
                name,
                port,
                kind,
                fields,
                left,
                every,
                next,
                sequence,
                packet: None,
                varying,
            };
            self.backgrounds.push(background);
            self.skip();
        } else {
            self.current = Current::Sending {
                port,
                kind,
                fields,
                left,
                every,
                next,
                varying,
            };
        }
        Ok(())
    }

    pub(crate) fn begin_partner(&mut self, step: &Partner) -> Result<(), String> {
        let (now, mut fields) = (self.now, self.resolved(&step.fields));
        if let Some(field) = &step.fresh {
            fields.insert(field.clone(), self.fresh());
        }
        if let Some(by) = &step.reflect {
            self.port_index(by)?;
        }
        let port = self.port_named(&step.on)?;
        port.reflect.clone_from(&step.reflect);
        if step.stop || step.reflect.is_some() {
            port.partner = None;
        } else {
            let heard = port.device_pdu.clone();
            port.partner
                .get_or_insert_default()
                .start(now, fields, heard);
        }
        Ok(())
    }

    pub(crate) fn begin_etrunk_peer(&mut self, step: &Peer) -> Result<(), String> {
        let (now, fields) = (self.now, self.resolved(&step.fields));
        let port = self.port_named(&step.on)?;
        if step.stop {
            port.etrunk = None;
        } else {
            port.etrunk.get_or_insert_default().start(now, fields);
        }
        Ok(())
    }

    pub(crate) fn begin_rbs_peer(&mut self, step: &Peer) -> Result<(), String> {
        let (now, fields) = (self.now, self.resolved(&step.fields));
        let port = self.port_named(&step.on)?;
        let mut given = port.defaults.get("rbs-peer").cloned().unwrap_or_default();
        match &mut port.rbs {
            Some(peer) if step.stop => {
                peer.change(fields);
                peer.close();
                return Ok(());
            }
            _ => given.extend(fields),
        }
        match &mut port.rbs {
            Some(peer) => peer.change(given),
            None if step.stop => {}
            None => port.rbs = Some(RbsPeer::new(now, given)),
        }
        Ok(())
    }

    fn skip(&mut self) {
        self.current = Current::Sleeping(self.now);
    }

    pub(crate) fn work_sending(&mut self) -> bool {
        let now = self.now;
        let Current::Sending {
            port,
            kind,
            fields,
            left,
            every,
            next,
            varying,
        } = &mut self.current
        else {
            return false;
        };
        if *left == 0 {
            self.skip();
            return true;
        }
        if *next > now {
            return false;
        }
        *left -= 1;
        *next += *every;
        let (port, kind, mut fields) = (*port, *kind, fields.clone());
        let mut next = std::mem::take(varying);
        self.varied(&mut next, &mut fields);
        if let Current::Sending { varying, .. } = &mut self.current {
            *varying = next;
        }
        if let Err(error) = self.transmit(port, kind, &fields) {
            self.abort(error);
        }
        true
    }

    pub(crate) fn begin_stream(&mut self, stream: Stream) -> Result<(), String> {
        self.backgrounds
            .retain(|background| background.name != stream.name);
        if stream.stop {
            return Ok(());
        }
        let port = self.port_index(&stream.on)?;
        let every = self.duration(stream.every.as_deref().unwrap_or("50ms"));
        let every = every.map_err(|error| error.to_string())?;
        let group = stream.group.ok_or("a stream that begins needs a `group`")?;
        let source = stream
            .source
            .ok_or("a stream that begins needs a `source`")?;
        let fields = [
            ("ipv6.source".to_owned(), source.to_string().into()),
            ("ipv6.destination".to_owned(), group.to_string().into()),
        ];
        self.backgrounds.push(Background {
            name: stream.name,
            port,
            kind: Kind::Udp,
            fields: fields.into_iter().collect(),
            left: None,
            every: every.max(Duration::from_micros(10)),
            next: self.now,
            sequence: Some(0),
            packet: None,
            varying: Varying::default(),
        });
        Ok(())
    }

    pub(crate) fn work_backgrounds(&mut self) -> bool {
        let now = self.now;
        self.backgrounds
            .retain(|background| background.left != Some(0));
        let due = self
            .backgrounds
            .iter_mut()
            .enumerate()
            .find(|(_, background)| background.next <= now);
        let Some((index, background)) = due else {
            return false;
        };
        background.next += background.every;
        background.left = background.left.map(|left| left.saturating_sub(1));
        if let Some(sequence) = &mut background.sequence {
            *sequence += 1;
            if let Err(error) = self.work_stream(index) {
                self.abort(error);
            }
            return true;
        }
        let (port, kind) = (background.port, background.kind);
        let mut varying = background.varying.clone();
        if let Some((_, value)) = &mut background.varying.field {
            *value += 1;
        }
        let mut fields = background.fields.clone();
        self.varied(&mut varying, &mut fields);
        if let Err(error) = self.transmit(port, kind, &fields) {
            self.abort(error);
        }
        true
    }

    /// The next packet of a stream: the one before with another number, since nothing else changes
    /// and a long case is mostly stream.
    fn work_stream(&mut self, index: usize) -> Result<(), String> {
        let first = self.backgrounds.get(index).filter(|b| b.packet.is_none());
        let built = first.map(|background| {
            let mut fields = background.fields.clone();
            fields.insert("sequence".to_owned(), 0.into());
            build(
                Kind::Udp,
                &self.outgoing(background.port, Kind::Udp, &fields),
            )
        });
        let built = built.transpose().map_err(|error| error.to_string())?;
        let Some(background) = self.backgrounds.get_mut(index) else {
            return Ok(());
        };
        let number = background.sequence.unwrap_or(0);
        let packet = background
            .packet
            .get_or_insert_with(|| built.unwrap_or_default());
        harness_wire::renumber(packet, number)
            .ok_or("a stream's packet has no place for its number")?;
        let (port, packet) = (background.port, packet.clone());
        self.put(port, packet);
        Ok(())
    }

    /// Lets the ports' own behaviour send what is due.
    pub(crate) fn work_ports(&mut self) -> bool {
        let now = self.now;
        for index in 0..self.ports.len() {
            let Some(port) = self.ports.get_mut(index) else {
                continue;
            };
            // This is asked at every instant: nothing is made ready for what isn't there.
            if port.partner.is_some() {
                let defaults = port.lacp_defaults();
                if let Some(fields) = port.partner.as_mut().and_then(|p| p.due(now, &defaults)) {
                    self.courtesy(index, Kind::Lacpdu, &fields);
                    return true;
                }
            }
            if let Some(peer) = &mut port.etrunk {
                let none = Fields::new();
                let defaults = port.defaults.get("etrunk").unwrap_or(&none);
                if let Some(fields) = peer.due(now, defaults) {
                    self.courtesy(index, Kind::Etrunk, &fields);
                    return true;
                }
            }
            if self.work_rbs(index) {
                return true;
            }
        }
        false
    }

    fn courtesy(&mut self, port: usize, kind: Kind, fields: &Fields) {
        if let Err(error) = self.transmit(port, kind, fields) {
            self.abort(error);
        }
    }

    fn work_rbs(&mut self, index: usize) -> bool {
        let now = self.now;
        let Some(port) = self.ports.get_mut(index) else {
            return false;
        };
        let Some(rbs) = &mut port.rbs else {
            return false;
        };
        if rbs.next(now).is_some_and(|next| next <= now) {
            // What has come was judged when it came; a poll by time brings nothing new.
            let _ = rbs.poll(now);
        }
        let Some(packet) = rbs.outgoing() else {
            return false;
        };
        let Some(mac) = port.device_mac.clone() else {
            return true;
        };
        let mut fields = Fields::new();
        let header = format!("{}{}86dd", plain(&mac), plain(&port.mac));
        let octets = format!("{header}{}", harness_wire::to_hex(&packet));
        fields.insert("octets".to_owned(), octets.into());
        self.courtesy(index, Kind::Frame, &fields);
        true
    }

    /// What a port does about a frame of the device; RBS messages that it brought.
    pub(crate) fn react(&mut self, index: usize, frame: &Frame) -> Vec<Fields> {
        let now = frame.at;
        let Some(port) = self.ports.get_mut(index) else {
            return Vec::new();
        };
        if let Some(port) = port.reflect.clone() {
            let octets = frame.octets.clone();
            self.actions.push_back(Action::Send { port, octets });
        }
        let Some(layers) = layers(&frame.octets) else {
            return Vec::new();
        };
        match classify(&frame.octets) {
            Kind::Lacpdu => {
                let decoded = decode(&frame.octets).fields;
                port.device_actor = decoded
                    .iter()
                    .filter_map(|(name, value)| {
                        let name = name.strip_prefix("actor.")?;
                        let kept = !matches!(name, "tlv_type" | "length" | "reserved" | "state");
                        kept.then(|| (format!("partner.{name}"), value.clone()))
                    })
                    .collect();
                let defaults = port.lacp_defaults();
                if let Some(partner) = &mut port.partner {
                    partner.heard(now, &decoded, &defaults);
                }
                port.device_pdu = Some(decoded);
            }
            Kind::Neighbor => self.answer_neighbor(index, &frame.octets),
            Kind::Etrunk => {
                port.device_mac = Some(harness_wire::mac_text(&layers.source));
                let decoded = decode(&frame.octets).fields;
                if let Some(peer) = &mut port.etrunk {
                    peer.heard(now, &decoded);
                }
            }
            Kind::Marker
            | Kind::Slow
            | Kind::MldQuery
            | Kind::MldReport
            | Kind::MldV1Report
            | Kind::MldDone
            | Kind::Rbs
            | Kind::Udp
            | Kind::PimHello
            | Kind::PimJoinPrune
            | Kind::Frame => return self.react_ip(index, now, &layers),
        }
        Vec::new()
    }

    fn react_ip(
        &mut self,
        index: usize,
        now: Instant,
        layers: &harness_wire::Layers<'_>,
    ) -> Vec<Fields> {
        let Some(port) = self.ports.get_mut(index) else {
            return Vec::new();
        };
        let Some(ip) = &layers.ip else {
            return Vec::new();
        };
        port.device_mac = Some(harness_wire::mac_text(&layers.source));
        match &mut port.rbs {
            Some(rbs) if ip.next_header == 6 && rbs.is_for(ip.destination) => {
                let length = 40 + usize::from(ip.payload_length);
                rbs.packet(layers.payload.get(..length).unwrap_or(layers.payload));
                rbs.poll(now)
            }
            _ => Vec::new(),
        }
    }

    fn answer_neighbor(&mut self, index: usize, frame: &[u8]) {
        let decoded = decode(frame).fields;
        let Some(port) = self.ports.get_mut(index) else {
            return;
        };
        let text = |name: &str| decoded.get(name).and_then(Value::as_str).map(str::to_owned);
        port.device_mac = text("ether.source").or_else(|| port.device_mac.take());
        let target: Option<Ipv6Addr> = text("target").and_then(|target| target.parse().ok());
        let asked = decoded.get("type") == Some(&135.into());
        let Some(target) = target.filter(|target| asked && port.addresses.contains(target)) else {
            return;
        };
        let mac = port.mac.clone();
        let to = text("ipv6.source").unwrap_or_default();
        let fields: [(&str, Value); 5] = [
            ("type", 136.into()),
            ("target", target.to_string().into()),
            ("link_layer", mac.into()),
            ("ipv6.destination", to.into()),
            (
                "ether.destination",
                text("ether.source").unwrap_or_default().into(),
            ),
        ];
        let fields = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        self.courtesy(index, Kind::Neighbor, &fields);
    }
}

fn plain(mac: &str) -> String {
    mac.replace([':', '-'], "")
}
