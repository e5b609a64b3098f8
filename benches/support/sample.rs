//! Numbers of one kind: their median, quantiles and spread.

use std::{fmt, time::Duration};

/// Milliseconds of a duration.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Values in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample(Vec<f64>);

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

impl Sample {
    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The value that so many of a thousand do not exceed; not a number without any.
    pub(crate) fn quantile(&self, permille: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let place = (self.0.len() * permille / 1000).min(last);
        self.0.get(place).copied().unwrap_or(f64::NAN)
    }

    /// How many times the other's quantile this one's is.
    pub(crate) fn ratio(&self, other: &Self, permille: usize) -> f64 {
        self.quantile(permille) / other.quantile(permille)
    }

    /// The middle value, or the mean of the two in the middle.
    pub(crate) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        let value = |place: usize| self.0.get(place).copied().unwrap_or(f64::NAN);
        if self.0.len() % 2 == 1 {
            value(middle)
        } else {
            f64::midpoint(value(middle.saturating_sub(1)), value(middle))
        }
    }

    /// The value that one in a hundred exceeds.
    pub(crate) fn p99(&self) -> f64 {
        self.quantile(990)
    }

    /// The largest.
    pub(crate) fn max(&self) -> f64 {
        self.quantile(1000)
    }

    /// Median, p99 and p99.9 as `1.23 / 4.56 / 7.89`.
    pub(crate) fn p50_p99_p999(&self) -> String {
        format!("{:.2} / {:.2} / {:.2}", self.median(), self.p99(), self.quantile(999))
    }

    /// Median, p99 and maximum as `1.23 / 4.56 / 7.89`.
    pub(crate) fn p50_p99_max(&self) -> String {
        format!("{:.2} / {:.2} / {:.2}", self.median(), self.p99(), self.max())
    }
}

/// Median, smallest and largest, as the tables show what was measured once a round.
impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        let (median, min, max) = (self.median(), self.quantile(0), self.max());
        write!(f, "{median:.digits$} ({min:.digits$}–{max:.digits$})")
    }
}
