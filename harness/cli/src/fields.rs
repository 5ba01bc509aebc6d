//! `tandem fields`: the names that cases use.

use crate::args::code;
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use harness_wire::{Kind, decoded_names, field_names};

/// `tandem fields`.
#[derive(Debug, ClapArgs)]
pub(crate) struct FieldNames {
    /// A kind, as `lacpdu`; the kinds when none is given.
    kind: Option<String>,
}

pub(crate) fn fields(names: &FieldNames) -> u8 {
    let terminal = Terminal::new();
    let kinds = || Kind::ALL.map(Kind::name).join(", ");
    let Some(wanted) = &names.kind else {
        terminal.line(&kinds());
        return code::OK;
    };
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == wanted) else {
        terminal.complain(&format!("`{wanted}` is no kind of frame: {}", kinds()));
        return code::USAGE;
    };
    let sent = field_names(kind);
    for name in decoded_names(kind) {
        let only = if sent.contains(&name) {
            ""
        } else {
            "  (in an expectation only)"
        };
        terminal.line(&format!("{name}{only}"));
    }
    code::OK
}
