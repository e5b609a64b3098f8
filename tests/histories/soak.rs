//! What an instance holds in a long run: memory, open files, threads, connections. Whatever is lost now and then, a connection
//! with a fault, a permit, a flight that never lands, shows when it is looked at for long enough.

use std::{
    fs,
    time::{Duration, Instant},
};

use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query};

use crate::{
    http::Browser,
    world::{World, pause},
};

/// The instance that is looked at. It is never ended, so that what it loses adds up; all else happens to it as to the others.
pub(crate) const SPARED: usize = 0;

/// Time between two looks.
const APART: Duration = Duration::from_secs(10);

/// A run that is judged: in a shorter one it is the catalogue that grows, by imports and bulk loads, and what is cached of it.
const JUDGED_AFTER: Duration = Duration::from_mins(8);

/// What grows by no more than this, from one third of a run to the next, does not grow.
const GROWTH: [(&str, u64); 4] =
    [("MiB of memory", 8), ("open files", 16), ("threads", 2), ("connections to Postgres", 4)];

/// Quiet comes this soon after the last client has gone.
const QUIET: Duration = Duration::from_secs(30);

/// Events that the log keeps whatever their age; beside them there are those since it was pruned last.
const EVENTS_KEPT: i64 = 10_000;

/// It is pruned once a minute; a batch at a time, and not while its database is away.
const PRUNED_WITHIN: Duration = Duration::from_mins(3);

/// The instance's state at a moment, in the order of [`GROWTH`].
type Look = [u64; GROWTH.len()];

/// Looks at the spared instance from time to time.
#[derive(Debug)]
pub(crate) struct Soak {
    looks: Vec<Look>,
    /// When, and up to which position the log had come.
    heads: Vec<(Instant, i64)>,
    due: Instant,
}

impl Soak {
    pub(crate) fn new() -> Self {
        Self { looks: Vec::new(), heads: Vec::new(), due: Instant::now() }
    }

    /// Looks, if it is time to, and lets hours pass for the log, so that there is something to prune.
    pub(crate) fn look(&mut self, world: &World) -> Result<(), String> {
        if Instant::now() < self.due {
            return Ok(());
        }
        self.due = Instant::now() + APART;
        let process = format!("/proc/{}", world.pid(SPARED).ok_or("the spared instance has ended")?);
        let count = |folder: &str| -> Result<u64, String> {
            let found = fs::read_dir(format!("{process}/{folder}")).map_err(|error| error.to_string())?;
            Ok(u64::try_from(found.count()).expect("few"))
        };
        let connections = u64::try_from(world.links[SPARED].postgres.connections()).expect("few");
        self.looks.push([resident(&process)?, count("fd")?, count("task")?, connections]);
        self.heads.push((
            Instant::now(),
            number(world, "SELECT coalesce(max(pos), 0) AS number FROM catalog_event")?,
        ));
        let age = "UPDATE catalog_event SET at = at - interval '2 hours', stamped_at = stamped_at - interval '2 hours' \
                   WHERE stamped_at BETWEEN now() - interval '1 hour' AND now() - interval '30 seconds'";
        world.connect()?.batch_execute(age).map_err(|error| format!("age the log: {error}"))
    }

    /// What was seen, in words, and what is wrong. Called when no client is left.
    ///
    /// Peaks come and go with imports and bulk loads; what is lost never comes back, so it is the least that rises.
    pub(crate) fn judge(&self, world: &World) -> (Vec<String>, Vec<String>) {
        let third = self.looks.len() / 3;
        let parts = [0..third, third..2 * third, 2 * third..self.looks.len()].map(|part| &self.looks[part]);
        let began = self.heads.first().map(|(at, _)| at.elapsed());
        let is_judged = began.is_some_and(|ago| ago >= JUDGED_AFTER) && third > 1;
        let (mut notes, mut troubles) =
            (vec![format!("{} looks at instance {SPARED}", self.looks.len())], Vec::new());
        for (what, (name, allowed)) in GROWTH.into_iter().enumerate() {
            let all = |part: &[Look]| part.iter().map(|look| look[what]).collect::<Vec<_>>();
            let least = parts.map(|part| all(part).into_iter().min().unwrap_or(0));
            let most = parts.map(|part| all(part).into_iter().max().unwrap_or(0));
            notes.push(format!("{name} in each third: {least:?} at least, {most:?} at most"));
            if is_judged && least[2] > least[1] + allowed {
                troubles.push(format!("{name} grow: at least {}, then {}", least[1], least[2]));
            }
        }
        match self.unpruned(world) {
            Ok((events, allowed)) if events > allowed => {
                troubles.push(format!("the log is not pruned: {events} events, {allowed} allowed"));
            }
            Ok((events, allowed)) => notes.push(format!("{events} events in the log, {allowed} allowed")),
            Err(error) => troubles.push(error),
        }
        troubles.extend(wait_for_quiet(world).err());
        (notes, troubles)
    }

    /// Events in the log, and how many there may be.
    fn unpruned(&self, world: &World) -> Result<(i64, i64), String> {
        let events = number(world, "SELECT count(*) AS number FROM catalog_event")?;
        let head = number(world, "SELECT coalesce(max(pos), 0) AS number FROM catalog_event")?;
        let earlier = self.heads.iter().rev().find(|(at, _)| at.elapsed() > PRUNED_WITHIN);
        Ok((events, EVENTS_KEPT + head - earlier.map_or(0, |(_, head)| *head)))
    }
}

fn resident(process: &str) -> Result<u64, String> {
    let status = fs::read_to_string(format!("{process}/status")).map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kilobytes.ok_or("no memory in the status")? / 1024)
}

fn number(world: &World, query: &str) -> Result<i64, String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        number: i64,
    }
    let found = sql_query(query).get_result::<Row>(&mut world.connect()?);
    found.map(|row| row.number).map_err(|error| format!("{query}: {error}"))
}

/// Waits until every instance has landed all flights and given back all permits.
fn wait_for_quiet(world: &World) -> Result<(), String> {
    let deadline = Instant::now() + QUIET;
    loop {
        let busy: Vec<String> =
            (0..world.stage.instances()).flat_map(|instance| under_way(world, instance)).collect();
        if busy.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("still under way though nobody asks: {}", busy.join(", ")));
        }
        pause(Duration::from_millis(50));
    }
}

/// What an instance says to be under way: flights, and messages as permits that are missing to the most there may be.
fn under_way(world: &World, instance: usize) -> Vec<String> {
    let mut browser = Browser::new(&world.stage);
    let request = b"GET /metrics HTTP/1.1\r\nhost: aisle\r\n\r\n";
    let Ok(answer) = browser.send(&world.stage, instance, request, QUIET) else {
        return vec![format!("instance {instance} has no metrics")];
    };
    let wanted = [
        ("aisle_flights", "0"),
        ("aisle_store_permits_available", "128"),
        ("aisle_admin_permits_available", "128"),
        ("aisle_list_permits_available", "128"),
    ];
    let value = |name: &str| {
        let lines = answer.body.lines().filter_map(|line| line.split_once(' '));
        lines.filter(|(found, _)| *found == name).map(|(_, value)| value.to_owned()).next()
    };
    let differ = wanted.into_iter().filter(|(name, wanted)| value(name).as_deref() != Some(*wanted));
    differ.map(|(name, _)| format!("instance {instance}: {name} {:?}", value(name))).collect()
}
