//! What `run --testbed` makes of its arguments.

use harness_live::Plan;
use harness_suite::{Catalogue, ExpandedCase, Testbed, Wires};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How inexact times may be on a host that was not calibrated.
const TOLERANCE: Duration = Duration::from_millis(50);

/// What `run` plays its cases on: the testbed that it names, if any, and which of the cases that
/// one can have.
pub(crate) fn wired(
    run: &crate::run::Run,
    catalogue: &Catalogue,
    cases: Vec<ExpandedCase>,
) -> Result<(Option<Plan>, Vec<ExpandedCase>), String> {
    let Some(name) = &run.testbed else {
        return Ok((None, cases));
    };
    let mut plan = plan(name, &run.interface, catalogue)?;
    time(&mut plan, run.clock.as_deref())?;
    let stands_for = &plan.testbed.stands_for;
    let cases = cases
        .into_iter()
        .filter(|case| stands_for.contains(&case.testbed))
        .collect();
    Ok((Some(plan), cases))
}

/// The testbed of this name or file, with the command line's interfaces.
pub(crate) fn plan(
    name: &str,
    interfaces: &[String],
    catalogue: &Catalogue,
) -> Result<Plan, String> {
    let (file, mut testbed) = found(name, catalogue)?;
    for text in interfaces {
        wire(&mut testbed, text)?;
    }
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let folder = std::fs::canonicalize(folder).map_err(|error| error.to_string())?;
    let stem = file.file_stem().and_then(|name| name.to_str());
    // Before any device is started: its processes inherit it.
    if testbed.wires == Wires::Veth {
        let _granted = harness_live::turn::prefer();
    }
    Ok(Plan {
        name: stem.unwrap_or(name).to_owned(),
        folder,
        testbed,
        program,
        tolerance: tolerance(),
    })
}

/// How inexact times may be on this host.
pub(crate) fn tolerance() -> Duration {
    let kept = harness_live::doctor::Calibration::kept();
    kept.map_or(TOLERANCE, |kept| Duration::from_nanos(kept.tolerance_ns))
}

/// The clock that the run goes by.
pub(crate) fn time(plan: &mut Plan, wanted: Option<&str>) -> Result<(), String> {
    match (wanted, &plan.testbed.clock) {
        (Some("real"), _) => plan.testbed.clock = None,
        (Some(_), None) => return Err(format!("`{}` has no clock of its own", plan.name)),
        // No busy host makes it late, only its step.
        (_, Some(clock)) => plan.tolerance = plan.step(clock)?.max(TOLERANCE),
        (None, None) => {}
    }
    Ok(())
}

fn found(name: &str, catalogue: &Catalogue) -> Result<(PathBuf, Testbed), String> {
    if let Some((file, testbed)) = catalogue.testbeds.get(name) {
        return Ok((file.clone(), testbed.clone()));
    }
    let file = PathBuf::from(name);
    if !file.is_file() {
        let known: Vec<&str> = catalogue.testbeds.keys().map(String::as_str).collect();
        let known = known.join(", ");
        return Err(format!("no testbed or file `{name}`; there are {known}"));
    }
    let testbed = harness_suite::load_testbed(&file, &catalogue.beds);
    let testbed = testbed.map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        errors.join("\n")
    })?;
    Ok((file, testbed))
}

/// Wires a port as the command line says.
fn wire(testbed: &mut Testbed, text: &str) -> Result<(), String> {
    let wrong = || format!("`{text}`: use PORT@IFACE, as p1@eth1 or 0-1@eth1");
    let (port, interface) = text.split_once('@').ok_or_else(wrong)?;
    let number = port.strip_prefix("0-").unwrap_or(port).parse::<usize>();
    let name = match number {
        Ok(number) => testbed.ports.keys().nth(number).cloned(),
        Err(_) => Some(port.to_owned()),
    };
    let known: Vec<String> = testbed.ports.keys().cloned().collect();
    let port = name.and_then(|name| testbed.ports.get_mut(&name));
    let port = port.ok_or_else(|| format!("`{text}`: the ports are {}", known.join(", ")))?;
    port.interface = Some(interface.to_owned());
    testbed.wires = Wires::Interfaces;
    Ok(())
}

/// How many beds run side by side where nobody says.
pub(crate) fn beds(plan: &Plan) -> usize {
    match plan.testbed.wires {
        Wires::Veth => plan.testbed.beds.map_or(8, |beds| beds.get().into()),
        Wires::Interfaces => 1,
    }
}
