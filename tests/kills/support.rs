//! What the other tests stand on, and is used here as well.

#[path = "../histories/dice.rs"]
#[expect(dead_code, reason = "the histories roll more kinds of dice")]
pub(crate) mod dice;
#[path = "../it/support/process.rs"]
#[expect(dead_code, reason = "nothing here stops in order")]
pub(crate) mod process;
#[path = "../it/support/waiting.rs"]
#[expect(dead_code, reason = "nothing here waits for a value")]
pub(crate) mod waiting;
