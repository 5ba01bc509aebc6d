//! The testbeds that are fuzzed, and the reference devices on them.

use dut_device::{BuildSpec, Device};
use harness_run::Factory;
use harness_suite::{Catalogue, load_bed};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Testbeds of drivers and campaigns.
const BEDS: [&str; 4] = ["lacp", "mld", "etrunk", "pair"];

/// Builds reference nodes.
#[must_use]
pub fn reference() -> Factory {
    Arc::new(|spec: &BuildSpec| {
        let node: Box<dyn Device> =
            Box::new(dut_node::build(spec).map_err(|error| error.to_string())?);
        Ok(node)
    })
}

/// Where the testbeds lie: `TANDEM_SUITES`, else `suites` beside the program (a fuzzing service
/// copies both), else that of the source tree.
fn suites() -> PathBuf {
    let given = std::env::var_os("TANDEM_SUITES").map(PathBuf::from);
    let beside = std::env::current_exe().ok();
    let beside = beside.and_then(|program| Some(program.parent()?.join("suites")));
    let found = [given, beside]
        .into_iter()
        .flatten()
        .find(|path| path.is_dir());
    found.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites"))
}

/// The testbeds, without cases.
///
/// # Panics
/// Where a testbed's file is missing or wrong: the drivers can't do anything without it.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let root = suites();
        let mut catalogue = Catalogue {
            root: root.clone(),
            ..Catalogue::default()
        };
        for name in BEDS {
            let folder = root.join("testbeds").join(name);
            match load_bed(&folder.join("bed.yaml")) {
                Ok(bed) => catalogue.beds.insert(name.to_owned(), (folder, bed)),
                Err(error) => panic!("{error}"),
            };
        }
        catalogue
    })
}
