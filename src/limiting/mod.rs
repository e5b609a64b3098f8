//! Rate limits: how many requests of one client are admitted in a window of time.
//!
//! A decision is made from memory alone: what was counted here, and what the other instances were last heard to have counted.
//! An actor of its own tells them the counts of this one over Redis and hears theirs. While Redis is away each instance goes on
//! with what it knows; nobody waits for it. So for as long as two exchanges take, instances may together admit more than the
//! limit; one instance alone never does.

pub mod exchanger;
mod key;
mod limit;
mod windows;

pub use self::{
    key::Key,
    limit::{Limit, Limits, TokenLimits, Verdict},
    windows::{Change, Decision, Windows},
};

#[cfg(test)]
mod tests;
