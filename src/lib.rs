#![doc = include_str!("../README.md")]

pub mod application;
pub mod cache;
pub mod catalog;
pub mod cli;
pub mod coherence;
pub mod domain;
pub mod embedded;
pub mod http;
pub mod import;
pub mod limits;
pub mod listing;
pub mod search;
pub mod settings;
pub mod store;
pub mod supervision;
pub mod telemetry;
