//! E-Trunk hello: FORMATS.md section 1.
