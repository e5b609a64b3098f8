//! A replica is promoted that lacks the last commits.

use std::{sync::atomic::AtomicBool, time::Instant};

use aisle::store::pool;

use super::{
    Ending, LOST, PRODUCTS, Seen, all_are_there, base_backup, by_hand_is_heard, catalogue, create, edit,
    edits_work, head, instance, kill, nothing_lost_is_vouched_for, ready, start, title, vouched, watch,
};
use crate::support::{
    process::open_folder,
    redis::shared_redis,
    waiting::{PATIENCE, wait_for},
};

/// The primary dies with commits that the promoted replica lacks. `both_saw`: whether the second instance had applied them.
fn fail_over(redis: Option<&str>, both_saw: bool) {
    let Some(parent) = open_folder() else { return };
    let [old, new] = ["old", "new"].map(|name| parent.path().join(name));
    let primary = start(&old);
    pool::migrate(primary.database_url()).expect("migrate");
    let ((first, first_relay), (second, second_relay)) =
        (instance(primary.database_url(), redis), instance(primary.database_url(), redis));
    let fleet = [&first, &second];
    let mut paths = catalogue(&first);
    base_backup(&primary, &old, &new);
    let backed_up = head(primary.database_url());
    all_are_there(&second, &paths);
    if !both_saw {
        second_relay.freeze();
    }
    for round in 0..4 * LOST {
        let editor = if both_saw { fleet[round % 2] } else { &first };
        let product = round % LOST;
        assert_eq!(edit(editor, &paths[product], &format!("lost {product}")), 200);
    }
    paths.push(create(&first, "lost altogether"));
    let lost_head = head(primary.database_url());
    for app in &fleet[..if both_saw { 2 } else { 1 }] {
        all_are_there(app, &paths);
    }

    let done = AtomicBool::new(false);
    let promoted = std::thread::scope(|scope| {
        let ending = Ending(&done);
        let watching = fleet.map(|app| scope.spawn(|| watch(app, &paths, &done)));
        kill(primary, &old);
        let killed = Instant::now();
        let promoted = start(&new);
        for relay in [&first_relay, &second_relay] {
            relay.cut();
            relay.retarget_to_postgres(promoted.database_url());
            relay.heal();
        }
        ready(&fleet);
        for app in fleet {
            // For the longest lease there is, members of the era that ended may hold one unlisted.
            let restored = wait_for(PATIENCE, "an answer", || vouched(app, 0, &paths[0]));
            assert_eq!(restored.title, "kept 0");
            assert!(restored.position < lost_head, "{} < {lost_head}", restored.position);
            assert!(restored.position >= backed_up);
            assert_eq!(title(app, &paths[PRODUCTS]), "nothing", "its creation was lost");
        }
        drop(ending);
        let seen: Vec<Seen> =
            watching.into_iter().flat_map(|watching| watching.join().expect("seen")).collect();
        nothing_lost_is_vouched_for(&seen, killed);
        promoted
    });
    edits_work(&fleet, &paths, promoted.database_url(), lost_head);
    by_hand_is_heard(&fleet, &paths, promoted.database_url());
    // Before the database they leave.
    drop((first, second));
}

#[test]
fn commits_that_a_promoted_replica_lacks_are_answered_by_nobody() {
    fail_over(Some(shared_redis()), true);
}

#[test]
fn an_instance_that_never_saw_the_lost_commits_is_right_too() {
    fail_over(None, false);
}
