//! Text as it is compared: compatible forms made one, case and accents folded, HTML taken out.

use unicode_normalization::UnicodeNormalization;

/// The folded form. Accents go where a shopper may leave them out: on Latin and Greek letters, and Hebrew and Arabic points;
/// Cyrillic keeps `й`. Marks of other scripts are letters of their own.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut base = ' ';
    let kept = text.nfkd().filter(move |letter| {
        if is_mark(*letter) {
            return keeps(base, *letter);
        }
        base = *letter;
        !matches!(*letter, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{640}')
    });
    let mut folded = String::with_capacity(text.len());
    for letter in kept.nfc() {
        for lower in letter.to_lowercase() {
            match lower {
                'ß' => folded.push_str("ss"),
                'æ' => folded.push_str("ae"),
                'œ' => folded.push_str("oe"),
                'þ' => folded.push_str("th"),
                'ø' => folded.push('o'),
                'đ' | 'ð' => folded.push('d'),
                'ł' => folded.push('l'),
                'ı' => folded.push('i'),
                'ς' => folded.push('σ'),
                '\u{2018}' | '\u{2019}' | '\u{2bc}' | '`' | '\u{b4}' => folded.push('\''),
                '\u{307}' => {}
                other => folded.push(other),
            }
        }
    }
    folded
}

/// Marks of which some are left out.
fn is_mark(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
        | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// Whether a mark makes another letter of its base.
fn keeps(base: char, mark: char) -> bool {
    let is_cyrillic = matches!(base, '\u{400}'..='\u{52f}');
    is_cyrillic && (mark == '\u{306}' || (mark == '\u{308}' && !matches!(base, 'е' | 'Е')))
}

/// The text between the tags of HTML. What does not look like a tag stays: `3 < 4`, `<3`.
pub(super) fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        push_unescaped(before, &mut text);
        let is_tag = after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        rest = if !is_tag {
            text.push('<');
            after
        } else if let Some(hidden) = hidden(after) {
            hidden
        } else if let Some((_, behind)) = after.split_once('>') {
            behind
        } else {
            after
        };
        text.push(' ');
    }
    push_unescaped(rest, &mut text);
    text
}

/// What follows a comment, style or script, none of which is shown.
fn hidden(after: &str) -> Option<&str> {
    let behind = |end: &str| after.split_once(end).map(|(_, behind)| behind);
    let starts = |name: &str| after.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    if starts("!--") {
        behind("-->")
    } else if starts("style") {
        behind("</style>").or_else(|| behind("</STYLE>"))
    } else if starts("script") {
        behind("</script>").or_else(|| behind("</SCRIPT>"))
    } else {
        None
    }
}

/// Longest entity that is looked at, in bytes.
const ENTITY_BYTES_MAX: usize = 10;

fn push_unescaped(text: &str, into: &mut String) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        into.push_str(before);
        let entity = after.split_once(';').filter(|(name, _)| name.len() <= ENTITY_BYTES_MAX);
        let read = entity.and_then(|(name, behind)| Some((letter(name)?, behind)));
        let (letter, behind) = read.unwrap_or(('&', after));
        into.push(letter);
        rest = behind;
    }
    into.push_str(rest);
}

/// The letter of an entity. Names beyond these are rare in texts of products, and words around them are found all the same.
fn letter(entity: &str) -> Option<char> {
    if let Some(number) = entity.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" | "rsquo" | "lsquo" => '\'',
        "nbsp" => ' ',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "egrave" => 'è',
        "agrave" => 'à',
        "ccedil" => 'ç',
        "ntilde" => 'ñ',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_what_shoppers_write_differently() {
        for (text, folded) in [
            ("Crème BRÛLÉE", "creme brulee"),
            ("Größe", "grosse"),
            ("ﬁne ½ ＡＢＣ", "fine 1⁄2 abc"),
            ("Ёлка йод Їжа", "елка йод їжа"),
            ("İstanbul ıslak", "istanbul islak"),
            ("Ὀδυσσεύς", "οδυσσευσ"),
            ("women’s", "women's"),
            ("ガラス", "ガラス"),
            ("한국어", "한국어"),
            ("हिन्दी", "हिन्दी"),
            ("שָׁלוֹם", "שלום"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn takes_tags_out() {
        for (html, text) in [
            ("<p>Red <b>shoe</b></p>", " Red  shoe  "),
            ("a <3 b &amp; c&nbsp;d &#233; &bogus; x & y", "a < 3 b & c d é &bogus; x & y"),
            ("<style>p{}</style>x<!-- no > no -->y<script>z</script>", " x y "),
            ("unclosed <b", "unclosed  b"),
        ] {
            assert_eq!(without_tags(html), text, "{html}");
        }
    }
}
