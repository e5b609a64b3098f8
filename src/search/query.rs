//! What is asked for: words, phrases, and what must not be there.

use super::{
    fold::fold,
    language::Language,
    words::{each_word, plain_code},
};

/// Longest text that is read, in letters; what is behind is left out.
const TEXT_LETTERS_MAX: usize = 512;

/// Most words that are looked for.
const WORDS_MAX: usize = 32;

/// A text, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// Words in order, those of phrases too.
    pub(super) words: Vec<Asked>,
    /// Words that must stand in this order, each at least two or one that is quoted.
    pub(super) phrases: Vec<Vec<String>>,
    /// Words, or phrases, that must not be there; and the same as codes.
    pub(super) excluded: Vec<(Vec<String>, Option<String>)>,
    /// The last word may be unfinished.
    pub(super) is_open: bool,
}

/// A word that is looked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Folded.
    pub(super) text: String,
    /// Which of the pieces between blanks it is in; what is quoted is one piece.
    pub(super) piece: usize,
    /// It must be there.
    pub(super) is_quoted: bool,
}

/// A piece of the text.
#[derive(Debug)]
struct Piece<'a> {
    text: &'a str,
    is_quoted: bool,
    is_excluded: bool,
}

impl Query {
    /// Reads any text.
    pub(super) fn read(text: &str, language: &Language) -> Self {
        let end = text.char_indices().nth(TEXT_LETTERS_MAX).map_or(text.len(), |(at, _)| at);
        let mut pieces = pieces(text.get(..end).unwrap_or_default());
        if pieces.iter().all(|piece| piece.is_excluded) {
            // Nothing but exclusions asks for everything else; more likely is that somebody pasted a list or an option.
            for piece in &mut pieces {
                piece.is_excluded = false;
            }
        }
        let mut query = Self::default();
        let last = pieces.len().saturating_sub(1);
        for (index, piece) in pieces.into_iter().enumerate() {
            let folded = fold(piece.text);
            let mut words = Vec::new();
            each_word(&folded, language.elides, |word, _| words.push(word.to_owned()));
            if piece.is_excluded {
                words.truncate(WORDS_MAX);
                if query.excluded.len() < WORDS_MAX && !words.is_empty() {
                    query.excluded.push((words, plain_code(&folded)));
                }
                continue;
            }
            words.truncate(WORDS_MAX.saturating_sub(query.words.len()));
            if words.is_empty() {
                continue;
            }
            query.is_open = index == last && !piece.is_quoted && !text.ends_with(char::is_whitespace);
            if piece.is_quoted {
                query.phrases.push(words.clone());
            }
            let asked =
                words.into_iter().map(|text| Asked { text, piece: index, is_quoted: piece.is_quoted });
            query.words.extend(asked);
        }
        query
    }
}

/// Pieces between blanks; what stands between quotation marks is one. A mark behind a letter or digit opens nothing: it is
/// an inch, or a mistake.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (is_excluded, body) = match rest.strip_prefix('-') {
            Some(body) if body.starts_with(|c: char| c.is_alphabetic() || is_quote(c)) => (true, body),
            _ => (false, rest),
        };
        let (piece, behind, is_quoted) = if let Some((piece, behind)) = quoted(body) {
            (piece, behind, true)
        } else {
            let (piece, behind) = body.split_at(body.find(char::is_whitespace).unwrap_or(body.len()));
            (piece, behind, false)
        };
        found.push(Piece { text: piece, is_quoted, is_excluded });
        rest = behind.trim_start();
    }
    found
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}')
}

/// The text between marks, and what follows; `None` where none opens here or none closes.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let mut letters = text.chars();
    if !is_quote(letters.next()?) {
        return None;
    }
    let (inside, behind) = letters.as_str().split_once(is_quote)?;
    (inside.contains(char::is_alphanumeric) && !behind.starts_with(char::is_alphanumeric))
        .then_some((inside, behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::locale::Locale;

    fn read(text: &str) -> String {
        let query = Query::read(text, &Language::new(&Locale::default()));
        let words: Vec<_> = query.words.iter().map(|asked| asked.text.as_str()).collect();
        let phrases = query.phrases.iter().map(|words| format!(" \"{}\"", words.join(" ")));
        let excluded = query.excluded.iter().map(|(words, _)| format!(" -{}", words.join(" ")));
        let open = if query.is_open { "*" } else { "" };
        format!("{}{open}{}{}", words.join(" "), phrases.collect::<String>(), excluded.collect::<String>())
    }

    #[test]
    fn reads_what_shoppers_write() {
        for (text, meaning) in [
            ("Red Shoes", "red shoes*"),
            ("red shoes ", "red shoes"),
            ("\"red shoe\" nike", "red shoe nike* \"red shoe\""),
            ("“red shoe”", "red shoe \"red shoe\""),
            ("shoe -red", "shoe -red"),
            ("shoe -\"dark red\"", "shoe -dark red"),
            ("-red", "red*"),
            ("bag -20 c", "bag 20 c*"),
            ("t-shirt wh-1000xm4", "t shirt wh 1000xm4*"),
            ("a - b -- c", "a b c*"),
            ("oil” without", "oil without*"),
            ("binder 3\" 4\" ring", "binder 3 4 ring*"),
            ("\"", ""),
            ("\"\" \"-\" -", ""),
            ("", ""),
        ] {
            assert_eq!(read(text), meaning, "{text}");
        }
    }

    #[test]
    fn reads_no_more_than_so_much() {
        let words = "ab ".repeat(10_000);
        assert_eq!(Query::read(&words, &Language::new(&Locale::default())).words.len(), WORDS_MAX);
    }
}
