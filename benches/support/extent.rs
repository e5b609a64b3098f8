//! How much a benchmark measures.

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Enough to judge by.
    Full,
    /// To try the benchmark out.
    Quick,
}

impl Extent {
    /// One of two.
    pub(crate) fn of<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}
