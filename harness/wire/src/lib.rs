//! Permissive codec, written independently of the reference's: build anything, refuse nothing, list anomalies.
