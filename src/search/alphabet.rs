//! Words in alphabetical order, so that those which begin alike are found side by side.

/// Most words of a block; one more moves little memory.
const BLOCK_MAX: usize = 512;

/// Ids of words, ascending by their texts, which whoever calls knows.
#[derive(Debug, Default)]
pub(super) struct Alphabet {
    blocks: Vec<Vec<u32>>,
}

impl Alphabet {
    /// Of ids that are in order.
    pub(super) fn of_sorted(ids: &[u32]) -> Self {
        Self { blocks: ids.chunks(BLOCK_MAX).map(<[u32]>::to_vec).collect() }
    }

    /// Puts a word in; `is_before` tells of another whether it comes first.
    pub(super) fn insert(&mut self, word: u32, is_before: impl Fn(u32) -> bool) {
        let (block, item) = self.gap(is_before);
        let Some(words) = self.blocks.get_mut(block) else {
            match self.blocks.last_mut() {
                Some(last) if last.len() < BLOCK_MAX => last.push(word),
                _ => self.blocks.push(vec![word]),
            }
            return;
        };
        words.insert(item.min(words.len()), word);
        if words.len() > BLOCK_MAX {
            let upper = words.split_off(words.len() / 2);
            self.blocks.insert(block.saturating_add(1), upper);
        }
    }

    /// Takes a word out; its text must still be known.
    pub(super) fn remove(&mut self, word: u32, is_before: impl Fn(u32) -> bool) {
        let (block, item) = self.gap(is_before);
        let Some(words) = self.blocks.get_mut(block) else { return };
        if words.get(item) == Some(&word) {
            words.remove(item);
        }
        if words.is_empty() {
            self.blocks.remove(block);
        }
    }

    /// Words from the first on that is not before.
    pub(super) fn from(&self, is_before: impl Fn(u32) -> bool) -> impl Iterator<Item = u32> {
        let (block, item) = self.gap(is_before);
        let head = self.blocks.get(block).and_then(|words| words.get(item..)).unwrap_or_default();
        let rest = self.blocks.get(block.saturating_add(1)..).unwrap_or_default();
        head.iter().chain(rest.iter().flatten()).copied()
    }

    fn gap(&self, is_before: impl Fn(u32) -> bool) -> (usize, usize) {
        let block = self.blocks.partition_point(|words| words.last().is_some_and(|last| is_before(*last)));
        let item = self.blocks.get(block).map_or(0, |words| words.partition_point(|word| is_before(*word)));
        (block, item)
    }
}
