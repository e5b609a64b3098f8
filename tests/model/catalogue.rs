//! The configurations.

use crate::{
    config::Config,
    coverage::Path::{
        self, Adopted, DirtyByAcks, DirtyByTime, EditSeen, Ejected, EraEntered, FailedOver, FoundEjected,
        Lapsed, Left, LocalHit, Overtaken, Rejoined, Restarted, SharedHit, SharedRefused, StaleRefused,
        WriteByAcks, WriteByTime,
    },
    mistakes::Mistake::{
        AckBeforeApply, EjectsUnseen, JoinReadsFirst, JoinsAnything, LeaseAfterLook, LeaseFromReply,
        MembersBeforeCommit, NoAckWait, NoDirtyWait, NoLease, NoMargin, NoQuarantine, PresumedLease,
        RenewalWithoutLog, RowBeforeHead, SharedBeforeStable, SharedUnchecked, UnappliedRead, Unfenced,
    },
};

const BASE: Config = Config::BASE;
const COLD: [bool; 2] = [false, false];
/// Clocks that go apart by a tick, which others wait for twice: once ahead, once behind.
const DRIFTING: Config = Config { skew: 1, margin: 2, ticks: 4, ..BASE };
/// The members' rows are put to the test.
const EJECTING: Config = Config { ejects: true, ..BASE };

/// Those that every test run explores.
pub(crate) fn small() -> Vec<Config> {
    [MISTAKEN, SMALL].concat()
}

/// Those worth waiting for.
pub(crate) fn large() -> Vec<Config> {
    let sound = SOUND.iter().map(|config| Config { seconds: 300, ..config.clone() });
    MISTAKEN.iter().cloned().chain(sound).collect()
}

/// One client that reads once.
const ALONE: Config = Config { reads: [1, 0], ..BASE };
/// Paths that two reading clients take.
const USUAL: &[Path] =
    &[WriteByAcks, WriteByTime, DirtyByAcks, DirtyByTime, StaleRefused, LocalHit, Adopted, Lapsed];
/// The same, and a second change while a flight reads the first.
const USUAL_AND_OVERTAKEN: &[Path] =
    &[WriteByAcks, WriteByTime, DirtyByAcks, DirtyByTime, StaleRefused, LocalHit, Adopted, Overtaken, Lapsed];
/// Paths that one reading client takes.
const ONE_READER: &[Path] =
    &[WriteByAcks, WriteByTime, DirtyByAcks, DirtyByTime, StaleRefused, LocalHit, Lapsed];
/// Paths of the members' rows.
const EJECTION: &[Path] = &[Ejected, FoundEjected, Rejoined, Path::EjectFailed];
const EJECTED_ALONE: Config = Config { reads: [1, 0], ..EJECTING };

/// Nothing may be found wrong with these: small enough for every test run.
const SMALL: &[Config] = &[
    Config {
        id: "a",
        what: "1 write, reads 1+1, cold, 1 tick",
        warm: COLD,
        ticks: 1,
        covers: &[WriteByAcks, WriteByTime, DirtyByAcks, DirtyByTime, Adopted, Overtaken, Lapsed],
        ..BASE
    },
    Config {
        id: "b",
        what: "2 writes, 1 read",
        writes: 2,
        covers: &[StaleRefused, LocalHit],
        ticks: 1,
        ..ALONE
    },
    Config {
        id: "e",
        what: "drifting clocks, 1 write, 1 read",
        reads: [1, 0],
        covers: &[WriteByTime, Lapsed],
        ticks: 3,
        ..DRIFTING
    },
    Config { id: "f", what: "1 write, 1 direct edit, 1 read", edits: 1, covers: &[EditSeen], ..ALONE },
    Config {
        id: "g",
        what: "1 write, 2 reads, L2 may return any old entry",
        is_shared: true,
        reads: [2, 0],
        covers: &[SharedHit],
        ..BASE
    },
    Config {
        id: "h",
        what: "ejection and re-join, 1 write, 1 read",
        reads: [1, 0],
        covers: &[Ejected, Rejoined],
        seconds: 10,
        is_broad: true,
        ..EJECTING
    },
    Config {
        id: "i",
        what: "kill -9 and restart, 1 write, 1 read",
        kills: 1,
        covers: &[Restarted, Rejoined],
        ticks: 1,
        ..ALONE
    },
    Config { id: "l", what: "orderly leave, 1 write, 1 read", leaves: 1, covers: &[Left], ..ALONE },
    Config {
        id: "o",
        what: "leases of 1 and 2 ticks, 1 write, 1 read",
        leases: [1, 2],
        ticks: 3,
        covers: &[WriteByTime],
        ..ALONE
    },
    Config {
        id: "t",
        what: "failover that loses commits, 1 write, 1 read, freshness",
        seconds: 10,
        is_broad: true,
        failovers: 1,
        is_linearizable: false,
        covers: &[FailedOver, EraEntered],
        ticks: 1,
        ..ALONE
    },
];

