//! A read's steps: the look-up of `catalog::actor`, the flights of `catalog::fill` and `catalog::loader`.

use aisle::coherence::{core::Stability, gate::Gate};

use crate::{
    config::Config,
    coverage::{Path, take},
    database::{KEY, era_id},
    mistakes::Mistake,
    state::{Entry, Flight, Phase, READERS, Reader, State},
    writes::is_proven_by_acks,
};

fn admits(config: &Config, gate: &Gate, entry: Entry) -> bool {
    config.errs(Mistake::Unfenced) || gate.admits(entry.stamp(), &[KEY])
}

impl State {
    /// A read begins, and looks at the lease. Without one it is refused: it waits, and begins to look afresh.
    pub(crate) fn invoke(&mut self, config: &Config, client: usize, index: usize) -> bool {
        let is_blind = config.errs(Mistake::NoLease) || config.errs(Mistake::LeaseAfterLook);
        if !is_blind && !self.instances[index].gate.is_leased(self.now(config, index)) {
            take(Path::Lapsed);
            return false;
        }
        let earliest = self.clocks.iter().min().copied().unwrap_or(0);
        let edited = self.edited.filter(|(_, since)| earliest >= since + config.bound());
        let acknowledged = self.acknowledged;
        let reading = &mut self.clients[client];
        reading.left -= 1;
        reading.reader = Reader::Leased { instance: index };
        reading.acknowledged = acknowledged;
        reading.edited = edited.map_or(0, |(position, _)| position);
        if edited.is_some() {
            take(Path::EditSeen);
        }
        self.read_begins(READERS + client);
        true
    }

    /// It looks for the entry, then at the fence; else it waits for a flight, which starts if there is none.
    pub(crate) fn look(&mut self, config: &Config, client: usize) -> bool {
        let Reader::Leased { instance: index } = self.clients[client].reader else { return false };
        let instance = &mut self.instances[index];
        if let Some(entry) = instance.entry {
            if admits(config, &instance.gate, entry) {
                take(Path::LocalHit);
                if config.errs(Mistake::LeaseAfterLook) {
                    self.clients[client].reader = Reader::Looked { instance: index, entry };
                } else {
                    let position = instance.gate.applied().max(entry.position);
                    self.finish(config, client, entry, position);
                }
                return true;
            }
            take(Path::StaleRefused);
        }
        let ordinal = instance.gate.era();
        if let Some(flight) = &mut instance.flight {
            flight.joiners.push(client);
        } else {
            let (starters, joiners) = (vec![client], Vec::new());
            instance.flight = Some(Flight { phase: Phase::Asked, ordinal, starters, joiners });
        }
        self.clients[client].reader = Reader::Waiting { instance: index };
        true
    }

    /// By mistake: the lease is looked at after the entry.
    pub(crate) fn check(&mut self, config: &Config, client: usize) -> bool {
        let Reader::Looked { instance: index, entry } = self.clients[client].reader else { return false };
        if !self.instances[index].gate.is_leased(self.now(config, index)) {
            return false;
        }
        self.finish(config, client, entry, entry.position);
        true
    }

    /// The shared cache gives back some entry it was given once, of this era.
    pub(crate) fn share(&mut self, config: &Config, index: usize, which: usize) -> bool {
        let Some(found) = self.shared.get(which).copied() else { return false };
        let instance = &self.instances[index];
        let Some(flight) = &instance.flight else { return false };
        if flight.phase != Phase::Asked || instance.core.era() != Some(era_id(found.era)) {
            return false;
        }
        let entry = Entry { ordinal: instance.gate.era(), ..found };
        let is_current = admits(config, &instance.gate, entry) && entry.position <= instance.gate.applied();
        if !is_current && !config.errs(Mistake::SharedUnchecked) {
            take(Path::SharedRefused);
            return false;
        }
        take(Path::SharedHit);
        self.land(config, index, entry, false);
        true
    }

    /// By mistake: the row is read in a snapshot of its own.
    pub(crate) fn read_row(&mut self, index: usize) -> bool {
        let value = self.database.value(self.database.head());
        let Some(flight) = &mut self.instances[index].flight else { return false };
        if flight.phase != Phase::Asked {
            return false;
        }
        flight.phase = Phase::RowRead(value);
        true
    }

    /// The database reads row and head in one snapshot.
    pub(crate) fn read(&mut self, config: &Config, index: usize) -> bool {
        let position = self.database.head();
        let instance = &mut self.instances[index];
        let does_fit = instance.fits(&self.database);
        let Some(flight) = &mut instance.flight else { return false };
        let value = match flight.phase {
            Phase::RowRead(value) => value,
            Phase::Asked if !config.errs(Mistake::RowBeforeHead) => self.database.value(position),
            Phase::Asked | Phase::Read(_) | Phase::Settling { .. } => return false,
        };
        if !does_fit {
            return false;
        }
        let entry = Entry { era: self.database.era, position, value, ordinal: instance.gate.era() };
        flight.phase = Phase::Read(entry);
        if config.errs(Mistake::SharedBeforeStable) {
            self.give(config, entry);
        }
        true
    }

