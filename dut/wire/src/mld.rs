//! MLD messages, versions 1 and 2 (RFC 2710, RFC 3810, RFC 9777).
