//! Loads `suites/` as a whole, and says all that is wrong with it at once.

use crate::bed::Bed;
use crate::case::{Case, SuiteFile};
use crate::expand::{ExpandedCase, expand};
use crate::requirement::{Requirement, RequirementFile};
use crate::testbed::Testbed;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Everything that `suites/` holds.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// The folder.
    pub root: PathBuf,
    /// Requirements by id.
    pub requirements: BTreeMap<String, Requirement>,
    /// Simulated testbeds by name, with their folder.
    pub beds: BTreeMap<String, (PathBuf, Bed)>,
    /// Testbeds of devices on wires by name, with their file.
    pub testbeds: BTreeMap<String, (PathBuf, Testbed)>,
    /// All variants of all cases, in the order of files and cases.
    pub cases: Vec<ExpandedCase>,
}

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// The file.
    pub file: PathBuf,
    /// Line from 1, when known.
    pub line: Option<u64>,
    /// What is wrong and what would be right.
    pub what: String,
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for LoadError {}

/// Folders of `suites/` that hold no cases.
const NO_SUITES: [&str; 3] = ["requirements", "testbeds", "schema"];

/// Loads and checks a `suites/` folder.
///
/// # Errors
/// Every mistake found, each with its file and, where known, its line.
pub fn load(root: &Path) -> Result<Catalogue, Vec<LoadError>> {
    load_profile(root, None)
}

/// The same with the cases of the testbeds that have this profile expanded for it.
///
/// # Errors
/// As [`load`], and when no testbed has the profile.
pub fn load_profile(root: &Path, profile: Option<&str>) -> Result<Catalogue, Vec<LoadError>> {
    let mut loader = Loader {
        profile: profile.map(str::to_owned),
        ..Loader::default()
    };
    loader.catalogue.root = root.to_path_buf();
    if !root.join("requirements").is_dir() || !root.join("testbeds").is_dir() {
        let what = "is no suites folder: it has no `requirements` and `testbeds`".to_owned();
        return Err(vec![LoadError {
            file: root.to_path_buf(),
            line: None,
            what,
        }]);
    }
    loader.requirements(&root.join("requirements"));
    loader.beds(&root.join("testbeds"));
    loader.testbeds(&root.join("testbeds"));
    loader.check_profile();
    for folder in entries(root) {
        let name = folder
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if folder.is_dir() && !NO_SUITES.contains(&name) {
            loader.suite(&folder, name);
        }
    }
    if loader.errors.is_empty() {
        Ok(loader.catalogue)
    } else {
        Err(loader.errors)
    }
}

/// Loads one testbed's file.
///
/// # Errors
/// The mistake, with its line where known.
pub fn load_bed(file: &Path) -> Result<Bed, LoadError> {
    let mut loader = Loader::default();
    let bed = loader.parse::<Bed>(file);
    bed.ok_or_else(|| {
        let unread = || LoadError {
            file: file.to_path_buf(),
            line: None,
            what: String::new(),
        };
        loader.errors.pop().unwrap_or_else(unread)
    })
}

/// Loads and checks one testbed of a device on wires, against the simulated testbeds.
///
/// # Errors
/// Every mistake found.
pub fn load_testbed(
    file: &Path,
    beds: &BTreeMap<String, (PathBuf, Bed)>,
) -> Result<Testbed, Vec<LoadError>> {
    let mut loader = Loader::default();
    loader.catalogue.beds.clone_from(beds);
    let testbed = loader.testbed(file);
    testbed
        .filter(|_| loader.errors.is_empty())
        .ok_or(loader.errors)
}

#[derive(Default)]
struct Loader {
    profile: Option<String>,
    catalogue: Catalogue,
    errors: Vec<LoadError>,
    ids: BTreeSet<String>,
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = read.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yaml")
}

impl Loader {
    /// A profile that no testbed has is a mistake.
    fn check_profile(&mut self) {
        let beds = self.catalogue.beds.values();
        let known: BTreeSet<String> = beds
            .flat_map(|(_, bed)| bed.profiles.keys().cloned())
            .collect();
        if let Some(name) = self.profile.clone().filter(|name| !known.contains(name)) {
            let known = Vec::from_iter(known).join(", ");
            let folder = self.catalogue.root.join("testbeds");
            self.wrong(
                &folder,
                None,
                format!("no profile `{name}`; there are {known}"),
            );
        }
    }

