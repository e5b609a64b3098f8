//! What the other tests stand on, and is used here as well.

#[path = "../it/support/chaos.rs"]
#[expect(dead_code, reason = "the other tests count refusals")]
pub(crate) mod chaos;
#[path = "../it/support/database.rs"]
pub(crate) mod database;
#[path = "../it/support/process.rs"]
#[expect(dead_code, reason = "instances are started by `server`, which survives its own end")]
pub(crate) mod process;
#[path = "../it/support/redis.rs"]
#[expect(dead_code, reason = "no run fills a Redis")]
pub(crate) mod redis;
#[path = "../it/support/services.rs"]
pub(crate) mod services;
#[path = "../it/support/trap.rs"]
#[expect(dead_code, reason = "nothing goes wrong alone here")]
pub(crate) mod trap;
#[path = "../it/support/waiting.rs"]
#[expect(dead_code, reason = "no run waits without a result")]
pub(crate) mod waiting;
