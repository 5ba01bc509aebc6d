//! The fourteen bodies.

use super::record::TOMBSTONE_LEN;
use super::{
    BACKUP_ID_MAX, Body, GoodbyeCause, NakCode, NotifyCode, Open, OpenProfile, Record, Role,
    Service, Tombstone,
};
use crate::reader::fixed;
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
                let mut o = [0; 12];
                fixed::put::<0, 2, _>(&mut o, code.code().to_be_bytes());
                fixed::put::<4, 8, _>(&mut o, refused.to_be_bytes());
                out.extend_from_slice(&o);
            }
            Self::Keepalive => {}
            Self::SyncReq { number } => out.extend_from_slice(&number.to_be_bytes()),
            Self::SyncBegin { generation, count } => {
                out.extend_from_slice(&pair(*generation, *count));
            }
            Self::Upsert {
                generation,
                records,
            } => {
                out.extend_from_slice(&pair(*generation, counted(records.len())));
                records.iter().for_each(|record| record.emit(out));
            }
            Self::Delete { tombstones } => {
                out.extend_from_slice(&counted(tombstones.len()).to_be_bytes());
                tombstones.iter().for_each(|tombstone| tombstone.emit(out));
            }
            Self::SyncEnd {
                generation,
                count,
                digest,
            } => emit_digest(out, pair(*generation, *count), digest),
            Self::Ack { message_id } => out.extend_from_slice(&message_id.to_be_bytes()),
            Self::Nak { refused, code } => {
                let mut o = [0; 12];
                fixed::put::<0, 8, _>(&mut o, refused.to_be_bytes());
                fixed::put::<8, 2, _>(&mut o, code.code().to_be_bytes());
                out.extend_from_slice(&o);
            }
            Self::Digest {
                count,
                answer_wanted,
                digest,
            } => emit_digest(out, pair(*count, u32::from(*answer_wanted)), digest),
            Self::Role { role } => out.extend_from_slice(&[role.code(), 0, 0, 0]),
            Self::Goodbye { cause } => {
                let [high, low] = cause.code().to_be_bytes();
                out.extend_from_slice(&[high, low, 0, 0]);
            }
        }
    }
}

/// Two numbers of four octets.
const fn pair(first: u32, second: u32) -> [u8; 8] {
    let mut o = [0; 8];
    fixed::put::<0, 4, _>(&mut o, first.to_be_bytes());
    fixed::put::<4, 4, _>(&mut o, second.to_be_bytes());
    o
}

/// A count of two octets and its two reserved ones as one number.
fn counted(count: usize) -> u32 {
    u32::from(u16::try_from(count).unwrap_or(u16::MAX)) << 16
}

fn emit_digest(out: &mut Vec<u8>, head: [u8; 8], digest: &[u8; 32]) {
    let mut o = [0; 40];
    fixed::put::<0, 8, _>(&mut o, head);
    fixed::put::<8, 32, _>(&mut o, *digest);
    out.extend_from_slice(&o);
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
    let o: &[u8; 16] = reader.chunk("Version range")?;
    let (minimum, maximum) = ((o[0], o[1]), (o[2], o[3]));
    if minimum > maximum {
        return Err(wrong(0, "Version range", "must not be empty"));
    }
    let keepalive = fixed::u16::<4, _>(o);
    if !(1..=600).contains(&keepalive) {
        return Err(wrong(4, "Keepalive", "must be 1 to 600"));
    }
    let hold = fixed::u16::<6, _>(o);
    if !(3..=1800).contains(&hold) || hold < keepalive.saturating_mul(3) {
        return Err(wrong(6, "Hold", "must be 3 to 1800, thrice the keepalive"));
    }
    let capabilities = fixed::u32::<8, _>(o);
    let count = usize::from(fixed::u16::<12, _>(o));
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
    let o: &[u8; PROFILE_LEN] = reader.chunk("Profile")?;
    let backup_id = fixed::u16::<0, _>(o);
    if !(1..=BACKUP_ID_MAX).contains(&backup_id) {
        return Err(wrong(at, "Backup_ID", "must be 1 to 4095"));
    }
    let service = Service::from_code(o[2]);
    let service = service.ok_or(wrong(at + 2, "Service", "must be 0 or 1"))?;
    if o[3] != HOT {
        return Err(wrong(at + 3, "Backup mode", "must be 1"));
    }
    let role = Role::from_code(o[4]);
    let role = role.ok_or(wrong(at + 4, "Role", "must be 0 to 2"))?;
    Ok(OpenProfile {
        backup_id,
        service,
        role,
        e_trunk_id: fixed::u16::<8, _>(o),
        eth_trunk: fixed::u16::<10, _>(o),
        configuration_digest: fixed::octets::<16, 32, _>(o),
    })
}

