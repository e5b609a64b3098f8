//! HTTP: requests into messages, replies into answers.
//!
//! Knows messages and their replies; no database, no cache, no connection can be named here. Everything that a request may do
//! wrong ends in a problem document that names the place, and so does everything that may go wrong below.

mod admin;
mod authorization;
mod body;
pub mod certificate;
mod client_address;
mod conditional;
mod negotiate;
pub mod openapi;
mod operations;
mod parameters;
pub mod problem;
mod problem_code;
mod rate_limit;
mod request_id;
mod route;
mod state;
mod store;

use std::sync::Arc;

use actix_web::{
    http::Method,
    web::{Data, ServiceConfig},
};

pub use self::state::HttpSettings;
use self::{route::Routes, state::State};
use crate::telemetry::metrics::Metrics;

/// Declares every route on one worker, in the order of how often they are asked for. The worker's application data must hold a
/// [`Data`] of its [`Catalog`](crate::catalog::Catalog).
pub fn configure(config: &mut ServiceConfig, settings: &HttpSettings, metrics: &Arc<Metrics>) {
    declare(config, settings, metrics);
}

/// Does it, and tells what was declared.
fn declare(
    config: &mut ServiceConfig,
    settings: &HttpSettings,
    metrics: &Arc<Metrics>,
) -> Vec<(&'static str, Vec<Method>)> {
    let state = State::new(settings, Arc::clone(metrics));
    let mut routes = Routes::new(config, &state);
    store::declare(&mut routes);
    admin::declare(&mut routes);
    operations::declare(&mut routes);
    openapi::declare(&mut routes);
    routes.otherwise();
    let declared = routes.declared;
    config.app_data(Data::new(state));
    declared
}

#[cfg(test)]
mod tests;
