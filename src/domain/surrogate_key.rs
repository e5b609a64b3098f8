//! Keys by which a cache in front finds the answers that a change concerns.
//!
//! An answer names in `Surrogate-Key` what it depends on, a change names what it touched: both as the same numbers, written
//! the same way. So whoever purges needs to know nothing of the catalogue.

use std::fmt::Write;

use super::dependency::Dependency;
use crate::limits::{SURROGATE_KEYS_MAX, SURROGATE_NAME_BYTES_MAX};

/// What every answer has: purged when everything may have changed.
pub const EVERYTHING: &str = "aisle";

/// What an answer has instead of its dependencies when they are too many to be named: purged by any change.
pub const ANYTHING: &str = "aisle-any";

/// The key of one dependency: sixteen hexadecimal digits.
pub fn of(dependency: Dependency) -> String {
    format!("{:016x}", dependency.0)
}

/// The value of an answer's `Surrogate-Key`: what every answer has, a name that people can read, and what it depends on.
///
/// Its length is bounded: servers and caches refuse long headers, 8 KiB being Varnish's limit. A name that is too long is
/// left out, and dependencies that are too many are [`ANYTHING`].
pub fn header(name: &str, dependencies: impl Iterator<Item = Dependency>) -> String {
    let mut numbers: Vec<Dependency> = dependencies.take(SURROGATE_KEYS_MAX + 1).collect();
    let are_too_many = numbers.len() > SURROGATE_KEYS_MAX;
    numbers.sort_unstable();
    numbers.dedup();
    let mut header = EVERYTHING.to_owned();
    if name.len() <= SURROGATE_NAME_BYTES_MAX {
        header.push(' ');
        header.push_str(name);
    }
    if are_too_many {
        header.push(' ');
        header.push_str(ANYTHING);
        return header;
    }
    for number in numbers {
        // Writing to a string cannot fail.
        let _infallible = write!(header, " {:016x}", number.0);
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_by_each_of_its_dependencies() {
        let (slug, product) = (Dependency::slug("lamp"), Dependency(-1));
        let header = header("slug-lamp", [slug, product, slug].into_iter());
        assert_eq!(header, format!("aisle slug-lamp ffffffffffffffff {}", of(slug)));
        assert_eq!(of(Dependency(0x1f)), "000000000000001f");
    }

    #[test]
    fn the_header_stays_short_whatever_is_in_the_answer() {
        let numbers = |count: usize| (1..).map(Dependency).take(count);
        let longest = header(&"x".repeat(SURROGATE_NAME_BYTES_MAX), numbers(SURROGATE_KEYS_MAX));
        assert!(longest.ends_with(&of(Dependency(i64::try_from(SURROGATE_KEYS_MAX).unwrap()))));
        assert!(longest.len() < 6 * 1024, "{}", longest.len());
        assert_eq!(header("listing", numbers(SURROGATE_KEYS_MAX + 1)), "aisle listing aisle-any");
        assert_eq!(header(&"x".repeat(5_000), numbers(1)), "aisle 0000000000000001");
    }
}
