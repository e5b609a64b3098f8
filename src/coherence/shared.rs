//! What all threads of a process share of the coherence state: the gate for readers, the core behind a lock for those who
//! hear of changes, and a bell for those who wait.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::watch;
use uuid::Uuid;

use super::{
    change::Change,
    clock::Moment,
    core::{Core, Push, Renewal, Renewed, Since, Stability},
    gate::Gate,
    members::Listed,
    rules::Rules,
    watch::Overdue,
};
use crate::{limits::FENCE_SLOTS, store::era::ExpectedEra, telemetry::metrics::CoherenceMetrics};

/// The era as one read or edit saw it when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Era {
    /// Its ordinal in this process, as entries carry it.
    pub ordinal: u32,
    /// Its name, which all instances know; absent while there is none.
    pub id: Option<Uuid>,
}

/// Cheap to share; see the module.
#[derive(Debug)]
pub struct Coherence {
    gate: Gate,
    core: Mutex<Core>,
    /// Counts changes of what waiters wait for.
    bell: watch::Sender<u64>,
    /// Waits for stability under way.
    waiting: AtomicUsize,
    /// Somebody wants the log to be read.
    doorbell: AtomicBool,
    expected_era: ExpectedEra,
    /// The keeper has lost its connection: until it renews again the database may be one that lost events.
    out_of_sight: AtomicBool,
    attempt: Mutex<Attempt>,
    /// The database's clock less this machine's.
    clock_offset_us: AtomicI64,
    metrics: Arc<CoherenceMetrics>,
}

/// The last attempt to get or keep the lease.
#[derive(Debug, Clone, Copy, Default)]
struct Attempt {
    began: Moment,
    /// Under way.
    running: bool,
    /// The last one that ended did not reach the database.
    failed: bool,
}

/// A lease that comes back does so within a round trip of its renewal; a request waits that long for it and no longer.
const LEASE_PATIENCE: Duration = Duration::from_millis(250);

impl Coherence {
    /// Knows nothing yet, and has no lease. Connections of `expected_era` are kept to the era this is in.
    pub fn new(rules: Rules, expected_era: ExpectedEra, metrics: Arc<CoherenceMetrics>) -> Self {
        Self {
            gate: Gate::new(FENCE_SLOTS),
            core: Mutex::new(Core::new(rules)),
            bell: watch::Sender::new(0),
            waiting: AtomicUsize::new(0),
            doorbell: AtomicBool::new(false),
            expected_era,
            out_of_sight: AtomicBool::new(false),
            attempt: Mutex::default(),
            clock_offset_us: AtomicI64::new(0),
            metrics,
        }
    }

    /// What readers look at.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The era now.
    pub fn era(&self) -> Era {
        let core = self.core();
        Era { ordinal: self.gate.era(), id: core.era() }
    }

    /// This incarnation, while it is a member.
    pub fn own(&self) -> Option<Uuid> {
        self.core().own()
    }

    /// The rules of the lease.
    pub fn rules(&self) -> Rules {
        self.core().rules()
    }

    /// For how long yet nothing can be told to be stable, because members of an era that ended may hold leases.
    pub fn settling(&self, now: Moment) -> Duration {
        self.core().quarantined_until().since(now)
    }

    /// How many members are known.
    pub fn members(&self) -> usize {
        self.core().members()
    }

    /// From where to ask for the log.
    pub fn since(&self) -> Since {
        self.core().since(&self.gate)
    }

    /// See [`Core::joined`].
    pub fn joined(&self, id: Uuid, era: Uuid, start: i64, quarantine: Duration) {
        let mut core = self.core();
        core.joined(&self.gate, id, era, start, Moment::now().after(quarantine));
        self.expected_era.set(era);
        drop(core);
        self.ring();
    }

