//! The index against a computation that looks at every product, over random catalogues and queries.

mod affects;
mod catalogue;
mod fill;
mod model;
mod pages;
