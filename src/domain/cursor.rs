//! Page cursors: an opaque token for a place between two items of a list.
//!
//! A token carries the sort value and id of the item before the place, so that a page is found by key and stays right while
//! items come and go. It is bound to the list it was made for: one taken to another filter or order is refused, as is one that
//! was cut or edited. It is checked, not signed: whoever forges one only chooses where to start reading public data.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::list::{Place, Start};

/// First byte of a token; raised when its layout changes, so that old tokens are refused rather than misread.
const LAYOUT: u8 = 2;

/// Bytes of the checksum at the end.
const CHECKSUM: usize = 8;

/// Longest token, in characters: a title of 255 characters of four bytes, and what stands around it.
const TOKEN_MAX: usize = 1500;

/// A token that is not one of ours, was changed, or belongs to another list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct BadCursor;

/// Makes the token of the page after or before a place. `list` names filter and order; only a decoder given the same takes
/// the token. The beginning of a list needs none.
pub fn encode(list: &[u8], start: &Start) -> String {
    let (is_after, place) = match start {
        Start::Beginning => return String::new(),
        Start::After(place) => (true, place),
        Start::Before(place) => (false, place),
    };
    let mut bytes = vec![LAYOUT];
    // Serialising plain values into memory cannot fail.
    bytes.extend(postcard::to_stdvec(&(is_after, place)).unwrap_or_default());
    let checksum = checksum(list, &bytes);
    bytes.extend_from_slice(&checksum);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a token made by [`encode`] for the same list.
pub fn decode(list: &[u8], token: &str) -> Result<Start, BadCursor> {
    if token.len() > TOKEN_MAX {
        return Err(BadCursor);
    }
    read(list, &URL_SAFE_NO_PAD.decode(token).unwrap_or_default()).ok_or(BadCursor)
}

fn read(list: &[u8], bytes: &[u8]) -> Option<Start> {
    let (payload, claimed) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
    if claimed != checksum(list, payload) {
        return None;
    }
    let (layout, rest) = payload.split_first()?;
    let ((is_after, place), rest) = postcard::take_from_bytes::<(bool, Place)>(rest).ok()?;
    let sane = *layout == LAYOUT && rest.is_empty();
    sane.then_some(if is_after { Start::After(place) } else { Start::Before(place) })
}

fn checksum(list: &[u8], payload: &[u8]) -> [u8; CHECKSUM] {
    let mut hasher = Sha256::new();
    hasher.update(list.len().to_be_bytes());
    hasher.update(list);
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
    use uuid::Uuid;

    use super::*;
    use crate::domain::list::SortKey;

    fn starts() -> impl Strategy<Value = Start> {
        let key = prop_oneof![
            any::<i64>().prop_map(SortKey::Time),
            any::<Option<i64>>().prop_map(SortKey::Amount),
            "[^\\x00]{0,255}".prop_map(|title| SortKey::Title(title.into())),
            any::<(Option<i32>, i64)>().prop_map(|(place, time)| SortKey::Position(place, time)),
            any::<(u32, bool)>().prop_map(|(score, in_stock)| SortKey::Score(score, in_stock)),
        ];
        (key, any::<u128>(), any::<bool>()).prop_map(|(key, id, is_after)| {
            let place = Place { key, id: Uuid::from_u128(id) };
            if is_after { Start::After(place) } else { Start::Before(place) }
        })
    }

    proptest! {
        #[test]
        fn comes_back_as_it_went(start in starts(), list in any::<Vec<u8>>()) {
            let token = encode(&list, &start);
            prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(decode(&list, &token), Ok(start));
        }

        #[test]
        fn belongs_to_its_list(start in starts(), one in any::<Vec<u8>>(), other in any::<Vec<u8>>()) {
            prop_assume!(one != other);
            prop_assert_eq!(decode(&other, &encode(&one, &start)), Err(BadCursor));
        }

        #[test]
        fn refuses_every_change_of_a_byte(start in starts(), at in any::<prop::sample::Index>(), bit in 0_u32..8) {
            let token = encode(b"newest", &start);
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            let index = at.index(bytes.len());
            bytes[index] ^= 1 << bit;
            prop_assert_eq!(decode(b"newest", &URL_SAFE_NO_PAD.encode(bytes)), Err(BadCursor));
        }

        #[test]
        fn refuses_anything_else(token in ".{0,200}") {
            prop_assert_eq!(decode(b"newest", &token), Err(BadCursor));
        }
    }
}