/// Nor with these.
const SOUND: &[Config] = &[
    Config { id: "A", what: "1 write, reads 1+1, cold", warm: COLD, covers: USUAL_AND_OVERTAKEN, ..BASE },
    Config {
        id: "A2",
        what: "A, every step on its own, 1 tick",
        warm: COLD,
        is_fine: true,
        ticks: 1,
        covers: &[WriteByAcks, WriteByTime, DirtyByAcks, DirtyByTime, Adopted, Overtaken, Lapsed],
        ..BASE
    },
    Config {
        id: "B",
        what: "2 writes, 2 reads by one client",
        writes: 2,
        reads: [2, 0],
        covers: ONE_READER,
        ..BASE
    },
    Config { id: "C", what: "2 writes, reads 1+1", writes: 2, covers: USUAL_AND_OVERTAKEN, ..BASE },
    Config { id: "D", what: "1 write, reads 2+1", reads: [2, 1], covers: USUAL, ..BASE },
    Config { id: "E", what: "drifting clocks, 1 write, reads 1+1", covers: USUAL, ..DRIFTING },
    Config {
        id: "E2",
        what: "drifting clocks, 1 write, 2 reads by one client",
        reads: [2, 0],
        covers: ONE_READER,
        ..DRIFTING
    },
    Config {
        id: "F",
        what: "1 write, 1 direct edit, 2 reads by one client",
        edits: 1,
        reads: [2, 0],
        covers: ONE_READER,
        ..BASE
    },
    Config {
        id: "G",
        what: "2 writes, 2 reads, L2 may return any old entry",
        writes: 2,
        reads: [2, 0],
        is_shared: true,
        covers: &[SharedHit, SharedRefused],
        ..BASE
    },
    Config {
        id: "H",
        what: "ejection and re-join, 1 write, reads 1+1, 3 ticks",
        ticks: 3,
        covers: EJECTION,
        ..EJECTING
    },
    Config {
        id: "H2",
        what: "H with 1 read, every step on its own",
        ticks: 3,
        reads: [1, 0],
        is_fine: true,
        covers: EJECTION,
        ..EJECTING
    },
    Config {
        id: "H3",
        what: "ejection and re-join, 1 write, 2 reads by one client",
        reads: [2, 0],
        covers: EJECTION,
        ..EJECTING
    },
    Config {
        id: "H4",
        what: "ejection and re-join, 2 writes, 1 read",
        writes: 2,
        reads: [1, 0],
        covers: EJECTION,
        ..EJECTING
    },
    Config {
        id: "I",
        what: "kill -9 and restart, 1 write, reads 1+1",
        kills: 1,
        covers: &[Restarted, Rejoined],
        ..BASE
    },
    Config {
        id: "I2",
        what: "kill -9 and restart, 2 writes, 1 read",
        kills: 1,
        writes: 2,
        reads: [1, 0],
        covers: &[Restarted, Rejoined],
        ..BASE
    },
    Config {
        id: "J",
        what: "2 writes, reads 2+1",
        writes: 2,
        reads: [2, 1],
        covers: USUAL_AND_OVERTAKEN,
        ..BASE
    },
    Config {
        id: "K",
        what: "drifting clocks, 2 writes, 2 reads by one client",
        writes: 2,
        reads: [2, 0],
        covers: ONE_READER,
        ..DRIFTING
    },
    Config { id: "L", what: "orderly leave, 1 write, reads 1+1", leaves: 1, covers: &[Left], ..BASE },
    Config {
        id: "O",
        what: "leases of 1 and 2 ticks, 1 write, reads 1+1",
        leases: [1, 2],
        ticks: 3,
        covers: USUAL,
        ..BASE
    },
    Config {
        id: "P",
        what: "ejection, 1 lost answer, 1 write, 1 read, 3 ticks",
        losses: 1,
        reads: [1, 0],
        ticks: 3,
        covers: &[Path::AnswerLost, Ejected],
        ..EJECTING
    },
    Config {
        id: "Q",
        what: "kill -9 and restart without a tail of the log, L2, 1 write, 2 reads",
        kills: 1,
        is_shared: true,
        reads: [2, 0],
        tail: 0,
        covers: &[Restarted, SharedHit, SharedRefused],
        ..BASE
    },
    Config {
        id: "T",
        what: "failover that loses commits, 2 writes, 2 reads, freshness",
        writes: 2,
        reads: [2, 0],
        failovers: 1,
        is_linearizable: false,
        covers: &[FailedOver, EraEntered],
        ..BASE
    },
];