    fn wrong(&mut self, file: &Path, line: Option<u64>, what: impl Into<String>) {
        self.errors.push(LoadError {
            file: file.to_path_buf(),
            line,
            what: what.into(),
        });
    }

    fn parse<T: DeserializeOwned>(&mut self, file: &Path) -> Option<T> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                self.wrong(file, None, format!("can't be read: {error}"));
                return None;
            }
        };
        match serde_saphyr::from_str(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                let line = error.location().map(|location| location.line());
                self.wrong(file, line, error.render());
                None
            }
        }
    }

    fn requirements(&mut self, folder: &Path) {
        for file in entries(folder).into_iter().filter(|path| yaml(path)) {
            let Some(parsed) = self.parse::<RequirementFile>(&file) else {
                continue;
            };
            for requirement in parsed.requirements {
                let id = requirement.id.clone();
                if self
                    .catalogue
                    .requirements
                    .insert(id.clone(), requirement)
                    .is_some()
                {
                    self.wrong(&file, None, format!("requirement {id} stands twice"));
                }
            }
        }
    }

    fn beds(&mut self, folder: &Path) {
        for entry in entries(folder) {
            let file = entry.join("bed.yaml");
            if !file.is_file() {
                continue;
            }
            let name = entry
                .file_stem()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let folder = file.parent().unwrap_or(folder).to_path_buf();
            if let Some(bed) = self.parse::<Bed>(&file) {
                self.catalogue.beds.insert(name.to_owned(), (folder, bed));
            }
        }
    }

    /// Testbeds of devices on wires: files, where a simulated one is a folder.
    fn testbeds(&mut self, folder: &Path) {
        for file in entries(folder).into_iter().filter(|path| yaml(path)) {
            let Some(testbed) = self.testbed(&file) else {
                continue;
            };
            let name = file.file_stem().and_then(|name| name.to_str());
            let name = name.unwrap_or_default().to_owned();
            self.catalogue.testbeds.insert(name, (file, testbed));
        }
    }

    fn testbed(&mut self, file: &Path) -> Option<Testbed> {
        let testbed = self.parse::<Testbed>(file)?;
        for what in testbed.mistakes(&self.catalogue.beds) {
            self.wrong(file, None, what);
        }
        Some(testbed)
    }

    fn suite(&mut self, folder: &Path, name: &str) {
        for file in entries(folder).into_iter().filter(|path| yaml(path)) {
            let Some(parsed) = self.parse::<SuiteFile>(&file) else {
                continue;
            };
            for case in &parsed.cases {
                self.case(&file, name, &parsed.testbed, case);
            }
        }
    }

    fn case(&mut self, file: &Path, suite: &str, testbed: &str, case: &Case) {
        let line = Some(case.id.referenced.line());
        let id = &case.id.value;
        if !id.starts_with(&format!("{suite}/")) {
            self.wrong(file, line, format!("`{id}` must begin with `{suite}/`"));
        }
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/-".contains(c);
        if !id.chars().all(legal) {
            self.wrong(
                file,
                line,
                format!("`{id}` may hold a-z, 0-9, `-` and `/` only"),
            );
        }
        if !self.ids.insert(id.clone()) {
            self.wrong(file, line, format!("case id `{id}` stands twice"));
        }
        if case.verifies.is_empty() {
            self.wrong(file, line, format!("`{id}` verifies no requirement"));
        }
        for requirement in &case.verifies {
            if !self.catalogue.requirements.contains_key(&requirement.value) {
                let line = Some(requirement.referenced.line());
                self.wrong(
                    file,
                    line,
                    format!("no requirement `{}`", requirement.value),
                );
            }
        }
        let testbed = case.testbed.as_deref().unwrap_or(testbed);
        let Some((_, bed)) = self.catalogue.beds.get(testbed) else {
            let known = self
                .catalogue
                .beds
                .keys()
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            self.wrong(
                file,
                line,
                format!("no testbed `{testbed}`; there are {known}"),
            );
            return;
        };
        let profile = self.profile.as_deref();
        match expand(case, &file.display().to_string(), testbed, bed, profile) {
            Ok(variants) => self.catalogue.cases.extend(variants),
            Err(error) => self.wrong(file, line, error.to_string()),
        }
    }
}