    /// The log is applied up to what was read; from here on the flight waits until what it saw is stable.
    pub(crate) fn settle(&mut self, config: &Config, index: usize) -> bool {
        let now = self.now(config, index);
        let instance = &mut self.instances[index];
        let Some(flight) = &mut instance.flight else { return false };
        let Phase::Read(entry) = flight.phase else { return false };
        let (gate, core) = (&instance.gate, &mut instance.core);
        if gate.era() != entry.ordinal {
            self.give_up(index);
            return true;
        }
        if gate.applied() < entry.position && !config.errs(Mistake::UnappliedRead) {
            let after = gate.applied();
            let changes = self.database.changes(after, entry.position);
            core.pulled(gate, Some(era_id(entry.era)), after, &changes, now);
        }
        let seen = gate.height(&[KEY]).min(entry.position);
        flight.phase = Phase::Settling { entry, seen, since: now };
        true
    }

    /// Is what the flight saw stable? Then it lands.
    pub(crate) fn land_settled(&mut self, config: &Config, index: usize) -> bool {
        let now = self.now(config, index);
        let instance = &self.instances[index];
        let Some(Flight { phase: Phase::Settling { entry, seen, since }, ordinal, .. }) = &instance.flight
        else {
            return false;
        };
        let (entry, seen) = (*entry, *seen);
        if !config.errs(Mistake::NoDirtyWait) {
            let is_by_acks = is_proven_by_acks(&instance.gate, *ordinal, seen);
            let stability = instance.core.stability(&instance.gate, *ordinal, seen, *since, now);
            if stability != Stability::Stable {
                return false;
            }
            if entry.value > 0 {
                take(if is_by_acks { Path::DirtyByAcks } else { Path::DirtyByTime });
            }
        }
        self.land(config, index, entry, true);
        true
    }

    /// A flight's entry is answered to those it is an answer to, and kept if nothing has overtaken it.
    fn land(&mut self, config: &Config, index: usize, entry: Entry, is_of_database: bool) {
        let instance = &mut self.instances[index];
        let Some(Flight { starters, joiners, .. }) = instance.flight.take() else { return };
        let is_current = admits(config, &instance.gate, entry)
            || (config.errs(Mistake::SharedUnchecked) && !is_of_database);
        let applied = instance.gate.applied();
        let position = if is_current { applied.max(entry.position) } else { entry.position };
        if is_current {
            instance.entry = Some(entry);
            if is_of_database {
                self.give(config, entry);
            }
        }
        for client in starters {
            self.finish(config, client, entry, position);
        }
        if is_current || config.errs(Mistake::JoinsAnything) {
            for client in joiners {
                take(Path::Adopted);
                self.finish(config, client, entry, position);
            }
        } else if !joiners.is_empty() {
            take(Path::Overtaken);
            let ordinal = self.instances[index].gate.era();
            self.instances[index].flight =
                Some(Flight { phase: Phase::Asked, ordinal, starters: joiners, joiners: Vec::new() });
        }
    }

    fn give(&mut self, config: &Config, entry: Entry) {
        let entry = Entry { ordinal: 0, ..entry };
        if config.is_shared && !self.shared.contains(&entry) {
            self.shared.push(entry);
            self.shared.sort_unstable();
        }
    }

    /// A flight fails: its clients get an error.
    pub(crate) fn give_up(&mut self, index: usize) {
        let Some(Flight { starters, joiners, .. }) = self.instances[index].flight.take() else { return };
        for client in starters.into_iter().chain(joiners) {
            self.clients[client].reader = Reader::Dead;
        }
    }

    /// The fill actor starts over: its flight is lost, and who waited for it asks again.
    pub(crate) fn drop_flight(&mut self, index: usize) {
        self.drops -= 1;
        let Some(Flight { starters, joiners, .. }) = self.instances[index].flight.take() else { return };
        for client in starters.into_iter().chain(joiners) {
            self.clients[client].reader = Reader::Leased { instance: index };
        }
        take(Path::Dropped);
    }

    /// A client gets its answer, said to be true up to a position.
    fn finish(&mut self, config: &Config, client: usize, entry: Entry, position: i64) {
        let reading = &mut self.clients[client];
        let is_old = (entry.era, entry.position) < reading.acknowledged;
        let is_unseen = entry.position < reading.edited;
        reading.reader = Reader::Idle;
        reading.acknowledged = (0, 0);
        reading.edited = 0;
        self.read_ends(READERS + client, entry.value);
        self.wrong.older_than_acknowledged |= is_old;
        self.wrong.edit_unseen |= is_unseen;
        if config.is_linearizable {
            self.wrong.not_linearizable |= !self.is_linearizable();
        }
        // A mistake may make this wrong at once, and hide the harm it does.
        if config.is_linearizable && config.mistakes.is_empty() {
            self.wrong.position_untrue |= self.database.value(position) != entry.value;
        }
    }
}
