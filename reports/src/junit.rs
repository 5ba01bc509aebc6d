//! `junit.xml`, by crate junit-report: rewritten as cases finish, whole at every moment.

use crate::Sentences;
use crate::pcapng::capture_name;
use crate::text::clean;
use harness_judge::Verdict;
use harness_run::{CaseResult, RunEvent};
use junit_report::{ReportBuilder, TestCase, TestCaseBuilder, TestSuiteBuilder};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

/// How many finished cases pass between two writings; the last is always written.
const EVERY: usize = 25;

/// Collects test cases by suite.
#[derive(Debug)]
pub struct Junit {
    path: PathBuf,
    sentences: Sentences,
    suites: BTreeMap<String, Vec<TestCase>>,
    fresh: usize,
    /// What the devices were told to be, by suite.
    told: BTreeMap<String, String>,
    /// Beginning of the run, seconds since 1970: the suites' timestamp.
    started_s: u64,
}

impl Junit {
    /// A report that will be written to `path`.
    #[must_use]
    pub const fn new(path: PathBuf, sentences: Sentences) -> Self {
        Self {
            path,
            sentences,
            suites: BTreeMap::new(),
            fresh: 0,
            told: BTreeMap::new(),
            started_s: 0,
        }
    }

    /// Takes an event.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::Started(header) => self.started_s = header.started_s,
            RunEvent::Classified(told) => {
                let lines = self.told.entry(told.suite.clone()).or_default();
                lines.push_str(&clean(&format!("{told}\n")));
            }
            RunEvent::CaseStarted { .. } => {}
            RunEvent::CaseFinished(result) => {
                let case = self.case(result);
                self.suites
                    .entry(result.case.suite.clone())
                    .or_default()
                    .push(case);
                self.fresh += 1;
                if self.fresh >= EVERY {
                    self.write()?;
                }
            }
            RunEvent::Finished(_) => self.write()?,
        }
        Ok(())
    }

    fn case(&self, result: &CaseResult) -> TestCase {
        let name = clean(&result.case.id);
        let time = result.wall;
        let time = junit_report::Duration::try_from(time).unwrap_or_default();
        let finding = result.finding.as_ref();
        let message = clean(finding.map_or("", |finding| finding.what.as_str()));
        let verdict = result.verdict.to_string();
        let mut case = match result.verdict {
            Verdict::Pass => TestCaseBuilder::success(&name, time),
            Verdict::NotApplicable => TestCaseBuilder::skipped(&name),
            Verdict::Fail => TestCaseBuilder::failure(&name, time, &verdict, &message),
            Verdict::Inconclusive | Verdict::Blocked | Verdict::Error => {
                TestCaseBuilder::error(&name, time, &verdict, &message)
            }
        };
        let section = result
            .case
            .id
            .rsplit_once('/')
            .map_or(result.case.suite.as_str(), |(s, _)| s);
        case.set_classname(&clean(&section.replace('/', ".")));
        case.set_system_out(&clean(&self.system_out(result)));
        case.build()
    }

    fn system_out(&self, result: &CaseResult) -> String {
        let mut out = format!("{}\n", result.case.title);
        for id in &result.case.verifies {
            let sentence = self.sentences.get(id).map_or("", String::as_str);
            out.push_str(&format!("requirement {id}: {sentence}\n"));
        }
        out.push_str(&format!(
            "virtual time: {} ms\n",
            result.virtual_time.as_millis()
        ));
        if let Some(finding) = &result.finding {
            if let Some(line) = finding.line {
                out.push_str(&format!("{}:{line}\n", result.case.file));
            }
            for difference in &finding.differences {
                let (expected, seen) = (&difference.expected, &difference.seen);
                out.push_str(&format!(
                    "{}: expected {expected}, seen {seen}\n",
                    difference.field
                ));
            }
        }
        for remark in &result.remarks {
            out.push_str(&format!("{remark}\n"));
        }
        // The convention of GitLab, Jenkins and Azure; it must be the last line.
        out.push_str(&format!(
            "[[ATTACHMENT|captures/{}]]",
            capture_name(&result.case.id)
        ));
        out
    }

    fn write(&mut self) -> io::Result<()> {
        self.fresh = 0;
        let mut report = ReportBuilder::new();
        let seconds = i64::try_from(self.started_s).unwrap_or(0);
        let stamp = junit_report::OffsetDateTime::from_unix_timestamp(seconds);
        let stamp = stamp.unwrap_or(junit_report::OffsetDateTime::UNIX_EPOCH);
        for (name, cases) in &self.suites {
            let mut suite = TestSuiteBuilder::new(name);
            suite.set_timestamp(stamp);
            suite.add_testcases(cases.iter().cloned());
            // The crate writes no properties; a suite's output is the next best place.
            if let Some(told) = self.told.get(name) {
                suite.set_system_out(told);
            }
            report.add_testsuite(suite.build());
        }
        let mut xml = Vec::new();
        report
            .build()
            .write_xml(&mut xml)
            .map_err(io::Error::other)?;
        // Readers see the old file or the new one, never half of one.
        let partial = self.path.with_extension("xml.part");
        std::fs::write(&partial, xml)?;
        std::fs::rename(partial, &self.path)
    }
}
