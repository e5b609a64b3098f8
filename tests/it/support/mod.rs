//! What tests stand on: servers, a database of their own, broken networks, real processes.

pub(crate) mod app;
pub(crate) mod balancer;
pub(crate) mod chaos;
pub(crate) mod database;
pub(crate) mod process;
pub(crate) mod purger;
pub(crate) mod redis;
pub(crate) mod services;
pub(crate) mod trap;
pub(crate) mod varnish;
pub(crate) mod waiting;

pub(crate) use self::database::{database, empty_database};

mod tests;