    /// See [`Core::renewed`].
    pub fn renewed(&self, sent: Moment, renewal: &Renewal) -> Renewed {
        let mut core = self.core();
        let before = self.gate.applied();
        let outcome = core.renewed(&self.gate, sent, renewal, Moment::now());
        if matches!(outcome, Renewed::AnotherEra | Renewed::HistoryLost) {
            self.expected_era.forbid();
        }
        self.note_applied(&core);
        drop(core);
        self.out_of_sight.store(false, Ordering::Release);
        self.observe(before, &renewal.changes);
        self.ring();
        outcome
    }

    /// See [`Core::pulled`].
    pub fn pulled(&self, era: Option<Uuid>, after: i64, changes: &[Change]) {
        let mut core = self.core();
        let before = self.gate.applied();
        core.pulled(&self.gate, era, after, changes, Moment::now());
        self.note_applied(&core);
        drop(core);
        self.observe(before, changes);
        self.ring();
    }

    /// See [`Core::pushed`].
    pub fn pushed(&self, era: Uuid, change: &Change) -> Push {
        let mut core = self.core();
        let before = self.gate.applied();
        if self.out_of_sight.load(Ordering::Acquire) && core.era() == Some(era) {
            // Next to what was applied may mean next to what was lost: the renewal compares, messages cannot.
            self.gate.raise(&change.dependencies, change.position);
            return Push::Gap;
        }
        let push = core.pushed(&self.gate, era, change, Moment::now());
        self.note_applied(&core);
        drop(core);
        self.observe(before, std::slice::from_ref(change));
        self.ring();
        push
    }

    /// See [`Core::acked`].
    pub fn acked(&self, era: Uuid, member: &Uuid, position: i64) {
        self.core().acked(&self.gate, era, member, position, Moment::now());
        self.ring();
    }

    /// See [`Core::listed`].
    pub fn listed(&self, era: Uuid, members: &[Listed]) {
        self.core().listed(&self.gate, era, members, Moment::now());
        self.ring();
    }

    /// See [`Core::depart`]; gives the member that was.
    pub fn depart(&self) -> Option<Uuid> {
        let mut core = self.core();
        let own = core.own();
        core.depart(&self.gate);
        drop(core);
        self.ring();
        own
    }

    /// What this instance can acknowledge: era, member, position. All of one instant, for a position says nothing in another
    /// era, and a member that joined it has not applied what its predecessor had.
    pub fn acknowledgement(&self) -> Option<(Uuid, Uuid, i64)> {
        let core = self.core();
        Some((core.era()?, core.own()?, self.gate.applied()))
    }

    /// See [`Core::lapse`].
    pub fn lapse(&self) {
        self.core().lapse(&self.gate);
    }

    /// What connections must lead to.
    pub fn expected_era(&self) -> &ExpectedEra {
        &self.expected_era
    }

    /// The keeper lost its connection.
    pub fn lost_sight(&self) {
        self.out_of_sight.store(true, Ordering::Release);
    }

    /// Asks for the log to be read.
    pub fn ring_doorbell(&self) {
        self.doorbell.store(true, Ordering::Release);
    }

    /// Whether the log is asked for; takes note of it.
    pub(super) fn takes_doorbell(&self) -> bool {
        self.doorbell.swap(false, Ordering::AcqRel)
    }

    /// See [`Core::overdue`].
    pub fn overdue(&self) -> Vec<Overdue> {
        self.core().overdue(Moment::now())
    }

    /// See [`Core::reconnected`].
    pub fn reconnected(&self) {
        self.core().reconnected();
    }

    /// Waits until `position`, which the caller learned at `since` to be committed in `era`, is stable. Ends by itself:
    /// when all have acknowledged, or when those who have not cannot hold a lease any more.
    pub async fn stable(&self, era: u32, position: i64, since: Moment) {
        #[cfg(feature = "mutants")]
        if super::mutants::is_active(super::mutants::Mutant::NoStabilityWait) {
            return;
        }
        let mut bell = self.bell.subscribe();
        let _waiting = Waiting::new(&self.waiting);
        loop {
            bell.mark_unchanged();
            let now = Moment::now();
            let stability = self.core().stability(&self.gate, era, position, since, now);
            match stability {
                Stability::Stable => return,
                Stability::Until(until) => {
                    let _rung = tokio::time::timeout(until.since(now), bell.changed()).await;
                }
            }
        }
    }

