//! The command line, and which runs it asks for.

use clap::{Parser, ValueEnum};

use crate::{
    faults::{KINDS, Kind, MIXED},
    run::Plan,
    world::Manner,
};

/// Real clients, real instances, real faults: is what the clients read linearizable?
///
/// Without options a short selection runs, each fault once at least. A run stops when its faults and seconds are over.
#[derive(Debug, Parser)]
#[command(name = "histories")]
#[expect(clippy::struct_excessive_bools, reason = "one per flag; most belong to cargo test")]
pub(crate) struct Options {
    /// Every fault by itself and mixed, with Redis and without: 200,000 judged reads and more
    #[arg(long, env = "AISLE_HISTORIES_LONG", num_args = 0..=1, default_missing_value = "true", default_value = "false")]
    pub(crate) long: bool,

    /// The short selection, which is the default; with --fault: faults as short as there
    #[arg(long)]
    short: bool,

    /// One long run of mixed faults, after which nothing may have been lost: memory, open files, threads, permits
    #[arg(long)]
    soak: bool,

    /// Only a run with these faults, one after another (mixed: two at a time; all: a run for each)
    #[arg(long, value_delimiter = ',')]
    pub(crate) fault: Vec<String>,

    /// Only with Redis, or only without
    #[arg(long)]
    redis: Option<Redis>,

    /// Seconds of faults in each run
    #[arg(long)]
    seconds: Option<u64>,

    /// What chance begins with
    #[arg(long)]
    seed: Option<u64>,

    /// `AISLE_CONSISTENCY` of the instances; otherwise available with Redis, strict without
    #[arg(long)]
    consistency: Option<Consistency>,

    /// `AISLE_LEASE_MS` of the instances; otherwise 1000, and 2000 in long runs
    #[arg(long)]
    lease: Option<u64>,

    /// Instances; one more joins at times
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=3))]
    instances: u8,

    /// Products that are read and written
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=40))]
    products: u8,

    /// Reading clients
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(3..=200))]
    readers: u16,

    /// Writing clients; a third of them at each instance
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(3..=200))]
    writers: u16,

    /// Breaks the program instead, in each way there is: a run passes if its history shows it (needs the feature mutants)
    #[arg(long)]
    pub(crate) mutants: bool,

    /// Names the faults
    #[arg(long)]
    pub(crate) list: bool,

    /// Only if the name histories contains one of these, as cargo test passes names to every test program
    filters: Vec<String>,

    #[arg(long, hide = true)]
    nocapture: bool,
    #[arg(long, hide = true)]
    exact: bool,
    #[arg(long, hide = true)]
    show_output: bool,
    #[arg(long, hide = true)]
    test_threads: Option<String>,
    #[arg(long, hide = true)]
    skip: Vec<String>,
    #[arg(short, long, hide = true)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Redis {
    Yes,
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Consistency {
    Available,
    Strict,
}

/// The short selection: faults of one run, whether with Redis, seconds.
const SHORT: [(&[&str], Redis, u64); 5] = [
    (&["stop", "kill", "term", "join"], Redis::Yes, 8),
    (&["redis-kill", "redis-pause", "redis-flush", "redis-old", "redis-cut", "delay"], Redis::Yes, 8),
    (&["postgres-restart", "postgres-crash", "postgres-cut", "postgres-freeze"], Redis::No, 8),
    (&["none", "backends", "listeners", "psql", "import", "bulk"], Redis::No, 6),
    (&[MIXED], Redis::Yes, 8),
];

/// Ways to break the program, as `AISLE_MUTANT` names them, and faults that show it.
const MUTANTS: [(&str, &[&str], Redis); 5] = [
    ("no-stability-wait", &["none"], Redis::Yes),
    ("no-stability-wait", &["delay"], Redis::No),
    ("no-fence", &["none"], Redis::Yes),
    ("no-fence", &["none"], Redis::No),
    ("no-lease", &["stop"], Redis::No),
];

/// Seconds of a run with one fault, and of one with mixed faults.
const SECONDS: [u64; 2] = [15, 90];

/// Seconds of a soak.
const SOAK_SECONDS: u64 = 900;

impl Options {
    /// Whether `cargo test NAME` means other tests.
    pub(crate) fn are_for_others(&self) -> bool {
        let named = |names: &[String]| names.iter().any(|name| "histories".contains(name.as_str()));
        named(&self.skip) || (!self.filters.is_empty() && !named(&self.filters))
    }

