//! One state of the model.

use std::sync::Arc;

use aisle::coherence::{
    clock::Moment,
    core::{Core, Renewal, Since},
    gate::{Gate, Stamp},
};
use stateright::semantics::{
    ConsistencyTester as _, LinearizabilityTester,
    register::{Register, RegisterOp, RegisterRet},
};
use uuid::Uuid;

use crate::{
    config::{CLIENTS, INSTANCES},
    database::Database,
};

/// An entry of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// Era as the database calls it; an instance's own stamp is made of it.
    pub(crate) era: u8,
    pub(crate) position: i64,
    pub(crate) value: u8,
    /// Ordinal of the era in the process that holds it.
    pub(crate) ordinal: u32,
}

impl Entry {
    pub(crate) fn stamp(self) -> Stamp {
        Stamp { era: self.ordinal, position: self.position }
    }
}

/// What the lease keeper is at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Keeper {
    Idle,
    /// A renewal is on its way to the database.
    Sent {
        sent: Moment,
        since: Since,
    },
    /// Its answer is on its way back.
    Answered {
        sent: Moment,
        renewal: Arc<Renewal>,
    },
    /// The row of this incarnation is committed, in an era of this age.
    RowMade {
        id: Uuid,
        era: u8,
        age: Option<u64>,
    },
    /// The log was read before the row was made, which is a mistake.
    LogRead {
        sent: Moment,
        renewal: Arc<Renewal>,
    },
    /// Leaving: it serves no more, and its row is yet to be deleted.
    Departed {
        id: Uuid,
    },
    /// It has left.
    Gone,
}

