//! What repeated samples of a time say, and what they don't.
//!
//! A requirement such as "every second, within 250 ms" is about each single time. A sample outside
//! breaks it. That none was outside doesn't yet say that none ever is: the tolerance interval (at
//! 95 % confidence, 95 % of all times lie within) must be inside what is allowed. Between the two
//! nothing can be said. The times must be of one distribution: when they drift, neither interval
//! means anything.

#![expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    reason = "statistics: nothing here decides by the last digit, and times are far below 2^53 ns"
)]

use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};
use std::time::Duration;

/// Two-sided 95 % quantile of the normal distribution.
const Z95: f64 = 1.959_964;
/// Smaller samples have no tolerance interval worth the name.
const FEWEST: usize = 5;

/// Samples of one time, and what is allowed.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    /// Not shorter than this.
    pub least: Duration,
    /// Not longer than this.
    pub most: Duration,
}

/// What samples say of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// All times lie within, as far as so many samples can tell.
    Holds,
    /// This sample (from 0) lies outside.
    Fails(usize),
    /// Too few samples, too different from each other, or drifting.
    Undecided(&'static str),
}

/// Repeated samples, described.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    /// Samples.
    pub samples: usize,
    /// The shortest and the longest.
    pub range: (Duration, Duration),
    /// Mean, milliseconds.
    pub mean_ms: f64,
    /// Half the 95 % confidence interval of the mean, milliseconds; `None` for one sample.
    pub mean_half_ms: Option<f64>,
    /// The tolerance interval, milliseconds; `None` for too few samples.
    pub tolerance_ms: Option<(f64, f64)>,
    /// The drift from sample to sample, milliseconds, when it is none by chance (1 %).
    pub drift_ms: Option<f64>,
}

fn ms(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}

impl Interval {
    /// Describes samples in the order in which they were taken; `None` when there are none.
    #[must_use]
    pub fn of(times: &[Duration]) -> Option<Self> {
        let range = (times.iter().min().copied()?, times.iter().max().copied()?);
        let values: Vec<f64> = times.iter().copied().map(ms).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
        let mean_half_ms = deviation.and_then(|deviation| {
            let t = StudentsT::new(0.0, 1.0, n - 1.0).ok()?.inverse_cdf(0.975);
            Some(t * deviation / n.sqrt())
        });
        let spread = deviation.filter(|_| values.len() >= FEWEST);
        // Howe's factor: k = z (1 + 1/n)^½ ((n-1) / chi²)^½.
        let tolerance_ms = spread.and_then(|deviation| {
            let chi = ChiSquared::new(n - 1.0).ok()?.inverse_cdf(0.05);
            let k = Z95 * ((n - 1.0) * (1.0 + 1.0 / n) / chi).sqrt();
            Some((mean - k * deviation, mean + k * deviation))
        });
        Some(Self {
            samples: values.len(),
            range,
            mean_ms: mean,
            mean_half_ms,
            tolerance_ms,
            drift_ms: drift(&values, mean),
        })
    }

    /// What the samples, of which this was made, say of `allowed`.
    #[must_use]
    pub fn judge(&self, times: &[Duration], allowed: Allowed) -> Said {
        let outside = |time: &Duration| *time < allowed.least || *time > allowed.most;
        if let Some(at) = times.iter().position(outside) {
            return Said::Fails(at);
        }
        let Some((low, high)) = self.tolerance_ms else {
            return Said::Undecided("there are too few samples");
        };
        if self.drift_ms.is_some() {
            return Said::Undecided("the times drift");
        }
        if low < ms(allowed.least) || high > ms(allowed.most) {
            return Said::Undecided("the times differ too much from each other");
        }
        Said::Holds
    }
}

/// The slope of the samples over their number, when it is significant and not a matter of
/// microseconds over the whole series.
fn drift(values: &[f64], mean: f64) -> Option<f64> {
    let n = values.len() as f64;
    if values.len() < FEWEST {
        return None;
    }
    let middle = (n - 1.0) / 2.0;
    let numbered = || {
        values
            .iter()
            .enumerate()
            .map(|(at, value)| (at as f64 - middle, value))
    };
    let across: f64 = numbered().map(|(at, _)| at * at).sum();
    let slope = numbered()
        .map(|(at, value)| at * (value - mean))
        .sum::<f64>()
        / across;
    let left: f64 = numbered()
        .map(|(at, value)| (value - mean - slope * at).powi(2))
        .sum();
    let error = (left / (n - 2.0) / across).sqrt();
    let t = StudentsT::new(0.0, 1.0, n - 2.0).ok()?.inverse_cdf(0.995);
    (slope.abs() > t * error && (slope * n).abs() > 1.0).then_some(slope)
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (least, most) = (ms(self.range.0), ms(self.range.1));
        let mean = self.mean_ms;
        write!(
            f,
            "{} samples, {least:.1} to {most:.1} ms, mean {mean:.1} ms",
            self.samples
        )?;
        if let Some(half) = self.mean_half_ms {
            write!(f, " (95 %: ±{half:.1} ms)")?;
        }
        if let Some((low, high)) = self.tolerance_ms {
            write!(f, ", 95 % of all (95 %): {low:.1} to {high:.1} ms")?;
        }
        if let Some(drift) = self.drift_ms {
            write!(f, ", drifting by {drift:.2} ms a sample")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
