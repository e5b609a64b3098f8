//! A panic costs its own caller a 500 and nobody else anything; a storm ends the process.

use actix::Addr;
use aisle::{
    catalog::{
        CatalogError,
        actor::{CatalogActor, CatalogMessage, Reader},
        fill::{FillActor, FillMessage, Filler},
        lists::ListDesk,
        messages::Key,
        pool::StoreMessage,
        workers::Work,
    },
    coherence::{
        follower, keeper,
        messenger::{self, MessengerMessage},
    },
    store::pool::Pool,
    supervision::{StepMessage, stepper::Envelope, supervisor::EXIT_RESTART_STORM},
};
use serde_json::json;

use crate::support::{
    app::App,
    waiting::{PATIENCE, wait_until},
};

/// Panics in whatever actor handles it.
struct Boom;

impl StoreMessage for Boom {
    type Reply = ();
    const NAME: &'static str = "boom";

    fn run(self, _pool: &Pool) -> Result<(), CatalogError> {
        panic!("boom in a store actor")
    }
}

impl Work<ListDesk> for Boom {
    type Reply = ();
    const NAME: &'static str = "boom";

    fn run(self, _desk: &ListDesk) -> Result<(), CatalogError> {
        panic!("boom in a list actor")
    }
}

impl FillMessage for Boom {
    type Reply = ();
    const NAME: &'static str = "boom";

    fn handle(self, _filler: &mut Filler, _own: &Addr<FillActor>) {
        panic!("boom in a fill actor")
    }
}

impl StepMessage for Boom {
    type State = follower::State;
    type Reply = ();
    const NAME: &'static str = "boom";

    fn handle(self, _state: &mut follower::State) {
        panic!("boom in the log follower")
    }
}

impl MessengerMessage for Boom {
    type Reply = ();
    const NAME: &'static str = "boom";

    fn handle(self, _state: &mut messenger::State) {
        panic!("boom in the messenger")
    }
}

/// Panics in the lease keeper.
struct BoomInKeeper;

impl StepMessage for BoomInKeeper {
    type State = keeper::State;
    type Reply = ();
    const NAME: &'static str = "boom";

    fn handle(self, _state: &mut keeper::State) {
        panic!("boom in the lease keeper")
    }
}

impl CatalogMessage for Boom {
    type Reply = ();
    const NAME: &'static str = "boom";

