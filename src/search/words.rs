//! Where words begin and end.

use unicode_segmentation::UnicodeSegmentation;

/// Longest word, in letters; what is longer is cut, alike in products and in what is searched for.
const WORD_LETTERS_MAX: usize = 48;

/// Calls back for each word of folded text, with whether only a hyphen stands between it and the one before.
///
/// Apostrophes vanish (`women's` is `women`, `levi's` too), except where `elides`: there they part words (`l'eau`).
pub(super) fn each_word(folded: &str, elides: bool, mut call: impl FnMut(&str, bool)) {
    let mut last_end = usize::MAX;
    for (start, span) in folded.unicode_word_indices() {
        let mut is_joined = last_end < start && folded.get(last_end..start) == Some("-");
        last_end = start.saturating_add(span.len());
        each_part(span, elides, |part| {
            call(part, is_joined);
            is_joined = false;
        });
    }
}

/// Parts of what Unicode calls one word: `a.b.c` is `abc`, `shop.com` two words, `3.5` and `3,5` one number.
fn each_part(span: &str, elides: bool, mut call: impl FnMut(&str)) {
    if span.bytes().all(|byte| byte.is_ascii_alphanumeric()) && span.len() <= WORD_LETTERS_MAX {
        return call(span);
    }
    let initials = span.contains('.') && span.split('.').all(|part| part.chars().nth(1).is_none());
    if initials && span.chars().any(char::is_alphabetic) {
        return call(&span.chars().filter(|c| *c != '.').take(WORD_LETTERS_MAX).collect::<String>());
    }
    for part in span.split(|c: char| matches!(c, '_' | ':' | '·' | '⁄') || (elides && c == '\'')) {
        let is_number = part.contains(|c: char| c.is_ascii_digit());
        for part in part.split(|c| c == '.' && !is_number) {
            let part = part.strip_suffix("'s").unwrap_or(part);
            let word: String = part
                .chars()
                .filter(|c| *c != '\'')
                .map(|c| if c == ',' { '.' } else { c })
                .take(WORD_LETTERS_MAX)
                .collect();
            if word.contains(char::is_alphanumeric) {
                call(&word);
            }
        }
    }
}

/// A code as it is compared: letters and digits alone; numbers without the zeros that barcodes are filled up with.
pub(super) fn plain_code(folded: &str) -> Option<String> {
    let plain: String = folded.chars().filter(|c| c.is_alphanumeric()).take(2 * WORD_LETTERS_MAX).collect();
    let digits = plain.trim_start_matches('0');
    if plain.len() >= 8 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(digits.to_owned());
    }
    (!plain.is_empty()).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, elides: bool) -> String {
        let mut found = Vec::new();
        each_word(text, elides, |word, joined| {
            found.push(format!("{}{word}", if joined { "-" } else { "" }));
        });
        found.join(" ")
    }

    #[test]
    fn parts_words() {
        for (text, parted) in [
            ("women's t-shirt, levi's", "women t -shirt levi"),
            ("u.s.a. shop.com 3.5 3,5 usb3.0", "usa shop com 3.5 3.5 usb3.0"),
            ("snake_case a:b 1⁄2", "snake case a b 1 2"),
            ("wh-1000xm4 a - b --c", "wh -1000xm4 a b c"),
            ("手袋", "手 袋"),
            ("", ""),
        ] {
            assert_eq!(words(text, false), parted, "{text}");
        }
        assert_eq!(words("l'eau d'or", true), "l eau d or");
    }

    #[test]
    fn codes_lose_separators() {
        assert_eq!(plain_code("ab-12/3 x").as_deref(), Some("ab123x"));
        assert_eq!(plain_code("0012345678905").as_deref(), Some("12345678905"));
        assert_eq!(plain_code("007").as_deref(), Some("007"));
        assert_eq!(plain_code("--"), None);
    }
}
