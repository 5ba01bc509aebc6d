//! MLD router: RFC 9777, 3810 and 2710.
