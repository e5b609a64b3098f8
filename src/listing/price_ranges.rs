//! Ranges of round numbers with about as many prices in each.

/// Most ranges: what shoppers take in at a glance.
const RANGES_MAX: u32 = 8;

/// Steps of a decade: 10, 15, 20 … 95, and so on; below ten, every number.
const STEPS: u32 = 18;

/// Prices counted by steps; what range they fall into in the end follows from these counts alone.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    counts: Vec<u32>,
}

/// The step that an amount falls into.
pub(super) fn step(amount: i64) -> u32 {
    let amount = amount.max(0).cast_unsigned();
    let Some(decade) = amount.checked_ilog10().and_then(|digits| digits.checked_sub(1)) else {
        return u32::try_from(amount).unwrap_or(0);
    };
    // Two leading digits, 10 to 99, in fives.
    let lead = u32::try_from(amount / 10_u64.saturating_pow(decade)).unwrap_or(99);
    10 + decade * STEPS + (lead / 5 - 2)
}

/// The least amount of a step.
fn least(step: u32) -> i64 {
    let Some(above) = step.checked_sub(10) else { return i64::from(step) };
    10_i64.saturating_pow(above / STEPS).saturating_mul(i64::from((above % STEPS + 2) * 5))
}

impl Histogram {
    /// Counts an amount.
    pub(super) fn add(&mut self, amount: i64) {
        let step = super::terms::at(step(amount));
        if step >= self.counts.len() {
            self.counts.resize(step + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(step) {
            *count += 1;
        }
    }

    /// Ranges without gaps, ascending: from, to (both included), how many.
    pub(super) fn ranges(&self) -> Vec<(i64, i64, u32)> {
        let total: u32 = self.counts.iter().sum();
        let share = total.div_ceil(RANGES_MAX);
        let mut ranges = Vec::new();
        let mut from = None;
        let mut held = 0;
        let mut left = total;
        for (step, count) in (0_u32..).zip(self.counts.iter().copied()) {
            if from.is_none() && count > 0 {
                from = Some(least(step));
            }
            held += count;
            left -= count;
            if let Some(start) = from
                && held > 0
                && (held >= share || left == 0)
            {
                let next = least(step + 1);
                ranges.push((start, next.saturating_sub(1), held));
                from = Some(next);
                held = 0;
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steps_are_round() {
        let starts = (0..48).map(least).collect::<Vec<_>>();
        assert_eq!(starts[8..14], [8, 9, 10, 15, 20, 25]);
        assert_eq!(starts[26..31], [90, 95, 100, 150, 200]);
    }

    proptest! {
        #[test]
        fn an_amount_lies_in_its_step(amount in prop_oneof![0..2000_i64, 0..=crate::limits::AMOUNT_MAX]) {
            prop_assert!(least(step(amount)) <= amount && amount < least(step(amount) + 1));
        }

        #[test]
        fn ranges_cover(amounts in prop::collection::vec(prop_oneof![0..50_i64, 0..100_000_i64], 0..100)) {
            let mut histogram = Histogram::default();
            for amount in &amounts {
                histogram.add(*amount);
            }
            let ranges = histogram.ranges();
            prop_assert!(ranges.len() <= 8);
            for window in ranges.windows(2) {
                prop_assert_eq!(window[0].1 + 1, window[1].0);
            }
            for (from, to, count) in &ranges {
                let within = amounts.iter().filter(|amount| (from..=to).contains(amount)).count();
                prop_assert_eq!(within, usize::try_from(*count).unwrap());
            }
            prop_assert_eq!(ranges.iter().map(|range| range.2).sum::<u32>(), u32::try_from(amounts.len()).unwrap());
        }
    }
}
