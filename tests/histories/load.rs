//! Readers and writers: they ask, note what they saw and when, and ask again.

use std::{
    sync::{Arc, atomic::Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{
    checker::NEVER,
    dice::Dice,
    history::{Cache, Client, Log, Read, Stage, Way, Write},
    http::{Answer, Browser, Failure},
    world::{TOKEN, pause},
};

/// The category whose page lists all products.
pub(crate) const CATEGORY: &str = "hot";

/// Pauses between a reader's requests, in microseconds: two processors carry everything here.
const READER_PAUSE: usize = 4000;

/// Pauses between a writer's edits, in microseconds.
const WRITER_PAUSE: usize = 15_000;

/// How long readers wait. The short ones ask a stopped instance again and again, so some questions were sent while it was
/// stopped and are answered when it goes on.
const READ_PATIENCE: [u64; 4] = [300, 1000, 2000, 12_000];

/// An edit may have to wait for a lease to run out.
const WRITE_PATIENCE: Duration = Duration::from_secs(8);

/// Most reads a client makes in a run, so that a run's memory is bounded.
const READS_MAX: usize = 500_000;

/// Refused for now: what cannot be vouched for or is not available, and a request that a stopped instance found too late.
const REFUSALS: [u16; 2] = [503, 408];

/// A thread that ends when the stage says so.
pub(crate) type Worker = JoinHandle<Log>;

/// Starts readers, each staying with one instance but for every fourth, which goes from one to another.
pub(crate) fn readers(stage: &Arc<Stage>, count: u16, dice: &mut Dice) -> Vec<Worker> {
    let reader = |number: u16| {
        let (stage, dice) = (Arc::clone(stage), dice.split());
        thread::spawn(move || read_on(&stage, number, dice))
    };
    (0..count).map(reader).collect()
}

/// Starts writers, one or more at each instance.
pub(crate) fn writers(stage: &Arc<Stage>, count: u16, dice: &mut Dice) -> Vec<Worker> {
    let writer = |number: u16| {
        let (stage, dice) = (Arc::clone(stage), dice.split());
        thread::spawn(move || write_on(&stage, number, dice))
    };
    (0..count).map(writer).collect()
}

fn read_on(stage: &Stage, number: u16, mut dice: Dice) -> Log {
    let (mut log, mut browser) = (Log::default(), Browser::new(stage));
    let instances = stage.instances();
    let home = usize::from(number) % instances;
    let roams = number % 4 == 3;
    let patience =
        Duration::from_millis(READ_PATIENCE[usize::from(number) / instances % READ_PATIENCE.len()]);
    while !stage.readers_end.load(Ordering::Acquire) && log.reads.len() < READS_MAX {
        let instance = if roams { dice.roll(instances + 1) } else { home };
        let product = dice.roll(stage.products.len());
        let way = match dice.roll(10) {
            0..5 => Way::Id,
            5..7 => Way::Slug,
            7..9 => Way::Sku,
            _ => Way::Page,
        };
        let answered = read_once(
            stage,
            &mut browser,
            &mut log,
            Client::Reader(number),
            (instance, product, way),
            patience,
        );
        let wait = if answered { dice.roll(READER_PAUSE) } else { 5000 };
        pause(Duration::from_micros(u64::try_from(wait).expect("64 bits")));
    }
    log
}

/// Sends one read and notes the answer; false if there was none.
pub(crate) fn read_once(
    stage: &Stage,
    browser: &mut Browser,
    log: &mut Log,
    client: Client,
    (instance, product, way): (usize, usize, Way),
    patience: Duration,
) -> bool {
    let names = &stage.products[product];
    let path = match way {
        Way::Id => format!("/v1/store/products/{}", names.id),
        Way::Slug => format!("/v1/store/products/by-slug/{}", names.slug),
        Way::Sku => format!("/v1/store/products/by-sku/{}", names.sku),
        Way::Page => format!("/v1/store/products?category={CATEGORY}&limit=50"),
    };
    let request = format!("GET {path} HTTP/1.1\r\nhost: aisle\r\naccept-encoding: identity\r\n\r\n");
    let answer = match browser.send(stage, instance, request.as_bytes(), patience) {
        Ok(answer) => answer,
        Err(Failure::NotSent) => return false,
        Err(Failure::NoAnswer { .. }) => {
            log.unanswered += 1;
            return false;
        }
    };
    if REFUSALS.contains(&answer.status) {
        log.refused += 1;
        return false;
    }
    let seen = if answer.status == 200 { products(&answer.body) } else { Vec::new() };
    let wanted = if way == Way::Page { stage.products.len() } else { 1 };
    let right = seen.len() >= wanted && (way == Way::Page || usize::from(seen[0].0) == product);
    if !right {
        log.wrong(format!(
            "{client} asked instance {} for {path}: {} {}",
            answer.life, answer.status, answer.body
        ));
        return false;
    }
    let cache = Cache::parse(&answer.cache_status);
    log.reads.extend(seen.into_iter().take(wanted).map(|(product, title, price)| Read {
        client,
        life: answer.life,
        way,
        cache,
        position: answer.position.unwrap_or(-1),
        begin: answer.begin,
        end: answer.end,
        product,
        title,
        price,
    }));
    stage.endpoints[instance].reads.fetch_add(1, Ordering::AcqRel);
    true
}

/// Product, title and price of each product or card in a body: `"title":"h3-17"` … `"price_range":{"min":17`.
fn products(body: &str) -> Vec<(u8, u32, u32)> {
    let mut found = Vec::new();
    for (start, marker) in body.match_indices("\"title\":\"h") {
        let rest = &body[start + marker.len()..];
        let price = rest.split_once("\"price_range\":{\"min\":").and_then(|(_, price)| leading(price));
        let title = rest.split_once('-').and_then(|(_, title)| leading(title));
        let product = leading(rest).and_then(|product| u8::try_from(product).ok());
        if let (Some(product), Some(title), Some(price)) = (product, title, price) {
            found.push((product, title, price));
        }
    }
    found
}

fn leading(text: &str) -> Option<u32> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

fn write_on(stage: &Stage, number: u16, mut dice: Dice) -> Log {
    let (mut log, mut browser) = (Log::default(), Browser::new(stage));
    while !stage.writers_end.load(Ordering::Acquire) && log.writes.len() < READS_MAX {
        // Some go to the instance that joined, while there is one.
        let instances = stage.instances();
        let joined = stage.endpoints[instances].port.load(Ordering::Acquire) != 0 && dice.roll(4) == 0;
        let instance = if joined { instances } else { usize::from(number) % instances };
        let (title, price) = [(true, false), (true, false), (false, true), (true, true)][dice.roll(4)];
        let edit = Edit { product: dice.roll(stage.products.len()), title, price, number: stage.number() };
        let confirmed = edit.send(stage, &mut browser, &mut log, Client::Writer(number), instance);
        let wait = if confirmed { dice.roll(WRITER_PAUSE) } else { 10_000 };
        pause(Duration::from_micros(u64::try_from(wait).expect("64 bits")));
    }
    log
}

/// A change of one product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edit {
    pub(crate) product: usize,
    pub(crate) title: bool,
    pub(crate) price: bool,
    pub(crate) number: u32,
}

impl Edit {
    /// The title this edit gives.
    pub(crate) fn title(&self) -> String {
        format!("h{}-{}", self.product, self.number)
    }

    fn request(&self, stage: &Stage) -> String {
        let names = &stage.products[self.product];
        let mut parts = Vec::new();
        if self.title {
            parts.push(format!(r#""title":"{}""#, self.title()));
        }
        if self.price {
            parts.push(format!(
                r#""variants":[{{"sku":"{}","prices":[{{"currency":"USD","amount":{}}}]}}]"#,
                names.sku, self.number
            ));
        }
        let body = format!("{{{}}}", parts.join(","));
        format!(
            "PATCH /v1/admin/products/{} HTTP/1.1\r\nhost: aisle\r\nauthorization: Bearer {TOKEN}\r\nif-match: *\r\n\
             content-type: application/merge-patch+json\r\ncontent-length: {}\r\n\r\n{body}",
            names.id,
            body.len()
        )
    }

    /// What is known of it.
    pub(crate) fn record(&self, client: Client, begin: u64) -> Write {
        Write {
            client,
            life: None,
            number: self.number,
            product: u8::try_from(self.product).expect("few products"),
            title: self.title,
            price: self.price,
            begin,
            end: NEVER,
            status: 0,
            position: None,
        }
    }

    /// Sends it and notes the outcome; whether it was confirmed.
    ///
    /// Refused or unanswered, it may yet take effect: a refusal is not held to mean that nothing was done.
    fn send(
        self,
        stage: &Stage,
        browser: &mut Browser,
        log: &mut Log,
        client: Client,
        instance: usize,
    ) -> bool {
        match browser.send(stage, instance, self.request(stage).as_bytes(), WRITE_PATIENCE) {
            Err(Failure::NotSent) => false,
            Err(Failure::NoAnswer { life, begin }) => {
                log.unanswered += 1;
                log.writes.push(Write { life: Some(life), ..self.record(client, begin) });
                false
            }
            Ok(answer) => self.note(stage, log, client, instance, &answer),
        }
    }

    fn note(&self, stage: &Stage, log: &mut Log, client: Client, instance: usize, answer: &Answer) -> bool {
        let confirmed = answer.status == 200;
        let record = self.record(client, answer.begin);
        log.writes.push(Write {
            life: Some(answer.life),
            end: if confirmed { answer.end } else { NEVER },
            status: answer.status,
            position: answer.position,
            ..record
        });
        match answer.status {
            200 => {
                stage.endpoints[instance].writes.fetch_add(1, Ordering::AcqRel);
            }
            status if REFUSALS.contains(&status) => log.refused += 1,
            status => {
                log.wrong(format!("{client} edited at instance {}: {status} {}", answer.life, answer.body));
            }
        }
        confirmed
    }
}
