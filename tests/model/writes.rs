//! A write's steps, as `catalog::handle::Catalog::edit` takes them.

use std::sync::Arc;

use aisle::coherence::{change::Change, core::Stability, gate::Gate};

use crate::{
    config::Config,
    coverage::{Path, take},
    database::era_id,
    mistakes::Mistake,
    state::{EDITORS, Edit, State, WRITERS, Writer},
};

impl State {
    /// By mistake: the members are looked at before the commit.
    pub(crate) fn prepare(&mut self, writer: usize, index: usize) {
        let Some(instance) = self.instances.get(index) else { return };
        let before = Arc::new((instance.gate.clone(), instance.core.clone()));
        self.writers[writer] = Writer::Prepared { instance: index, before };
    }

    /// The write is committed, which is the last moment at which it can have begun.
    pub(crate) fn commit(&mut self, config: &Config, writer: usize, index: usize) -> bool {
        if !self.instances[index].fits(&self.database) {
            return false;
        }
        let before = match &self.writers[writer] {
            Writer::Prepared { before, .. } => Some(Arc::clone(before)),
            Writer::Idle | Writer::Committed(_) | Writer::Waiting(_) | Writer::Done => None,
        };
        let value = u8::try_from(writer).unwrap_or(0) + 1;
        let position = self.database.edit(value);
        self.write_begins(WRITERS + writer, value);
        self.writers[writer] = Writer::Committed(Edit {
            instance: index,
            ordinal: self.instances[index].gate.era(),
            era: self.database.era,
            position,
            since: self.now(config, index),
            before,
        });
        true
    }

    /// The instance learns of the commit. The later it counts from, the longer it waits; so only fine runs take this step.
    pub(crate) fn learn(&mut self, config: &Config, writer: usize) -> bool {
        let Writer::Committed(edit) = &self.writers[writer] else { return false };
        let now = self.now(config, edit.instance);
        let Writer::Committed(edit) = &mut self.writers[writer] else { return false };
        let is_later = now > edit.since;
        edit.since = now;
        is_later
    }

    /// It applies its own change, pulling what comes before.
    pub(crate) fn apply(&mut self, config: &Config, writer: usize) -> bool {
        let Writer::Committed(edit) = self.writers[writer].clone() else { return false };
        let now = self.now(config, edit.instance);
        let instance = &mut self.instances[edit.instance];
        if instance.gate.era() != edit.ordinal || !instance.fits(&self.database) {
            return false;
        }
        let (gate, core, era) = (&instance.gate, &mut instance.core, era_id(edit.era));
        if let Some(change) = self.database.change(edit.position) {
            core.pushed(gate, era, &change, now);
        }
        if gate.applied() < edit.position {
            let after = gate.applied();
            core.pulled(gate, Some(era), after, &self.database.changes(after, edit.position), now);
        }
        if config.errs(Mistake::Unfenced) {
            instance.entry = None;
        }
        self.writers[writer] = Writer::Waiting(edit);
        true
    }

    /// Is it stable? Then the client is told.
    pub(crate) fn acknowledge(&mut self, config: &Config, writer: usize) -> bool {
        let (Writer::Committed(edit) | Writer::Waiting(edit)) = self.writers[writer].clone() else {
            return false;
        };
        let is_applied = matches!(self.writers[writer], Writer::Waiting(_));
        if edit.before.is_some() && !is_applied {
            return false;
        }
        if !config.errs(Mistake::NoAckWait) && !self.is_acknowledged(config, &edit) {
            return false;
        }
        self.write_ends(WRITERS + writer);
        self.acknowledged = self.acknowledged.max((edit.era, edit.position));
        self.writers[writer] = Writer::Done;
        true
    }

    fn is_acknowledged(&self, config: &Config, edit: &Edit) -> bool {
        let now = self.now(config, edit.instance);
        let instance = &self.instances[edit.instance];
        let old;
        let (gate, core) = match &edit.before {
            None => (&instance.gate, &instance.core),
            Some(before) => {
                // Who joins or leaves goes unnoticed; who acknowledges does not.
                let (gate, mut core) = (**before).clone();
                let stripped = |change| Change { joined: Vec::new(), departed: Vec::new(), ..change };
                let changes = self.database.changes(gate.applied(), edit.position).into_iter().map(stripped);
                core.pulled(&gate, Some(era_id(edit.era)), gate.applied(), &changes.collect::<Vec<_>>(), now);
                for (era, id, position) in &self.acks {
                    core.acked(&gate, *era, id, *position, now);
                }
                old = (gate, core);
                (&old.0, &old.1)
            }
        };
        let is_by_acks = is_proven_by_acks(gate, edit.ordinal, edit.position);
        let stability = core.stability(gate, edit.ordinal, edit.position, edit.since, now);
        let is_stable = stability == Stability::Stable;
        if is_stable {
            take(if is_by_acks { Path::WriteByAcks } else { Path::WriteByTime });
        }
        is_stable
    }

    /// Somebody edits the database directly. Nobody waits for that: it may take effect after it has returned.
    pub(crate) fn edit_directly(&mut self) {
        self.edits -= 1;
        let value = 100 + self.edits;
        let position = self.database.edit(value);
        self.edited = self.clocks.iter().max().map(|clock| (position, *clock));
        self.write_begins(EDITORS + usize::from(self.edits), value);
    }
}

/// Whether a position is known to be stable already, so that no time has to pass.
pub(crate) fn is_proven_by_acks(gate: &Gate, ordinal: u32, position: i64) -> bool {
    ordinal == gate.era() && position <= gate.stable()
}
