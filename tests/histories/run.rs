//! One run: clients under way, faults in between, a verdict at the end.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use crate::{
    dice::Dice,
    faults::{Fault, Kind},
    history::{Client, Log, Mark, Product, Way},
    http::Browser,
    judge::{Judgement, counts, judge},
    load::{CATEGORY, Worker, read_once, readers, writers},
    soak::Soak,
    world::{Manner, TOKEN, World, pause},
};

/// Everything that settles a run but the accidents of timing.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) faults: Vec<&'static Kind>,
    pub(crate) manner: Manner,
    /// Faults go on for so long; each comes once at least, unless they are mixed.
    pub(crate) seconds: u64,
    pub(crate) long: bool,
    pub(crate) seed: u64,
    pub(crate) products: usize,
    pub(crate) readers: u16,
    pub(crate) writers: u16,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) judgement: Judgement,
    pub(crate) log: Log,
    pub(crate) took: Duration,
    pub(crate) loaded: Duration,
    /// How often each fault fired, and how often while reads and edits were under way.
    pub(crate) fired: BTreeMap<&'static str, (usize, usize)>,
    /// Longest time from a fault's mending until every instance answered reads and edits.
    pub(crate) slowest_recovery: Duration,
    /// What went wrong besides what was read.
    pub(crate) troubles: Vec<String>,
    /// What is worth a line in the report.
    pub(crate) notes: Vec<String>,
    /// Last lines of the instances' logs, when something went wrong.
    pub(crate) complaints: Vec<String>,
}

/// Instances answer again this soon after everything is mended, leases, back-off and a loaded machine included.
const RECOVERY: Duration = Duration::from_mins(1);

/// Time between two faults, in milliseconds.
const BETWEEN: (u64, u64) = (200, 600);

/// Carries out a plan. Whatever happens, every process it started ends with it.
pub(crate) fn run(plan: &Plan) -> Result<Outcome, String> {
    let began = Instant::now();
    let mut dice = Dice::new(plan.seed);
    let mut world = World::start(&plan.manner)?;
    let products = create(&world, plan.products)?;
    Arc::get_mut(&mut world.stage).ok_or("the stage is not shared yet")?.products = products;
    wait_until_visible(&world)?;
    let stage = Arc::clone(&world.stage);
    let loaded = Instant::now();
    let mut workers = Workers { world_stage: Arc::clone(&stage), threads: Vec::new() };
    workers.threads.extend(writers(&stage, plan.writers, &mut dice));
    workers.threads.extend(readers(&stage, plan.readers, &mut dice));
    let mut soak = plan.manner.soak.then(Soak::new);
    let marks = break_and_mend(plan, &mut world, &mut dice, soak.as_mut());
    let mut log = std::mem::take(&mut world.log);
    workers.end(&mut log)?;
    let loaded = loaded.elapsed();
    let mut troubles = std::mem::take(&mut world.troubles);
    let marks = marks.unwrap_or_else(|error| {
        troubles.push(error);
        Vec::new()
    });
    last_look(&world, &mut log, &mut troubles);
    if let Some((notes, wrong)) = soak.map(|soak| soak.judge(&world)) {
        world.notes.extend(notes);
        troubles.extend(wrong);
    }
    let judgement = judge(&log, plan.products);
    let mut outcome = Outcome {
        fired: fired(plan, &log, &marks, &mut troubles),
        judgement,
        took: began.elapsed(),
        loaded,
        slowest_recovery: marks
            .iter()
            .map(|mark| Duration::from_nanos(mark.recovered - mark.healed))
            .max()
            .unwrap_or_default(),
        log,
        troubles,
        notes: std::mem::take(&mut world.notes),
        complaints: Vec::new(),
    };
    if plan.manner.consistency == "strict" && outcome.judgement.unverified > 0 {
        outcome.troubles.push(format!("{} unverified answers though strict", outcome.judgement.unverified));
    }
    if outcome.log.wrongs > 0 {
        let shown = outcome.log.wrong.join("\n  ");
        outcome.troubles.push(format!("{} wrong answers, e.g.\n  {shown}", outcome.log.wrongs));
    }
    if !outcome.troubles.is_empty() {
        outcome.complaints = world.last_complaints();
    }
    Ok(outcome)
}

