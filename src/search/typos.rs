//! How far words are apart.

/// Which letters a word has, and how many: tells most words apart without looking at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signature(u64);

/// The upper byte is the length.
const LENGTH_SHIFT: u32 = 56;

impl Signature {
    /// Near to nothing.
    pub(super) const NONE: Self = Self(u64::MAX);

    /// Of a folded word.
    pub(super) fn of(word: &str) -> Self {
        let mut bits = 0_u64;
        let mut length = 0_u64;
        for letter in word.chars() {
            bits |= 1_u64.wrapping_shl(u32::from(letter) % LENGTH_SHIFT);
            length = length.saturating_add(1);
        }
        Self(bits | length.min(254) << LENGTH_SHIFT)
    }

    /// As a number.
    pub(super) fn bits(self) -> u64 {
        self.0
    }

    /// Of such a number.
    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    fn length(self) -> u64 {
        self.0 >> LENGTH_SHIFT
    }
}

/// A word that others are compared with.
#[derive(Debug)]
pub(super) struct Sought {
    letters: Vec<char>,
    signature: Signature,
    edits_max: u32,
}

impl Sought {
    /// `None` for what is not corrected: short words, and what has digits, where one other digit is another size.
    pub(super) fn new(word: &str) -> Option<Self> {
        let letters: Vec<char> = word.chars().collect();
        if letters.iter().any(|letter| !letter.is_alphabetic()) {
            return None;
        }
        let edits_max = match letters.len() {
            0..=3 => return None,
            4..=7 => 1,
            _ => 2,
        };
        Some(Self { letters, signature: Signature::of(word), edits_max })
    }

    /// Whether a word of this signature can be near enough. An edit changes the length by one, and two letters at most.
    pub(super) fn is_near(&self, other: Signature) -> bool {
        let edits = u64::from(self.edits_max);
        let letters = (self.signature.0 ^ other.0) & (u64::MAX >> 8);
        self.signature.length().abs_diff(other.length()) <= edits
            && letters.count_ones() <= 2 * self.edits_max
    }

    /// Edits to the other word, if few enough: letters put in, left out, replaced, or neighbours swapped.
    pub(super) fn distance(&self, other: &str) -> Option<u32> {
        let width = self.letters.len().saturating_add(1);
        let mut before: Vec<u32> = Vec::new();
        let mut last: Vec<u32> = (0..u32::try_from(width).unwrap_or(u32::MAX)).collect();
        let mut last_letter = None;
        for (row, letter) in (1_u32..).zip(other.chars()) {
            let mut current = Vec::with_capacity(width);
            current.push(row);
            let mut left = row;
            let mut left_letter = None;
            for (column, own) in self.letters.iter().enumerate() {
                let at = |line: &[u32], column: usize| line.get(column).copied().unwrap_or(u32::MAX / 2);
                let replaced = at(&last, column).saturating_add(u32::from(*own != letter));
                let mut least = replaced
                    .min(left.saturating_add(1))
                    .min(at(&last, column.saturating_add(1)).saturating_add(1));
                if left_letter == Some(letter) && last_letter == Some(*own) {
                    least = least.min(at(&before, column.wrapping_sub(1)).saturating_add(1));
                }
                current.push(least);
                left = least;
                left_letter = Some(*own);
            }
            if current.iter().all(|edits| *edits > self.edits_max) {
                return None;
            }
            before = std::mem::replace(&mut last, current);
            last_letter = Some(letter);
        }
        last.last().copied().filter(|edits| *edits <= self.edits_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(a: &str, b: &str) -> Option<u32> {
        let sought = Sought::new(a)?;
        let distance = sought.distance(b);
        if distance.is_some() {
            assert!(sought.is_near(Signature::of(b)), "{a} {b}");
        }
        distance
    }

    #[test]
    fn counts_edits() {
        for (a, b, edits) in [
            ("shoe", "shoe", Some(0)),
            ("shoe", "sheo", Some(1)),
            ("shoe", "shoes", Some(1)),
            ("shoe", "hoe", Some(1)),
            ("shoe", "shop", Some(1)),
            ("shoe", "chop", None),
            ("sweetner", "sweetener", Some(1)),
            ("vinpositine", "vinpocetine", Some(2)),
            ("hedphonse", "headphones", Some(2)),
            ("abc", "abd", None),
            ("mx500", "mx400", None),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }
}
