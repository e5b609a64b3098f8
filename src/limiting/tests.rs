//! What holds of limits, whatever comes in whatever order.

use std::{collections::HashMap, net::Ipv4Addr, time::Duration};

use proptest::prelude::*;

use super::{Change, Key, Windows};

const QUOTA: u32 = 10;

/// Length of a window in seconds.
const LENGTH: u32 = 60;

/// A moment at the beginning of some window.
const START: Duration = Duration::from_mins(1_000_000);

fn client(number: u32) -> Key {
    Key::of_address(Ipv4Addr::from(number).into())
}

fn windows() -> Windows {
    Windows::new(QUOTA, LENGTH, 1000)
}

/// What Redis does: a field of each instance per count, and their sum.
#[derive(Default)]
struct Redis(HashMap<(Key, u64), HashMap<usize, u32>>);

impl Redis {
    /// Tells and hears; gives what was told.
    fn exchange(&mut self, instance: usize, windows: &Windows, most: usize) -> Vec<Change> {
        let changes = windows.take_changes(most);
        for change in &changes {
            let counts = self.0.entry((change.key, change.window)).or_default();
            counts.insert(instance, change.own);
            windows.heard(change, counts.values().copied().map(u64::from).sum());
        }
        changes
    }
}

#[test]
fn counts_down_refuses_and_begins_anew() {
    let windows = windows();
    for left in (0..QUOTA).rev() {
        let decision = windows.count(client(1), START);
        assert_eq!((decision.admitted, decision.remaining, decision.resets_in), (true, left, 60));
    }
    let late = START + Duration::from_millis(59_999);
    let decision = windows.count(client(1), late);
    assert_eq!((decision.admitted, decision.remaining, decision.resets_in), (false, 0, 1));
    assert!(!windows.look(client(1), late).admitted);
    assert!(windows.count(client(2), late).admitted, "somebody else");
    let next = START + Duration::from_mins(1);
    assert_eq!(windows.count(client(1), next).remaining, QUOTA - 1);
}

#[test]
fn looking_counts_nothing() {
    let windows = windows();
    for _ in 0..3 * QUOTA {
        assert_eq!(windows.look(client(1), START).remaining, QUOTA);
    }
    assert!(windows.take_changes(10).is_empty());
}

#[test]
fn a_clock_read_just_before_the_turn_counts_in_the_new_window_and_one_set_back_does_not() {
    let windows = windows();
    let before = START + Duration::from_millis(59_999);
    windows.count(client(1), START + Duration::from_mins(1));
    let decision = windows.count(client(1), before);
    assert_eq!((decision.remaining, decision.resets_in), (QUOTA - 2, 61));
    windows.count(client(1), START + Duration::from_hours(1));
    assert_eq!(windows.count(client(1), START).remaining, QUOTA - 1);
}

#[test]
fn what_the_others_counted_is_as_good_as_counted_here() {
    let (one, two) = (windows(), windows());
    let mut redis = Redis::default();
    (0..QUOTA - 1).for_each(|_| assert!(one.count(client(1), START).admitted));
    redis.exchange(1, &one, 10);
    assert!(two.count(client(1), START).admitted, "it has heard nothing yet");
    redis.exchange(2, &two, 10);
    assert!(!two.count(client(1), START).admitted);
    assert!(one.count(client(1), START).admitted, "it has not heard of the other's");
    redis.exchange(1, &one, 10);
    assert!(!one.count(client(1), START).admitted);
}

#[test]
fn what_could_not_be_told_is_told_later_unless_its_window_is_over() {
    let windows = windows();
    windows.count(client(1), START);
    let untold = windows.take_changes(10);
    windows.count(client(1), START);
    for change in &untold {
        windows.put_back(change);
    }
    let again = windows.take_changes(10);
    assert_eq!(again, [Change { own: 2, ..untold[0] }]);
    windows.turn(START + Duration::from_mins(1));
    windows.put_back(&again[0]);
    assert!(windows.take_changes(10).is_empty());
}

#[test]
fn every_count_is_told_however_few_at_a_time() {
    let windows = windows();
    (0..100).for_each(|number| assert!(windows.count(client(number), START).admitted));
    let mut told: Vec<Key> = Vec::new();
    loop {
        // Some always have news.
        windows.count(client(0), START);
        let changes = windows.take_changes(7);
        assert!(changes.len() <= 7);
        told.extend(changes.iter().map(|change| change.key));
        if changes.iter().all(|change| change.key == client(0)) {
            break;
        }
    }
    let missing: Vec<u32> = (0..100).filter(|number| !told.contains(&client(*number))).collect();
    assert_eq!(missing, [0_u32; 0]);
}

#[test]
fn keys_beyond_the_bound_are_admitted_and_not_kept() {
    let windows = windows();
    let decisions: Vec<_> = (0..5000).map(|number| windows.count(client(number), START)).collect();
    assert!(decisions.iter().all(|decision| decision.admitted));
    let kept = decisions.iter().filter(|decision| decision.counted).count();
    assert_eq!(windows.turn(START), kept);
    // Each shard takes its share, rounded up.
    assert!((500..=1024).contains(&kept), "{kept}");
    assert_eq!(windows.turn(START + Duration::from_mins(1)), 0, "an old window is dropped");
}

proptest! {
    /// One instance never admits more than the quota of a window, whatever it hears.
    #[test]
    fn no_window_of_an_instance_exceeds_the_quota(
        steps in prop::collection::vec((0_u32..4, 0_u64..15_000, 0_u64..20), 0..400),
    ) {
        let windows = windows();
        let mut now = START;
        let mut admitted: HashMap<(u32, u64), u32> = HashMap::new();
        for (number, passed, others) in steps {
            now += Duration::from_millis(passed / 10);
            if windows.count(client(number), now).admitted {
                *admitted.entry((number, now.as_secs() / u64::from(LENGTH))).or_default() += 1;
            }
            if others < 3 {
                for change in windows.take_changes(1) {
                    windows.heard(&change, u64::from(change.own) + others);
                }
            }
        }
        prop_assert!(admitted.values().all(|count| *count <= QUOTA), "{:?}", admitted);
    }

    /// Together, instances go beyond the quota by no more than what comes to each of them in two rounds: in the one in which
    /// the quota was used up, and in the next that it has requests in, before it hears of that.
    #[test]
    fn instances_exceed_the_quota_only_by_what_comes_before_they_hear(
        rounds in prop::collection::vec(prop::collection::vec(0_u32..3, 3), 0..60),
    ) {
        let instances = [windows(), windows(), windows()];
        let mut redis = Redis::default();
        let mut admitted = 0;
        for round in &rounds {
            for (instance, requests) in instances.iter().zip(round) {
                admitted += (0..*requests).filter(|_| instance.count(client(1), START).admitted).count();
            }
            for (number, instance) in instances.iter().enumerate() {
                redis.exchange(number, instance, 10);
            }
        }
        let most_in_two_rounds = |instance: usize| {
            let mut requests: Vec<u32> = rounds.iter().map(|round| round[instance]).collect();
            requests.sort_unstable();
            requests.iter().rev().take(2).sum::<u32>()
        };
        // 22 at most, where three that tell each other nothing would admit 30.
        let bound = QUOTA + (0..instances.len()).map(most_in_two_rounds).sum::<u32>();
        prop_assert!(admitted <= usize::try_from(bound).unwrap(), "{admitted} of {bound}");
        // Nothing is refused that the quota has room for.
        let asked: u32 = rounds.iter().flatten().sum();
        prop_assert!(admitted >= usize::try_from(asked.min(QUOTA)).unwrap());
    }
}
