//! UDP header (RFC 768).
