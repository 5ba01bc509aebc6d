//! The fourteen bodies.

use super::record::TOMBSTONE_LEN;
use super::{
    BACKUP_ID_MAX, Body, GoodbyeCause, NakCode, NotifyCode, Open, OpenProfile, Record, Role,
    Service, Tombstone,
};
use crate::{Malformed, Reader};

/// Octets of a profile in OPEN.
const PROFILE_LEN: usize = 48;
/// Backup mode hot.
const HOT: u8 = 1;

/// What is wrong with a body.
pub(super) enum BodyError {
    /// The frame can't be understood.
    Frame(Malformed),
    /// A record in it is illegal.
    Record(Malformed),
}

impl From<Malformed> for BodyError {
    fn from(why: Malformed) -> Self {
        Self::Frame(why)
    }
}

const fn wrong(at: usize, field: &'static str, rule: &'static str) -> Malformed {
    Malformed { at, field, rule }
}

impl Body {
    /// The frame type.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Open(_) => 1,
            Self::OpenAck(_) => 2,
            Self::Notify { .. } => 3,
            Self::Keepalive => 4,
            Self::SyncReq { .. } => 5,
            Self::SyncBegin { .. } => 6,
            Self::Upsert { .. } => 7,
            Self::Delete { .. } => 8,
            Self::SyncEnd { .. } => 9,
            Self::Ack { .. } => 10,
            Self::Nak { .. } => 11,
            Self::Digest { .. } => 12,
            Self::Role { .. } => 13,
            Self::Goodbye { .. } => 14,
        }
    }

    /// The name of the frame type.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open(_) => "OPEN",
            Self::OpenAck(_) => "OPEN_ACK",
            Self::Notify { .. } => "NOTIFY",
            Self::Keepalive => "KEEPALIVE",
            Self::SyncReq { .. } => "SYNC_REQ",
            Self::SyncBegin { .. } => "SYNC_BEGIN",
            Self::Upsert { .. } => "UPSERT",
            Self::Delete { .. } => "DELETE",
            Self::SyncEnd { .. } => "SYNC_END",
            Self::Ack { .. } => "ACK",
            Self::Nak { .. } => "NAK",
            Self::Digest { .. } => "DIGEST",
            Self::Role { .. } => "ROLE",
            Self::Goodbye { .. } => "GOODBYE",
        }
    }

    /// Whether the receiver acknowledges it (UPSERT, DELETE, SYNC_END, ROLE).
    #[must_use]
    pub const fn is_data(&self) -> bool {
        matches!(self.kind(), 7 | 8 | 9 | 13)
    }

    /// Whether frames of type `kind` name a profile.
    pub(super) const fn is_of_profile(kind: u8) -> bool {
        matches!(kind, 5..=9 | 12 | 13)
    }

    pub(super) fn parse(kind: u8, octets: &[u8]) -> Result<Self, BodyError> {
        let mut reader = Reader::new(octets);
        let body = match kind {
            1 => Self::Open(open(&mut reader)?),
            2 => Self::OpenAck(open(&mut reader)?),
            3 => notify(&mut reader)?,
            4 => Self::Keepalive,
            5 => Self::SyncReq {
                number: reader.u32("Request number")?,
            },
            6 => Self::SyncBegin {
                generation: generation(&mut reader)?,
                count: reader.u32("Count")?,
            },
            7 => return upsert(reader),
            8 => return delete(reader),
            9 => Self::SyncEnd {
                generation: generation(&mut reader)?,
                count: reader.u32("Count")?,
                digest: reader.array("Digest")?,
            },
            10 => Self::Ack {
                message_id: reader.u64("Message_ID")?,
            },
            11 => nak(&mut reader)?,
            12 => Self::Digest {
                count: reader.u32("Count")?,
                answer_wanted: reader.u32("Flags")? & 1 == 1,
                digest: reader.array("Digest")?,
            },
            13 => role(&mut reader)?,
            14 => goodbye(&mut reader)?,
            _ => return Err(wrong(0, "Type", "must be 1 to 14").into()),
        };
        end(&reader)?;
        Ok(body)
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Self::Open(open) | Self::OpenAck(open) => emit_open(out, open),
            Self::Notify { code, refused } => {
                out.extend_from_slice(&code.code().to_be_bytes());
                out.extend_from_slice(&[0; 2]);
                out.extend_from_slice(&refused.to_be_bytes());
            }
            Self::Keepalive => {}
            Self::SyncReq { number } => out.extend_from_slice(&number.to_be_bytes()),
            Self::SyncBegin { generation, count } => {
                out.extend_from_slice(&generation.to_be_bytes());
                out.extend_from_slice(&count.to_be_bytes());
            }
            Self::Upsert {
                generation,
                records,
            } => {
                out.extend_from_slice(&generation.to_be_bytes());
                emit_count(out, records.len());
                records.iter().for_each(|record| record.emit(out));
            }
            Self::Delete { tombstones } => {
                emit_count(out, tombstones.len());
                tombstones.iter().for_each(|tombstone| tombstone.emit(out));
            }
            Self::SyncEnd {
                generation,
                count,
                digest,
            } => {
                out.extend_from_slice(&generation.to_be_bytes());
                out.extend_from_slice(&count.to_be_bytes());
                out.extend_from_slice(digest);
            }
            Self::Ack { message_id } => out.extend_from_slice(&message_id.to_be_bytes()),
            Self::Nak { refused, code } => {
                out.extend_from_slice(&refused.to_be_bytes());
                out.extend_from_slice(&code.code().to_be_bytes());
                out.extend_from_slice(&[0; 2]);
            }
            Self::Digest {
                count,
                answer_wanted,
                digest,
            } => {
                out.extend_from_slice(&count.to_be_bytes());
                out.extend_from_slice(&u32::from(*answer_wanted).to_be_bytes());
                out.extend_from_slice(digest);
            }
            Self::Role { role } => out.extend_from_slice(&[role.code(), 0, 0, 0]),
            Self::Goodbye { cause } => {
                out.extend_from_slice(&cause.code().to_be_bytes());
                out.extend_from_slice(&[0; 2]);
            }
        }
    }
}

