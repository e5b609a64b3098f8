//! An instance's own steps: hearing of changes and acknowledgements, its lease, coming and going.

use std::{sync::Arc, time::Duration};

use aisle::coherence::{
    clock::Moment,
    core::{Core, Push, Renewed},
    gate::Gate,
    watch::Overdue,
};
use uuid::Uuid;

use crate::{
    config::{Config, INSTANCES},
    coverage::{Path, take},
    database::{Database, era_id},
    mistakes::Mistake,
    state::{Instance, Keeper, Reader, State, Writer},
};

impl Instance {
    fn started(config: &Config, index: usize, incarnation: u8) -> Self {
        Self {
            gate: Gate::new(1),
            core: Core::new(config.rules(index)),
            incarnation,
            keeper: Keeper::Idle,
            entry: None,
            flight: None,
        }
    }

    /// Whether it works in the era that the database is in: connections to another are refused.
    pub(crate) fn fits(&self, database: &Database) -> bool {
        database.entered.is_some() && self.core.era() == Some(era_id(database.era))
    }
}

impl State {
    /// Two instances that are members and have their leases.
    pub(crate) fn begun(config: &Config) -> Self {
        let margin = if config.errs(Mistake::NoMargin) { 0 } else { config.margin };
        let config = &Config { mistakes: &[], margin, ..config.clone() };
        let instances = [0, 1].map(|index| Instance::started(config, index, 0));
        let mut state = Self::new(instances, Database::new());
        for index in 0..INSTANCES {
            state.make_row(config, index);
            state.enter(config, index);
        }
        // Twice around, so that each has seen the other renew.
        for index in [0, 1, 0] {
            state.send(config, index);
            state.execute(config, index);
            state.receive(config, index);
            state.spread(config);
        }
        state
    }

    /// An instance's clock.
    pub(crate) fn now(&self, config: &Config, index: usize) -> Moment {
        config.moment(index, self.clocks[index])
    }

    /// The next event of the log arrives, by message, or by a pull where a message will not do.
    pub(crate) fn deliver(&mut self, config: &Config, index: usize) -> bool {
        let now = self.now(config, index);
        let instance = &mut self.instances[index];
        let next = instance.gate.applied() + 1;
        let Some(change) = self.database.change(next).filter(|_| instance.fits(&self.database)) else {
            return false;
        };
        let era = era_id(self.database.era);
        if instance.core.pushed(&instance.gate, era, &change, now) == Push::Gap {
            instance.core.pulled(&instance.gate, Some(era), next - 1, &[change], now);
        }
        if config.errs(Mistake::Unfenced) {
            instance.entry = None;
        }
        true
    }

    /// A message tells of the last event while events before it are missing.
    pub(crate) fn hear_early(&mut self, config: &Config, index: usize) -> bool {
        let now = self.now(config, index);
        let instance = &mut self.instances[index];
        let head = self.database.head();
        let Some(change) = self.database.change(head).filter(|_| head > instance.gate.applied() + 1) else {
            return false;
        };
        let pushed = instance.core.pushed(&instance.gate, era_id(self.database.era), &change, now);
        pushed == Push::Gap
    }

    /// Whatever is applied is acknowledged, and where steps are joined everybody hears of it at once: the sooner a position
    /// is taken to be stable, the more can go wrong.
    pub(crate) fn spread(&mut self, config: &Config) {
        for instance in &self.instances {
            if let (Some(era), Some(own)) = (instance.core.era(), instance.core.own()) {
                publish(&mut self.acks, era, own, instance.gate.applied());
            }
        }
        if !config.is_fine {
            for index in 0..INSTANCES {
                for ack in 0..self.acks.len() {
                    self.hear(config, index, ack);
                }
            }
        }
    }

    /// An acknowledgement arrives.
    pub(crate) fn hear(&mut self, config: &Config, index: usize, ack: usize) {
        let now = self.now(config, index);
        let (era, id, position) = self.acks[ack];
        let instance = &mut self.instances[index];
        instance.core.acked(&instance.gate, era, &id, position, now);
    }

