//! Bringing whole catalogues in: Shopify product CSV, JSON lines, and a made-up catalogue to try things with.
//!
//! A [`source`] turns a file into products one after another, in bounded memory; [`run`] writes them in batches through
//! the [`catalogue`] seam and counts what happened. A wrong row is reported with its line and column and spoils its own
//! product only; a product is written whole or not at all; importing the same file again changes nothing.
//!
//! Knows the domain and the store's words; knows neither HTTP nor the command line, prints nothing.

mod ahead;
pub mod catalogue;
pub mod demo;
#[cfg(test)]
mod hostile_tests;
pub mod jsonl;
mod keys;
pub mod problem;
pub mod report;
mod rows;
pub mod run;
pub mod shopify;
pub mod source;
