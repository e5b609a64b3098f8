//! Made-up words and products.

/// Different words.
const WORDS: u32 = 200_000;

/// Words of a title.
const TITLE_WORDS: usize = 15;

/// Words of a description.
const DESCRIPTION_WORDS: usize = 40;

/// Exponent of Zipf's law.
const EXPONENT: f64 = 1.03;

/// A product.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) title: String,
    pub(crate) brand: String,
    pub(crate) product_type: String,
    pub(crate) codes: Vec<Box<str>>,
    pub(crate) description: String,
}

/// Makes the same for the same seed.
#[derive(Debug)]
pub(crate) struct Maker {
    state: u64,
    words: Vec<String>,
    /// Sums of the words' frequencies, the most frequent first.
    sums: Vec<f64>,
}

impl Maker {
    pub(crate) fn new(seed: u64) -> Self {
        let mut maker = Self { state: seed, words: Vec::new(), sums: Vec::new() };
        let mut sum = 0.0;
        for rank in 1..=WORDS {
            let word = maker.word(rank);
            maker.words.push(word);
            sum += f64::from(rank).powf(-EXPONENT);
            maker.sums.push(sum);
        }
        maker
    }

    /// The next number (splitmix64).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        let upper = u32::try_from(self.next() >> 32).unwrap_or_default();
        u32::try_from((u64::from(upper) * u64::from(end)) >> 32).unwrap_or_default()
    }

    /// Syllables that spell the rank, in a scattered order, so that frequent words share no start.
    fn word(&mut self, rank: u32) -> String {
        const SYLLABLES: [&str; 32] = [
            "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va",
            "we", "xi", "yo", "zu", "bra", "cle", "dri", "flo", "gru", "pla", "ske", "sti", "tro", "pru",
            "chan", "len",
        ];
        let mut rest = (rank.wrapping_mul(2_654_435_761) >> 12) ^ (rank << 20);
        let mut word = String::new();
        for _ in 0..=(2 + self.below(2)) {
            let place = usize::try_from(rest % 32).unwrap_or_default();
            word.push_str(SYLLABLES.get(place).copied().unwrap_or_default());
            rest = rest.rotate_right(5);
        }
        word
    }

    /// A word, frequent ones more often.
    fn zipf(&mut self) -> &str {
        let share = f64::from(self.below(u32::MAX)) / f64::from(u32::MAX);
        let sought = share * self.sums.last().copied().unwrap_or_default();
        let place = self.sums.partition_point(|sum| *sum < sought);
        self.words.get(place).map_or("", String::as_str)
    }

    fn text(&mut self, words: usize) -> String {
        let mut text = String::new();
        for _ in 0..words {
            text.push_str(self.zipf());
            text.push(' ');
        }
        text
    }

    pub(crate) fn product(&mut self) -> Made {
        Made {
            title: self.text(TITLE_WORDS),
            brand: self.ranked(1000, 6000),
            product_type: self.ranked(300, 1000),
            codes: vec![format!("{:013}", self.next() >> 24).into()],
            description: self.text(DESCRIPTION_WORDS),
        }
    }

    /// One of the words with these ranks.
    pub(crate) fn ranked(&mut self, from: u32, to: u32) -> String {
        let rank = from.saturating_add(self.below(to.saturating_sub(from)));
        usize::try_from(rank).ok().and_then(|rank| self.words.get(rank)).cloned().unwrap_or_default()
    }

    pub(crate) fn several(&mut self, count: usize, from: u32, to: u32) -> String {
        (0..count).map(|_| self.ranked(from, to)).collect::<Vec<_>>().join(" ")
    }

    /// Neighbouring words of a title.
    pub(crate) fn of_title(&mut self, count: usize) -> String {
        let title = self.product().title;
        title.split(' ').skip(5).take(count).collect::<Vec<_>>().join(" ")
    }

    /// Two neighbours in the middle swapped.
    pub(crate) fn mistyped(word: &str) -> String {
        let mut letters: Vec<char> = word.chars().collect();
        let middle = letters.len() / 2;
        if middle > 0 {
            letters.swap(middle - 1, middle);
        }
        letters.into_iter().collect()
    }
}
