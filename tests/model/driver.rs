//! Which steps there are, and when they may be taken.

use stateright::{Model, Property};

use crate::{
    config::{CLIENTS, Config, INSTANCES},
    coverage::{Path, take},
    database::Database,
    mistakes::Mistake,
    state::{Entry, Keeper, Phase, Reader, State, Writer},
};

/// One step. Numbers are of instances, clients, or places in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Tick(usize),
    Deliver(usize),
    HearEarly(usize),
    Hear(usize, usize),
    AcknowledgeEarly(usize),
    Send(usize),
    Execute(usize),
    Receive(usize),
    Lose(usize),
    ReadLogFirst(usize),
    MakeRow(usize),
    Enter(usize),
    Eject(usize, usize),
    Depart(usize),
    Leave(usize),
    Kill(usize),
    Replicate,
    FailOver,
    EditDirectly,
    Prepare(usize, usize),
    Commit(usize, usize),
    Learn(usize),
    Apply(usize),
    Acknowledge(usize),
    Invoke(usize, usize),
    Look(usize),
    Check(usize),
    Share(usize, usize),
    ReadRow(usize),
    Read(usize),
    Settle(usize),
    Land(usize),
    Drop(usize),
}

impl Model for Config {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let mut state = State::begun(self);
        let position = state.database.head();
        for (instance, is_warm) in state.instances.iter_mut().zip(self.warm) {
            let ordinal = instance.gate.era();
            instance.entry = is_warm.then_some(Entry { era: 1, position, value: 0, ordinal });
        }
        (state.edits, state.kills, state.leaves) = (self.edits, self.kills, self.leaves);
        (state.losses, state.drops, state.failovers) = (self.losses, self.drops, self.failovers);
        for (client, reads) in state.clients.iter_mut().zip(self.reads) {
            client.left = reads;
        }
        state.writers.iter_mut().take(self.writes).for_each(|writer| *writer = Writer::Idle);
        if self.failovers > 0 {
            // One that lags behind by all that has happened.
            state.replica = Some(Box::new(Database::new()));
        }
        vec![state]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.is_over() {
            return;
        }
        for index in 0..INSTANCES {
            self.steps_of_instance(state, index, steps);
        }
        if state.edits > 0 {
            steps.push(Step::EditDirectly);
        }
        if state.failovers > 0 {
            steps.push(Step::FailOver);
            // Once: then it lags behind by what came afterwards.
            if state.replica.as_ref().is_some_and(|replica| replica.head() == 0) {
                steps.push(Step::Replicate);
            }
        }
        for client in 0..CLIENTS {
            self.steps_of_writer(state, client, steps);
            steps_of_reader(state, client, steps);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        let is_taken = self.take(&mut state, step);
        if is_taken {
            state.spread(self);
        }
        is_taken.then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("linearizable", |_, state: &State| !state.wrong.not_linearizable),
            Property::always("fresh after ack", |_, state: &State| !state.wrong.older_than_acknowledged),
            Property::always("direct edit visible within bound", |_, state: &State| !state.wrong.edit_unseen),
            Property::always("true up to its position", |_, state: &State| !state.wrong.position_untrue),
        ]
    }
}

impl Config {
    fn steps_of_instance(&self, state: &State, index: usize, steps: &mut Vec<Step>) {
        let instance = &state.instances[index];
        let clock = state.clocks[index];
        let may_tick = if self.skew == 0 { index == 0 } else { clock < state.clocks[1 - index] + self.skew };
        if clock < self.ticks && may_tick {
            steps.push(Step::Tick(index));
        }
        if instance.gate.applied() < state.database.head() {
            steps.push(Step::Deliver(index));
            if self.is_fine {
                steps.push(Step::HearEarly(index));
            }
        }
        if self.is_fine {
            steps.extend((0..state.acks.len()).map(|ack| Step::Hear(index, ack)));
        }
        if self.errs(Mistake::AckBeforeApply) {
            steps.push(Step::AcknowledgeEarly(index));
        }
        self.steps_of_keeper(state, index, steps);
        if self.ejects {
            steps.extend((0..state.overdue(self, index).len()).map(|which| Step::Eject(index, which)));
        }
        if state.leaves > 0 && instance.keeper == Keeper::Idle {
            steps.push(Step::Depart(index));
        }
        if state.kills > 0 {
            steps.push(Step::Kill(index));
        }
        if state.drops > 0 && instance.flight.is_some() {
            steps.push(Step::Drop(index));
        }
        match instance.flight.as_ref().map(|flight| &flight.phase) {
            Some(Phase::Asked) => {
                steps.extend((0..state.shared.len()).map(|which| Step::Share(index, which)));
                steps.push(if self.errs(Mistake::RowBeforeHead) {
                    Step::ReadRow(index)
                } else {
                    Step::Read(index)
                });
            }
            Some(Phase::RowRead(_)) => steps.push(Step::Read(index)),
            Some(Phase::Read(_)) => steps.push(Step::Settle(index)),
            Some(Phase::Settling { .. }) => steps.push(Step::Land(index)),
            None => {}
        }
    }

