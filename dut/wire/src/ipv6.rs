//! IPv6 header and the Hop-by-Hop options header (RFC 8200).
