//! RBS frames: FORMATS.md section 2.
