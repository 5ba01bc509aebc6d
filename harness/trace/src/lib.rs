//! Frames, captures, time windows and tolerance.
