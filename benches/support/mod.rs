//! What benchmarks stand on: servers and instances as processes of their own, a plain client, figures and tables.

#![allow(
    dead_code,
    clippy::float_arithmetic,
    reason = "each benchmark uses a part of it; figures are measured"
)]

pub(crate) mod client;
pub(crate) mod extent;
pub(crate) mod instance;
pub(crate) mod machine;
pub(crate) mod outcome;
pub(crate) mod pace;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod sample;
pub(crate) mod servers;
pub(crate) mod table;
