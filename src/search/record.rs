//! What is kept of each product: its words, in few bytes.

/// Parts of the sequence that no phrase spans are apart by this in place of a word.
pub(super) const GAP: u32 = u32::MAX;

/// Words of a product: those of title, brand and values in order, then all others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// In order, with [`GAP`]s.
    pub(super) sequence: Vec<u32>,
    /// Ascending, each once; none of the sequence.
    pub(super) others: Vec<u32>,
}

impl Record {
    /// Each word once.
    pub(super) fn distinct(&self) -> Vec<u32> {
        let mut words: Vec<u32> = self.sequence.iter().filter(|word| **word != GAP).copied().collect();
        words.extend(&self.others);
        words.sort_unstable();
        words.dedup();
        words
    }

    /// Few bytes for small ids, and the words that came first are those that most products have.
    pub(super) fn packed(&self) -> Box<[u8]> {
        let mut bytes = Vec::new();
        push(u32::try_from(self.sequence.len()).unwrap_or(u32::MAX), &mut bytes);
        for word in &self.sequence {
            push(word.wrapping_add(1), &mut bytes);
        }
        let mut last = 0;
        for word in &self.others {
            push(word.wrapping_sub(last), &mut bytes);
            last = *word;
        }
        bytes.into_boxed_slice()
    }

    /// The record of these bytes.
    pub(super) fn unpacked(bytes: &[u8]) -> Self {
        let (sequence, mut rest) = unpacked_sequence(bytes);
        let mut others = Vec::new();
        let mut last = 0_u32;
        while let Some(gap) = pull(&mut rest) {
            last = last.wrapping_add(gap);
            others.push(last);
        }
        Self { sequence, others }
    }
}

/// The sequence of a packed record, and the bytes behind it.
pub(super) fn unpacked_sequence(bytes: &[u8]) -> (Vec<u32>, &[u8]) {
    let mut rest = bytes;
    let length = pull(&mut rest).unwrap_or_default();
    let sequence = (0..length).map_while(|_| pull(&mut rest)).map(|word| word.wrapping_sub(1)).collect();
    (sequence, rest)
}

/// Seven bits a byte, lowest first.
fn push(number: u32, bytes: &mut Vec<u8>) {
    let mut rest = number;
    loop {
        let [low, ..] = rest.to_le_bytes();
        rest >>= 7;
        if rest == 0 {
            return bytes.push(low & 0x7f);
        }
        bytes.push(low | 0x80);
    }
}

fn pull(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    let mut shift = 0_u32;
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f).wrapping_shl(shift);
        shift = shift.saturating_add(7);
        if byte & 0x80 == 0 || shift > 31 {
            return Some(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn comes_back_as_it_was(sequence in prop::collection::vec(any::<u32>(), 0..40), others in prop::collection::btree_set(any::<u32>(), 0..60)) {
            let record = Record { sequence, others: others.into_iter().collect() };
            prop_assert_eq!(Record::unpacked(&record.packed()), record);
        }
    }
}
