//! What a testbed file of a device on wires says of itself, and which cases it can't have.

#![expect(
    clippy::expect_used,
    reason = "a test that can't read the suites has failed"
)]

use harness_suite::{Catalogue, ExpandedCase, Observer, Step, Testbed, load};
use std::path::Path;

fn suites() -> Catalogue {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites");
    load(&folder).expect("the suites are there")
}

/// The first case of a simulated testbed that looks like this.
fn case(catalogue: &Catalogue, bed: &str, like: impl Fn(&ExpandedCase) -> bool) -> ExpandedCase {
    let mut cases = catalogue.cases.iter();
    let found = cases.find(|case| case.testbed == bed && like(case));
    found.expect("there is such a case").clone()
}

/// Why a testbed like the router's, changed like this, can't have a case.
fn why(
    catalogue: &Catalogue,
    case: &ExpandedCase,
    change: impl Fn(&mut Testbed),
) -> Option<String> {
    let (_, bed) = catalogue.beds.get(&case.testbed).expect("its testbed");
    let mut testbed = Testbed {
        stands_for: vec![case.testbed.clone()],
        ports: bed
            .ports
            .keys()
            .map(|name| (name.clone(), Default::default()))
            .collect(),
        start: Some("true".into()),
        ..Testbed::default()
    };
    for (name, value) in &case.settings {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        testbed
            .knobs
            .entry(name.clone())
            .or_default()
            .insert(value, String::new());
    }
    change(&mut testbed);
    testbed.inapplicable(case, bed)
}

/// A case that judges by what the testbed doesn't offer is not for it; without a list all is.
#[test]
fn an_observer_that_is_missing_is_named() {
    let catalogue = suites();
    let by = |case: &ExpandedCase| case.observers == [Observer::Forwarding];
    let case = case(&catalogue, "mld", |one| by(one) && !one.needs.control);
    assert_eq!(why(&catalogue, &case, |_| {}), None);
    let said = why(&catalogue, &case, |testbed| {
        testbed.observers = vec![Observer::Query]
    });
    let said = said.unwrap_or_default();
    assert!(said.contains("judges by forwarding"), "{said}");
}

/// A case that speaks to a listener's sockets is for a testbed that says how.
#[test]
fn listen_takes_a_hook() {
    let catalogue = suites();
    let listens = |one: &ExpandedCase| {
        let mut steps = one.steps.iter();
        steps.any(|located| matches!(located.step, Step::Listen(_))) && !one.needs.virtual_time
    };
    let case = case(&catalogue, "mld-host", listens);
    let said = why(&catalogue, &case, |_| {}).unwrap_or_default();
    assert!(said.contains("a listener's sockets"), "{said}");
    let hooked = why(&catalogue, &case, |testbed| {
        testbed.listen = Some("true".into())
    });
    assert_eq!(hooked, None);
}

/// A testbed that stands for two simulated ones has the knobs of either, and no others.
#[test]
fn a_knob_is_of_one_of_the_testbeds_that_it_stands_for() {
    let catalogue = suites();
    let (_, bridge) = catalogue.testbeds.get("linux-bridge").expect("its file");
    assert_eq!(bridge.mistakes(&catalogue.beds), Vec::<String>::new());
    let mut wrong = bridge.clone();
    wrong.knobs.insert("mld.colour".into(), Default::default());
    let mistakes = wrong.mistakes(&catalogue.beds);
    assert_eq!(mistakes.len(), 1);
    assert!(
        mistakes.iter().all(|what| what.contains("`mld.colour`")),
        "{mistakes:?}"
    );
}
