//! Writing the index of words, and reading it back. Synonyms are not written: whoever reads sets them.

use std::io::{Read, Write};

use super::{
    index::TextIndex,
    language::Language,
    lexicon::{Lexicon, Term},
    packed::Packed,
    postings::{Block, Blocks, Postings},
    typos::Signature,
};
use crate::{
    domain::locale::Locale,
    dump::{DumpError, Reader, Writer},
};

/// Set in the number of a term's blocks, not in that of its entries.
const PARTED: u32 = 1 << 31;

impl TextIndex {
    /// Writes everything but synonyms.
    pub fn write_to<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError> {
        to.number(self.products().into())?;
        self.records.write(to)?;
        self.lexicon.write(to)
    }

    /// Reads what was written of an index of this language.
    pub fn read_from<R: Read>(from: &mut Reader<R>, language: &Locale) -> Result<Self, DumpError> {
        let products = u32::try_from(from.number()?)
            .map_err(|_too_many| DumpError::Malformed("a number of products"))?;
        let records = Packed::read(from)?;
        let lexicon = Lexicon::read(from, Language::new(language))?;
        Ok(Self::from_parts(lexicon, records, products))
    }
}

impl Packed {
    fn write<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError> {
        let (data, starts, lengths, unused) = self.parts();
        to.bytes(data)?;
        to.array(starts, |start| start.to_le_bytes())?;
        to.array(lengths, |length| length.to_le_bytes())?;
        to.length(unused)
    }

    fn read<R: Read>(from: &mut Reader<R>) -> Result<Self, DumpError> {
        let data = from.bytes()?;
        let starts = from.array(u64::from_le_bytes)?;
        let lengths = from.array(u32::from_le_bytes)?;
        let unused = usize::try_from(from.number()?).unwrap_or_default();
        Self::from_parts(data, starts, lengths, unused).ok_or(DumpError::Malformed("packed texts"))
    }
}

impl Lexicon {
    fn write<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError> {
        self.texts.write(to)?;
        self.stems.write(to)?;
        for column in [&self.word_terms, &self.holders, &self.free_words, &self.free_terms] {
            to.array(column, |number| number.to_le_bytes())?;
        }
        to.array(&self.signatures, |signature| signature.bits().to_le_bytes())?;
        let alphabet: Vec<u32> = self.alphabet.from(|_| false).collect();
        to.array(&alphabet, |word| word.to_le_bytes())?;
        write_terms(&self.terms, to)
    }

    fn read<R: Read>(from: &mut Reader<R>, language: Language) -> Result<Self, DumpError> {
        let mut lexicon = Self::new(language);
        lexicon.texts = Packed::read(from)?;
        lexicon.stems = Packed::read(from)?;
        lexicon.word_terms = from.array(u32::from_le_bytes)?;
        lexicon.holders = from.array(u32::from_le_bytes)?;
        lexicon.free_words = from.array(u32::from_le_bytes)?;
        lexicon.free_terms = from.array(u32::from_le_bytes)?;
        lexicon.signatures = from.array(|bytes| Signature::from_bits(u64::from_le_bytes(bytes)))?;
        let words = lexicon.word_terms.len();
        if [lexicon.holders.len(), lexicon.signatures.len()] != [words; 2] || lexicon.texts.len() > words {
            return Err(DumpError::Malformed("words"));
        }
        lexicon.set_alphabet(&from.array(u32::from_le_bytes)?);
        lexicon.terms = read_terms(from)?;
        lexicon.hash_all();
        Ok(lexicon)
    }
}

fn write_terms<W: Write>(terms: &[Term], to: &mut Writer<W>) -> Result<(), DumpError> {
    to.array(terms, |term| term.words.to_le_bytes())?;
    let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let sizes = |term: &Term| match &term.postings {
        Postings::Many(many) => size(many.blocks.len()) | PARTED,
        Postings::One(_) | Postings::Few(_) => term.postings.len(),
    };
    to.array(terms, |term| sizes(term).to_le_bytes())?;
    // Codes have one product each: all short lists stand in one, or reading a million of them would take as many steps.
    let few: Vec<[u16; 3]> = terms.iter().flat_map(|term| term.postings.few()).copied().collect();
    to.array(&few, |entry| {
        let [[a, b], [c, d], [e, f]] = entry.map(u16::to_le_bytes);
        [a, b, c, d, e, f]
    })?;
    for term in terms {
        let Postings::Many(many) = &term.postings else { continue };
        for block in &many.blocks {
            to.number(u64::from(block.key) << 32 | u64::from(size(block.entries.len())))?;
            to.items(&block.entries, |entry| entry.to_le_bytes())?;
        }
    }
    Ok(())
}

fn read_terms<R: Read>(from: &mut Reader<R>) -> Result<Vec<Term>, DumpError> {
    let words = from.array(u32::from_le_bytes)?;
    let sizes = from.array(u32::from_le_bytes)?;
    if words.len() != sizes.len() {
        return Err(DumpError::Malformed("terms"));
    }
    let few = from.array(|[a, b, c, d, e, f]: [u8; 6]| [[a, b], [c, d], [e, f]].map(u16::from_le_bytes))?;
    let mut few = few.as_slice();
    let mut terms = Vec::with_capacity(words.len());
    for (words, size) in words.into_iter().zip(sizes) {
        let length = usize::try_from(size & !PARTED).unwrap_or(usize::MAX);
        let postings = if size & PARTED == 0 {
            let (own, rest) = few.split_at_checked(length).ok_or(DumpError::Malformed("postings"))?;
            few = rest;
            match own {
                [one] => Postings::One(*one),
                own => Postings::Few(own.to_vec()),
            }
        } else {
            Postings::Many(Box::new(read_blocks(from, length)?))
        };
        terms.push(Term { words, postings });
    }
    Ok(terms)
}

fn read_blocks<R: Read>(from: &mut Reader<R>, length: usize) -> Result<Blocks, DumpError> {
    let mut all = Blocks::default();
    for _ in 0..length {
        let head = from.number()?;
        let key = u16::try_from(head >> 32).map_err(|_too_large| DumpError::Malformed("a block"))?;
        let count = u32::try_from(head & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        let entries = from.items(usize::try_from(count).unwrap_or(usize::MAX), u32::from_le_bytes)?;
        all.count = all.count.saturating_add(count);
        all.blocks.push(Block { key, entries });
    }
    Ok(all)
}