    /// The runs asked for.
    pub(crate) fn plans(&self, chance: u64) -> Result<Vec<Plan>, String> {
        let seed = self.seed.unwrap_or(chance);
        if self.mutants {
            if !cfg!(feature = "mutants") {
                return Err(
                    "this build cannot be broken: cargo test --features mutants --test histories".to_owned()
                );
            }
            let broken = MUTANTS.iter().map(|(mutant, names, redis)| {
                let mut plan = self.plan(names, *redis, 8, seed)?;
                plan.manner.mutant = Some(mutant);
                Ok(plan)
            });
            return broken.collect();
        }
        if self.soak {
            let mut plan = self.plan(&[MIXED], Redis::Yes, SOAK_SECONDS, seed)?;
            plan.manner.soak = true;
            return Ok(vec![plan]);
        }
        if self.fault.is_empty() && !self.long {
            let wanted =
                SHORT.iter().filter(|(_, redis, _)| self.redis.is_none_or(|wanted| wanted == *redis));
            return wanted.map(|(names, redis, seconds)| self.plan(names, *redis, *seconds, seed)).collect();
        }
        let every: Vec<&str> = KINDS.iter().map(|kind| kind.name).chain([MIXED]).collect();
        let named: Vec<&str> = self.fault.iter().map(String::as_str).collect();
        let groups: Vec<Vec<&str>> = match named[..] {
            [] | ["all"] => every.into_iter().map(|name| vec![name]).collect(),
            _ => vec![named],
        };
        let mut plans = Vec::new();
        for redis in
            [Redis::Yes, Redis::No].into_iter().filter(|one| self.redis.is_none_or(|wanted| wanted == *one))
        {
            for group in &groups {
                let possible =
                    redis == Redis::Yes || !kinds(group, true)?.iter().any(|kind| kind.needs_redis());
                if possible || group.contains(&MIXED) {
                    plans.push(self.plan(
                        group,
                        redis,
                        SECONDS[usize::from(group.contains(&MIXED))],
                        seed,
                    )?);
                }
            }
        }
        if plans.is_empty() { Err("these faults need a Redis".to_owned()) } else { Ok(plans) }
    }

    fn plan(&self, names: &[&str], redis: Redis, seconds: u64, seed: u64) -> Result<Plan, String> {
        let long = !self.short && (self.long || self.soak || !self.fault.is_empty());
        let with_redis = redis == Redis::Yes;
        let mut faults = kinds(names, with_redis)?;
        let mixed = names.contains(&MIXED);
        // The short mixed run shares the Postgres of the others, which is quicker to start.
        faults.retain(|kind| long || !mixed || (!kind.needs_own_postgres() && kind.name != "import"));
        let consistency = match self.consistency {
            Some(Consistency::Available) => "available",
            None if with_redis => "available",
            Some(Consistency::Strict) | None => "strict",
        };
        let own_postgres = faults.iter().any(|kind| kind.needs_own_postgres());
        let lease = self.lease.unwrap_or(if long { 2000 } else { 1000 });
        Ok(Plan {
            faults,
            manner: Manner {
                instances: self.instances.into(),
                redis: with_redis,
                own_postgres,
                mixed,
                consistency,
                lease,
                soak: false,
                mutant: None,
            },
            seconds: self.seconds.unwrap_or(seconds),
            long,
            seed,
            products: self.products.into(),
            readers: self.readers,
            writers: self.writers,
        })
    }

    /// Names of the faults of a plan, as an option takes them, and the whole command that repeats it.
    pub(crate) fn repeat(plan: &Plan) -> (String, String) {
        let names: Vec<&str> = plan.faults.iter().map(|kind| kind.name).collect();
        let names = if plan.manner.mixed { MIXED.to_owned() } else { names.join(",") };
        let Manner { instances, redis, consistency, lease, .. } = plan.manner;
        let what = if plan.manner.soak { "--soak".to_owned() } else { format!("--fault {names}") };
        let command = format!(
            "cargo test --test histories -- {what} --redis {} --seconds {} --seed {} --consistency {consistency} \
             --lease {lease} --instances {instances} --products {} --readers {} --writers {}{}",
            if redis { "yes" } else { "no" },
            plan.seconds,
            plan.seed,
            plan.products,
            plan.readers,
            plan.writers,
            if plan.long { "" } else { " --short" }
        );
        (names, command)
    }
}

/// The faults of these names; all that are possible for `mixed`.
fn kinds(names: &[&str], redis: bool) -> Result<Vec<&'static Kind>, String> {
    if names.contains(&MIXED) {
        let usable = |kind: &&Kind| kind.name != "none" && (redis || !kind.needs_redis());
        return Ok(KINDS.iter().filter(usable).collect());
    }
    let find = |name: &&str| {
        let found = KINDS.iter().find(|kind| kind.name == *name);
        found.ok_or_else(|| format!("no fault is called {name}; --list names them"))
    };
    names.iter().map(find).collect()
}
