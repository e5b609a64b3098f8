//! What the process tells about itself: log lines and metrics.
//!
//! Knows nothing of the catalogue: every other module reports here, in its own words, through handles made at the start.

pub mod logging;
pub mod metrics;
