//! What may break, one by one.

mod bulk;
mod edits;
mod instances;
mod network;
mod postgres;
mod redis;

use crate::{dice::Dice, world::World};

/// Something that breaks and is mended again. Lives for a run, so it may remember.
pub(crate) trait Fault {
    /// Breaks it.
    fn inject(&mut self, world: &mut World, dice: &mut Dice) -> Result<(), String>;

    /// Mends it.
    fn heal(&mut self, world: &mut World, dice: &mut Dice) -> Result<(), String>;
}

/// A kind of fault, by its name on the command line.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// What it breaks. Two faults at a time are of different areas, or of [`Area::Instance`]; they are mended in this order.
    pub(crate) area: Area,
    /// How long it lasts, in milliseconds, in the short selection and in the long one.
    pub(crate) hold: [(u64, u64); 2],
    /// Makes one; `true` for the long selection.
    pub(crate) make: fn(bool) -> Box<dyn Fault>,
}

/// What a fault breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Area {
    /// The Postgres server.
    Postgres,
    /// The Redis server.
    Redis,
    /// Something between instances and servers.
    Link,
    /// Nothing; something happens besides.
    Besides,
    /// An instance; mended last, since a start needs the others.
    Instance,
}

/// Every kind of fault.
pub(crate) static KINDS: &[Kind] = &[
    kind("none", "nothing breaks", Area::Besides, [(500, 500), (3000, 3000)], |_| Box::new(Nothing)),
    kind(
        "kill",
        "an instance is killed and started again",
        Area::Instance,
        [(200, 1500), (200, 4000)],
        |_| Box::<instances::Kill>::default(),
    ),
    kind(
        "term",
        "an instance is stopped in order and started again",
        Area::Instance,
        [(0, 300), (0, 2000)],
        |_| Box::<instances::Term>::default(),
    ),
    kind(
        "stop",
        "an instance's process is stopped for a while",
        Area::Instance,
        [(2000, 3000), (1000, 10_000)],
        |_| Box::<instances::Stop>::default(),
    ),
    kind("join", "one more instance joins and leaves", Area::Instance, [(800, 1500), (500, 4000)], |_| {
        Box::<instances::Join>::default()
    }),
    kind("redis-kill", "Redis ends and comes back empty", Area::Redis, [(300, 1500), (300, 4000)], |_| {
        Box::new(redis::Kill)
    }),
    kind(
        "redis-pause",
        "Redis takes requests and answers none",
        Area::Redis,
        [(500, 1500), (500, 5000)],
        |_| Box::new(redis::Pause),
    ),
    kind("redis-flush", "Redis is emptied", Area::Redis, [(200, 400), (200, 400)], |_| {
        Box::new(redis::Flush)
    }),
    kind(
        "redis-old",
        "Redis gets back entries it had before",
        Area::Redis,
        [(300, 800), (300, 2000)],
        |_| Box::<redis::Old>::default(),
    ),
    kind("redis-cut", "one instance loses Redis", Area::Link, [(500, 1500), (500, 4000)], |_| {
        Box::new(network::Broken::redis(network::Harm::Cut))
    }),
    kind("postgres-restart", "Postgres is restarted in order", Area::Postgres, [(0, 300), (0, 4000)], |_| {
        Box::new(postgres::Restart { crash: false })
    }),
    kind("postgres-crash", "Postgres crashes and recovers", Area::Postgres, [(0, 300), (0, 4000)], |_| {
        Box::new(postgres::Restart { crash: true })
    }),
    kind("postgres-cut", "one instance loses Postgres", Area::Link, [(1500, 2500), (500, 6000)], |_| {
        Box::new(network::Broken::postgres(network::Harm::Cut))
    }),
    kind(
        "postgres-freeze",
        "one instance's way to Postgres is silent",
        Area::Link,
        [(1500, 3000), (500, 8000)],
        |_| Box::new(network::Broken::postgres(network::Harm::Freeze)),
    ),
    kind(
        "backends",
        "sessions of the instances are terminated",
        Area::Link,
        [(100, 300), (100, 1000)],
        |_| Box::new(postgres::Terminate { listeners: false }),
    ),
    kind(
        "listeners",
        "sessions that follow the log are terminated",
        Area::Link,
        [(100, 300), (100, 1000)],
        |_| Box::new(postgres::Terminate { listeners: true }),
    ),
    kind("delay", "one link is slow", Area::Link, [(800, 1500), (1000, 5000)], |_| {
        Box::new(network::Broken::any(network::Harm::Delay))
    }),
    kind("psql", "edits are made in the database", Area::Besides, [(1000, 1500), (2000, 5000)], |_| {
        Box::<edits::Psql>::default()
    }),
    kind("import", "many products are imported", Area::Besides, [(500, 1000), (1000, 2000)], |long| {
        Box::new(edits::Import::of(if long { 5_000 } else { 60 }))
    }),
    kind("bulk", "many products are written by SQL", Area::Besides, [(300, 600), (1000, 2000)], |long| {
        Box::new(bulk::Bulk::of(if long { 100_000 } else { 2_000 }))
    }),
];

/// The last entry of a list of faults: random ones, two at a time.
pub(crate) const MIXED: &str = "mixed";

const fn kind(
    name: &'static str,
    about: &'static str,
    area: Area,
    hold: [(u64, u64); 2],
    make: fn(bool) -> Box<dyn Fault>,
) -> Kind {
    Kind { name, about, area, hold, make }
}

impl Kind {
    /// Whether it needs a Redis.
    pub(crate) fn needs_redis(&self) -> bool {
        self.name.starts_with("redis")
    }

    /// Whether it breaks one instance or its links, so that another instance can break at the same time.
    pub(crate) fn needs_instance(&self) -> bool {
        matches!(self.area, Area::Instance | Area::Link)
    }

    /// Whether it needs a Postgres of the run's own.
    pub(crate) fn needs_own_postgres(&self) -> bool {
        self.area == Area::Postgres
    }
}

struct Nothing;

impl Fault for Nothing {
    fn inject(&mut self, _world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        Ok(())
    }

    fn heal(&mut self, _world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        Ok(())
    }
}
