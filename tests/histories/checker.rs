//! Is a register's history linearizable? For registers whose written values all differ, decided in n log n.
//!
//! After Gibbons and Korach (Testing Shared Memories, SIAM J. Comput. 26, 1997). The operations of one value, its write
//! and the reads that returned it, form a *cluster*. With `first_end` the smallest end and `last_begin` the largest begin
//! in the cluster, its *zone* lies between the two:
//!
//! ```text
//! first_end < last_begin: a period.  The register held the value all along: it was set by first_end and not yet
//!                                    replaced at last_begin.
//! otherwise:              a moment.  All operations of the cluster overlap each other: one moment within
//!                                    [last_begin, first_end] is enough for all of them.
//! ```
//!
//! A history is linearizable when no read ended before its write began, no two periods overlap, and no moment's zone lies
//! wholly inside a period. An operation that ends at the very instant at which another begins counts as simultaneous with
//! it: equal readings of a clock prove no order.
//!
//! A write without an answer has no end: it took effect at any time after its begin, or never. If nobody read its value it
//! proves nothing and is left out; if somebody did, it took effect before the first such read ended, which the zone says.

use std::collections::HashMap;

/// An end that never came.
pub(crate) const NEVER: u64 = u64::MAX;

/// One operation on one register. Reads without an answer are not operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Whether it wrote the value; otherwise it read it.
    pub(crate) write: bool,
    /// The value; no two writes of a register have the same.
    pub(crate) value: u32,
    /// When it was sent.
    pub(crate) begin: u64,
    /// When its answer had arrived; [`NEVER`] for a write whose outcome is unknown.
    pub(crate) end: u64,
}

/// Why a history is not linearizable. Numbers are places in the list of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A read returned what nobody wrote.
    Unwritten {
        /// The read.
        read: usize,
    },
    /// A read had ended before the write of its value began.
    Early {
        /// The read.
        read: usize,
        /// The write.
        write: usize,
    },
    /// Two values were each seen before and after the other.
    Alternating(Zone, Zone),
    /// A value appeared, for a moment, while another one was held all along.
    Inside {
        /// The value that appeared.
        moment: Zone,
        /// The value that was held.
        period: Zone,
    },
}

/// The two operations that bound the zone of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Zone {
    /// The operation that ended first.
    pub(crate) first_end: usize,
    /// The operation that began last.
    pub(crate) last_begin: usize,
}

/// Contradictions; none if and only if the history is linearizable.
pub(crate) fn check(operations: &[Operation]) -> Vec<Violation> {
    let mut found = Vec::new();
    let (mut periods, mut moments) = (Vec::new(), Vec::new());
    for cluster in clusters(operations) {
        let Some(write) = cluster.write else {
            found.push(Violation::Unwritten { read: cluster.zone.first_end });
            continue;
        };
        if operations[cluster.zone.first_end].end < operations[write].begin {
            found.push(Violation::Early { read: cluster.zone.first_end, write });
            continue;
        }
        let (first_end, last_begin) = bounds(operations, cluster.zone);
        if first_end < last_begin { periods.push(cluster.zone) } else { moments.push(cluster.zone) }
    }
    periods.sort_by_key(|zone| bounds(operations, *zone));
    for pair in periods.windows(2) {
        if bounds(operations, pair[1]).0 < bounds(operations, pair[0]).1 {
            found.push(Violation::Alternating(pair[0], pair[1]));
        }
    }
    for moment in moments {
        // Where periods do not overlap, only the last one begun can reach beyond the moment.
        let (first_end, last_begin) = bounds(operations, moment);
        let begun = periods.partition_point(|period| bounds(operations, *period).0 < last_begin);
        if let Some(period) = begun.checked_sub(1).map(|last| periods[last])
            && first_end < bounds(operations, period).1
        {
            found.push(Violation::Inside { moment, period });
        }
    }
    found
}

struct Cluster {
    write: Option<usize>,
    zone: Zone,
}

/// Operations by value, without writes that nobody knows anything of.
fn clusters(operations: &[Operation]) -> Vec<Cluster> {
    let mut clusters: HashMap<u32, Cluster> = HashMap::new();
    for (place, operation) in operations.iter().enumerate() {
        let zone = Zone { first_end: place, last_begin: place };
        let cluster = clusters.entry(operation.value).or_insert(Cluster { write: None, zone });
        if operation.write {
            assert!(cluster.write.is_none(), "value {} is written twice", operation.value);
            cluster.write = Some(place);
        }
        if operation.end < operations[cluster.zone.first_end].end {
            cluster.zone.first_end = place;
        }
        if operation.begin > operations[cluster.zone.last_begin].begin {
            cluster.zone.last_begin = place;
        }
    }
    let mut known: Vec<_> =
        clusters.into_values().filter(|cluster| operations[cluster.zone.first_end].end != NEVER).collect();
    known.sort_by_key(|cluster| bounds(operations, cluster.zone));
    known
}

fn bounds(operations: &[Operation], zone: Zone) -> (u64, u64) {
    (operations[zone.first_end].end, operations[zone.last_begin].begin)
}
