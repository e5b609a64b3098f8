//! The application inside the test's process, on a port of its own, with a client.

use std::{
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use actix_web::dev::ServerHandle;
use aisle::{
    application::{Application, Backends},
    catalog::handle::Shared,
    coherence::{follower::LogFollower, keeper::LeaseKeeper},
    settings::ServeSettings,
    supervision::Slot,
};
use clap::Parser;
use reqwest::{
    Method,
    blocking::{Client, RequestBuilder, Response},
};
use serde_json::Value;

use super::{
    database::{TestDatabase, database},
    redis::shared_redis,
    waiting::{PATIENCE, wait_until},
};

/// Token that the tests' applications accept.
pub(crate) const TOKEN: &str = "test-token-0123456789";

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    settings: ServeSettings,
}

/// A running application; stopped, and looked over for leaks, with the value.
pub(crate) struct App {
    /// Its address, e.g. `http://127.0.0.1:41234`.
    pub(crate) url: String,
    /// Its actors.
    pub(crate) shared: Shared,
    /// Its log follower.
    pub(crate) follower: Arc<Slot<LogFollower>>,
    /// Its lease keeper.
    pub(crate) keeper: Arc<Slot<LeaseKeeper>>,
    /// The database it reads, if it is this one's own.
    pub(crate) database: Option<TestDatabase>,
    client: Client,
    handle: ServerHandle,
    thread: Option<JoinHandle<i32>>,
}

impl App {
    /// An application on a fresh catalogue and the shared Redis.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| ())
    }

    /// The same with other settings.
    pub(crate) fn start_with(change: impl FnOnce(&mut ServeSettings)) -> Self {
        let database = database();
        let mut app = Self::join(&database.url, Some(shared_redis()), change);
        app.database = Some(database);
        app
    }

    /// An application on this database and Redis: another instance beside the first.
    pub(crate) fn join(
        database_url: &str,
        redis_url: Option<&str>,
        change: impl FnOnce(&mut ServeSettings),
    ) -> Self {
        let arguments = [
            "aisle",
            "--listen",
            "127.0.0.1:0",
            "--workers",
            "2",
            "--store-actors",
            "4",
            "--admin-token",
            TOKEN,
        ];
        let mut settings = Arguments::parse_from(arguments).settings;
        settings.shutdown_timeout = 5;
        change(&mut settings);
        let backends =
            Backends { database_url: database_url.to_owned(), redis_url: redis_url.map(str::to_owned) };
        let (sender, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let system = actix_rt::System::new();
            system.block_on(async move {
                let app = Application::start(&settings, &backends).expect("application");
                let actors = (Arc::clone(app.follower()), Arc::clone(app.keeper()));
                let parts = (app.address(), app.handle(), app.shared().clone(), actors);
                sender.send(parts).expect("the test waits");
                actix_rt::spawn(async move {
                    app.run().await.expect("server");
                    actix_rt::System::current().stop();
                });
            });
            system.run_with_code().unwrap_or(1)
        });
        let (address, handle, shared, (follower, keeper)) =
            started.recv_timeout(PATIENCE).expect("the application starts");
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()
            .expect("client");
        let url = format!("http://{address}");
        Self { url, shared, follower, keeper, database: None, client, handle, thread: Some(thread) }
    }

    /// A request to a path, without a token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Sends a GET.
    pub(crate) fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().expect("an answer")
    }

    /// Sends a GET and reads a 200 answer's JSON.
    pub(crate) fn get_json(&self, path: &str) -> Value {
        let answer = self.get(path);
        let status = answer.status();
        let text = answer.text().expect("a body");
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// A request with the admin token.
    pub(crate) fn admin(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(TOKEN)
    }

    /// Sends JSON with the admin token, for any version (`If-Match: *`).
    pub(crate) fn admin_json(&self, method: Method, path: &str, body: &Value) -> Response {
        self.admin(method, path).header("If-Match", "*").json(body).send().expect("an answer")
    }

    /// Creates a product and returns the answer's JSON.
    pub(crate) fn create_product(&self, draft: &Value) -> Value {
        let answer = self.admin_json(Method::POST, "/v1/admin/products", draft);
        let status = answer.status();
        let text = answer.text().expect("a body");
        assert_eq!(status, 201, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Merges a patch into a product.
    pub(crate) fn patch_product(&self, id: &str, patch: &Value) -> Value {
        let answer = self.admin_json(Method::PATCH, &format!("/v1/admin/products/{id}"), patch);
        let status = answer.status();
        let text = answer.text().expect("a body");
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Store messages worked on so far.
    pub(crate) fn store_messages(&self) -> u64 {
        self.shared.metrics.store.duration.get_sample_count()
    }

    /// Stops it in order; the exit code of its system.
    pub(crate) fn stop(&mut self) -> i32 {
        let Some(thread) = self.thread.take() else { return 0 };
        let stopping = self.handle.stop(true);
        actix_rt::System::new().block_on(stopping);
        thread.join().expect("the application's thread")
    }

    /// Waits for it to end by itself; the exit code of its system.
    pub(crate) fn wait_for_end(&mut self) -> i32 {
        let thread = self.thread.take().expect("running");
        thread.join().expect("the application's thread")
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if self.thread.is_none() || std::thread::panicking() {
            return;
        }
        wait_until(PATIENCE, "every permit back", || {
            self.shared.misses.taken() == 0 && self.shared.store.in_flight() == 0
        });
        self.stop();
    }
}
