//! Page cursors: an opaque token for a place between two items of a list.
//!
//! A token carries the sort value and id of the item before the place, so that a page is found by key and stays right while
//! items come and go. It is bound to the list it was made for: one taken to another filter or order is refused, as is one that
//! was cut or edited. It is checked, not signed: whoever forges one only chooses where to start reading public data.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// First byte of a token; raised when its layout changes, so that old tokens are refused rather than misread.
const LAYOUT: u8 = 1;

/// Bytes of the checksum at the end.
const CHECKSUM: usize = 8;

/// Bytes before the title: layout, time, id.
const FIXED: usize = 1 + 8 + 16;

/// Longest title a cursor may carry, in bytes: 255 characters of four bytes.
const TITLE_BYTES_MAX: usize = 255 * 4;

/// Earliest and latest time a cursor may carry (years 1 to 9999), so that a forged one cannot overflow a timestamp.
const TIMES_US: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// A place between two items of a list: the sort values and id of the item before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Microseconds since 1970 of the item before; 0 in lists that are not sorted by time.
    pub time_us: i64,
    /// Title of the item before; empty in lists that are not sorted by title.
    pub title: String,
    /// Id of the item before.
    pub id: Uuid,
}

/// A token that is not one of ours, was changed, or belongs to another list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct BadCursor;

/// Makes the token of a place. `list` names filter and order; only a decoder given the same words takes the token.
pub fn encode(list: &[&str], place: &Place) -> String {
    let mut bytes = Vec::with_capacity(FIXED + place.title.len() + CHECKSUM);
    bytes.push(LAYOUT);
    bytes.extend_from_slice(&place.time_us.to_be_bytes());
    bytes.extend_from_slice(place.id.as_bytes());
    bytes.extend_from_slice(place.title.as_bytes());
    let checksum = checksum(list, &bytes);
    bytes.extend_from_slice(&checksum);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a token made by [`encode`] for the same list.
pub fn decode(list: &[&str], token: &str) -> Result<Place, BadCursor> {
    if token.len() > (FIXED + TITLE_BYTES_MAX + CHECKSUM) * 4 / 3 + 4 {
        return Err(BadCursor);
    }
    read(list, &URL_SAFE_NO_PAD.decode(token).unwrap_or_default()).ok_or(BadCursor)
}

fn read(list: &[&str], bytes: &[u8]) -> Option<Place> {
    let (payload, claimed) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
    if claimed != checksum(list, payload) {
        return None;
    }
    let (layout, rest) = payload.split_first()?;
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let (id, title) = rest.split_first_chunk::<16>()?;
    let place = Place {
        time_us: i64::from_be_bytes(*time),
        title: std::str::from_utf8(title).ok()?.to_owned(),
        id: Uuid::from_bytes(*id),
    };
    let sane = *layout == LAYOUT && TIMES_US.contains(&place.time_us) && !place.title.contains('\0');
    sane.then_some(place)
}

fn checksum(list: &[&str], payload: &[u8]) -> [u8; CHECKSUM] {
    let mut hasher = Sha256::new();
    for word in list {
        hasher.update(word.len().to_be_bytes());
        hasher.update(word.as_bytes());
    }
    hasher.update(payload);
    let digest = hasher.finalize();
    let mut first = [0; CHECKSUM];
    for (to, from) in first.iter_mut().zip(digest) {
        *to = from;
    }
    first
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places() -> impl Strategy<Value = Place> {
        (TIMES_US, "[^\\x00]{0,255}", any::<u128>()).prop_map(|(time_us, title, id)| Place {
            time_us,
            title,
            id: Uuid::from_u128(id),
        })
    }

    proptest! {
        #[test]
        fn comes_back_as_it_went(place in places(), sort in "[a-z]{0,8}", category in ".{0,20}") {
            let list = [sort.as_str(), category.as_str()];
            let token = encode(&list, &place);
            prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(decode(&list, &token), Ok(place));
        }

        #[test]
        fn belongs_to_its_list(place in places(), one in ".{0,9}", other in ".{0,9}") {
            prop_assume!(one != other);
            prop_assert_eq!(decode(&[&other], &encode(&[&one], &place)), Err(BadCursor));
            prop_assert_eq!(decode(&[&one, ""], &encode(&[&one], &place)), Err(BadCursor));
        }

        #[test]
        fn refuses_every_change_of_a_byte(place in places(), at in any::<prop::sample::Index>(), bit in 0_u32..8) {
            let token = encode(&["newest"], &place);
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            let index = at.index(bytes.len());
            bytes[index] ^= 1 << bit;
            prop_assert_eq!(decode(&["newest"], &URL_SAFE_NO_PAD.encode(bytes)), Err(BadCursor));
        }

        #[test]
        fn refuses_anything_else(token in ".{0,200}") {
            prop_assert_eq!(decode(&["newest"], &token), Err(BadCursor));
        }
    }

    #[test]
    fn refuses_values_no_item_has() {
        let place = |time_us, title: &str| Place { time_us, title: title.to_owned(), id: Uuid::nil() };
        for bad in [place(i64::MAX, ""), place(i64::MIN, ""), place(0, "a\0"), place(0, &"x".repeat(5000))] {
            assert_eq!(decode(&["title"], &encode(&["title"], &bad)), Err(BadCursor));
        }
    }
}