fn end(reader: &Reader<'_>) -> Result<(), Malformed> {
    if reader.rest().is_empty() {
        Ok(())
    } else {
        Err(wrong(reader.at(), "Body", "has octets left over"))
    }
}

fn generation(reader: &mut Reader<'_>) -> Result<u32, Malformed> {
    let at = reader.at();
    match reader.u32("Generation")? {
        0 => Err(wrong(at, "Generation", "must not be 0 in a batch")),
        generation => Ok(generation),
    }
}

fn notify(reader: &mut Reader<'_>) -> Result<Body, Malformed> {
    let code = NotifyCode::from_code(reader.u16("Code")?);
    let code = code.ok_or(wrong(0, "Code", "must be 1 to 9"))?;
    reader.u16("Reserved")?;
    let refused = reader.u64("Message_ID")?;
    Ok(Body::Notify { code, refused })
}

fn nak(reader: &mut Reader<'_>) -> Result<Body, Malformed> {
    let refused = reader.u64("Message_ID")?;
    let code = NakCode::from_code(reader.u16("Code")?);
    let code = code.ok_or(wrong(8, "Code", "must be 1 to 4"))?;
    reader.u16("Reserved")?;
    Ok(Body::Nak { refused, code })
}

fn role(reader: &mut Reader<'_>) -> Result<Body, Malformed> {
    let role = Role::from_code(reader.u8("Role")?).ok_or(wrong(0, "Role", "must be 0 to 2"))?;
    reader.take(3, "Reserved")?;
    Ok(Body::Role { role })
}

fn goodbye(reader: &mut Reader<'_>) -> Result<Body, Malformed> {
    let cause = GoodbyeCause::from_code(reader.u16("Cause")?);
    let cause = cause.ok_or(wrong(0, "Cause", "must be 1 or 2"))?;
    reader.u16("Reserved")?;
    Ok(Body::Goodbye { cause })
}

fn open(reader: &mut Reader<'_>) -> Result<Open, Malformed> {
    let [low_major, low_minor, high_major, high_minor] = reader.array("Version range")?;
    let (minimum, maximum) = ((low_major, low_minor), (high_major, high_minor));
    if minimum > maximum {
        return Err(wrong(0, "Version range", "must not be empty"));
    }
    let keepalive = reader.u16("Keepalive")?;
    if !(1..=600).contains(&keepalive) {
        return Err(wrong(4, "Keepalive", "must be 1 to 600"));
    }
    let hold = reader.u16("Hold")?;
    if !(3..=1800).contains(&hold) || hold < keepalive.saturating_mul(3) {
        return Err(wrong(6, "Hold", "must be 3 to 1800, thrice the keepalive"));
    }
    let capabilities = reader.u32("Capabilities")?;
    let count = usize::from(reader.u16("Number of profiles")?);
    reader.u16("Reserved")?;
    if reader.rest().len() != count * PROFILE_LEN {
        return Err(wrong(12, "Number of profiles", "must fit the length"));
    }
    let mut profiles: Vec<OpenProfile> = Vec::with_capacity(count);
    for _ in 0..count {
        let at = reader.at();
        let profile = open_profile(reader)?;
        if profiles.iter().any(|p| p.backup_id == profile.backup_id) {
            return Err(wrong(at, "Backup_ID", "must not repeat"));
        }
        profiles.push(profile);
        if count > usize::from(BACKUP_ID_MAX) {
            return Err(wrong(12, "Number of profiles", "must be at most 4095"));
        }
    }
    Ok(Open {
        minimum,
        maximum,
        keepalive,
        hold,
        digest: capabilities & 1 != 0,
        timers: capabilities & 2 != 0,
        profiles,
    })
}

