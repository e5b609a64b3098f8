//! URL names.

/// Longest slug, in bytes; fits every URL limit and index row.
pub const SLUG_LENGTH_MAX: usize = 200;

/// Derives a slug from a title: ASCII letters and digits joined by single hyphens, any script transliterated.
/// Empty when the title has no letter or digit that can be transliterated.
pub fn slugify(title: &str) -> String {
    let mut slug = String::with_capacity(title.len());
    for letter in deunicode::deunicode(title).chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if letter != '\'' && !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= SLUG_LENGTH_MAX {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Whether a submitted slug is well formed: lowercase letters and digits of any script, hyphens, dots and underscores inside.
pub fn is_slug(slug: &str) -> bool {
    let inner = |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || matches!(c, '-' | '_' | '.');
    !slug.is_empty()
        && slug.len() <= SLUG_LENGTH_MAX
        && slug.chars().all(inner)
        && slug.starts_with(char::is_alphanumeric)
        && slug.ends_with(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_of_titles() {
        assert_eq!(slugify("Floor Lamp, 2nd edition!"), "floor-lamp-2nd-edition");
        assert_eq!(slugify("Crème brûlée"), "creme-brulee");
        assert_eq!(slugify("  --  "), "");
        assert!(is_slug(&slugify("北京 tea")));
        assert!(!is_slug("Floor"));
        assert!(!is_slug("a b"));
        assert!(!is_slug("-a"));
        assert!(is_slug("café"));
    }
}
