//! Small numbers in few bytes: seven bits a byte, the lowest first.

/// Appends a number.
pub(super) fn put(to: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            return to.push(low);
        }
        to.push(low | 0x80);
    }
}

/// Takes a number from the front; `None` where nothing is left.
pub(super) fn take(from: &mut &[u8]) -> Option<u64> {
    let (first, mut rest) = from.split_first()?;
    let mut number = u64::from(first & 0x7f);
    let (mut byte, mut shift) = (*first, 7);
    while byte & 0x80 != 0 {
        let (next, after) = rest.split_first()?;
        number |= u64::from(next & 0x7f) << shift;
        (byte, rest, shift) = (*next, after, shift + 7);
    }
    *from = rest;
    Some(number)
}

/// A signed number as an unsigned one: small stays small on either side of zero.
pub(super) fn folded(number: i64) -> u64 {
    number.cast_unsigned() << 1 ^ (number >> 63).cast_unsigned()
}

/// The reverse of [`folded`].
pub(super) fn unfolded(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn gives_back_what_was_put(numbers in prop::collection::vec(prop_oneof![0..300_u64, any::<u64>()], 0..9)) {
            let mut bytes = Vec::new();
            for number in &numbers {
                put(&mut bytes, *number);
            }
            let mut rest = bytes.as_slice();
            let back = std::iter::from_fn(|| take(&mut rest)).collect::<Vec<_>>();
            prop_assert_eq!(back, numbers);
        }

        #[test]
        fn folds_signs(number in prop_oneof![-3..3_i64, any::<i64>()]) {
            prop_assert_eq!(unfolded(folded(number)), number);
            prop_assert!(!(-2..=2).contains(&number) || folded(number) < 6);
        }
    }
}
