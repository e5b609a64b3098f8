//! The lease keeper: joins the members, renews the lease, ejects the dead.
//!
//! A renewal carries the log, so a valid lease means that everything committed before it was asked for is applied here,
//! whatever messages were lost. All of it happens on one connection that nothing else uses: while it waits, the lease may
//! run out, and the instance answers accordingly.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{
    Change, Coherence, Moment,
    clock_watch::ClockWatch,
    core::{Renewal, Renewed, Since},
    members::Listed,
};
use crate::{
    limits::{KEEPER_POLL, LOG_PULL_MAX, LOG_TAIL_MAX},
    store::{
        Connection,
        error::StoreError,
        events,
        members::{self, MemberRow, RenewalRow},
        pool,
    },
    supervision::{Backoff, Step, StepMessage, Stepper, intensity::Kind},
    telemetry::metrics::Metrics,
};

/// Holds the lease; see the module.
pub type LeaseKeeper = Stepper<State>;

/// Renewals in a row that bring more of the log before something is wrong.
const RENEWALS_MAX: usize = 10_000;

/// What the keeper needs to start, and to start again.
#[derive(Debug, Clone)]
pub struct KeeperSettings {
    /// Postgres URL.
    pub database_url: String,
    /// Where this instance can be reached, as its row tells.
    pub url: String,
}

/// What the keeper knows between two steps.
pub struct State {
    settings: KeeperSettings,
    coherence: Arc<Coherence>,
    metrics: Arc<Metrics>,
    connection: Option<Connection>,
    backoff: Backoff,
    clocks: ClockWatch,
    renew_at: Option<Instant>,
    /// Whether somebody waited for acknowledgements at the last step already.
    was_waiting: bool,
    /// The instance stops: it joins no more.
    has_left: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("connected", &self.connection.is_some()).finish_non_exhaustive()
    }
}

impl State {
    /// A keeper that has nothing yet.
    pub fn new(settings: KeeperSettings, coherence: Arc<Coherence>, metrics: Arc<Metrics>) -> Self {
        Self {
            settings,
            coherence,
            metrics,
            connection: None,
            backoff: Backoff::default(),
            clocks: ClockWatch::default(),
            renew_at: None,
            was_waiting: false,
            has_left: false,
        }
    }

    /// Joins and gets the first lease, before anything is served.
    pub fn begin(&mut self) -> Result<(), StoreError> {
        self.try_step()
    }

    fn try_step(&mut self) -> Result<(), StoreError> {
        if self.connection.is_none() {
            self.connection = Some(pool::connect(&self.settings.database_url)?);
            self.coherence.reconnected();
            self.renew_at = None;
        }
        if self.renew_at.is_none_or(|at| Instant::now() >= at) || !self.coherence.overdue().is_empty() {
            self.renew()?;
            self.backoff.succeeded();
        }
        self.read_acks()
    }

    /// Renews until the lease is extended, joining first where that must be, then ejects the dead.
    fn renew(&mut self) -> Result<(), StoreError> {
        let Some(connection) = self.connection.as_mut() else { return Ok(()) };
        self.coherence.attempt_began();
        let began = Instant::now();
        for _ in 0..RENEWALS_MAX {
            let Some(own) = self.coherence.own() else {
                join(connection, &self.settings, &self.coherence)?;
                continue;
            };
            let since = self.coherence.since();
            let sent = Moment::now();
            let row = members::renew(connection, own, since.position, LOG_PULL_MAX)?;
            if self.clocks.jumped(sent, Moment::now(), row.time_us) {
                self.metrics.coherence.clock_anomalies.inc();
                log::warn!(
                    "a clock jumped, or this machine stood still: the lease is given up and asked for again"
                );
                self.coherence.lapse();
                continue;
            }
            self.metrics.log.position.set(row.head);
            self.coherence.database_clock(sent, row.time_us);
            let renewal = renewal(since, row);
            match self.coherence.renewed(sent, &renewal) {
                Renewed::Extended => {
                    self.renew_at = Some(began + self.coherence.rules().lease / 4);
                    self.metrics.coherence.renewals.observe(began.elapsed().as_secs_f64());
                    self.coherence.attempt_ended(true);
                    return eject(connection, &self.coherence);
                }
                Renewed::Partial => {}
                Renewed::Ejected => {
                    log::warn!("ejected by another instance: joining again");
                    self.metrics.coherence.ejected.inc();
                }
                Renewed::AnotherEra => leave_era(&self.coherence),
                Renewed::HistoryLost => {
                    if let Some(era) = renewal.era {
                        members::end_era(connection, era)?;
                    }
                    leave_era(&self.coherence);
                }
            }
        }
        Err(StoreError::Unavailable("the log grows faster than it can be read".to_owned()))
    }

