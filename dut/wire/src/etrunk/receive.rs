//! Receipt of a hello in the order of FORMATS.md's checks.

use super::auth::Input;
use super::{
    ADDR, AUTH, Addr, AuthenticationMode, CAPS, CFG_DIGEST, Check, ECHO, ETrunkId, Echo, Endpoints,
    FIXED_LEN, FailTime, Hello, Kind, LACP_SYS, LacpSys, MAGIC, MAJOR, MEMBER, MEMBERS_MAX, Member,
    MemberReason, MemberRole, Priority, REPLY_REQUESTED, RESTART, Reason, Refused, SEQUENCE,
    SendPeriod, State, SystemId, TRIGGERED, WorkMode,
};
use crate::reader::fixed;
use crate::{Malformed, Reader};
use std::collections::BTreeMap;

const fn wrong(at: usize, field: &'static str, rule: &'static str) -> Malformed {
    Malformed { at, field, rule }
}

/// The E_Trunk_ID of a payload that begins like a hello, for the choice among several E-Trunks.
#[must_use]
pub fn peek_id(payload: &[u8]) -> Option<u16> {
    Envelope::parse(payload).ok().map(|e| e.e_trunk_id())
}

/// The fixed fields as they came; only what check 1 judges is sure to be legal.
#[derive(Debug, Clone, Copy)]
struct Fixed {
    kind: Kind,
    flags: u8,
    e_trunk_id: u16,
    priority: u8,
    state: u8,
    reason: u8,
    expected_state: u8,
    system_id: [u8; 6],
    send_period: u16,
    fail_time: u16,
    boot_epoch: u64,
    sequence: u64,
}

/// A payload that passed check 1.
#[derive(Debug, Clone)]
pub struct Envelope<'a> {
    payload: &'a [u8],
    fixed: Fixed,
}

impl<'a> Envelope<'a> {
    /// Check 1: at least 44 octets, magic, major version, Length, type.
    ///
    /// # Errors
    /// [`Malformed`] names the field that is wrong.
    //= ETRUNK-009
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let Some(o) = payload.first_chunk::<FIXED_LEN>() else {
            return Err(wrong(payload.len(), "Hello", "has fewer than 44 octets"));
        };
        if fixed::octets::<0, 4, _>(o) != MAGIC {
            return Err(wrong(0, "Magic", "must be TETK"));
        }
        if o[4] != MAJOR {
            return Err(wrong(4, "Major", "must be 1"));
        }
        let kind = match o[6] {
            1 => Kind::Hello,
            2 => Kind::Goodbye,
            _ => return Err(wrong(6, "Type", "must be 1 or 2")),
        };
        if usize::from(fixed::u16::<8, _>(o)) != payload.len() {
            return Err(wrong(8, "Length", "must be the payload's"));
        }
        let fixed = Fixed {
            kind,
            flags: o[7],
            e_trunk_id: fixed::u16::<10, _>(o),
            priority: o[12],
            state: o[13],
            reason: o[14],
            expected_state: o[15],
            system_id: fixed::octets::<16, 6, _>(o),
            send_period: fixed::u16::<22, _>(o),
            fail_time: fixed::u16::<24, _>(o),
            boot_epoch: fixed::u64::<28, _>(o),
            sequence: fixed::u64::<36, _>(o),
        };
        Ok(Self { payload, fixed })
    }

    /// E_Trunk_ID as it came, for check 2.
    #[must_use]
    pub const fn e_trunk_id(&self) -> u16 {
        self.fixed.e_trunk_id
    }

    /// The ADDR TLV for check 3, found without judging the others.
    #[must_use]
    pub fn addr(&self) -> Option<Addr> {
        let mut reader = Reader::new(self.payload);
        reader.take(FIXED_LEN, "TLVs").ok()?;
        while !reader.rest().is_empty() {
            let kind = reader.u16("Type").ok()?;
            let length = usize::from(reader.u16("Length").ok()?);
            let value = reader.take(length, "Value").ok()?;
            if kind == ADDR
                && let Ok(value) = value.try_into()
            {
                return Some(addr_value(value));
            }
            reader.take(padding(length), "Padding").ok()?;
        }
        None
    }

    /// Check 4: TLVs well-formed, AUTH present and last, ADDR, LACP_SYS and ECHO present once.
    ///
    /// # Errors
    /// [`Malformed`] names the TLV that is wrong.
    //= ETRUNK-011
    //= ETRUNK-012
    pub fn body(&self) -> Result<Body<'a>, Malformed> {
        let mut reader = Reader::new(self.payload);
        reader.take(FIXED_LEN, "TLVs")?;
        let mut tlvs = Tlvs::default();
        while !reader.rest().is_empty() {
            let at = reader.at();
            if tlvs.auth.is_some() {
                return Err(wrong(at, "AUTH", "must be the last TLV"));
            }
            let head: [u8; 4] = reader.array("TLV Type")?;
            let length = usize::from(fixed::u16::<2, _>(&head));
            let value = reader.take(length, "TLV Value")?;
            let padding = padding(length);
            if padding > 0 {
                let pad = reader.take(padding, "TLV Padding")?;
                if pad.iter().any(|octet| *octet != 0) {
                    return Err(wrong(at, "TLV Padding", "must be zero"));
                }
            }
            tlvs.add(at, fixed::u16::<0, _>(&head), value)?;
        }
        let absent = |field| wrong(self.payload.len(), field, "must be present");
        let auth = tlvs.auth.ok_or_else(|| absent("AUTH"))?;
        Ok(Body {
            payload: self.payload,
            fixed: self.fixed,
            auth,
            lacp_sys: tlvs.lacp_sys.ok_or_else(|| absent("LACP_SYS"))?,
            addr: tlvs.addr.ok_or_else(|| absent("ADDR"))?,
            echo: tlvs.echo.ok_or_else(|| absent("ECHO"))?,
            members: tlvs.members,
            cfg_digest: tlvs.cfg_digest,
            bfd_bound: tlvs.bfd_bound,
            unknown_tlvs: tlvs.unknown,
        })
    }
}