    /// Whether `position` is stable already, as far as is known here.
    pub fn is_stable(&self, era: u32, position: i64) -> bool {
        // The era last: what is stable in another one says nothing.
        position <= self.gate.stable() && era == self.gate.era()
    }

    /// Waits until `condition` holds, which is looked at whenever something changed; false when it does not within `patience`.
    pub async fn until(&self, patience: Duration, condition: impl Fn(&Gate) -> bool) -> bool {
        let mut bell = self.bell.subscribe();
        let wait = async {
            loop {
                bell.mark_unchanged();
                if condition(&self.gate) {
                    return;
                }
                if bell.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
        };
        tokio::time::timeout(patience, wait).await.is_ok()
    }

    /// Waits for the applied position to move on from `after`.
    pub async fn applied_beyond(&self, after: i64) -> i64 {
        let mut bell = self.bell.subscribe();
        loop {
            bell.mark_unchanged();
            let applied = self.gate.applied();
            if applied != after || bell.changed().await.is_err() {
                return applied;
            }
        }
    }

    /// Waits a moment for a lease that is about to come back, as after the process was stopped or ejected. False at once
    /// when the database is known or seems to be out of reach.
    pub async fn regains_lease(&self) -> bool {
        let attempt = *self.attempt();
        let is_stuck = attempt.running && Moment::now().since(attempt.began) > LEASE_PATIENCE;
        !attempt.failed && !is_stuck && self.until(LEASE_PATIENCE, |gate| gate.is_leased(Moment::now())).await
    }

    /// Notes that the lease is being asked for.
    pub fn attempt_began(&self) {
        let mut attempt = self.attempt();
        *attempt = Attempt { began: Moment::now(), running: true, ..*attempt };
    }

    /// Notes whether the database could be asked.
    pub fn attempt_ended(&self, is_reached: bool) {
        let mut attempt = self.attempt();
        *attempt = Attempt { running: false, failed: !is_reached, ..*attempt };
    }

    /// How old an answer may be that the fence admits without a lease: all that was committed before is in it.
    pub fn age(&self) -> Duration {
        Moment::now().since(self.gate.vouched())
    }

    /// Takes the database's clock as it was when something was asked at `sent` and answered now.
    pub fn database_clock(&self, sent: Moment, database_us: i64) {
        let half = i64::try_from(Moment::now().since(sent).as_micros() / 2).unwrap_or(0);
        self.clock_offset_us.store(database_us + half - wall_clock_us(), Ordering::Relaxed);
    }

    fn note_applied(&self, core: &Core) {
        if let Since { position, nonce: Some(nonce) } = core.since(&self.gate) {
            self.expected_era.applied(position, nonce);
        }
    }

    /// Measures how long ago the events were committed that moved the applied position on from `before`.
    fn observe(&self, before: i64, changes: &[Change]) {
        let applied = self.gate.applied();
        let now_us = wall_clock_us() + self.clock_offset_us.load(Ordering::Relaxed);
        let moved = changes.iter().filter(|change| change.position > before && change.position <= applied);
        for change in moved.filter(|change| change.committed_us > 0) {
            let age = u64::try_from(now_us - change.committed_us).unwrap_or(0);
            self.metrics.propagation.observe(Duration::from_micros(age).as_secs_f64());
        }
    }

    /// Waits for stability under way.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Counters.
    pub fn metrics(&self) -> &CoherenceMetrics {
        &self.metrics
    }

    fn ring(&self) {
        self.bell.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempt(&self) -> MutexGuard<'_, Attempt> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a wait for as long as it lasts.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// This machine's clock in microseconds since 1970; for measuring only.
fn wall_clock_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(0)
}