    /// By mistake: what is in the log is acknowledged though it is not applied.
    pub(crate) fn acknowledge_early(&mut self, index: usize) -> bool {
        let Some(own) = self.instances[index].core.own() else { return false };
        publish(&mut self.acks, era_id(self.database.era), own, self.database.head());
        true
    }

    /// A renewal is sent.
    pub(crate) fn send(&mut self, config: &Config, index: usize) {
        let sent = self.now(config, index);
        let instance = &mut self.instances[index];
        let since = instance.core.since(&instance.gate);
        instance.keeper = Keeper::Sent { sent, since };
    }

    /// The database executes it.
    pub(crate) fn execute(&mut self, config: &Config, index: usize) -> bool {
        let instance = &mut self.instances[index];
        let (Keeper::Sent { sent, since }, Some(own)) = (&instance.keeper, instance.core.own()) else {
            // Its own leave event came before the renewal went out: nothing of it is a member any more.
            instance.keeper = Keeper::Idle;
            return true;
        };
        let renewal = Arc::new(self.database.renew(config, own, *since));
        instance.keeper = Keeper::Answered { sent: *sent, renewal };
        true
    }

    /// Its answer arrives.
    pub(crate) fn receive(&mut self, config: &Config, index: usize) -> bool {
        let now = self.now(config, index);
        let instance = &mut self.instances[index];
        let Keeper::Answered { sent, renewal } = std::mem::replace(&mut instance.keeper, Keeper::Idle) else {
            return false;
        };
        let mut renewal = Arc::unwrap_or_clone(renewal);
        let mut sent = sent;
        if config.errs(Mistake::RenewalWithoutLog) {
            renewal.changes.clear();
        }
        if config.errs(Mistake::LeaseFromReply) {
            sent = now;
        }
        if config.errs(Mistake::PresumedLease) {
            let own = instance.core.rules().lease;
            renewal.members.iter_mut().for_each(|member| member.lease = own);
        }
        if config.errs(Mistake::Unfenced) && !renewal.changes.is_empty() {
            instance.entry = None;
        }
        match instance.core.renewed(&instance.gate, sent, &renewal, now) {
            Renewed::Extended => take(Path::Renewed),
            Renewed::Partial => take(Path::Partial),
            Renewed::Ejected => take(Path::FoundEjected),
            Renewed::AnotherEra | Renewed::HistoryLost => instance.core.depart(&instance.gate),
        }
        if !config.ejects {
            // Nobody asks when the others were seen.
            instance.core.reconnected();
        }
        true
    }

    /// The row of a new incarnation is committed.
    pub(crate) fn make_row(&mut self, config: &Config, index: usize) {
        let clock = self.clocks[index];
        let instance = &mut self.instances[index];
        let id = Uuid::from_u128(
            0x100 * (u128::try_from(index).unwrap_or(0) + 1) + u128::from(instance.incarnation),
        );
        instance.incarnation += 1;
        if instance.incarnation > 1 {
            take(Path::Rejoined);
        }
        let entered = *self.database.entered.get_or_insert(clock);
        self.database.join(id, config.rules(index).lease);
        let era = self.database.era;
        let age = (era > 1).then(|| clock - entered);
        let made = std::mem::replace(&mut instance.keeper, Keeper::RowMade { id, era, age });
        if let Keeper::LogRead { sent, renewal } = made {
            self.enter(config, index);
            self.instances[index].keeper = Keeper::Answered { sent, renewal };
        }
    }

    /// By mistake: the log is read before the row is made.
    pub(crate) fn read_log_first(&mut self, config: &Config, index: usize) {
        let sent = self.now(config, index);
        let instance = &mut self.instances[index];
        let renewal = Arc::new(self.database.snapshot(instance.core.since(&instance.gate)));
        instance.keeper = Keeper::LogRead { sent, renewal };
    }

