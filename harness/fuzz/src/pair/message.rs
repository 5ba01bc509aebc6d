//! What listeners and the partner send: built once for each choice that gives it.

use crate::mutate::Drawn;
use harness_wire::{Fields, Kind, build};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;

thread_local! {
    static FRAMES: RefCell<BTreeMap<Message, Vec<u8>>> = const { RefCell::new(BTreeMap::new()) };
}

/// A message of the listeners, by the choices that give it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Message {
    /// A version 2 report; `true` with a wrong checksum.
    Report(Drawn, bool),
    Report1(&'static str),
    Done(&'static str),
}

impl Message {
    fn build(&self) -> Vec<u8> {
        let (kind, fields) = match self {
            Self::Report(drawn, wrong) => {
                let Drawn {
                    kind,
                    group,
                    sources,
                } = drawn;
                let records = json!([{"type": kind, "group": group, "sources": sources}]);
                let mut fields: Fields = [("records".to_owned(), records)].into();
                if *wrong {
                    fields.insert("icmpv6.checksum".to_owned(), 1.into());
                }
                (Kind::MldReport, fields)
            }
            Self::Report1(group) | Self::Done(group) => {
                let kind = match self {
                    Self::Done(_) => Kind::MldDone,
                    Self::Report(..) | Self::Report1(_) => Kind::MldV1Report,
                };
                (kind, [("group".to_owned(), Value::from(*group))].into())
            }
        };
        built(kind, &fields)
    }

    /// Its frame; built once.
    pub(super) fn frame(self) -> Vec<u8> {
        FRAMES.with(|frames| {
            let mut frames = frames.borrow_mut();
            if let Some(frame) = frames.get(&self) {
                return frame.clone();
            }
            let frame = self.build();
            frames.insert(self, frame.clone());
            frame
        })
    }
}

pub(super) fn built(kind: Kind, fields: &Fields) -> Vec<u8> {
    match build(kind, fields) {
        Ok(frame) => frame,
        Err(error) => panic!("a listener's message: {error}"),
    }
}

/// The partner's LACPDU on a port, but for its view of the device.
pub(super) fn partner(number: u64) -> Vec<u8> {
    let own = json!({
        "ether.source": format!("02:00:00:00:00:0{number}"),
        "actor.system": "00e0-fc12-3460",
        "actor.key": 305, "actor.port": number, "actor.state": 0x3d,
    });
    let fields: Fields = own.as_object().cloned().into_iter().flatten().collect();
    built(Kind::Lacpdu, &fields)
}
