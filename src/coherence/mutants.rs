//! Seeded mistakes, compiled only with the feature `mutants`: tests switch one on to show that they would notice.

use std::sync::LazyLock;

/// A part of the protocol that can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// Edits and reads of fresh edits do not wait until they are stable.
    NoStabilityWait,
    /// Entries are answered whatever the fence says.
    NoFence,
    /// Cached answers are given without a lease.
    NoLease,
    /// Cached answers are given without a look at lease, era or fence: what the benchmark compares hits with.
    NoChecks,
}

/// Whether the variable `AISLE_MUTANT` names this one.
pub fn is_active(mutant: Mutant) -> bool {
    static ACTIVE: LazyLock<Option<Mutant>> = LazyLock::new(chosen);
    *ACTIVE == Some(mutant)
}

#[expect(clippy::disallowed_methods, reason = "no setting of the product: exists in test builds only")]
fn chosen() -> Option<Mutant> {
    match std::env::var("AISLE_MUTANT").ok()?.as_str() {
        "no-stability-wait" => Some(Mutant::NoStabilityWait),
        "no-fence" => Some(Mutant::NoFence),
        "no-lease" => Some(Mutant::NoLease),
        "no-checks" => Some(Mutant::NoChecks),
        _ => None,
    }
}
