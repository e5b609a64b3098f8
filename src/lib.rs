// Only where it is shown: whoever edits the README need not build everything again.
#![cfg_attr(doc, doc = include_str!("../README.md"))]
#![cfg_attr(not(doc), doc = "A product catalogue server that is never silently stale.")]

pub mod application;
pub mod cache;
pub mod catalog;
pub mod cli;
pub mod closing;
pub mod coherence;
pub mod domain;
pub mod dump;
pub mod embedded;
pub mod http;
pub mod import;
pub mod limiting;
pub mod limits;
mod listeners;
pub mod listing;
pub mod search;
pub mod settings;
pub mod store;
pub mod supervision;
pub mod telemetry;
