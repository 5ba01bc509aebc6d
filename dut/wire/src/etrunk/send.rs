//! Emission of a hello, and the digest over what must match.

use super::auth::Input;
use super::{
    ADDR, AUTH, AuthenticationMode, CAPS, CFG_DIGEST, ECHO, Endpoints, FIXED_LEN, Hello, Kind,
    LACP_SYS, MAGIC, MAJOR, MEMBER, Member, REPLY_REQUESTED, RESTART, SEQUENCE, TRIGGERED,
};
use crate::reader::fixed;
use sha2::{Digest, Sha256};

/// Members that a hello has room for: with them it fits into 1452 octets (an Ethernet frame).
pub const MEMBERS_MAX: usize = 62;

impl Hello {
    /// The UDP payload with its digest. Members beyond [`MEMBERS_MAX`] are left out.
    #[must_use]
    //= ETRUNK-001
    pub fn to_vec(&self, mode: AuthenticationMode, key: &[u8], endpoints: &Endpoints) -> Vec<u8> {
        let mut out = Vec::with_capacity(FIXED_LEN + 160 + 20 * self.members.len());
        self.emit_fixed(&mut out);
        for (local_id, member) in self.members.iter().take(MEMBERS_MAX) {
            tlv(&mut out, MEMBER, &member_value(*local_id, member));
        }
        self.emit_tlvs(&mut out);
        let mut auth = vec![mode.code(), 0, 0, 0];
        auth.resize(4 + mode.digest_len(), 0);
        tlv(&mut out, AUTH, &auth);
        let length = u16::try_from(out.len()).unwrap_or(u16::MAX);
        if let Some(field) = out.get_mut(8..10) {
            field.copy_from_slice(&length.to_be_bytes());
        }
        out.truncate(out.len().saturating_sub(mode.digest_len()));
        let digest = Input {
            mode,
            system_id: self.system_id.get(),
            e_trunk_id: self.e_trunk_id.get(),
            endpoints,
            before_digest: &out,
        }
        .digest(key);
        out.extend_from_slice(&digest);
        out
    }

    fn emit_fixed(&self, out: &mut Vec<u8>) {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags = bit(self.triggered, TRIGGERED)
            | bit(self.sequence.is_some(), SEQUENCE)
            | bit(self.restart, RESTART)
            | bit(self.reply_requested, REPLY_REQUESTED);
        let kind = match self.kind {
            Kind::Hello => 1,
            Kind::Goodbye => 2,
        };
        let fail_time = self.fail_time.map_or(0, super::FailTime::get);
        let codes = [
            self.priority.get(),
            self.state.code(),
            self.reason.code(),
            self.expected_state.code(),
        ];
        let mut o = [0; FIXED_LEN];
        fixed::put::<0, 4, _>(&mut o, MAGIC);
        fixed::put::<4, 4, _>(&mut o, [MAJOR, 0, kind, flags]);
        fixed::put::<10, 2, _>(&mut o, self.e_trunk_id.get().to_be_bytes());
        fixed::put::<12, 4, _>(&mut o, codes);
        fixed::put::<16, 6, _>(&mut o, self.system_id.get());
        fixed::put::<22, 2, _>(&mut o, self.send_period.get().to_be_bytes());
        fixed::put::<24, 2, _>(&mut o, fail_time.to_be_bytes());
        fixed::put::<28, 8, _>(&mut o, self.boot_epoch.to_be_bytes());
        fixed::put::<36, 8, _>(&mut o, self.sequence.unwrap_or(0).to_be_bytes());
        out.extend_from_slice(&o);
    }

    fn emit_tlvs(&self, out: &mut Vec<u8>) {
        let mut value = [0; 10];
        fixed::put::<0, 2, _>(&mut value, self.lacp_sys.priority.to_be_bytes());
        fixed::put::<2, 6, _>(&mut value, self.lacp_sys.system_id);
        fixed::put::<8, 1, _>(&mut value, [u8::from(self.lacp_sys.port_offset)]);
        tlv(out, LACP_SYS, &value);
        let mut value = [0; 32];
        fixed::put::<0, 16, _>(&mut value, self.addr.source.octets());
        fixed::put::<16, 16, _>(&mut value, self.addr.peer.octets());
        tlv(out, ADDR, &value);
        let mut value = [0; 20];
        if let Some(echo) = &self.echo {
            fixed::put::<0, 8, _>(&mut value, echo.boot_epoch.to_be_bytes());
            fixed::put::<8, 8, _>(&mut value, echo.sequence.to_be_bytes());
            fixed::put::<16, 2, _>(&mut value, [echo.state.code(), echo.reason.code()]);
        }
        tlv(out, ECHO, &value);
        if let Some(digest) = &self.cfg_digest {
            tlv(out, CFG_DIGEST, digest);
        }
        if let Some(bfd_bound) = self.bfd_bound {
            tlv(out, CAPS, &u32::from(bfd_bound).to_be_bytes());
        }
    }
}

fn member_value(local_id: u16, member: &Member) -> [u8; 16] {
    let states = [
        u8::from(member.link_ready),
        u8::from(member.oper_up),
        member.selected,
        member.role.code(),
        member.reason.code(),
    ];
    let mut o = [0; 16];
    fixed::put::<0, 2, _>(&mut o, [1, member.work_mode.code()]);
    fixed::put::<2, 2, _>(&mut o, local_id.to_be_bytes());
    fixed::put::<4, 2, _>(&mut o, member.remote_id.to_be_bytes());
    fixed::put::<6, 5, _>(&mut o, states);
    fixed::put::<12, 4, _>(&mut o, member.bandwidth_mbps.to_be_bytes());
    o
}

/// Appends a TLV with its padding.
fn tlv(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend_from_slice(&kind.to_be_bytes());
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// What must match on both devices; CFG_DIGEST is over this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedConfiguration {
    /// E_Trunk_ID.
    pub e_trunk_id: u16,
    /// Send_Period in units of 100 ms.
    pub send_period: u16,
    /// Fail_Time in units of 100 ms.
    pub fail_time: u16,
    /// Revert delay in seconds; `None` when disabled.
    pub revert_delay_s: Option<u32>,
    /// `authentication-mode`.
    pub authentication: AuthenticationMode,
    /// `sequence enable`.
    pub sequence: bool,
    /// LACP E-Trunk system priority.
    pub lacp_system_priority: u16,
    /// LACP E-Trunk system id.
    pub lacp_system_id: [u8; 6],
    /// Local ids of the members, ascending.
    pub members: Vec<u16>,
}

impl MatchedConfiguration {
    /// The value of CFG_DIGEST: SHA-256.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.e_trunk_id.to_be_bytes());
        hash.update(self.send_period.to_be_bytes());
        hash.update(self.fail_time.to_be_bytes());
        hash.update(self.revert_delay_s.unwrap_or(u32::MAX).to_be_bytes());
        hash.update([self.authentication.code(), u8::from(self.sequence)]);
        hash.update(self.lacp_system_priority.to_be_bytes());
        hash.update(self.lacp_system_id);
        for id in &self.members {
            hash.update(id.to_be_bytes());
        }
        hash.finalize().into()
    }
}
