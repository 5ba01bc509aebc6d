//! Durations that a device draws at random: collecting them, and judging how they are spread; and
//! the request of a listener's socket, which such durations follow.

use crate::judging::Judged;
use crate::outcome::Action;
use crate::player::Player;
use harness_judge::{Difference, Finding, Verdict};
use harness_suite::{Alpha, Collect, Listen, ListenMode, Uniform};
use std::net::Ipv6Addr;
use std::time::Duration;

/// Fewer durations than this say nothing of how they are spread.
const AT_LEAST: u16 = 100;

/// The command that a listener is given.
pub(crate) fn listen(step: Listen) -> Result<Action, String> {
    let address = |text: &String| -> Result<Ipv6Addr, String> {
        let wrong = |_| format!("`{text}` is no IPv6 address");
        text.parse().map_err(wrong)
    };
    let mode = match step.mode {
        ListenMode::Include => "include",
        ListenMode::Exclude => "exclude",
    };
    let mut sources = step
        .sources
        .iter()
        .map(address)
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(more) = step.following {
        let last = sources
            .last()
            .ok_or("`following` needs a source to follow on")?;
        let last = last.to_bits();
        sources.extend((1..=u128::from(more)).map(|n| Ipv6Addr::from_bits(last + n)));
    }
    let sources: Vec<String> = sources.iter().map(Ipv6Addr::to_string).collect();
    let (socket, group) = (step.socket.as_deref().unwrap_or("a"), address(&step.group)?);
    let text = format!("listen {socket} {group} {mode} {}", sources.join(","));
    let node = step.node.unwrap_or_else(|| "dut".to_owned());
    let text = text.trim_end().to_owned();
    Ok(Action::Command { node, text })
}

impl Player {
    pub(crate) fn collect(&mut self, step: Collect) -> Result<(), String> {
        let value = self.duration(&step.value).map_err(|e| e.to_string())?;
        self.samples.entry(step.into).or_default().push(value);
        Ok(())
    }

    pub(crate) fn judge_uniform(&mut self, step: &Uniform) -> Result<(), String> {
        let bound = |text: &str| self.duration(text).map_err(|e| e.to_string());
        let (from, to) = (bound(&step.from)?, bound(&step.to)?);
        if from >= to {
            return Err(format!(
                "no durations lie between {} and {}",
                step.from, step.to
            ));
        }
        let samples = self.samples.get(&step.samples).cloned().unwrap_or_default();
        let least = usize::from(step.at_least.unwrap_or(AT_LEAST));
        if samples.len() < least {
            let what = format!(
                "{} durations in `{}`, and {least} are needed to tell how they are spread",
                samples.len(),
                step.samples
            );
            self.end(Verdict::Inconclusive, Some(self.finding(what)));
            return Ok(());
        }
        let spread = Spread::of(samples, from, to);
        let judged = if spread.is_even(step.alpha) {
            Judged::Holds(None)
        } else {
            let difference = Difference {
                field: format!("spread of `{}`", step.samples),
                expected: format!("even from {} to {}", step.from, step.to),
                seen: spread.seen(),
            };
            let what = "the durations are not spread evenly".to_owned();
            Judged::Fails(Finding {
                differences: vec![difference],
                ..self.finding(what)
            })
        };
        self.decided(judged);
        Ok(())
    }
}

/// Durations beside the uniform distribution, in whole numbers: no verdict hangs on rounding.
#[derive(Debug)]
struct Spread {
    sorted: Vec<Duration>,
    span: u128,
    /// The Kolmogorov-Smirnov distance, times the number of durations and the span in ns.
    distance: u128,
}

impl Spread {
    fn of(mut samples: Vec<Duration>, from: Duration, to: Duration) -> Self {
        samples.sort_unstable();
        let span = to.saturating_sub(from).as_nanos();
        let mut distance = 0;
        let number: u128 = samples.iter().map(|_| 1).sum();
        let mut rank = 0;
        for sample in &samples {
            let x = sample.saturating_sub(from).as_nanos().min(span) * number;
            distance = distance.max(x.abs_diff(rank * span));
            rank += 1;
            distance = distance.max(x.abs_diff(rank * span));
        }
        Self {
            sorted: samples,
            span,
            distance,
        }
    }

    /// Whether the distance D is one that even durations have: D * D * n <= -ln(alpha / 2) / 2, the
    /// limit distribution's bound, which is never too strict for few durations.
    fn is_even(&self, alpha: Alpha) -> bool {
        // Millionths.
        let bound: u128 = match alpha {
            Alpha::E2 => 2_649_159,
            Alpha::E4 => 4_951_744,
            Alpha::E6 => 7_254_329,
        };
        let number: u128 = self.sorted.iter().map(|_| 1).sum();
        let seen = self
            .distance
            .saturating_mul(self.distance)
            .saturating_mul(1_000_000);
        let allowed = bound.saturating_mul(number);
        seen <= allowed.saturating_mul(self.span).saturating_mul(self.span)
    }

    fn seen(&self) -> String {
        let at = |part: usize| {
            let index = self.sorted.len().saturating_sub(1) * part / 4;
            let ms = self.sorted.get(index).map_or(0, Duration::as_millis);
            ms.to_string()
        };
        let quartiles: Vec<String> = (0..=4).map(at).collect();
        format!(
            "{} durations with quartiles {} ms",
            self.sorted.len(),
            quartiles.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(samples: impl Iterator<Item = u64>) -> Spread {
        let samples = samples.map(Duration::from_millis).collect();
        Spread::of(samples, Duration::ZERO, Duration::from_millis(1000))
    }

    #[test]
    /// Proves the distance against values worked by hand: of 1/4, 1/2, 3/4 it is 1/4.
    fn the_distance_is_kolmogorovs() {
        let spread = spread([250, 500, 750].into_iter());
        assert_eq!(spread.distance, 3 * spread.span / 4);
    }

    #[test]
    /// Proves that even durations pass, and constant, halved and early ones don't.
    fn even_durations_are_told_from_others() {
        let even = (0..200).map(|n| n * 5 * 7919 % 1000);
        assert!(spread(even.clone()).is_even(Alpha::E2));
        assert!(!spread(even.clone().map(|_| 500)).is_even(Alpha::E6));
        assert!(!spread(even.clone().map(|n| n / 2)).is_even(Alpha::E6));
        assert!(!spread(even.clone().map(|n| 500 + n / 2)).is_even(Alpha::E6));
        assert!(!spread(even.map(|_| 0)).is_even(Alpha::E6));
    }

    #[test]
    /// Proves the bound of the test: of 100 durations D may be 0.1627 at 1 in 100 (published
    /// tables for large n: 1.628 / sqrt n).
    fn the_bound_is_that_of_the_tables() {
        let shifted = |by: u64| (0..100).map(move |n: u64| (n * 10 + 10).saturating_sub(by));
        assert!(spread(shifted(160)).is_even(Alpha::E2));
        assert!(!spread(shifted(170)).is_even(Alpha::E2));
    }
}