    /// It learns that its row is there, and takes up the log.
    pub(crate) fn enter(&mut self, config: &Config, index: usize) -> bool {
        let now = self.now(config, index);
        let instance = &mut self.instances[index];
        let Keeper::RowMade { id, era, age } = instance.keeper else { return false };
        let start = (self.database.head() - config.tail).max(0);
        let rules = instance.core.rules();
        let all_leases = rules.outlived_by_all(Moment::default()).since(Moment::default());
        let past = age.map(|ticks| config.moment(0, ticks).since(config.moment(0, 0)));
        let quarantine = past.map_or(Duration::ZERO, |past| all_leases.saturating_sub(past));
        let quarantine = if config.errs(Mistake::NoQuarantine) { Duration::ZERO } else { quarantine };
        if instance.core.era().is_none() && era > 1 {
            take(Path::EraEntered);
        }
        instance.core.joined(&instance.gate, id, era_id(era), start, now.after(quarantine));
        instance.keeper = Keeper::Idle;
        true
    }

    /// The members an instance would eject now.
    pub(crate) fn overdue(&self, config: &Config, index: usize) -> Vec<Overdue> {
        self.instances[index].core.overdue(self.now(config, index))
    }

    /// It ejects one of them.
    pub(crate) fn eject(&mut self, config: &Config, index: usize, which: usize) -> bool {
        let Some(overdue) = self.overdue(config, index).get(which).copied() else { return false };
        let renewals = (!config.errs(Mistake::EjectsUnseen)).then_some(overdue.renewals);
        let is_removed = self.database.remove(overdue.id, renewals);
        take(if is_removed { Path::Ejected } else { Path::EjectFailed });
        is_removed
    }

    /// It begins to leave: it serves no more.
    pub(crate) fn depart(&mut self, index: usize) -> bool {
        let instance = &mut self.instances[index];
        let Some(id) = instance.core.own() else { return false };
        instance.core.depart(&instance.gate);
        instance.keeper = Keeper::Departed { id };
        self.leaves -= 1;
        true
    }

    /// Its row is deleted.
    pub(crate) fn leave(&mut self, index: usize) -> bool {
        let instance = &mut self.instances[index];
        let Keeper::Departed { id } = instance.keeper else { return false };
        instance.keeper = Keeper::Gone;
        self.database.remove(id, None);
        take(Path::Left);
        true
    }

    /// The process is killed, and started again. Its row stays; so does what it has told the others.
    pub(crate) fn kill(&mut self, config: &Config, index: usize) {
        self.kills -= 1;
        let incarnation = self.instances[index].incarnation;
        self.instances[index] = Instance::started(config, index, incarnation);
        for writer in &mut self.writers {
            let is_here = match writer {
                Writer::Prepared { instance, .. } => *instance == index,
                Writer::Committed(edit) | Writer::Waiting(edit) => edit.instance == index,
                Writer::Idle | Writer::Done => false,
            };
            if is_here {
                *writer = Writer::Done;
            }
        }
        for client in &mut self.clients {
            match client.reader {
                Reader::Leased { instance }
                | Reader::Looked { instance, .. }
                | Reader::Waiting { instance }
                    if instance == index =>
                {
                    client.reader = Reader::Dead;
                }
                Reader::Idle
                | Reader::Leased { .. }
                | Reader::Looked { .. }
                | Reader::Waiting { .. }
                | Reader::Dead => {}
            }
        }
        take(Path::Restarted);
    }
}

fn publish(acks: &mut Vec<(Uuid, Uuid, i64)>, era: Uuid, id: Uuid, position: i64) {
    if let Some(ack) = acks.iter_mut().find(|ack| ack.0 == era && ack.1 == id) {
        ack.2 = ack.2.max(position);
    } else {
        acks.push((era, id, position));
        acks.sort_unstable();
    }
}
