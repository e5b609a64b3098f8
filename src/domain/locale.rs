//! BCP 47 language tags: canonical form and the look-up of RFC 4647 §3.4.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A language tag `language[-Script][-REGION]` in canonical case, e.g. `en`, `de-CH`, `zh-Hant-TW`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Locale(String);

impl Locale {
    /// Parses a tag in any case, with `-` or `_`; `None` when it is not of the form above.
    pub fn parse(tag: &str) -> Option<Self> {
        let mut parts = tag.trim().split(['-', '_']);
        let language = parts.next()?;
        if !(2..=3).contains(&language.len()) || !language.bytes().all(|b| b.is_ascii_alphabetic()) {
            return None;
        }
        let mut canonical = language.to_ascii_lowercase();
        let mut part = parts.next();
        if let Some(script) = part.filter(|p| p.len() == 4 && p.bytes().all(|b| b.is_ascii_alphabetic())) {
            let mut letters = script.to_ascii_lowercase().chars().collect::<Vec<_>>();
            if let Some(first) = letters.first_mut() {
                first.make_ascii_uppercase();
            }
            canonical.push('-');
            canonical.extend(letters);
            part = parts.next();
        }
        if let Some(region) = part {
            let alphabetic = region.len() == 2 && region.bytes().all(|b| b.is_ascii_alphabetic());
            let numeric = region.len() == 3 && region.bytes().all(|b| b.is_ascii_digit());
            if !(alphabetic || numeric) {
                return None;
            }
            canonical.push('-');
            canonical.push_str(&region.to_ascii_uppercase());
        }
        parts.next().is_none().then_some(Self(canonical))
    }

    /// The canonical tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag and its shorter forms, most specific first: `zh-Hant-TW`, `zh-Hant`, `zh`.
    pub fn fallbacks(&self) -> impl Iterator<Item = &str> {
        let mut rest = Some(self.0.as_str());
        std::iter::from_fn(move || {
            let tag = rest?;
            rest = tag.rsplit_once('-').map(|(shorter, _)| shorter);
            Some(tag)
        })
    }
}

impl Default for Locale {
    /// English, the language of the untranslated texts unless the settings name another.
    fn default() -> Self {
        Self("en".to_owned())
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Locale {
    type Error = &'static str;

    fn try_from(tag: String) -> Result<Self, Self::Error> {
        Self::parse(&tag).ok_or("not a BCP 47 language tag")
    }
}

impl From<Locale> for String {
    fn from(locale: Locale) -> Self {
        locale.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonicalises_and_falls_back() {
        assert_eq!(Locale::parse("zh_hant_tw").unwrap().as_str(), "zh-Hant-TW");
        assert_eq!(Locale::parse("DE-ch").unwrap().as_str(), "de-CH");
        assert_eq!(Locale::parse("es-419").unwrap().as_str(), "es-419");
        let tag = Locale::parse("zh-Hant-TW").unwrap();
        assert_eq!(tag.fallbacks().collect::<Vec<_>>(), ["zh-Hant-TW", "zh-Hant", "zh"]);
        for bad in ["", "e", "engl", "en-", "en-USA", "en-US-x", "zh-cht", "1n", "en--US"] {
            assert!(Locale::parse(bad).is_none(), "{bad}");
        }
    }
}
