//! A small seeded generator (splitmix64): the same catalogue on every machine and with every version of every library.

/// Draws numbers and choices.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The draws of one product: they depend on nothing but the seed and its number.
    pub(super) fn new(seed: u64, number: u64) -> Self {
        let mut random = Self(seed);
        let mixed = random.next() ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03);
        Self(mixed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        let width = u64::from(high.saturating_sub(low)) + 1;
        low.saturating_add(u32::try_from(self.next() % width).unwrap_or_default())
    }

    /// True so many times in a hundred.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.between(1, 100) <= percent
    }

    /// An index below `length`; 0 when there is none.
    pub(super) fn index(&mut self, length: usize) -> usize {
        let last = u32::try_from(length.saturating_sub(1)).unwrap_or(u32::MAX);
        usize::try_from(self.between(0, last)).unwrap_or_default()
    }

    /// An index below `length` as Zipf's law has it: the n-th as often as 1/n of the first, about. First the octave of the
    /// rank, each as likely as the others, then a rank within it.
    pub(super) fn zipf_index(&mut self, length: usize) -> usize {
        let last = u32::try_from(length).unwrap_or(u32::MAX).max(1);
        loop {
            let first_of_octave = 1 << self.between(0, last.ilog2());
            let rank = self.between(first_of_octave, first_of_octave * 2 - 1);
            if rank <= last {
                return usize::try_from(rank - 1).unwrap_or_default();
            }
        }
    }

    /// One of the items; the default of nothing.
    pub(super) fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let index = self.index(items.len());
        items.get(index).copied().unwrap_or_default()
    }

    /// Some different items, in their order.
    pub(super) fn sample<T: Copy>(&mut self, items: &[T], count: usize) -> Vec<T> {
        let mut rest: Vec<(usize, T)> = items.iter().copied().enumerate().collect();
        while rest.len() > count {
            let index = self.index(rest.len());
            rest.remove(index);
        }
        rest.into_iter().map(|(_, item)| item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_of_splitmix64() {
        let mut random = Random(0);
        assert_eq!(random.next(), 0xE220_A839_7B1D_CDAF);
        assert_eq!(random.next(), 0x6E78_9E6A_A1B9_65F4);
    }

    #[test]
    fn choices_stay_within_bounds() {
        let mut random = Random::new(1, 2);
        for _ in 0..1000 {
            assert!((3..=7).contains(&random.between(3, 7)));
            assert!(random.index(5) < 5 && random.zipf_index(5) < 5);
        }
        assert_eq!((random.zipf_index(0), random.zipf_index(1)), (0, 0));
        assert_eq!(random.sample(&[1, 2, 3], 2).len(), 2);
        assert_eq!(random.pick::<u8>(&[]), 0);
    }

    #[test]
    fn the_first_are_far_more_often_and_the_last_still_met() {
        let mut counts = [0_u32; 400];
        let mut random = Random::new(1, 1);
        for _ in 0..100_000 {
            counts[random.zipf_index(400)] += 1;
        }
        assert!((9_000..=14_000).contains(&counts[0]), "{}", counts[0]);
        assert!(counts[0] > counts[9] * 5 && counts[9] > counts[99] * 5, "{counts:?}");
        assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    }
}