/// Threads that are told to end, also when the run cannot go on.
struct Workers {
    world_stage: Arc<crate::history::Stage>,
    threads: Vec<Worker>,
}

impl Workers {
    /// Writers first, so that readers see the last values settle.
    fn end(&mut self, log: &mut Log) -> Result<(), String> {
        self.world_stage.writers_end.store(true, Ordering::Release);
        pause(Duration::from_millis(300));
        self.world_stage.readers_end.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            log.join(thread.join().map_err(|_panic| "a client panicked")?);
        }
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.world_stage.writers_end.store(true, Ordering::Release);
        self.world_stage.readers_end.store(true, Ordering::Release);
    }
}

/// Makes the category and its products, each with one variant; their first title and price have the number 0.
fn create(world: &World, count: usize) -> Result<Vec<Product>, String> {
    let stage = &world.stage;
    let mut browser = Browser::new(stage);
    let mut post = |path: &str, body: &str| {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: aisle\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = browser.send(stage, 0, request.as_bytes(), RECOVERY);
        let answer = answer.map_err(|failure| format!("{path}: {failure:?}"))?;
        let made: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let id = made.get("id").and_then(serde_json::Value::as_str).map(str::to_owned);
        id.ok_or_else(|| format!("{path}: {} {}", answer.status, answer.body))
    };
    let category = post("/v1/admin/categories", &format!(r#"{{"name":"Hot","slug":"{CATEGORY}"}}"#))?;
    (0..count)
        .map(|number| {
            let (slug, sku) = (format!("hot-{number}"), format!("HOT-{number}"));
            let draft = format!(
                r#"{{"title":"h{number}-0","slug":"{slug}","category_ids":["{category}"],
                "variants":[{{"sku":"{sku}","prices":[{{"currency":"USD","amount":0}}]}}]}}"#
            );
            Ok(Product { id: post("/v1/admin/products", &draft)?, slug, sku })
        })
        .collect()
}

/// Every read at every instance.
fn look_everywhere(world: &World, log: &mut Log) -> bool {
    let stage = &world.stage;
    let mut browser = Browser::new(stage);
    let mut all = true;
    for instance in 0..stage.instances() {
        for product in 0..stage.products.len() {
            for way in [Way::Id, Way::Slug, Way::Sku, Way::Page] {
                let what = (instance, product, way);
                all &= read_once(stage, &mut browser, log, Client::Last, what, Duration::from_secs(10));
            }
        }
    }
    all
}

fn wait_until_visible(world: &World) -> Result<(), String> {
    let deadline = Instant::now() + RECOVERY;
    loop {
        let mut log = Log::default();
        if look_everywhere(world, &mut log) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("the products do not show: {:?}", log.wrong));
        }
        pause(Duration::from_millis(20));
    }
}

/// What every instance says when all is quiet is part of the history.
fn last_look(world: &World, log: &mut Log, troubles: &mut Vec<String>) {
    if !look_everywhere(world, log) {
        troubles.push("an instance did not answer the last look".to_owned());
    }
}

/// A fault under way.
struct Active {
    kind: &'static Kind,
    fault: usize,
    begin: u64,
    fired: bool,
}

fn break_and_mend(
    plan: &Plan,
    world: &mut World,
    dice: &mut Dice,
    mut soak: Option<&mut Soak>,
) -> Result<Vec<Mark>, String> {
    let mut faults: Vec<Box<dyn Fault>> = plan.faults.iter().map(|kind| (kind.make)(plan.long)).collect();
    let mut marks = Vec::new();
    recover(world)?;
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    let mut next: Vec<usize> = Vec::new();
    let mut rounds = 0;
    while rounds == 0 || Instant::now() < end || (!plan.manner.mixed && rounds == 1 && !next.is_empty()) {
        pause(dice.milliseconds(BETWEEN));
        if next.is_empty() {
            next = (0..faults.len()).collect();
            dice.shuffle(&mut next);
            rounds += 1;
        }
        let chosen = choose(plan, &mut next, dice);
        let mut active = Vec::new();
        let mut result = inject(plan, &mut faults, world, dice, &chosen, &mut active);
        if result.is_ok() {
            let hold = chosen.iter().map(|fault| plan.faults[*fault].hold[usize::from(plan.long)]);
            pause(hold.map(|bounds| dice.milliseconds(bounds)).max().unwrap_or_default());
        }
        active.sort_by_key(|active| active.kind.area);
        for active in &active {
            result =
                result.and(faults[active.fault].heal(world, dice).map_err(|error| told(active.kind, &error)));
        }
        result?;
        let healed = world.stage.now();
        recover(world)?;
        let recovered = world.stage.now();
        if let Some(soak) = &mut soak {
            soak.look(world)?;
        }
        marks.extend(active.into_iter().filter(|active| active.fired).map(|active| Mark {
            fault: active.kind.name,
            begin: active.begin,
            healed,
            recovered,
        }));
    }
    // The last fault, too, is followed by reads and edits that began after it.
    recover(world)?;
    Ok(marks)
}