const fn padding(length: usize) -> usize {
    length.next_multiple_of(4) - length
}

const fn addr_value(value: &[u8; 32]) -> Addr {
    Addr {
        source: fixed::ipv6::<0, _>(value),
        peer: fixed::ipv6::<16, _>(value),
    }
}

/// The AUTH TLV as it came.
#[derive(Debug, Clone, Copy)]
struct Auth<'a> {
    algorithm: u8,
    key_id: u8,
    digest: &'a [u8],
}

/// The ECHO TLV as it came.
#[derive(Debug, Clone, Copy)]
struct RawEcho {
    at: usize,
    boot_epoch: u64,
    sequence: u64,
    state: u8,
    reason: u8,
}

/// A MEMBER TLV as it came.
#[derive(Debug, Clone, Copy)]
struct RawMember<'a> {
    at: usize,
    value: &'a [u8; 16],
}

impl RawMember<'_> {
    const fn local_id(&self) -> u16 {
        fixed::u16::<2, _>(self.value)
    }
}

/// TLVs collected so far.
#[derive(Debug, Default)]
struct Tlvs<'a> {
    members: Vec<RawMember<'a>>,
    lacp_sys: Option<LacpSys>,
    addr: Option<Addr>,
    echo: Option<RawEcho>,
    cfg_digest: Option<[u8; 32]>,
    bfd_bound: Option<bool>,
    auth: Option<Auth<'a>>,
    unknown: u32,
}

impl<'a> Tlvs<'a> {
    fn add(&mut self, at: usize, kind: u16, value: &'a [u8]) -> Result<(), Malformed> {
        match kind {
            MEMBER => self.member(at, value),
            LACP_SYS => {
                let o: &[u8; 10] = exact(at, "LACP_SYS", value)?;
                let sys = LacpSys {
                    priority: fixed::u16::<0, _>(o),
                    system_id: fixed::octets::<2, 6, _>(o),
                    port_offset: o[8] & 1 == 1,
                };
                once(at, "LACP_SYS", &mut self.lacp_sys, sys)
            }
            ADDR => {
                let addr = addr_value(exact(at, "ADDR", value)?);
                once(at, "ADDR", &mut self.addr, addr)
            }
            ECHO => {
                let o: &[u8; 20] = exact(at, "ECHO", value)?;
                let echo = RawEcho {
                    at,
                    boot_epoch: fixed::u64::<0, _>(o),
                    sequence: fixed::u64::<8, _>(o),
                    state: o[16],
                    reason: o[17],
                };
                once(at, "ECHO", &mut self.echo, echo)
            }
            CFG_DIGEST => {
                let digest = *exact(at, "CFG_DIGEST", value)?;
                once(at, "CFG_DIGEST", &mut self.cfg_digest, digest)
            }
            CAPS => {
                let caps: &[u8; 4] = exact(at, "CAPS", value)?;
                once(at, "CAPS", &mut self.bfd_bound, caps[3] & 1 == 1)
            }
            AUTH => self.auth(at, value),
            _ if kind & 0x8000 != 0 => Err(wrong(at, "TLV Type", "must be understood")),
            _ => {
                self.unknown = self.unknown.saturating_add(1);
                Ok(())
            }
        }
    }

