//! How the benchmark fails: loudly, with whatever went wrong.

/// A value, or the end of the run.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
