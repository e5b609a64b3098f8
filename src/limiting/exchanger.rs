//! The exchanger: tells the other instances over Redis what was counted here, and hears what they have.
//!
//! It alone waits for Redis. A Redis that is away or slow costs it one attempt after each back-off; what is counted meanwhile
//! stands in the windows and is told when it is back. It also drops the windows that are over, so it runs without Redis too.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::{Change, Limit, Limits, limit::now};
use crate::{
    cache::tallies::{Tallies, Tally},
    limits::{RATE_LIMIT_EXCHANGE_INTERVAL, RATE_LIMIT_EXCHANGE_KEYS_MAX, RATE_LIMIT_LINGER},
    supervision::{Backoff, Restarts, Slot, Step, Stepper, intensity::Kind},
    telemetry::metrics::Metrics,
};

/// Exchanges counts; see the module.
pub type LimitExchanger = Stepper<State>;

/// What an exchanger is made of.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The limits whose counts are exchanged.
    pub limits: Arc<Limits>,
    /// Redis URL; without one every instance is on its own.
    pub redis_url: Option<String>,
    /// Identity of the catalogue, which is part of every key in Redis.
    pub catalogue: Uuid,
    /// Where it counts its failures.
    pub metrics: Arc<Metrics>,
}

/// Starts the exchanger on a thread of its own.
pub fn start(exchange: Exchange, restarts: &Restarts) -> Slot<LimitExchanger> {
    let (own, instance) = (restarts.clone(), Uuid::new_v4());
    Slot::start(Kind::LimitExchanger, restarts.clone(), move || {
        Stepper::new(State::new(exchange.clone(), instance), own.clone())
    })
}

/// What the exchanger works with.
#[derive(Debug)]
pub struct State {
    exchange: Exchange,
    /// Names this instance's counts. Stays for the life of the process, since the counts do.
    instance: Uuid,
    tallies: Option<Tallies>,
    backoff: Backoff,
    is_alone: bool,
}

impl State {
    /// An exchanger of the counts of `instance`.
    pub fn new(exchange: Exchange, instance: Uuid) -> Self {
        let tallies = exchange.redis_url.as_deref().and_then(|url| {
            Tallies::new(url, exchange.catalogue, instance)
                .inspect_err(|error| {
                    log::error!("redis url unusable, rate limits are not shared reason={error}");
                })
                .ok()
        });
        Self { exchange, instance, tallies, backoff: Backoff::default(), is_alone: false }
    }

    fn tell(&mut self, now: Duration) {
        let Some(tallies) = &mut self.tallies else { return };
        if !self.backoff.is_over() {
            return;
        }
        let changes = changes(&self.exchange.limits);
        if changes.is_empty() {
            return;
        }
        let told: Vec<Tally> = changes.iter().map(|(limit, change)| tally(limit, change, now)).collect();
        match tallies.exchange(&told) {
            Ok(totals) => {
                for ((limit, change), total) in changes.iter().zip(totals) {
                    limit.heard(change, total);
                }
                self.backoff.succeeded();
                if std::mem::take(&mut self.is_alone) {
                    log::info!("rate limits are shared again");
                }
            }
            Err(error) => {
                for (limit, change) in &changes {
                    limit.put_back(change);
                }
                self.backoff.failed();
                self.exchange.metrics.limits.exchange_errors.inc();
                if !std::mem::replace(&mut self.is_alone, true) {
                    log::warn!("rate limits hold for this instance alone until redis is back reason={error}");
                }
            }
        }
    }
}

/// What the others are to be told next: bounded, so that a crowd of clients makes more rounds and no longer ones.
fn changes(limits: &Limits) -> Vec<(&Limit, Change)> {
    let mut changes = Vec::new();
    for limit in limits.all() {
        let room = RATE_LIMIT_EXCHANGE_KEYS_MAX.saturating_sub(changes.len());
        changes.extend(limit.take_changes(room).into_iter().map(|change| (limit, change)));
    }
    changes
}

fn tally(limit: &Limit, change: &Change, now: Duration) -> Tally {
    let Change { key, window, own } = change;
    let (name, length) = (limit.name(), limit.window());
    let left = ((window + 1) * length).saturating_sub(now.as_secs());
    Tally {
        name: format!("{length}:{window}:{name}:{key}"),
        own: *own,
        life: Duration::from_secs(left) + RATE_LIMIT_LINGER,
    }
}

impl Step for State {
    const KIND: Kind = Kind::LimitExchanger;
    const INTERVAL: Duration = RATE_LIMIT_EXCHANGE_INTERVAL;

    fn step(&mut self) {
        let now = now();
        self.exchange.limits.all().for_each(|limit| limit.turn(now));
        self.tell(now);
    }

    fn fresh(&self) -> Self {
        Self::new(self.exchange.clone(), self.instance)
    }
}