fn told(kind: &Kind, error: &str) -> String {
    format!("{}: {error}", kind.name)
}

/// The next fault, and with mixed faults another one that can be there at the same time.
fn choose(plan: &Plan, next: &mut Vec<usize>, dice: &mut Dice) -> Vec<usize> {
    let Some(first) = next.pop() else { return Vec::new() };
    let mut chosen = vec![first];
    if plan.manner.mixed {
        let kind = plan.faults[first];
        let fits = |other: &usize| {
            let other = plan.faults[*other];
            let both = kind.needs_instance() && other.needs_instance();
            other.name != kind.name && if both { plan.manner.instances > 1 } else { other.area != kind.area }
        };
        let others: Vec<usize> = (0..plan.faults.len()).filter(fits).collect();
        chosen.extend(others.get(dice.roll(others.len())));
    }
    chosen
}

fn inject(
    plan: &Plan,
    faults: &mut [Box<dyn Fault>],
    world: &mut World,
    dice: &mut Dice,
    chosen: &[usize],
    active: &mut Vec<Active>,
) -> Result<(), String> {
    for &fault in chosen {
        let kind = plan.faults[fault];
        let begin = world.stage.now();
        let injected = faults[fault].inject(world, dice);
        active.push(Active { kind, fault, begin, fired: injected.is_ok() });
        // Beside another fault there may be nothing left to break.
        injected.or_else(|error| if plan.manner.mixed { Ok(()) } else { Err(told(kind, &error)) })?;
    }
    Ok(())
}

/// Waits until every instance has answered a new read and acknowledged a new edit.
fn recover(world: &mut World) -> Result<(), String> {
    let progress = |world: &World| -> Vec<(u64, u64)> {
        let counters = world.stage.endpoints.iter().take(world.stage.instances());
        counters.map(|one| (one.reads.load(Ordering::Acquire), one.writes.load(Ordering::Acquire))).collect()
    };
    let before = progress(world);
    let deadline = Instant::now() + RECOVERY;
    loop {
        world.look_after()?;
        let now = progress(world);
        // Two more of each: one may have been under way.
        let moved = before.iter().zip(&now).map(|(before, now)| now.0 > before.0 + 1 && now.1 > before.1 + 1);
        let moved: Vec<bool> = moved.collect();
        if moved.iter().all(|moved| *moved) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("not every instance answers reads and edits within {RECOVERY:?}: {moved:?}"));
        }
        pause(Duration::from_millis(5));
    }
}

fn fired(
    plan: &Plan,
    log: &Log,
    marks: &[Mark],
    troubles: &mut Vec<String>,
) -> BTreeMap<&'static str, (usize, usize)> {
    let mut fired: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
    for mark in marks {
        let times = fired.entry(mark.fault).or_default();
        times.0 += 1;
        times.1 += usize::from(counts(log, mark));
    }
    if plan.manner.mixed {
        if fired.values().all(|(_, counted)| *counted == 0) {
            troubles.push("nothing happened during reads and edits".to_owned());
        }
        return fired;
    }
    for kind in &plan.faults {
        if fired.get(kind.name).is_none_or(|(_, counted)| *counted == 0) {
            troubles.push(format!("{} did not happen during reads and edits", kind.name));
        }
    }
    fired
}