    fn member(&mut self, at: usize, value: &'a [u8]) -> Result<(), Malformed> {
        let value: &[u8; 16] = exact(at, "MEMBER", value)?;
        let local_id = fixed::u16::<2, _>(value);
        if self
            .members
            .last()
            .is_some_and(|last| last.local_id() >= local_id)
        {
            return Err(wrong(at, "MEMBER", "must be in ascending local id"));
        }
        if self.members.len() >= MEMBERS_MAX {
            return Err(wrong(at, "MEMBER", "must be there 62 times at most"));
        }
        self.members.push(RawMember { at, value });
        Ok(())
    }

    fn auth(&mut self, at: usize, value: &'a [u8]) -> Result<(), Malformed> {
        let (24 | 36, [algorithm, key_id, _, _, digest @ ..]) = (value.len(), value) else {
            return Err(wrong(at, "AUTH", "must be 24 or 36 octets"));
        };
        let auth = Auth {
            algorithm: *algorithm,
            key_id: *key_id,
            digest,
        };
        once(at, "AUTH", &mut self.auth, auth)
    }
}

/// A value of a fixed layout.
fn exact<'a, const N: usize>(
    at: usize,
    field: &'static str,
    value: &'a [u8],
) -> Result<&'a [u8; N], Malformed> {
    let fits = value.try_into();
    fits.map_err(|_| wrong(at, field, "has a wrong length"))
}

fn once<T>(
    at: usize,
    field: &'static str,
    slot: &mut Option<T>,
    value: T,
) -> Result<(), Malformed> {
    if slot.is_some() {
        return Err(wrong(at, field, "must not repeat"));
    }
    *slot = Some(value);
    Ok(())
}

/// A hello that passed check 4.
#[derive(Debug, Clone)]
pub struct Body<'a> {
    payload: &'a [u8],
    fixed: Fixed,
    auth: Auth<'a>,
    lacp_sys: LacpSys,
    addr: Addr,
    echo: RawEcho,
    members: Vec<RawMember<'a>>,
    cfg_digest: Option<[u8; 32]>,
    bfd_bound: Option<bool>,
    unknown_tlvs: u32,
}