    fn steps_of_keeper(&self, state: &State, index: usize, steps: &mut Vec<Step>) {
        let (instance, clock) = (&state.instances[index], state.clocks[index]);
        match instance.keeper {
            Keeper::Idle if clock >= self.ticks => {}
            Keeper::Idle if instance.core.own().is_none() => {
                steps.push(if self.errs(Mistake::JoinReadsFirst) {
                    Step::ReadLogFirst(index)
                } else {
                    Step::MakeRow(index)
                });
            }
            Keeper::Idle => {
                let would_extend =
                    instance.core.rules().ends(state.now(self, index)) > instance.gate.deadline();
                // Another renewal at the same time would bring nothing else.
                if would_extend || !instance.fits(&state.database) {
                    steps.push(Step::Send(index));
                }
            }
            Keeper::Sent { .. } => steps.push(Step::Execute(index)),
            Keeper::Answered { .. } => {
                steps.push(Step::Receive(index));
                if state.losses > 0 {
                    steps.push(Step::Lose(index));
                }
            }
            Keeper::LogRead { .. } => steps.push(Step::MakeRow(index)),
            Keeper::RowMade { .. } => steps.push(Step::Enter(index)),
            Keeper::Departed { .. } => steps.push(Step::Leave(index)),
            Keeper::Gone => {}
        }
    }

    fn steps_of_writer(&self, state: &State, client: usize, steps: &mut Vec<Step>) {
        match &state.writers[client] {
            Writer::Idle if self.errs(Mistake::MembersBeforeCommit) => {
                steps.extend((0..INSTANCES).map(|index| Step::Prepare(client, index)));
            }
            Writer::Idle => {
                // Where both instances are alike, the first writer is at the first of them.
                let count = if self.is_symmetric() && client == 0 { 1 } else { INSTANCES };
                steps.extend((0..count).map(|index| Step::Commit(client, index)));
            }
            Writer::Prepared { instance, .. } => steps.push(Step::Commit(client, *instance)),
            Writer::Committed(_) => {
                steps.extend([Step::Apply(client), Step::Acknowledge(client)]);
                if self.is_fine {
                    steps.push(Step::Learn(client));
                }
            }
            Writer::Waiting(_) => steps.push(Step::Acknowledge(client)),
            Writer::Done => {}
        }
    }

    fn take(&self, state: &mut State, step: Step) -> bool {
        match step {
            Step::Tick(_) if self.skew == 0 => state.clocks.iter_mut().for_each(|clock| *clock += 1),
            Step::Tick(index) => state.clocks[index] += 1,
            Step::Deliver(index) => return state.deliver(self, index),
            Step::HearEarly(index) => return state.hear_early(self, index),
            Step::Hear(index, ack) => state.hear(self, index, ack),
            Step::AcknowledgeEarly(index) => return state.acknowledge_early(index),
            Step::Send(index) => {
                state.send(self, index);
                // The earlier the log is read, the less of it is there.
                return self.is_fine || state.execute(self, index);
            }
            Step::Execute(index) => return state.execute(self, index),
            Step::Receive(index) => return state.receive(self, index),
            Step::Lose(index) => {
                state.losses -= 1;
                state.instances[index].keeper = Keeper::Idle;
                take(Path::AnswerLost);
            }
            Step::ReadLogFirst(index) => state.read_log_first(self, index),
            Step::MakeRow(index) => {
                state.make_row(self, index);
                let is_made = matches!(state.instances[index].keeper, Keeper::RowMade { .. });
                return self.is_fine || !is_made || state.enter(self, index);
            }
            Step::Enter(index) => return state.enter(self, index),
            Step::Eject(index, which) => return state.eject(self, index, which),
            Step::Depart(index) => return state.depart(index),
            Step::Leave(index) => return state.leave(index),
            Step::Kill(index) => state.kill(self, index),
            Step::Replicate => state.replica = Some(Box::new(state.database.clone())),
            Step::FailOver => return fail_over(state),
            Step::EditDirectly => state.edit_directly(),
            Step::Prepare(client, index) => state.prepare(client, index),
            Step::Commit(client, index) => return state.commit(self, client, index),
            Step::Learn(client) => return state.learn(self, client),
            Step::Apply(client) => return state.apply(self, client),
            Step::Acknowledge(client) => return state.acknowledge(self, client),
            Step::Invoke(client, index) => return state.invoke(self, client, index),
            Step::Look(client) => return state.look(self, client),
            Step::Check(client) => return state.check(self, client),
            Step::Share(index, which) => return state.share(self, index, which),
            Step::ReadRow(index) => return state.read_row(index),
            Step::Read(index) => {
                // The sooner it settles, the less of the log is there, and the shorter the wait.
                return state.read(self, index) && (self.is_fine || state.settle(self, index));
            }
            Step::Settle(index) => return state.settle(self, index),
            Step::Land(index) => return state.land_settled(self, index),
            Step::Drop(index) => state.drop_flight(index),
        }
        true
    }
}

fn steps_of_reader(state: &State, client: usize, steps: &mut Vec<Step>) {
    let reading = state.clients[client];
    match reading.reader {
        Reader::Idle if reading.left > 0 => {
            steps.extend((0..INSTANCES).map(|index| Step::Invoke(client, index)));
        }
        Reader::Leased { .. } => steps.push(Step::Look(client)),
        Reader::Looked { .. } => steps.push(Step::Check(client)),
        Reader::Idle | Reader::Waiting { .. } | Reader::Dead => {}
    }
}

fn fail_over(state: &mut State) -> bool {
    let Some(replica) = state.replica.take() else { return false };
    let era = state.database.era + 1;
    state.failovers -= 1;
    state.database = replica.promoted(era);
    take(Path::FailedOver);
    true
}
