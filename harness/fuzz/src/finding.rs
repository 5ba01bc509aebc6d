//! Findings on disk: a YAML case, its capture, and what was seen; and back.

use crate::campaign::{Group, Header, Report};
use crate::oracle::{Found, Ran, run};
use crate::plan::{Plan, Protocol};
use crate::player::Player;
use harness_suite::{Fields, Step};
use harness_trace::to_pcapng;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What stands beside a finding's case: enough to repeat it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The campaign.
    pub header: Header,
    /// Number of the case in it.
    pub case: u64,
    /// The case's own seed.
    pub seed: u64,
    /// What was seen.
    pub found: Found,
    /// How often it showed, of how many runs of the minimised case.
    pub reproduced: (u32, u32),
    /// Values of the testbed's knobs.
    pub settings: Fields,
    /// The steps.
    pub steps: Vec<Step>,
    /// The first stimulus, and the first step after the last.
    pub stimuli: (usize, usize),
}

impl Record {
    fn of(header: &Header, group: &Group) -> Self {
        Self {
            header: header.clone(),
            case: group.case,
            seed: group.seed,
            found: group.found.clone(),
            reproduced: group.reproduced,
            settings: group.plan.settings.clone(),
            steps: group.plan.steps.clone(),
            stimuli: (group.plan.stimuli.start, group.plan.stimuli.end),
        }
    }

    fn plan(&self) -> Plan {
        let (start, end) = self.stimuli;
        Plan {
            protocol: self.header.protocol,
            settings: self.settings.clone(),
            steps: self.steps.clone(),
            stimuli: start..end,
        }
    }
}

/// The name of a finding's files.
fn name(group: &Group) -> String {
    format!("case-{}", group.case)
}

/// The requirement that a case of the protocol verifies where the finding names none: that what
/// is malformed does no harm.
const fn robust(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Lacp => "LACP-042",
        Protocol::Mld => "MLD-035",
        Protocol::Etrunk => "ETRUNK-009",
        Protocol::Rbs => "RBS-012",
        Protocol::Pair => "BACKUP-001",
    }
}

/// A finding as a case's file, which `tandem run` takes.
fn yaml(record: &Record) -> Result<String, io::Error> {
    let protocol = record.header.protocol;
    let suite = match protocol {
        Protocol::Pair => "backup",
        Protocol::Lacp | Protocol::Mld | Protocol::Etrunk | Protocol::Rbs => protocol.name(),
    };
    let verifies = record
        .found
        .requirement
        .as_deref()
        .unwrap_or(robust(protocol));
    let case = json!({
        "id": format!("{suite}/found/seed-{}-case-{}", record.header.seed, record.case),
        "title": "What a campaign found",
        "verifies": [verifies],
        "negative": true,
        "needs": {"links": 2, "control": true},
        "settings": record.settings,
        "steps": record.steps,
    });
    let file = json!({"testbed": protocol.bed(), "cases": [case]});
    let text = serde_saphyr::to_string(&file).map_err(io::Error::other)?;
    let Found { oracle, what, .. } = &record.found;
    let (shown, of) = record.reproduced;
    let what = what.replace('\n', " ");
    Ok(format!(
        "# Found by `tandem fuzz {} --seed {}`, case {}, generator {}.\n\
         # Oracle: {oracle:?}. {what}\n\
         # Shown in {shown} of {of} runs. Stimuli are steps {} to {}.\n{text}",
        protocol.name(),
        record.header.seed,
        record.case,
        record.header.generator,
        record.stimuli.0 + 1,
        record.stimuli.1,
    ))
}

/// Writes a campaign as it goes: `campaign.jsonl` with its header, a line for each cause, and an
/// end line, without which it was cut short; and for each cause the case, its capture and what
/// repeats it. Nothing of it depends on the wall clock.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    lines: File,
    header: Header,
}

impl Writer {
    /// Makes the folder and writes the header.
    ///
    /// # Errors
    /// What the file system says.
    pub fn begin(folder: &Path, header: &Header) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut writer = Self {
            folder: folder.to_path_buf(),
            lines: File::create(folder.join("campaign.jsonl"))?,
            header: header.clone(),
        };
        writer.line(&serde_json::to_string(header).map_err(io::Error::other)?)?;
        Ok(writer)
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.lines, "{line}")
    }

    /// Writes a cause's first finding.
    ///
    /// # Errors
    /// What the file system says.
    pub fn cause(&mut self, group: &Group) -> io::Result<()> {
        let record = Record::of(&self.header, group);
        let json = serde_json::to_string(&record).map_err(io::Error::other)?;
        let path = self.folder.join(name(group));
        fs::write(path.with_extension("json"), &json)?;
        fs::write(path.with_extension("yaml"), yaml(&record)?)?;
        if let Some(result) = &group.result {
            let capture = to_pcapng(&result.trace, &group.found.what, &BTreeMap::new());
            fs::write(path.with_extension("pcapng"), capture)?;
        }
        self.line(&json)
    }

    /// Writes how it ended.
    ///
    /// # Errors
    /// What the file system says.
    pub fn end(mut self, report: &Report) -> io::Result<()> {
        let times = report.groups.iter().map(|group| (name(group), group.times));
        let end = json!({
            "cases": report.cases, "causes": report.groups.len(), "unsound": report.unsound,
            "undecided": report.undecided, "standing": report.standing, "errors": report.errors,
            "times": times.collect::<BTreeMap<_, _>>(), "interrupted": report.interrupted,
        });
        self.line(&end.to_string())
    }
}

fn read(file: &Path) -> Result<Record, String> {
    let file = file.with_extension("json");
    let text = fs::read_to_string(&file);
    let text = text.map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}

/// What a finding was found of.
///
/// # Errors
/// What is wrong with the file.
pub fn protocol(file: &Path) -> Result<Protocol, String> {
    Ok(read(file)?.header.protocol)
}

/// Repeats a finding from its `.json` file; what it was, and what it is now.
///
/// # Errors
/// What is wrong with the file or the plan.
pub fn replay(file: &Path, player: &Player) -> Result<(Record, Ran), String> {
    let record = read(file)?;
    let id = format!(
        "{}/fuzz/case-{}",
        record.header.protocol.name(),
        record.case
    );
    let ran = run(&record.plan(), &id, player, record.seed)?;
    Ok((record, ran))
}