impl Body<'_> {
    /// Check 5: whether the algorithm is `mode` and the digest that of `key`.
    #[must_use]
    //= ETRUNK-013
    //= ETRUNK-014
    pub fn authenticates(
        &self,
        mode: AuthenticationMode,
        key: &[u8],
        endpoints: &Endpoints,
    ) -> bool {
        let digest = self.auth.digest;
        if self.auth.algorithm != mode.code()
            || self.auth.key_id != 0
            || digest.len() != mode.digest_len()
        {
            return false;
        }
        let before = self.payload.len().saturating_sub(digest.len());
        Input {
            mode,
            system_id: self.fixed.system_id,
            e_trunk_id: self.fixed.e_trunk_id,
            endpoints,
            before_digest: self.payload.get(..before).unwrap_or_default(),
        }
        .verify(key, digest)
    }

    /// Boot_Epoch, for checks 6 and 7.
    #[must_use]
    pub const fn boot_epoch(&self) -> u64 {
        self.fixed.boot_epoch
    }

    /// Sequence, for check 6; `None` when flag bit 1 is clear.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        (self.fixed.flags & SEQUENCE != 0).then_some(self.fixed.sequence)
    }

    /// System_ID as it came, for check 7.
    #[must_use]
    pub const fn system_id(&self) -> [u8; 6] {
        self.fixed.system_id
    }

    /// Optional TLVs that were skipped because nobody knows them.
    #[must_use]
    pub const fn unknown_tlvs(&self) -> u32 {
        self.unknown_tlvs
    }

    /// Checks 7 to 11, as far as they look at the hello alone, and the id's range (check 2).
    ///
    /// # Errors
    /// [`Refused`] names the first check that failed.
    //= ETRUNK-021
    //= ETRUNK-022
    //= ETRUNK-023
    //= ETRUNK-024
    pub fn hello(&self) -> Result<Hello, Refused> {
        let fixed = &self.fixed;
        let refused = |check, at, field| Refused {
            check,
            why: wrong(at, field, "is out of range"),
        };
        let e_trunk_id = ETrunkId::new(fixed.e_trunk_id);
        let system_id = SystemId::new(fixed.system_id);
        let priority = Priority::new(fixed.priority);
        let send_period = SendPeriod::new(fixed.send_period);
        let fail_time = match fixed.fail_time {
            0 => Some(None),
            value => FailTime::new(value).map(Some),
        };
        let state = State::from_code(fixed.state);
        let expected = State::from_code(fixed.expected_state);
        let reason = Reason::from_code(fixed.reason);
        Ok(Hello {
            kind: fixed.kind,
            triggered: fixed.flags & TRIGGERED != 0,
            restart: fixed.flags & RESTART != 0,
            reply_requested: fixed.flags & REPLY_REQUESTED != 0,
            e_trunk_id: e_trunk_id.ok_or_else(|| refused(Check::ETrunkId, 10, "E_Trunk_ID"))?,
            system_id: system_id.ok_or_else(|| refused(Check::SystemId, 16, "System_ID"))?,
            priority: priority.ok_or_else(|| refused(Check::Priority, 12, "Priority"))?,
            send_period: send_period.ok_or_else(|| refused(Check::FailTime, 22, "Send_Period"))?,
            fail_time: fail_time.ok_or_else(|| refused(Check::FailTime, 24, "Fail_Time"))?,
            state: state.ok_or_else(|| refused(Check::State, 13, "State"))?,
            expected_state: expected.ok_or_else(|| refused(Check::State, 15, "Expected_State"))?,
            echo: self.echo()?,
            reason: reason.ok_or_else(|| refused(Check::StateReason, 14, "Reason"))?,
            members: self.members()?,
            boot_epoch: fixed.boot_epoch,
            sequence: self.sequence(),
            lacp_sys: self.lacp_sys,
            addr: self.addr,
            cfg_digest: self.cfg_digest,
            bfd_bound: self.bfd_bound,
        })
    }

    /// The ECHO: its State belongs to check 10, its Reason to check 11.
    fn echo(&self) -> Result<Option<Echo>, Refused> {
        let raw = &self.echo;
        if (raw.boot_epoch, raw.sequence, raw.state, raw.reason) == (0, 0, 0, 0) {
            return Ok(None);
        }
        let refused = |check| Refused {
            check,
            why: wrong(raw.at, "ECHO", "is out of range"),
        };
        Ok(Some(Echo {
            boot_epoch: raw.boot_epoch,
            sequence: raw.sequence,
            state: State::from_code(raw.state).ok_or_else(|| refused(Check::State))?,
            reason: Reason::from_code(raw.reason).ok_or_else(|| refused(Check::StateReason))?,
        }))
    }

    fn members(&self) -> Result<BTreeMap<u16, Member>, Refused> {
        let refused = |why| Refused {
            check: Check::StateReason,
            why,
        };
        let mut members = BTreeMap::new();
        for raw in &self.members {
            members.insert(raw.local_id(), member(raw).map_err(refused)?);
        }
        Ok(members)
    }
}

fn member(raw: &RawMember<'_>) -> Result<Member, Malformed> {
    let o = raw.value;
    let range = || wrong(raw.at, "MEMBER", "has a field out of range");
    let flag = |octet| match octet {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(range()),
    };
    if o[0] != 1 {
        return Err(range());
    }
    Ok(Member {
        work_mode: WorkMode::from_code(o[1]).ok_or_else(range)?,
        remote_id: fixed::u16::<4, _>(o),
        link_ready: flag(o[6])?,
        oper_up: flag(o[7])?,
        selected: o[8],
        role: MemberRole::from_code(o[9]).ok_or_else(range)?,
        reason: MemberReason::from_code(o[10]).ok_or_else(range)?,
        bandwidth_mbps: fixed::u32::<12, _>(o),
    })
}