/// How far a flight has come. One at a time on each instance, for there is one key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    Asked,
    /// The row was read in a snapshot before the head, which is a mistake.
    RowRead(u8),
    /// Row and head have been read.
    Read(Entry),
    /// Waits until the position is stable, known to be committed since the moment.
    Settling {
        entry: Entry,
        seen: i64,
        since: Moment,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Flight {
    pub(crate) phase: Phase,
    /// Ordinal of the era in which it took off.
    pub(crate) ordinal: u32,
    /// Clients that it started for.
    pub(crate) starters: Vec<usize>,
    /// Clients that came later.
    pub(crate) joiners: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Instance {
    pub(crate) gate: Gate,
    pub(crate) core: Core,
    pub(crate) incarnation: u8,
    pub(crate) keeper: Keeper,
    pub(crate) entry: Option<Entry>,
    pub(crate) flight: Option<Flight>,
}

/// A write on its way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Edit {
    pub(crate) instance: usize,
    /// Ordinal of the era before the commit.
    pub(crate) ordinal: u32,
    pub(crate) era: u8,
    pub(crate) position: i64,
    pub(crate) since: Moment,
    /// Who was a member before the commit: used only by mistake.
    pub(crate) before: Option<Arc<(Gate, Core)>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Writer {
    Idle,
    /// The members were looked at before the commit, which is a mistake.
    Prepared {
        instance: usize,
        before: Arc<(Gate, Core)>,
    },
    /// Committed, and the instance does not know yet.
    Committed(Edit),
    /// Applied where it was made.
    Waiting(Edit),
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reader {
    Idle,
    /// Found the lease good.
    Leased {
        instance: usize,
    },
    /// Has an entry, and looks at the lease afterwards, which is a mistake.
    Looked {
        instance: usize,
        entry: Entry,
    },
    /// Waits for a flight.
    Waiting {
        instance: usize,
    },
    /// Got an error, or nothing: its client goes away.
    Dead,
}

/// A reading client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    pub(crate) reader: Reader,
    pub(crate) left: u8,
    /// Era and position of the last write acknowledged before the read began.
    pub(crate) acknowledged: (u8, i64),
    /// Position of the edit that was long enough ago when the read began.
    pub(crate) edited: i64,
}

/// What an exploration has found wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each property")]
pub(crate) struct Wrong {
    pub(crate) not_linearizable: bool,
    pub(crate) older_than_acknowledged: bool,
    pub(crate) edit_unseen: bool,
    pub(crate) position_untrue: bool,
}

type Tester = LinearizabilityTester<usize, Register<u8>>;

#[derive(Debug, Clone, PartialEq, Hash)]
pub(crate) struct State {
    pub(crate) database: Database,
    /// A copy of it that lags behind.
    pub(crate) replica: Option<Box<Database>>,
    pub(crate) clocks: [u64; INSTANCES],
    pub(crate) instances: [Instance; INSTANCES],
    pub(crate) writers: [Writer; CLIENTS],
    pub(crate) clients: [Client; CLIENTS],
    /// Everything the shared cache was ever given.
    pub(crate) shared: Vec<Entry>,
    /// Acknowledgements ever published: era, member, position.
    pub(crate) acks: Vec<(Uuid, Uuid, i64)>,
    pub(crate) edits: u8,
    pub(crate) kills: u8,
    pub(crate) leaves: u8,
    pub(crate) losses: u8,
    pub(crate) drops: u8,
    pub(crate) failovers: u8,
    /// Position of the edit behind the API's back, and the latest clock when it was made.
    pub(crate) edited: Option<(i64, u64)>,
    /// The last acknowledged write.
    pub(crate) acknowledged: (u8, i64),
    pub(crate) wrong: Wrong,
    history: Arc<Tester>,
}

/// Names of clients in the history.
pub(crate) const WRITERS: usize = 0;
pub(crate) const READERS: usize = 10;
pub(crate) const EDITORS: usize = 20;

impl State {
    /// Nothing has happened, and no instance is a member yet.
    pub(crate) fn new(instances: [Instance; INSTANCES], database: Database) -> Self {
        let client = Client { reader: Reader::Idle, left: 0, acknowledged: (0, 0), edited: 0 };
        Self {
            database,
            replica: None,
            clocks: [0; INSTANCES],
            instances,
            writers: [Writer::Done, Writer::Done],
            clients: [client; CLIENTS],
            shared: Vec::new(),
            acks: Vec::new(),
            edits: 0,
            kills: 0,
            leaves: 0,
            losses: 0,
            drops: 0,
            failovers: 0,
            edited: None,
            acknowledged: (0, 0),
            wrong: Wrong::default(),
            history: Arc::new(LinearizabilityTester::new(Register(0))),
        }
    }

    /// A write of `value` begins.
    pub(crate) fn write_begins(&mut self, client: usize, value: u8) {
        let begun = Arc::make_mut(&mut self.history).on_invoke(client, RegisterOp::Write(value));
        begun.expect("one operation at a time");
    }

    /// A write is acknowledged.
    pub(crate) fn write_ends(&mut self, client: usize) {
        let ended = Arc::make_mut(&mut self.history).on_return(client, RegisterRet::WriteOk);
        ended.expect("an operation under way");
    }

    /// A read begins.
    pub(crate) fn read_begins(&mut self, client: usize) {
        let begun = Arc::make_mut(&mut self.history).on_invoke(client, RegisterOp::Read);
        begun.expect("one operation at a time");
    }

    /// A read ends with `value`. Only then can the verdict on the history change.
    pub(crate) fn read_ends(&mut self, client: usize, value: u8) {
        let ended = Arc::make_mut(&mut self.history).on_return(client, RegisterRet::ReadOk(value));
        ended.expect("an operation under way");
    }

    /// Whether the operations so far can be put in one order.
    pub(crate) fn is_linearizable(&self) -> bool {
        self.history.is_consistent()
    }

    /// Whether nothing can be read any more, and so nothing can go wrong any more.
    pub(crate) fn is_over(&self) -> bool {
        let is_over = |client: &Client| match client.reader {
            Reader::Dead => true,
            Reader::Idle => client.left == 0,
            Reader::Leased { .. } | Reader::Looked { .. } | Reader::Waiting { .. } => false,
        };
        self.clients.iter().all(is_over)
    }
}
