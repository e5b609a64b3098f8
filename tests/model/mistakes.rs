//! Mistakes the driver can be told to make: what surrounds the core, done wrong in one place.

/// One mistake. The server's own part in it is named where a driver has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// Entries are deleted when a change arrives and not compared with anything afterwards.
    Unfenced,
    /// A write is answered as soon as it is committed.
    NoAckWait,
    /// Reads of a fresh write do not wait until it is stable.
    NoDirtyWait,
    /// No slack for clocks that drift.
    NoMargin,
    /// A flight is shared with whoever comes, overtaken or not.
    JoinsAnything,
    /// Caches are read without a lease.
    NoLease,
    /// The lease is looked at after the entry.
    LeaseAfterLook,
    /// The lease counts from the renewal's answer.
    LeaseFromReply,
    /// A renewal extends the lease without the log it brought.
    RenewalWithoutLog,
    /// Acknowledges what is in the log before it is applied.
    AckBeforeApply,
    /// The shared cache is filled before what was read is stable.
    SharedBeforeStable,
    /// Entries of the shared cache are not compared with the fence.
    SharedUnchecked,
    /// A write waits for the members from before its commit.
    MembersBeforeCommit,
    /// A joining instance reads the log before its row is there.
    JoinReadsFirst,
    /// Ejects a member that has renewed since.
    EjectsUnseen,
    /// The row is read in a snapshot before the position it is stamped with.
    RowBeforeHead,
    /// What a read saw is judged before the log is applied up to it.
    UnappliedRead,
    /// Others' leases are taken to be as long as one's own.
    PresumedLease,
    /// A position that another history had is taken for this one's: no quarantine after a failover.
    NoQuarantine,
}
