//! What is asked and edited: everything that a server, an import and a check ever ask the database for, with parameters that
//! cost the most: the biggest category, places far down, 200 products at once.

mod edits;
mod imports;
mod reads;

use aisle::{
    import::{
        problem::Problem,
        report::{Observer, Report},
    },
    store::{Connection, pool},
};
use uuid::Uuid;

use crate::{
    catalogue::{Catalogue, texts},
    support::app::App,
};

/// An observer that looks away.
pub(crate) struct Silent;

impl Observer for Silent {
    fn problem(&mut self, _problem: &Problem) {}

    fn progress(&mut self, _position: u64, _report: &Report) {}
}

/// What every part of the script stands on.
struct Stage<'a> {
    app: &'a App,
    connection: Connection,
    /// Whether lists are asked for.
    reads_lists: bool,
    /// Tells the names of this pass from those of the other one.
    pass: usize,
    /// Products far apart from each other.
    ids: Vec<Uuid>,
    /// Their slugs.
    slugs: Vec<String>,
    /// Some SKUs.
    skus: Vec<String>,
}

/// Does it all once.
pub(crate) fn run(catalogue: &Catalogue<'_>, pass: usize, reads_lists: bool) {
    let mut quiet = pool::connect_for_bulk(&catalogue.url).expect("the database answers");
    let far = "SELECT id FROM product WHERE status = 'active' AND deleted_at IS NULL ORDER BY uuid_hash_extended(id, 7) LIMIT 200";
    diesel::connection::SimpleConnection::batch_execute(&mut quiet, "SET auto_explain.log_min_duration = -1")
        .expect("silence");
    let ids = texts(&mut quiet, &format!("SELECT id::text AS text FROM ({far}) p"));
    let ids = ids.iter().map(|id| id.parse().expect("an id")).collect();
    let slugs = texts(
        &mut quiet,
        &format!("SELECT slug AS text FROM slug JOIN ({far}) p ON p.id = product_id AND is_current"),
    );
    let skus = texts(
        &mut quiet,
        &format!(
            "SELECT sku AS text FROM variant JOIN ({far}) p ON p.id = product_id WHERE sku IS NOT NULL LIMIT 200"
        ),
    );
    drop(quiet);
    let app = App::join(&catalogue.url, catalogue.redis, |_| ());
    let connection = pool::connect_for_bulk(&catalogue.url).expect("the database answers");
    let mut stage = Stage { app: &app, connection, reads_lists, pass, ids, slugs, skus };
    reads::direct(&mut stage);
    reads::over_http(&stage);
    edits::run(&mut stage);
    imports::run_all(&mut stage);
    reads::members(&mut stage);
}
