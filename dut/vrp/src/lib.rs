//! VRP-style configuration: the files, the pair check and the `display` output.
//!
//! A file is parsed into a [`Config`] whose values are all in range, or into errors with file, line,
//! column and what would be accepted; nothing is half applied.

pub mod config;

pub use config::Config;
