//! The step that records what a device chose where the texts leave it a choice.

use crate::judging::{Judged, Watch, describe, seconds};
use crate::player::{Current, Player};
use dut_device::Instant;
use harness_suite::Choice;

/// What a `choice` waits for.
#[derive(Debug)]
pub(crate) struct Choosing {
    pub(crate) watch: Watch,
    pub(crate) until: Instant,
    about: String,
    /// Name, and between which instants the deciding frame came.
    options: Vec<(String, Instant, Instant)>,
    otherwise: Option<String>,
    last: bool,
    came: Option<(Instant, usize)>,
}

impl Choosing {
    /// A frame that matches.
    pub(crate) const fn matched(&mut self, at: Instant, record: usize) {
        if self.last || self.came.is_none() {
            self.came = Some((at, record));
        }
        if !self.last {
            self.until = at;
        }
    }

    /// What was chosen; `None` when no option fits.
    fn chosen(&self) -> Option<&String> {
        let fits = |at: Instant| {
            self.options
                .iter()
                .find(|(_, from, to)| (*from..=*to).contains(&at))
        };
        let option = self
            .came
            .and_then(|(at, _)| fits(at))
            .map(|(name, ..)| name);
        option.or(self.otherwise.as_ref())
    }
}

impl Player {
    pub(crate) fn begin_choice(&mut self, step: Choice) -> Result<(), String> {
        let watch = self.watch(&step.on, None, &step.frame)?;
        let instant = |text: &str| self.instant(text).map_err(|error| error.to_string());
        let until = match (&step.for_, &step.until) {
            (Some(time), None) => {
                self.now + self.duration(time).map_err(|error| error.to_string())?
            }
            (None, Some(at)) => instant(at)?,
            _ => return Err("a `choice` has `for` or `until`".to_owned()),
        };
        let mut options = Vec::new();
        for option in &step.options {
            let from = option.from.as_deref().map(instant).transpose()?;
            let to = option.to.as_deref().map(instant).transpose()?;
            options.push((
                option.name.clone(),
                from.unwrap_or(self.now),
                to.unwrap_or(until),
            ));
        }
        self.current = Current::Choosing(Choosing {
            watch,
            until,
            about: step.about,
            options,
            otherwise: step.otherwise,
            last: step.last,
            came: None,
        });
        Ok(())
    }

    /// The time of a `choice` is over.
    pub(crate) fn chosen(&mut self) {
        let Current::Choosing(choosing) = &self.current else {
            return;
        };
        let record = choosing.came.map(|(_, record)| record);
        let when = match choosing.came {
            Some((at, _)) => format!("{} at {at}", describe(&choosing.watch)),
            None => format!("{} did not come", describe(&choosing.watch)),
        };
        if let Some(chosen) = choosing.chosen() {
            let remark = format!("{}: {chosen} ({when})", choosing.about);
            self.outcome.remarks.push(remark);
            self.decided(Judged::Holds(record));
            return;
        }
        let until = choosing.until.since(Instant::ZERO);
        let names: Vec<&str> = choosing
            .options
            .iter()
            .map(|(name, ..)| name.as_str())
            .collect();
        let what = format!(
            "{}: {when} until {}, which is none of {}",
            choosing.about,
            seconds(until),
            names.join(", ")
        );
        let mut finding = self.finding(what);
        finding.record = record;
        self.decided(Judged::Fails(finding));
    }
}
