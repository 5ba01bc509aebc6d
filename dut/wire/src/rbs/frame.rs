//! A frame: its header, and the choice of its body.

use super::{BACKUP_ID_MAX, Body, FRAME_MAX, HEADER_LEN, MAGIC, MAJOR, MINOR, Service};
use crate::reader::fixed;
use crate::{Malformed, Reader};

/// Why octets are no usable frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame can't be understood; the session must close.
    #[error("{0}")]
    Malformed(Malformed),
    /// Another major version.
    #[error("major version {0}")]
    Version(u8),
    /// The frame is well delimited, but a record or tombstone in it is illegal; the message can
    /// be refused alone.
    #[error("message {message_id}: {why}")]
    Record {
        /// Session_Epoch of the frame.
        session_epoch: u64,
        /// Message_ID of the frame.
        message_id: u64,
        /// Backup_ID of the frame.
        backup_id: u16,
        /// What is wrong, with an offset inside the record.
        why: Malformed,
    },
}

impl From<Malformed> for FrameError {
    fn from(why: Malformed) -> Self {
        Self::Malformed(why)
    }
}

/// A frame; every field is legal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Sender's boot epoch.
    pub session_epoch: u64,
    /// From 1 on each connection, one more a frame.
    pub message_id: u64,
    /// The profile, 1–4095; 0 the session.
    pub backup_id: u16,
    /// The profile's service.
    pub service: Service,
    /// Type and body.
    pub body: Body,
}

/// The header's fields that are needed before the body is there.
pub(super) struct Header {
    pub(super) kind: u8,
    pub(super) length: usize,
    pub(super) session_epoch: u64,
    pub(super) message_id: u64,
    pub(super) backup_id: u16,
    pub(super) service: Service,
}

const fn wrong(at: usize, field: &'static str, rule: &'static str) -> Malformed {
    Malformed { at, field, rule }
}

impl Header {
    /// Parses and judges the header.
    pub(super) fn parse(octets: &[u8]) -> Result<Self, FrameError> {
        let o: &[u8; HEADER_LEN] = Reader::new(octets).chunk("Header")?;
        if fixed::octets::<0, 4, _>(o) != MAGIC {
            return Err(wrong(0, "Magic", "must be TRBS").into());
        }
        let (major, kind) = (o[4], o[6]);
        if major != MAJOR {
            return Err(FrameError::Version(major));
        }
        if !(1..=14).contains(&kind) {
            return Err(wrong(6, "Type", "must be 1 to 14").into());
        }
        let length = usize::try_from(fixed::u32::<8, _>(o)).unwrap_or(usize::MAX);
        if !(HEADER_LEN..=FRAME_MAX).contains(&length) {
            return Err(wrong(8, "Length", "must be 32 to 65536").into());
        }
        let session_epoch = fixed::u64::<12, _>(o);
        let message_id = fixed::u64::<20, _>(o);
        let backup_id = fixed::u16::<28, _>(o);
        if backup_id > BACKUP_ID_MAX {
            return Err(wrong(28, "Backup_ID", "must be at most 4095").into());
        }
        let service = Service::from_code(o[30]);
        let service = service.ok_or(wrong(30, "Service", "must be 0 or 1"))?;
        Ok(Self {
            kind,
            length,
            session_epoch,
            message_id,
            backup_id,
            service,
        })
    }
}

impl Frame {
    /// Parses one frame; `octets` are exactly its own.
    ///
    /// # Errors
    /// [`FrameError`] as its variants say.
    pub fn parse(octets: &[u8]) -> Result<Self, FrameError> {
        let header = Header::parse(octets)?;
        if header.length != octets.len() {
            return Err(wrong(8, "Length", "must be the frame's").into());
        }
        if Body::is_of_profile(header.kind) && header.backup_id == 0 {
            return Err(wrong(28, "Backup_ID", "must name a profile").into());
        }
        let body = octets.get(HEADER_LEN..).unwrap_or_default();
        let body = Body::parse(header.kind, body).map_err(|error| match error {
            super::body::BodyError::Frame(why) => FrameError::Malformed(Malformed {
                at: why.at + HEADER_LEN,
                ..why
            }),
            super::body::BodyError::Record(why) => FrameError::Record {
                session_epoch: header.session_epoch,
                message_id: header.message_id,
                backup_id: header.backup_id,
                why,
            },
        })?;
        Ok(Self {
            session_epoch: header.session_epoch,
            message_id: header.message_id,
            backup_id: header.backup_id,
            service: header.service,
            body,
        })
    }

    /// The frame's octets. The caller keeps records together within [`FRAME_MAX`].
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        self.emit(&mut out);
        out
    }

    /// Appends the frame's octets.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let from = out.len();
        let mut o = [0; HEADER_LEN];
        fixed::put::<0, 4, _>(&mut o, MAGIC);
        fixed::put::<4, 3, _>(&mut o, [MAJOR, MINOR, self.body.kind()]);
        fixed::put::<12, 8, _>(&mut o, self.session_epoch.to_be_bytes());
        fixed::put::<20, 8, _>(&mut o, self.message_id.to_be_bytes());
        fixed::put::<28, 2, _>(&mut o, self.backup_id.to_be_bytes());
        fixed::put::<30, 1, _>(&mut o, [self.service.code()]);
        out.extend_from_slice(&o);
        self.body.emit(out);
        let length = u32::try_from(out.len() - from).unwrap_or(u32::MAX);
        if let Some(field) = out.get_mut(from + 8..from + 12) {
            field.copy_from_slice(&length.to_be_bytes());
        }
    }
}
