//! The files of the database are replaced by an older copy of themselves.

use std::{fs, sync::mpsc};

use aisle::{
    coherence::keeper,
    embedded::Services,
    store::pool,
    supervision::{StepMessage, stepper::Envelope},
};
use diesel::connection::SimpleConnection;

use super::{
    LOST, all_are_there, by_hand_is_heard, catalogue, cluster, copy, edit, edits_work, equals_the_database,
    head, instance, ready, start, title,
};
use crate::{
    catalogue::texts,
    support::{
        app::App,
        chaos::Relay,
        database::connect,
        process::open_folder,
        redis::shared_redis,
        waiting::{PATIENCE, wait_until},
    },
};

/// Holds the lease keeper up until the other end is gone.
struct Hold(mpsc::Receiver<()>);

impl StepMessage for Hold {
    type State = keeper::State;
    type Reply = ();
    const NAME: &'static str = "hold";

    fn handle(self, _state: &mut keeper::State) {
        self.0.recv().expect_err("dropped");
    }
}

#[expect(clippy::disallowed_methods, reason = "one message")]
fn hold_keeper(app: &App) -> mpsc::Sender<()> {
    let (held, holding) = mpsc::channel();
    app.keeper.address().do_send(Envelope(Hold(holding)));
    held
}

/// A primary with a catalogue and two warm instances, of which the second lost its database before the last edits. Its
/// files are then those of before these edits; nobody is connected.
struct Restored {
    first: (App, Relay),
    second: (App, Relay),
    paths: Vec<String>,
    eras: [u32; 2],
    lost_head: i64,
    services: Services,
    _folder: tempfile::TempDir,
}

fn restored(redis: Option<&str>) -> Option<Restored> {
    let parent = open_folder()?;
    let (folder, kept) = (parent.path().join("data"), parent.path().join("kept"));
    let services = start(&folder);
    pool::migrate(services.database_url()).expect("migrate");
    let url = services.database_url().to_owned();
    let (first, second) = (instance(&url, redis), instance(&url, redis));
    let paths = catalogue(&first.0);
    services.stop();
    copy(&cluster(&folder), &kept);
    let services = start(&folder);
    ready(&[&first.0, &second.0]);
    all_are_there(&second.0, &paths);
    second.1.cut();
    for round in 0..4 * LOST {
        let product = round % LOST;
        assert_eq!(edit(&first.0, &paths[product], &format!("lost {product}")), 200);
    }
    all_are_there(&first.0, &paths);
    let lost_head = head(&url);
    first.1.cut();
    services.stop();
    fs::remove_dir_all(cluster(&folder)).expect("remove");
    fs::rename(kept, cluster(&folder)).expect("restore");
    let services = start(&folder);
    let eras = [&first, &second].map(|(app, _)| app.shared.reader.coherence.gate().era());
    Some(Restored { first, second, paths, eras, lost_head, services, _folder: parent })
}

impl Restored {
    /// Changes products that nobody's edits were lost of, until all positions that were lost are given out again.
    fn outrun(&self) {
        let mut connection = connect(self.services.database_url());
        while head(self.services.database_url()) <= self.lost_head + 1 {
            let change = "UPDATE product SET title = 'overwritten' WHERE title LIKE 'kept 9'; UPDATE product SET \
                          description = description || '.' WHERE title = 'overwritten'";
            connection.batch_execute(change).expect("change");
        }
    }

    /// Both are in another era, with nothing of the former one.
    fn ends_the_era(self) {
        let fleet = [&self.first.0, &self.second.0];
        for (app, before) in fleet.iter().zip(self.eras) {
            let era = || app.shared.reader.coherence.gate().era();
            wait_until(PATIENCE, "another era", || era() > before);
        }
        ready(&fleet);
        let url = self.services.database_url();
        equals_the_database(url);
        edits_work(&fleet, &self.paths, url, self.lost_head);
        by_hand_is_heard(&fleet, &self.paths, url);
        let Self { first, second, .. } = self;
        drop((first.0, second.0));
    }
}

#[test]
fn files_restored_to_an_older_copy_end_the_era() {
    let Some(restored) = restored(Some(shared_redis())) else { return };
    // The one that has seen nothing of what was lost goes first: nothing looks wrong to it.
    restored.second.1.heal();
    ready(&[&restored.second.0]);
    restored.first.1.heal();
    restored.ends_the_era();
}

#[test]
fn an_older_copy_under_a_fleet_that_was_stopped_begins_an_era_by_hand() {
    let Some(parent) = open_folder() else { return };
    let (folder, kept) = (parent.path().join("data"), parent.path().join("kept"));
    let services = start(&folder);
    pool::migrate(services.database_url()).expect("migrate");
    let (editor, relay) = instance(services.database_url(), Some(shared_redis()));
    let paths = catalogue(&editor);
    services.stop();
    copy(&cluster(&folder), &kept);
    let services = start(&folder);
    ready(&[&editor]);
    for (product, path) in paths.iter().enumerate() {
        assert_eq!(edit(&editor, path, &format!("lost {product}")), 200);
    }
    all_are_there(&editor, &paths); // now in Redis
    drop((editor, relay));
    services.stop();
    fs::remove_dir_all(cluster(&folder)).expect("remove");
    fs::rename(kept, cluster(&folder)).expect("restore");
    let services = start(&folder);
    let mut connection = connect(services.database_url());
    connection.batch_execute("SELECT catalog.begin_era()").expect("another era");
    let (fresh, _relay) = instance(services.database_url(), Some(shared_redis()));
    // Instances that nobody lists might have gone on with what was lost.
    connection.batch_execute("SELECT catalog.sync()").expect("sync");
    let settled = "SELECT (clock_timestamp() - since > '5 seconds')::text AS text FROM catalog_era";
    assert_eq!(texts(&mut connection, settled), ["true"]);
    for (product, path) in paths.iter().enumerate() {
        assert_eq!(title(&fresh, path), format!("kept {product}"));
    }
    drop(fresh);
}

#[test]
fn a_lost_history_is_noticed_though_the_new_one_is_longer() {
    let Some(restored) = restored(None) else { return };
    restored.outrun();
    restored.first.1.heal();
    restored.second.1.heal();
    restored.ends_the_era();
}

#[test]
fn nothing_is_applied_on_top_of_a_lost_history_before_it_is_noticed() {
    let Some(restored) = restored(None) else { return };
    let (first, relay) = &restored.first;
    let held = hold_keeper(first);
    let applied = || first.shared.reader.coherence.gate().applied();
    assert_eq!(applied(), restored.lost_head);
    restored.outrun();
    relay.heal();
    // The follower is back before the keeper, and edits come in.
    let errors = first.shared.metrics.log.errors.get();
    wait_until(PATIENCE, "the follower", || {
        first.shared.metrics.log.errors.get() > errors || applied() != restored.lost_head
    });
    assert_eq!(edit(first, &restored.paths[8], "too early"), 503);
    assert_eq!(applied(), restored.lost_head);
    drop(held);
    restored.second.1.heal();
    restored.ends_the_era();
}
