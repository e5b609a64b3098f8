//! What happens in the database without the HTTP interface.

use std::{
    io::BufReader,
    process::ChildStdout,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query,
};

use super::Fault;
use crate::{
    dice::Dice,
    history::{Client, Log, Stage, Write},
    load::Edit,
    server::Guarded,
    world::{World, pause},
};

/// Pauses between edits, in milliseconds.
const PAUSE: (u64, u64) = (1, 60);

/// An import that takes longer is killed; what it did until then counts, and is reported.
const IMPORT: Duration = Duration::from_mins(5);

/// Edits titles and prices by SQL until healed.
#[derive(Debug, Default)]
pub(super) struct Psql {
    editing: Option<(Arc<AtomicBool>, JoinHandle<Log>)>,
    times: u16,
}

impl Fault for Psql {
    fn inject(&mut self, world: &mut World, dice: &mut Dice) -> Result<(), String> {
        let mut connection = world.connect()?;
        let synchronous = can_sync(&mut connection).map_err(|error| format!("look for sync: {error}"))?;
        let (stage, mut dice, done) =
            (Arc::clone(&world.stage), dice.split(), Arc::new(AtomicBool::new(false)));
        self.times += 1;
        let (client, told) = (Client::Psql(self.times), Arc::clone(&done));
        let edit_on = move || {
            let mut log = Log::default();
            while !told.load(Ordering::Acquire) {
                edit(&stage, &mut connection, &mut log, client, synchronous, &mut dice);
                pause(dice.milliseconds(PAUSE));
            }
            log
        };
        self.editing = Some((done, thread::spawn(edit_on)));
        Ok(())
    }

    fn heal(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        if let Some((done, editing)) = self.editing.take() {
            done.store(true, Ordering::Release);
            world.log.join(editing.join().map_err(|_panic| "the psql thread panicked")?);
        }
        Ok(())
    }
}

/// Whether the catalogue tells when an edit by SQL has become visible everywhere.
fn can_sync(connection: &mut PgConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        there: bool,
    }
    let query = "SELECT EXISTS (SELECT FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace \
                 WHERE n.nspname = 'catalog' AND proname = 'sync') AS there";
    sql_query(query).get_result::<Row>(connection).map(|row| row.there)
}

/// One edit. It has ended when the catalogue says that all instances know; until there is such a word it never ends.
fn edit(
    stage: &Stage,
    connection: &mut PgConnection,
    log: &mut Log,
    client: Client,
    synchronous: bool,
    dice: &mut Dice,
) {
    let (title, price) = [(true, false), (false, true), (true, true)][dice.roll(3)];
    let edit = Edit { product: dice.roll(stage.products.len()), title, price, number: stage.number() };
    let names = &stage.products[edit.product];
    let mut statements = vec!["BEGIN".to_owned()];
    if title {
        statements.push(format!("UPDATE product SET title = '{}' WHERE id = '{}'", edit.title(), names.id));
    }
    if price {
        statements.push(format!(
            "UPDATE price SET amount = {} FROM variant WHERE variant_id = variant.id AND sku = '{}'",
            edit.number, names.sku
        ));
    }
    statements.push("COMMIT".to_owned());
    let begin = stage.now();
    let committed = connection.batch_execute(&statements.join("; "));
    let known = committed.is_ok() && synchronous && connection.batch_execute("SELECT catalog.sync()").is_ok();
    let mut record = edit.record(client, begin);
    if known {
        record = Write { end: stage.now(), ..record };
    }
    if committed.is_err() {
        drop(connection.batch_execute("ROLLBACK"));
    }
    log.writes.push(record);
}

/// An import of many other products, under way while the hot ones are read and written.
#[derive(Debug)]
pub(super) struct Import {
    products: u32,
    /// The process, and its report that nobody reads but that must go somewhere.
    running: Option<(Guarded, BufReader<ChildStdout>)>,
}

impl Import {
    pub(super) fn of(products: u32) -> Self {
        Self { products, running: None }
    }
}

fn count_products(world: &World) -> Result<i64, String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let counted = sql_query("SELECT count(*) AS count FROM product").get_result::<Row>(&mut world.connect()?);
    counted.map(|row| row.count).map_err(|error| format!("count products: {error}"))
}

impl Fault for Import {
    fn inject(&mut self, world: &mut World, dice: &mut Dice) -> Result<(), String> {
        // Another seed changes every product of the last import.
        let (count, seed) = (self.products.to_string(), dice.roll(1000).to_string());
        let arguments = ["demo", "--products", &count, "--seed", &seed, "--json"];
        let environment = [("DATABASE_URL".to_owned(), world.postgres.url().to_owned())];
        let complaints = world.complaints(usize::MAX);
        self.running = Some(Guarded::start(&arguments, &environment, &complaints)?);
        Ok(())
    }

    fn heal(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        let Some((mut process, _report)) = self.running.take() else { return Ok(()) };
        let ended = process.ends_within(IMPORT);
        drop(process);
        world.notes.push(format!("{} products after an import", count_products(world)?));
        match ended {
            // Beside another fault it may lose its session.
            Some(status) if !status.success() && !world.mixed => {
                Err(format!("the import ended with {status}"))
            }
            _ => Ok(()),
        }
    }
}
