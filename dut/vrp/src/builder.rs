//! The configuration while its lines are being read.

use crate::config::{Config, ETrunk, Interface, InterfaceKind, Isis, Rbp, Rbs};
use crate::diagnostic::{Diagnostic, Notice, NoticeKind};
use crate::grammar::{Args, Token};
use crate::loaded::{Line, Place};
use std::collections::BTreeMap;

/// The view that lines are read in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum View {
    #[default]
    System,
    ETrunk(u16),
    Rbs(String),
    Rbp(String),
    Isis(u16),
    PimIpv6,
    Interface(String, InterfaceKind),
}

impl View {
    /// The line that opens it; empty for the system view.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::System => String::new(),
            Self::ETrunk(id) => format!("e-trunk {id}"),
            Self::Rbs(name) => format!("remote-backup-service {name}"),
            Self::Rbp(name) => format!("remote-backup-profile {name}"),
            Self::Isis(id) => format!("isis {id}"),
            Self::PimIpv6 => "pim-ipv6".to_owned(),
            Self::Interface(name, _) => format!("interface {name}"),
        }
    }
}

/// Why a well-formed command can't be carried out.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Which argument; `None` for the whole line.
    pub(crate) argument: Option<usize>,
    pub(crate) message: String,
    pub(crate) accepted: Vec<String>,
}

impl Problem {
    pub(crate) fn at(argument: usize, message: impl Into<String>) -> Self {
        Self {
            argument: Some(argument),
            message: message.into(),
            accepted: Vec::new(),
        }
    }

    pub(crate) fn line(message: impl Into<String>) -> Self {
        Self {
            argument: None,
            message: message.into(),
            accepted: Vec::new(),
        }
    }

    pub(crate) fn accepted(mut self, usage: &[&str]) -> Self {
        self.accepted = usage.iter().map(|usage| (*usage).to_owned()).collect();
        self
    }
}

/// What a command's function answers.
pub(crate) type Outcome = Result<(), Problem>;

/// What a line names and must exist in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    ETrunk(u16),
    EthTrunk(u16),
    Rbs(String),
    Rbp(String),
    Vlan(u16),
    Interface(String),
    /// Missing, it makes the line inert.
    Isis(u16),
}

/// A line that names something, and where in the line.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) target: Target,
    /// Index into [`Builder::lines`].
    pub(crate) line: usize,
    pub(crate) token: Token,
}

/// The configuration while it is being read.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    pub(crate) config: Config,
    pub(crate) view: View,
    pub(crate) notices: Vec<Notice>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) references: Vec<Reference>,
    pub(crate) lines: Vec<Line>,
    /// `e-trunk ipv6 port`.
    pub(crate) e_trunk_port: Option<u16>,
    /// `lacp preempt delay`, by interface.
    pub(crate) preempt_delays: BTreeMap<String, u32>,
}

impl Builder {
    /// The last accepted line gets a notice.
    pub(crate) fn notice(&mut self, kind: NoticeKind, reason: &str) {
        if let Some(line) = self.lines.last().cloned() {
            self.notice_of(&line, kind, reason);
        }
    }

    pub(crate) fn notice_of(&mut self, line: &Line, kind: NoticeKind, reason: &str) {
        self.notices.push(Notice {
            kind,
            file: line.place.file.clone(),
            line: line.place.line,
            text: line.text.clone(),
            reason: reason.to_owned(),
        });
    }

    /// An error about a whole accepted line.
    pub(crate) fn error_of(&mut self, line: &Line, message: String, accepted: Vec<String>) {
        self.diagnostics.push(Diagnostic {
            file: line.place.file.clone(),
            line: line.place.line,
            column: line.column,
            length: line.length,
            message,
            accepted,
        });
    }

    /// An error about a part of a line.
    pub(crate) fn error_at(
        &mut self,
        place: &Place,
        token: &Token,
        message: String,
        accepted: Vec<String>,
    ) {
        self.diagnostics.push(Diagnostic {
            file: place.file.clone(),
            line: place.line,
            column: token.start + 1,
            length: token.length,
            message,
            accepted,
        });
    }

    /// The line being read names `target` with an argument.
    pub(crate) fn refer(&mut self, target: Target, args: &Args, argument: usize) {
        if let Some(token) = args.token(argument) {
            self.references.push(Reference {
                target,
                line: self.lines.len().saturating_sub(1),
                token: token.clone(),
            });
        }
    }

    pub(crate) fn open(&mut self, view: View) {
        self.view = view;
    }

    pub(crate) fn e_trunk(&mut self) -> Result<&mut ETrunk, Problem> {
        let View::ETrunk(id) = self.view else {
            return Err(Problem::line("not in an E-Trunk view"));
        };
        Ok(self.config.e_trunks.entry(id).or_default())
    }

    pub(crate) fn isis(&mut self) -> Result<&mut Isis, Problem> {
        let View::Isis(id) = self.view else {
            return Err(Problem::line("not in an IS-IS view"));
        };
        Ok(self.config.isis.entry(id).or_default())
    }

    pub(crate) fn rbs(&mut self) -> Result<&mut Rbs, Problem> {
        let View::Rbs(name) = &self.view else {
            return Err(Problem::line("not in a remote-backup-service view"));
        };
        (self.config.rbs.iter_mut())
            .find(|rbs| rbs.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| Problem::line("there is no such remote-backup-service"))
    }

    pub(crate) fn rbp(&mut self) -> Result<&mut Rbp, Problem> {
        let View::Rbp(name) = &self.view else {
            return Err(Problem::line("not in a remote-backup-profile view"));
        };
        (self.config.rbp.iter_mut())
            .find(|rbp| rbp.name == *name)
            .ok_or_else(|| Problem::line("there is no such remote-backup-profile"))
    }

    pub(crate) fn interface(&mut self) -> Result<&mut Interface, Problem> {
        let View::Interface(name, _) = &self.view else {
            return Err(Problem::line("not in an interface view"));
        };
        (self.config.interfaces.iter_mut())
            .find(|interface| interface.name == *name)
            .ok_or_else(|| Problem::line("there is no such interface"))
    }
}