fn emit_open(out: &mut Vec<u8>, open: &Open) {
    let (minimum, maximum) = (open.minimum, open.maximum);
    let versions = [minimum.0, minimum.1, maximum.0, maximum.1];
    let capabilities = u32::from(open.digest) | u32::from(open.timers) << 1;
    let mut o = [0; 16];
    fixed::put::<0, 4, _>(&mut o, versions);
    fixed::put::<4, 2, _>(&mut o, open.keepalive.to_be_bytes());
    fixed::put::<6, 2, _>(&mut o, open.hold.to_be_bytes());
    fixed::put::<8, 4, _>(&mut o, capabilities.to_be_bytes());
    fixed::put::<12, 4, _>(&mut o, counted(open.profiles.len()).to_be_bytes());
    out.extend_from_slice(&o);
    for profile in &open.profiles {
        let codes = [profile.service.code(), HOT, profile.role.code()];
        let mut o = [0; PROFILE_LEN];
        fixed::put::<0, 2, _>(&mut o, profile.backup_id.to_be_bytes());
        fixed::put::<2, 3, _>(&mut o, codes);
        fixed::put::<8, 2, _>(&mut o, profile.e_trunk_id.to_be_bytes());
        fixed::put::<10, 2, _>(&mut o, profile.eth_trunk.to_be_bytes());
        fixed::put::<16, 32, _>(&mut o, profile.configuration_digest);
        out.extend_from_slice(&o);
    }
}

/// All records are delimited before any is judged: broken delimiting is the frame's fault.
fn upsert(mut reader: Reader<'_>) -> Result<Body, BodyError> {
    let generation = reader.u32("Generation")?;
    let count = usize::from(reader.u16("Count")?);
    reader.u16("Reserved")?;
    if count == 0 {
        return Err(wrong(4, "Count", "must be at least 1").into());
    }
    let listed = reader.clone();
    for _ in 0..count {
        record(&mut reader)?;
    }
    end(&reader)?;
    let mut reader = listed;
    let mut records = Vec::with_capacity(count);
    for _ in 0..count {
        let octets = record(&mut reader)?;
        records.push(Record::parse(octets).map_err(BodyError::Record)?);
    }
    Ok(Body::Upsert {
        generation,
        records,
    })
}

/// The octets of the next record, by its own length.
fn record<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let length = usize::from(reader.clone().u16("Record Length")?);
    if length < 8 {
        return Err(wrong(reader.at(), "Record Length", "must be at least 8"));
    }
    reader.take(length, "Record")
}

fn delete(mut reader: Reader<'_>) -> Result<Body, BodyError> {
    let count = usize::from(reader.u16("Count")?);
    reader.u16("Reserved")?;
    if reader.rest().len() != count * TOMBSTONE_LEN {
        return Err(wrong(0, "Count", "must fit the length").into());
    }
    let mut tombstones = Vec::with_capacity(count);
    for _ in 0..count {
        let octets = reader.chunk::<TOMBSTONE_LEN>("Tombstone")?;
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
