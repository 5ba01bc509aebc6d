//! VRP-style configuration: the files, the pair check and the `display` output.
//!
//! A file is parsed into a [`Config`] whose values are all in range, or into errors with file, line,
//! column and what would be accepted; nothing is half applied. [`pair_check`] holds two devices'
//! configurations against each other, [`network_check`] any number of them. [`display()`] prints a
//! device's state as the vendor does.

mod builder;
mod check;
mod commands;
pub mod config;
mod diagnostic;
mod grammar;
mod interface_name;
mod loaded;
mod parse;

pub use config::Config;
pub use diagnostic::{Diagnostic, Notice, NoticeKind, render};
pub use interface_name::parse as parse_interface_name;
pub use loaded::{Line, Loaded, Place};
pub use parse::parse;