fn open_profile(reader: &mut Reader<'_>) -> Result<OpenProfile, Malformed> {
    let at = reader.at();
    let backup_id = reader.u16("Backup_ID")?;
    if !(1..=BACKUP_ID_MAX).contains(&backup_id) {
        return Err(wrong(at, "Backup_ID", "must be 1 to 4095"));
    }
    let service = Service::from_code(reader.u8("Service")?);
    let service = service.ok_or(wrong(at + 2, "Service", "must be 0 or 1"))?;
    if reader.u8("Backup mode")? != HOT {
        return Err(wrong(at + 3, "Backup mode", "must be 1"));
    }
    let role = Role::from_code(reader.u8("Role")?);
    let role = role.ok_or(wrong(at + 4, "Role", "must be 0 to 2"))?;
    reader.take(3, "Reserved")?;
    let e_trunk_id = reader.u16("E_Trunk_ID")?;
    let eth_trunk = reader.u16("Eth-Trunk id")?;
    reader.u32("Reserved")?;
    Ok(OpenProfile {
        backup_id,
        service,
        role,
        e_trunk_id,
        eth_trunk,
        configuration_digest: reader.array("Configuration digest")?,
    })
}

fn emit_open(out: &mut Vec<u8>, open: &Open) {
    out.extend_from_slice(&[open.minimum.0, open.minimum.1]);
    out.extend_from_slice(&[open.maximum.0, open.maximum.1]);
    out.extend_from_slice(&open.keepalive.to_be_bytes());
    out.extend_from_slice(&open.hold.to_be_bytes());
    let capabilities = u32::from(open.digest) | u32::from(open.timers) << 1;
    out.extend_from_slice(&capabilities.to_be_bytes());
    emit_count(out, open.profiles.len());
    for profile in &open.profiles {
        out.extend_from_slice(&profile.backup_id.to_be_bytes());
        out.extend_from_slice(&[profile.service.code(), HOT, profile.role.code(), 0, 0, 0]);
        out.extend_from_slice(&profile.e_trunk_id.to_be_bytes());
        out.extend_from_slice(&profile.eth_trunk.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&profile.configuration_digest);
    }
}

/// Appends a count and its reserved octets.
fn emit_count(out: &mut Vec<u8>, count: usize) {
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    out.extend_from_slice(&count.to_be_bytes());
    out.extend_from_slice(&[0; 2]);
}

/// All records are delimited before any is judged: broken delimiting is the frame's fault.
fn upsert(mut reader: Reader<'_>) -> Result<Body, BodyError> {
    let generation = reader.u32("Generation")?;
    let count = usize::from(reader.u16("Count")?);
    reader.u16("Reserved")?;
    if count == 0 {
        return Err(wrong(4, "Count", "must be at least 1").into());
    }
    let mut slices = Vec::new();
    for _ in 0..count {
        let mut ahead = reader.clone();
        let length = usize::from(ahead.u16("Record Length")?);
        if length < 8 {
            return Err(wrong(reader.at(), "Record Length", "must be at least 8").into());
        }
        slices.push(reader.take(length, "Record")?);
    }
    end(&reader)?;
    let records: Result<Vec<_>, _> = slices.into_iter().map(Record::parse).collect();
    Ok(Body::Upsert {
        generation,
        records: records.map_err(BodyError::Record)?,
    })
}

fn delete(mut reader: Reader<'_>) -> Result<Body, BodyError> {
    let count = usize::from(reader.u16("Count")?);
    reader.u16("Reserved")?;
    if reader.rest().len() != count * TOMBSTONE_LEN {
        return Err(wrong(0, "Count", "must fit the length").into());
    }
    let mut tombstones = Vec::with_capacity(count);
    for _ in 0..count {
        let octets = reader.take(TOMBSTONE_LEN, "Tombstone")?;
        tombstones.push(Tombstone::parse(octets).map_err(BodyError::Record)?);
    }
    Ok(Body::Delete { tombstones })
}

/// What [`Open::configuration_digest`](OpenProfile::configuration_digest) is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatchedProfile {
    /// Service.
    pub service: Service,
    /// Tracked E-Trunk.
    pub e_trunk_id: u16,
    /// Tracked Eth-Trunk.
    pub eth_trunk: u16,
    /// MLD version.
    pub mld_version: u8,
    /// Robustness Variable.
    pub robustness: u8,
    /// Query Interval, ms.
    pub query_interval_ms: u32,
    /// Query Response Interval, ms.
    pub query_response_interval_ms: u32,
    /// Last Listener Query Interval, ms.
    pub last_listener_query_interval_ms: u32,
}

impl MatchedProfile {
    /// SHA-256 over the fields in order, the backup mode (hot) after the service.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        hash.update([self.service.code(), HOT]);
        hash.update(self.e_trunk_id.to_be_bytes());
        hash.update(self.eth_trunk.to_be_bytes());
        hash.update([self.mld_version, self.robustness]);
        hash.update(self.query_interval_ms.to_be_bytes());
        hash.update(self.query_response_interval_ms.to_be_bytes());
        hash.update(self.last_listener_query_interval_ms.to_be_bytes());
        hash.finalize().into()
    }
}
