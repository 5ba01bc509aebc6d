//! The hello's digest: HMAC-SHA1, HMAC-SHA256 and ours, the enhanced HMAC-SHA256.

use super::field::coded;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use std::net::Ipv6Addr;

/// Salt of the enhanced mode's key derivation.
const SALT: &[u8] = b"tandem e-trunk enhanced v1";

coded! {
    /// `authentication-mode`; the code is the AUTH TLV's algorithm.
    AuthenticationMode {
        /// HMAC-SHA1 over the payload.
        HmacSha1 = 1 "hmac-sha1",
        /// HMAC-SHA256 over the payload.
        HmacSha256 = 2 "hmac-sha256",
        /// HMAC-SHA256 with a derived key over a pseudo-header and the payload.
        EnhancedHmacSha256 = 3 "enhanced-hmac-sha256",
    }
}

impl AuthenticationMode {
    /// Octets of its digest.
    #[must_use]
    pub const fn digest_len(self) -> usize {
        match self {
            Self::HmacSha1 => 20,
            Self::HmacSha256 | Self::EnhancedHmacSha256 => 32,
        }
    }
}

/// The addresses and ports of the datagram that carries a hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints {
    /// IPv6 source address.
    pub source: Ipv6Addr,
    /// IPv6 destination address.
    pub destination: Ipv6Addr,
    /// UDP source port.
    pub source_port: u16,
    /// UDP destination port.
    pub destination_port: u16,
}

/// What goes into a digest besides the security key.
pub(super) struct Input<'a> {
    /// The algorithm.
    pub(super) mode: AuthenticationMode,
    /// The sender's System_ID.
    pub(super) system_id: [u8; 6],
    /// E_Trunk_ID.
    pub(super) e_trunk_id: u16,
    /// The datagram's addresses and ports.
    pub(super) endpoints: &'a Endpoints,
    /// The payload without its last octets, the digest.
    pub(super) before_digest: &'a [u8],
}

impl Input<'_> {
    /// The digest.
    //= ETRUNK-015
    //= ETRUNK-016
    pub(super) fn digest(&self, key: &[u8]) -> Vec<u8> {
        match self.mode {
            AuthenticationMode::HmacSha1 => self
                .mac::<Hmac<Sha1>>(key)
                .map(|mac| mac.finalize().into_bytes().to_vec()),
            AuthenticationMode::HmacSha256 | AuthenticationMode::EnhancedHmacSha256 => self
                .mac::<Hmac<Sha256>>(key)
                .map(|mac| mac.finalize().into_bytes().to_vec()),
        }
        // HMAC takes keys of every length, so there is always one.
        .unwrap_or_default()
    }

    /// Whether `digest` is the right one; compared in constant time.
    pub(super) fn verify(&self, key: &[u8], digest: &[u8]) -> bool {
        match self.mode {
            AuthenticationMode::HmacSha1 => self
                .mac::<Hmac<Sha1>>(key)
                .is_some_and(|mac| mac.verify_slice(digest).is_ok()),
            AuthenticationMode::HmacSha256 | AuthenticationMode::EnhancedHmacSha256 => self
                .mac::<Hmac<Sha256>>(key)
                .is_some_and(|mac| mac.verify_slice(digest).is_ok()),
        }
    }

    fn mac<M: Mac + KeyInit>(&self, key: &[u8]) -> Option<M> {
        let zeros = [0; 32];
        let zeros = zeros.get(..self.mode.digest_len())?;
        let mut mac;
        match self.mode {
            AuthenticationMode::HmacSha1 | AuthenticationMode::HmacSha256 => {
                mac = <M as KeyInit>::new_from_slice(key).ok()?;
            }
            AuthenticationMode::EnhancedHmacSha256 => {
                mac = <M as KeyInit>::new_from_slice(&self.derived_key(key)?).ok()?;
                let length = self.before_digest.len().checked_add(zeros.len())?;
                mac.update(&self.endpoints.source.octets());
                mac.update(&self.endpoints.destination.octets());
                mac.update(&u32::try_from(length).ok()?.to_be_bytes());
                mac.update(&[0, 0, 0, 17]);
                mac.update(&self.endpoints.source_port.to_be_bytes());
                mac.update(&self.endpoints.destination_port.to_be_bytes());
            }
        }
        mac.update(self.before_digest);
        mac.update(zeros);
        Some(mac)
    }

    fn derived_key(&self, key: &[u8]) -> Option<[u8; 32]> {
        let mut info = self.system_id.to_vec();
        info.extend_from_slice(&self.e_trunk_id.to_be_bytes());
        let mut derived = [0; 32];
        Hkdf::<Sha256>::new(Some(SALT), key)
            .expand(&info, &mut derived)
            .ok()?;
        Some(derived)
    }
}
