//! The one place where a panic of an actor's handler ends.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::catalog::CatalogError;

/// Runs a handler's body; a panic becomes [`CatalogError::Internal`] for the guilty caller alone.
///
/// `Err(Panicked)` tells the actor to stop its context and start over with fresh state: asserting unwind safety is
/// sound only because the state the panic saw is thrown away.
pub fn guarded<T>(body: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| Panicked { what: describe(payload.as_ref()) })
}

/// A caught panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panicked {
    /// The panic's message.
    pub what: String,
}

impl From<Panicked> for CatalogError {
    fn from(panicked: Panicked) -> Self {
        Self::Internal(format!("panic: {}", panicked.what))
    }
}

/// The message of a panic, where it is text.
pub fn describe(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        let outcome: Result<(), _> = guarded(|| panic!("broken {}", 1));
        assert_eq!(outcome.unwrap_err().what, "broken 1");
        assert_eq!(guarded(|| 2), Ok(2));
    }
}
