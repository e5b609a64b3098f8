//! How much a word says about a product, by where it stands there and how often.
//!
//! Nothing here depends on other products: the average lengths of BM25F are constants, so that an edit of one product moves no
//! other in a list that somebody pages through.

/// Where a word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Title,
    Brand,
    Code,
    ProductType,
    Category,
    Words,
    Description,
}

/// How a field counts.
struct Weight {
    /// Of one occurrence in a field of usual length, in 256ths.
    once: u32,
    /// Usual length, in words.
    usual_length: u32,
    /// How much of the weight depends on the length, in 256ths.
    by_length: u32,
    /// Occurrences that count. Who repeats a word in a title sells accessories, not the thing.
    times_max: u32,
}

impl Field {
    const fn weight(self) -> Weight {
        let (once, usual_length, by_length, times_max) = match self {
            Self::Title => (1024, 15, 128, 1),
            Self::Brand => (640, 2, 0, 1),
            Self::Code => (1024, 1, 0, 1),
            Self::ProductType => (576, 2, 0, 1),
            Self::Category => (512, 6, 60, 1),
            Self::Words => (320, 15, 100, 1),
            Self::Description => (256, 60, 140, 3),
        };
        Weight { once, usual_length, by_length, times_max }
    }
}

/// Sum of weights at which a word has half of the greatest impact.
const HALF: u64 = 900;

/// Occurrences of one term in one field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    pub(super) field: Field,
    pub(super) times: u32,
    /// Words in the field.
    pub(super) length: u32,
}

/// How much a term says about a product that has it, 1 to 255.
pub(super) fn impact(counts: impl Iterator<Item = Count>) -> u8 {
    let mut sum = 0_u64;
    for Count { field, times, length } in counts {
        let Weight { once, usual_length, by_length, times_max } = field.weight();
        let relative = 256 * u64::from(length) / u64::from(usual_length);
        let norm = u64::from(256 - by_length) + u64::from(by_length) * relative / 256;
        sum += u64::from(once) * u64::from(times.min(times_max)) * 256 / norm.max(1);
    }
    u8::try_from((255 * sum / (sum + HALF)).clamp(1, 255)).unwrap_or(255)
}

/// How rare a term is: grows with every halving of its frequency, and is the same for small changes. `products` counts all.
pub(super) fn rarity(frequency: u32, products: u32) -> u32 {
    let halvings = products.max(8).ilog2().saturating_sub(frequency.max(8).ilog2());
    2 + 2 * halvings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn once(field: Field, length: u32) -> u8 {
        impact([Count { field, times: 1, length }].into_iter())
    }

    #[test]
    fn fields_count_in_this_order() {
        let order = [
            Field::Title,
            Field::Brand,
            Field::ProductType,
            Field::Category,
            Field::Words,
            Field::Description,
        ];
        let impacts: Vec<_> = order.iter().map(|field| once(*field, field.weight().usual_length)).collect();
        assert!(impacts.is_sorted_by(|a, b| a > b), "{impacts:?}");
        assert!(once(Field::Title, 5) > once(Field::Title, 30));
        assert!(once(Field::Description, 0) > 0);
    }

    #[test]
    fn rarity_moves_only_at_powers_of_two() {
        assert_eq!(rarity(1, 1000), rarity(15, 1023));
        assert_eq!(rarity(16, 1000), rarity(31, 513));
        assert!(rarity(16, 1000) > rarity(32, 1000));
        assert!(rarity(1000, 1000) > 0);
    }
}