/// The harm of these must be found.
const MISTAKEN: &[Config] = &[
    Config {
        id: "N1",
        what: "delete after write, wait for nobody",
        mistakes: &[Unfenced, NoAckWait, NoDirtyWait, NoLease],
        ticks: 0,
        ..BASE
    },
    Config {
        id: "N2",
        what: "delete after write, acks and leases, racing fill",
        mistakes: &[Unfenced, NoDirtyWait],
        warm: COLD,
        ..BASE
    },
    Config { id: "N3", what: "no dirty wait", mistakes: &[NoDirtyWait], ..BASE },
    Config { id: "M1", what: "no slack for drift", mistakes: &[NoMargin], ticks: 3, ..DRIFTING },
    Config {
        id: "M2",
        what: "a flight is shared with whoever comes",
        mistakes: &[JoinsAnything],
        warm: COLD,
        ticks: 0,
        ..BASE
    },
    Config { id: "M3", what: "no lease", mistakes: &[NoLease], ..BASE },
    Config { id: "M4", what: "lease counted from the answer", mistakes: &[LeaseFromReply], ..BASE },
    Config { id: "M5", what: "renewal without the log", mistakes: &[RenewalWithoutLog], ..BASE },
    Config { id: "M6", what: "ack before apply", mistakes: &[AckBeforeApply], ..BASE },
    Config {
        id: "M7",
        what: "L2 filled before stable",
        mistakes: &[SharedBeforeStable],
        is_shared: true,
        drops: 1,
        ..BASE
    },
    Config {
        id: "M8",
        what: "L2 hit not compared",
        mistakes: &[SharedUnchecked],
        is_shared: true,
        warm: COLD,
        ticks: 0,
        ..BASE
    },
    Config {
        id: "M9",
        what: "member list from before the commit",
        mistakes: &[MembersBeforeCommit],
        ..EJECTED_ALONE
    },
    Config {
        id: "M10",
        what: "joiner reads the log before its row",
        mistakes: &[JoinReadsFirst],
        ..EJECTED_ALONE
    },
    Config { id: "M11", what: "ejection without comparison", mistakes: &[EjectsUnseen], ..EJECTED_ALONE },
    Config {
        id: "M12",
        what: "others' leases taken for as long as one's own",
        mistakes: &[PresumedLease],
        leases: [1, 2],
        reads: [1, 0],
        ..BASE
    },
    Config {
        id: "M13",
        what: "lease looked at after the entry",
        mistakes: &[LeaseAfterLook],
        reads: [1, 0],
        ..BASE
    },
    Config {
        id: "M14",
        what: "row read in a snapshot before its position",
        mistakes: &[RowBeforeHead],
        warm: COLD,
        ticks: 0,
        ..BASE
    },
    Config {
        id: "M15",
        what: "dirty wait judged before the log is applied",
        mistakes: &[UnappliedRead],
        warm: [false, true],
        ticks: 0,
        ..BASE
    },
    Config {
        id: "M16",
        what: "no quarantine after a failover",
        mistakes: &[NoQuarantine],
        failovers: 1,
        is_linearizable: false,
        reads: [1, 0],
        ..BASE
    },
];
