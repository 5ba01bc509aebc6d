//! Replays the committed corpora and every regression on stable, as plain tests; draws inputs of
//! its own around them.

#![expect(clippy::unwrap_used, reason = "a test")]

use harness_fuzz::campaign::case;
use harness_fuzz::plan::Protocol;
use harness_fuzz::targets::{TARGETS, Target};
use std::fs;
use std::path::{Path, PathBuf};

#[path = "../fuzz_targets/canary/defect.rs"]
mod defect;

fn corpus(folder: &str, target: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus");
    let read = fs::read_dir(root.join(folder).join(target));
    let mut files: Vec<PathBuf> = read
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Runs a target on an input; says which on a panic.
fn feed(target: &Target, input: &[u8], of: &str) {
    let run = std::panic::catch_unwind(|| (target.run)(input));
    assert!(
        run.is_ok(),
        "{} finds something in {of}: {input:02x?}",
        target.name
    );
}

/// Proves that no target finds anything in its committed corpus, and that each has one.
#[test]
fn corpora_are_clean() {
    for target in TARGETS {
        let files = corpus("fuzz", &target.corpus());
        assert!(
            files.len() >= 3,
            "{} has {} seeds",
            target.name,
            files.len()
        );
        for file in files {
            feed(
                &target,
                &fs::read(&file).unwrap(),
                &file.display().to_string(),
            );
        }
    }
}

/// Proves that what was once found and fixed stays so.
#[test]
fn regressions_stay_fixed() {
    for target in TARGETS {
        let mut files = corpus("regressions", target.name);
        if target.corpus() != target.name {
            files.extend(corpus("regressions", &target.corpus()));
        }
        for file in files {
            feed(
                &target,
                &fs::read(&file).unwrap(),
                &file.display().to_string(),
            );
        }
    }
}

/// Proves that the targets can find something: the canary's defect is found where it is planted,
/// and in none of the seeds.
#[test]
fn the_canary_is_alive() {
    let mut input = vec![0; 110];
    (input[0], input[3], input[18]) = (1, 0xc3, 0x80);
    assert!(std::panic::catch_unwind(|| defect::canary(&input)).is_err());
    for file in corpus("fuzz", "slow_codec") {
        defect::canary(&fs::read(&file).unwrap());
    }
}

/// Proves that single octets of each seed can be changed without a finding: a bounded run without
/// libFuzzer.
#[test]
fn changed_seeds_are_clean() {
    let mut random: u64 = 1;
    let mut next = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(random >> 33).unwrap()
    };
    for target in TARGETS.iter().filter(|target| {
        let endings = ["codec", "agreement", "framer", "digest", "told", "packed"];
        endings.iter().any(|ending| target.name.ends_with(ending))
    }) {
        for file in corpus("fuzz", &target.corpus()) {
            let seed = fs::read(&file).unwrap();
            for _ in 0..50 {
                let mut input = seed.clone();
                let at = next() % input.len().max(1);
                if let Some(octet) = input.get_mut(at) {
                    *octet = u8::try_from(next() % 256).unwrap();
                }
                if next() % 4 == 0 {
                    input.truncate(next() % (seed.len() + 1));
                }
                feed(target, &input, &file.display().to_string());
            }
        }
    }
}

/// Proves that a plan follows from its campaign's seed and its number alone.
#[test]
fn plans_repeat_themselves() {
    for protocol in Protocol::ALL {
        for number in 0..20 {
            assert_eq!(case(protocol, 7, number), case(protocol, 7, number));
        }
        assert_ne!(case(protocol, 7, 0), case(protocol, 7, 1));
    }
}
