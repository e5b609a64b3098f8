//! The judge of recorded histories (`tests/histories`) is judged itself.
//!
//! Beside the mistakes it must find, small histories of every kind are judged by trying all orders as well.

use proptest::prelude::*;

use self::zones::{NEVER, Operation, Violation, check};

#[path = "../histories/checker.rs"]
mod zones;

fn write(value: u32, begin: u64, end: u64) -> Operation {
    Operation { write: true, value, begin, end }
}

fn read(value: u32, begin: u64, end: u64) -> Operation {
    Operation { write: false, value, begin, end }
}

#[test]
fn what_is_in_order_is_left_alone() {
    let history = [
        write(0, 0, 0),
        read(0, 1, 2),
        write(1, 10, 30),
        read(0, 11, 19),
        read(1, 20, 25),
        read(1, 26, 40),
        // Two writes at once, seen in either order, but only in one.
        write(2, 50, 70),
        write(3, 50, 70),
        read(3, 55, 60),
        read(2, 61, 65),
        read(2, 80, 90),
    ];
    assert_eq!(check(&history), []);
}

#[test]
fn a_stale_read_after_the_acknowledgement_is_found() {
    let history = [write(0, 0, 0), read(0, 1, 5), write(1, 10, 20), read(0, 21, 22), read(1, 30, 31)];
    assert!(matches!(check(&history)[..], [Violation::Alternating(..)]), "{:?}", check(&history));
    // The same when another acknowledged write has been read before, and after.
    let history = [
        write(0, 0, 0),
        write(1, 10, 20),
        read(1, 21, 22),
        write(2, 30, 40),
        read(2, 41, 42),
        read(1, 43, 44),
        read(2, 45, 46),
    ];
    assert!(matches!(check(&history)[..], [Violation::Alternating(..)]), "{:?}", check(&history));
}

#[test]
fn new_then_old_across_two_clients_is_found() {
    // While the write is under way one client sees the new value, then another one the old.
    let history = [write(0, 0, 0), read(0, 1, 5), write(1, 10, 100), read(1, 20, 30), read(0, 31, 40)];
    assert!(matches!(check(&history)[..], [Violation::Inside { .. }]), "{:?}", check(&history));
    // Overlapping reads may see either.
    let history = [write(0, 0, 0), read(0, 1, 5), write(1, 10, 100), read(1, 20, 30), read(0, 29, 40)];
    assert_eq!(check(&history), []);
    // Also when the write's outcome is unknown.
    let history = [write(0, 0, 0), write(1, 10, NEVER), read(1, 20, 30), read(0, 31, 40), read(1, 50, 60)];
    assert!(!check(&history).is_empty());
}

#[test]
fn a_lost_write_is_found() {
    // Acknowledged, then never seen although nobody wrote anything else.
    let history = [write(0, 0, 0), write(1, 10, 20), read(0, 30, 40), read(0, 50, 60)];
    assert!(matches!(check(&history)[..], [Violation::Inside { .. }]), "{:?}", check(&history));
    // Without an answer it may be lost, or come late.
    let history = [write(0, 0, 0), write(1, 10, NEVER), read(0, 30, 40), read(0, 50, 60)];
    assert_eq!(check(&history), []);
    let history = [write(0, 0, 0), write(1, 10, NEVER), read(0, 30, 40), read(1, 50, 60)];
    assert_eq!(check(&history), []);
}

#[test]
fn a_value_from_the_future_or_from_nowhere_is_found() {
    let history = [write(0, 0, 0), read(1, 5, 9), write(1, 10, 20)];
    assert_eq!(check(&history), [Violation::Early { read: 1, write: 2 }]);
    let history = [write(0, 0, 0), read(1, 5, 10), write(1, 10, 20)];
    assert_eq!(check(&history), [], "an instant of both proves no order");
    let history = [write(0, 0, 0), read(7, 5, 9)];
    assert_eq!(check(&history), [Violation::Unwritten { read: 1 }]);
}

/// Tries every order that keeps what ended before what began, with writes of unknown outcome or without them.
fn linearizable_by_trying(operations: &[Operation]) -> bool {
    fn go(operations: &[Operation], done: u32, held: u32) -> bool {
        let left = |place: usize| done & (1 << place) == 0;
        let places = || (0..operations.len()).filter(|place| left(*place));
        if places().all(|place| operations[place].end == NEVER) {
            return true;
        }
        places().any(|place| {
            let next = operations[place];
            let first = places().all(|other| operations[other].end >= next.begin);
            first
                && (next.write || next.value == held)
                && go(operations, done | (1 << place), if next.write { next.value } else { held })
        })
    }
    go(operations, 0, u32::MAX)
}

/// Short times, so that ties and overlaps are common.
fn histories() -> impl Strategy<Value = Vec<Operation>> {
    let span = || (1_u64..14, 0_u64..6, any::<u8>());
    let writes = prop::collection::vec(span(), 0..5);
    let reads = prop::collection::vec((span(), 0_u32..6), 0..6);
    (writes, reads).prop_map(|(writes, reads)| {
        let mut operations = vec![write(0, 0, 0)];
        for (value, (begin, length, odds)) in (1..).zip(writes) {
            operations.push(write(value, begin, if odds < 50 { NEVER } else { begin + length }));
        }
        operations
            .extend(reads.into_iter().map(|((begin, length, _), value)| read(value, begin, begin + length)));
        operations
    })
}

/// Histories of a register that is right, whose reads are then sometimes made to return something else.
fn nearly_right() -> impl Strategy<Value = Vec<Operation>> {
    let operation = (any::<bool>(), 0_u64..4, 0_u64..4, 0_u8..40);
    prop::collection::vec(operation, 1..11).prop_map(|steps| {
        let mut operations = vec![write(0, 0, 0)];
        let (mut held, mut fresh) = (0, 0);
        for ((writes, before, after, odds), at) in steps.into_iter().zip((5_u64..).step_by(2)) {
            let (begin, end) = (at - before, at + after);
            if writes {
                fresh += 1;
                held = fresh;
                operations.push(write(held, begin, if odds < 4 { NEVER } else { end }));
            } else {
                operations.push(read(if odds < 4 { held.saturating_sub(1) } else { held }, begin, end));
            }
        }
        operations
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn any_history_is_judged_as_by_trying_all_orders(history in histories()) {
        prop_assert_eq!(check(&history).is_empty(), linearizable_by_trying(&history), "{:?}", check(&history));
    }

    #[test]
    fn nearly_right_histories_are_judged_as_by_trying_all_orders(history in nearly_right()) {
        prop_assert_eq!(check(&history).is_empty(), linearizable_by_trying(&history), "{:?}", check(&history));
    }
}
