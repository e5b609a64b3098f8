//! What the other tests stand on, and is used here as well.

#[path = "../it/support/app.rs"]
#[expect(dead_code, reason = "this application lives on a database of its own and is only asked")]
pub(crate) mod app;
#[path = "../it/support/chaos.rs"]
#[expect(dead_code, reason = "no network is broken here")]
pub(crate) mod chaos;
#[path = "../it/support/database.rs"]
pub(crate) mod database;
#[path = "../it/support/redis.rs"]
#[expect(dead_code, reason = "Redis comes with the Postgres")]
pub(crate) mod redis;
#[path = "../it/support/services.rs"]
pub(crate) mod services;
#[path = "../it/support/trap.rs"]
#[expect(dead_code, reason = "nothing goes wrong alone here")]
pub(crate) mod trap;
#[path = "../it/support/waiting.rs"]
pub(crate) mod waiting;