    /// Reads the others' acknowledgements from their rows, where somebody has waited longer than messages take.
    fn read_acks(&mut self) -> Result<(), StoreError> {
        let is_waiting = self.coherence.waiting() > 0;
        if is_waiting
            && self.was_waiting
            && let (Some(connection), Some(era)) = (self.connection.as_mut(), self.coherence.era().id)
        {
            let listed: Vec<Listed> = members::list(connection)?.iter().map(listed).collect();
            self.coherence.listed(era, &listed);
        }
        self.was_waiting = is_waiting;
        Ok(())
    }
}

fn leave_era(coherence: &Coherence) {
    log::error!(
        "the database has another history than was known here: dropping everything and joining again"
    );
    coherence.depart();
}

/// The row first, then the log: whoever commits after the row waits for this member.
fn join(
    connection: &mut Connection,
    settings: &KeeperSettings,
    coherence: &Coherence,
) -> Result<(), StoreError> {
    let id = Uuid::now_v7();
    let rules = coherence.rules();
    let joined = members::join(connection, id, &settings.url, rules.lease)?;
    let head = events::head(connection)?;
    let all_leases = rules.outlived_by_all(Moment::default()).since(Moment::default());
    let quarantine = joined.age.map_or(Duration::ZERO, |age| all_leases.saturating_sub(age));
    coherence.joined(id, joined.era, head.saturating_sub(LOG_TAIL_MAX).max(0), quarantine);
    log::info!("joined the members id={id} era={}", joined.era);
    Ok(())
}

/// Ejects members whose lease has surely ended; not those that have renewed meanwhile.
fn eject(connection: &mut Connection, coherence: &Coherence) -> Result<(), StoreError> {
    let patience = coherence.rules().lease / 8;
    for overdue in coherence.overdue() {
        if members::eject(connection, overdue.id, overdue.renewals, patience)? {
            log::warn!("ejected a member whose lease has ended id={}", overdue.id);
            coherence.metrics().ejections.inc();
        }
    }
    Ok(())
}

fn listed(member: &MemberRow) -> Listed {
    Listed {
        id: member.id,
        acked: member.acked,
        renewals: member.renew_seq,
        lease: Duration::from_millis(member.lease_ms),
    }
}

fn renewal(since: Since, row: RenewalRow) -> Renewal {
    Renewal {
        is_member: row.is_member,
        era: row.era,
        since,
        nonce: row.nonce,
        head: row.head,
        is_complete: i64::try_from(row.events.len()).unwrap_or(i64::MAX) < LOG_PULL_MAX,
        changes: row.events.into_iter().map(Change::from).collect(),
        members: row.members.iter().map(listed).collect(),
    }
}

impl Step for State {
    const KIND: Kind = Kind::LeaseKeeper;
    const INTERVAL: Duration = KEEPER_POLL;

    fn step(&mut self) {
        if self.has_left || (self.connection.is_none() && !self.backoff.is_over()) {
            return;
        }
        if let Err(error) = self.try_step() {
            self.coherence.attempt_ended(false);
            self.coherence.lost_sight();
            self.metrics.coherence.renewal_errors.inc();
            if self.connection.take().is_some() {
                log::warn!("lease keeper lost its connection reason={error}");
            } else {
                log::debug!("lease keeper cannot connect reason={error}");
            }
            self.backoff.failed();
        }
    }

    fn fresh(&self) -> Self {
        Self::new(self.settings.clone(), Arc::clone(&self.coherence), Arc::clone(&self.metrics))
    }
}

/// Leaves the members: nothing is answered from the caches any more, and nobody waits for this instance.
#[derive(Debug, Clone, Copy)]
pub struct Leave;

impl StepMessage for Leave {
    type State = State;
    type Reply = ();
    const NAME: &'static str = "leave";

    fn handle(self, state: &mut State) {
        state.has_left = true;
        if let (Some(own), Some(connection)) = (state.coherence.depart(), state.connection.as_mut())
            && let Err(error) = members::leave(connection, own)
        {
            log::warn!("could not leave the members, they will notice reason={error}");
        }
    }
}
