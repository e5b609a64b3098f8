//! The known name that a misspelt one resembles.

/// Longest name that is compared, in characters: the comparison takes time by the square of it.
const COMPARED_LENGTH_MAX: usize = 40;

/// The known name at most two fifths of its letters away from `name` without regard to case, hyphens and underscores.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = letters(name);
    if name.is_empty() || name.len() > COMPARED_LENGTH_MAX {
        return None;
    }
    let candidates = known.iter().map(|known| {
        let letters = letters(known);
        (distance(&name, &letters), letters.len(), *known)
    });
    let (away, length, known) = candidates.min_by_key(|(away, _, _)| *away)?;
    (away * 5 <= length * 2).then_some(known)
}

fn letters(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Levenshtein distance, one row of the table at a time.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, a) in from.iter().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (b, cell) in to.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = replaced.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["title", "slug", "external_id", "product_type", "prices"];
        assert_eq!(nearest("tilte", &known), Some("title"), "a swap is two edits");
        assert_eq!(nearest("titles", &known), Some("title"));
        assert_eq!(nearest("price", &known), Some("prices"));
        assert_eq!(nearest("externalId", &known), Some("external_id"));
        assert_eq!(nearest("productType", &known), Some("product_type"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest("", &known), None);
        assert_eq!(nearest(&"x".repeat(100_000), &known), None);
    }
}