    fn handle(self, _reader: &mut Reader) {
        panic!("boom in a catalogue actor")
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    actix_rt::System::new().block_on(future)
}

fn is_internal<T: std::fmt::Debug>(answer: &Result<T, CatalogError>) -> bool {
    matches!(answer, Err(CatalogError::Internal(why)) if why.contains("boom"))
}

/// A hundred readers of cold keys around a panic: all are served.
fn a_hundred_others_are_unhurt_by(app: &App, panic: impl FnOnce() + Send) {
    let ids: Vec<String> = (0..100)
        .map(|number| {
            let made = app.create_product(&json!({"title": format!("Lamp {number}")}));
            made["id"].as_str().expect("an id").to_owned()
        })
        .collect();
    std::thread::scope(|scope| {
        let readers: Vec<_> = ids
            .iter()
            .map(|id| scope.spawn(move || app.get(&format!("/v1/store/products/{id}")).status().as_u16()))
            .collect();
        scope.spawn(panic);
        for reader in readers {
            assert_eq!(reader.join().expect("a reader"), 200);
        }
    });
}

#[test]
fn a_panic_in_a_store_actor_hurts_its_caller_only() {
    let app = App::start();
    let store = app.shared.store.clone();
    a_hundred_others_are_unhurt_by(&app, || {
        for _ in 0..5 {
            let answer = block_on(store.ask(Boom));
            assert!(is_internal(&answer), "{answer:?}");
        }
    });
    assert_eq!(app.shared.metrics.actors.store.panics.get(), 5);
    assert_eq!(app.shared.metrics.actors.store.restarts.get(), 5);
    assert_eq!(app.shared.store.alive(), app.shared.store.threads());
}

#[test]
fn a_panic_in_a_list_actor_hurts_its_caller_only() {
    let app = App::start();
    let lists = app.shared.list_actors.clone();
    a_hundred_others_are_unhurt_by(&app, || {
        for _ in 0..5 {
            let answer = block_on(lists.ask(Boom));
            assert!(is_internal(&answer), "{answer:?}");
        }
    });
    assert_eq!(app.shared.metrics.actors.list.panics.get(), 5);
    assert_eq!(app.shared.metrics.actors.list.restarts.get(), 5);
    assert_eq!(app.shared.list_actors.alive(), app.shared.list_actors.threads());
    let page = app.get_json("/v1/store/products?limit=200&sort=price&facets=price");
    assert_eq!(page["items"].as_array().map(Vec::len), Some(100));
}

#[test]
fn a_panic_in_a_fill_actor_hurts_its_caller_only() {
    let app = App::start();
    let fillers = app.shared.fillers.clone();
    a_hundred_others_are_unhurt_by(&app, || {
        let answer = block_on(fillers.ask(&Key::Tree, Boom));
        assert!(is_internal(&answer), "{answer:?}");
    });
    assert_eq!(app.shared.metrics.actors.fill.restarts.get(), 1);
}

#[test]
fn a_panic_in_the_log_follower_loses_no_change() {
    let app = App::start();
    let made = app.create_product(&json!({"title": "Lamp"}));
    let path = format!("/v1/store/products/{}", made["id"].as_str().expect("an id"));
    app.get_json(&path);
    #[expect(clippy::disallowed_methods, reason = "the test breaks the actor on purpose")]
    let answer = block_on(app.follower.address().send(Envelope(Boom))).expect("its mailbox lives");
    assert!(is_internal(&answer), "{answer:?}");
    assert_eq!(app.shared.metrics.actors.log_follower.restarts.get(), 1);
    let mut connection = app.database.as_ref().expect("its own").connect();
    diesel::connection::SimpleConnection::batch_execute(
        &mut connection,
        "UPDATE product SET title = 'By hand'",
    )
    .expect("update");
    wait_until(PATIENCE, "the edit after the restart", || app.get_json(&path)["title"] == "By hand");
}

#[test]
fn a_panic_in_the_lease_keeper_costs_no_lease() {
    let app = App::start();
    let made = app.create_product(&json!({"title": "Lamp"}));
    let path = format!("/v1/store/products/{}", made["id"].as_str().expect("an id"));
    app.get_json(&path);
    #[expect(clippy::disallowed_methods, reason = "the test breaks the actor on purpose")]
    let answer = block_on(app.keeper.address().send(Envelope(BoomInKeeper))).expect("its mailbox lives");
    assert!(is_internal(&answer), "{answer:?}");
    assert_eq!(app.shared.metrics.actors.lease_keeper.restarts.get(), 1);
    let gate = app.shared.reader.coherence.gate();
    let granted = gate.deadline();
    wait_until(PATIENCE, "the next renewal", || gate.deadline() > granted);
    assert_eq!(app.get(&path).headers()["cache-status"], "aisle; hit; detail=local");
}

#[test]
fn a_panic_in_the_messenger_loses_no_change() {
    let app = App::start();
    let beside = App::join(
        &app.database.as_ref().expect("its own").url,
        Some(crate::support::redis::shared_redis()),
        |_| (),
    );
    let made = app.create_product(&json!({"title": "Lamp"}));
    let path = format!("/v1/store/products/{}", made["id"].as_str().expect("an id"));
    beside.get_json(&path);
    let messenger = beside.shared.messenger.as_ref().expect("there is a Redis");
    messenger::tell(messenger, Boom);
    app.patch_product(made["id"].as_str().expect("an id"), &json!({"title": "New"}));
    assert_eq!(beside.get_json(&path)["title"], "New");
    wait_until(PATIENCE, "the restart", || beside.shared.metrics.actors.messenger.restarts.get() == 1);
}

#[test]
fn a_panic_in_a_catalogue_actor_hurts_its_caller_only() {
    // On a thread of its own with the same parts, since an actor of an HTTP worker takes messages from its worker alone.
    let app = App::start();
    let made = app.create_product(&json!({"title": "Lamp"}));
    let path = format!("/v1/store/products/{}", made["id"].as_str().expect("an id"));
    app.get_json(&path);
    let shared = app.shared.clone();
    block_on(async move {
        let catalog = aisle::catalog::Catalog::start(shared);
        let before = catalog.ask(ReaderSize).await;
        let (boom, others) = futures_util::join!(
            catalog.ask(Boom),
            futures_util::future::join_all((0..100).map(|_| catalog.ask(ReaderSize)))
        );
        assert!(is_internal(&boom), "{boom:?}");
        for other in others {
            assert_eq!(other, before);
        }
    });
    assert_eq!(app.shared.metrics.actors.catalog.restarts.get(), 1);
    app.get_json(&path);
}

/// Entries in the local cache.
struct ReaderSize;

impl CatalogMessage for ReaderSize {
    type Reply = usize;
    const NAME: &'static str = "reader_size";

    fn handle(self, reader: &mut Reader) -> usize {
        reader.local.len()
    }
}

/// Takes the whole thread with it, past the guard: a panic inside the drop of the caught panic's payload.
struct KillThread;

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("a payload that panics when dropped")
    }
}

impl StoreMessage for KillThread {
    type Reply = ();
    const NAME: &'static str = "kill_thread";

    fn run(self, _pool: &Pool) -> Result<(), CatalogError> {
        std::panic::panic_any(PanicsWhenDropped)
    }
}

#[test]
fn a_lost_store_thread_is_replaced() {
    let app = App::start();
    let threads = app.shared.store.threads();
    wait_until(PATIENCE, "all threads", || app.shared.store.alive() == threads);
    let answer = block_on(app.shared.store.ask(KillThread));
    assert!(matches!(answer, Err(CatalogError::Unavailable(_))), "{answer:?}");
    wait_until(PATIENCE, "a new generation", || {
        app.shared.metrics.actors.store.restarts.get() >= 1 && app.shared.store.alive() == threads
    });
    app.create_product(&json!({"title": "After the loss"}));
}

#[test]
fn a_restart_storm_ends_the_process() {
    let mut app = App::start();
    let store = app.shared.store.clone();
    block_on(async {
        for _ in 0..=aisle::limits::RESTARTS_MAX {
            let _answer = store.ask(Boom).await;
        }
    });
    assert_eq!(app.wait_for_end(), EXIT_RESTART_STORM);
}

#[test]
fn the_supervised_actor_is_the_documented_one() {
    // A compile-time statement: catalogue actors are supervised by actix on top of the guard.
    fn supervised<A: actix::Supervised>() {}
    supervised::<CatalogActor>();
    supervised::<FillActor>();
    supervised::<follower::LogFollower>();
    supervised::<keeper::LeaseKeeper>();
    supervised::<messenger::Messenger>();
}
