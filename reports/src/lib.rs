//! Sinks of run events: JSON lines, JUnit, pcapng.
