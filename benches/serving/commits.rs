//! What it costs that commits come one after the other, and what other ways to acknowledge them would give.
//!
//! An edit draws its position of the log under a lock that is held until its commit is flushed and visible: that makes positions
//! an order in which nothing appears later. It also keeps commits from sharing a flush.

use diesel::connection::SimpleConnection;

use crate::{
    Extent, site,
    support::{
        outcome::Outcome,
        sample::Sample,
        servers::{Catalogue, Servers},
        table::Table,
    },
    tools::Pgbench,
};

/// Connections, each of products of its own.
const WRITERS: usize = 8;

/// Edits of one commit, where they are batched.
const BATCH: u32 = 8;

/// A way to edit.
struct Manner {
    name: &'static str,
    /// Without the lock; positions are then no order.
    unlocked: bool,
    pgbench: Pgbench,
    /// Edits of one run of its script.
    edits: u32,
    rates: Vec<f64>,
}

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    let (products, rounds, seconds) = extent.of((2_000, 5, 3), (200, 2, 1));
    let catalogue = site::catalogue(servers, "commits", products)?;
    let mut connection = catalogue.connect()?;
    // As the admin API does, which tells the others itself.
    connection.batch_execute("ALTER DATABASE commits SET aisle.doorbell = 'off'")?;
    let mut manners = manners(&catalogue)?;
    let locked = definition(&mut connection)?;
    let unlocked = locked.replace("PERFORM pg_advisory_xact_lock(4201);", "");
    if unlocked == locked {
        return Err("the lock is not where it was".into());
    }
    for round in 0..rounds {
        eprintln!("commits: round {}", round + 1);
        for manner in &mut manners {
            connection.batch_execute(if manner.unlocked { &unlocked } else { &locked })?;
            manner.rates.push(manner.pgbench.per_second(WRITERS, seconds)? * f64::from(manner.edits));
        }
    }
    let mut table = Table::new("Commits", &["8 connections by pgbench", "edits per second", "to as it is"]);
    table.note(format!(
        "{rounds} rounds of {seconds} s in turn; each edit is an update of a title, with its event and its document. The last three are not what is served."
    ));
    let as_it_is = manners.first().map(|manner| manner.rates.clone()).unwrap_or_default();
    for manner in manners {
        let ratios: Sample = manner.rates.iter().zip(&as_it_is).map(|(rate, base)| rate / base).collect();
        let rates: Sample = manner.rates.into_iter().collect();
        table.row([manner.name.to_owned(), format!("{rates:.0}"), format!("{ratios:.2}")]);
    }
    table.print();
    Ok(())
}

fn manners(catalogue: &Catalogue) -> Outcome<Vec<Manner>> {
    let manner =
        |name, unlocked, pgbench, edits| Manner { name, unlocked, pgbench, edits, rates: Vec::new() };
    let edit = Pgbench::edit(catalogue, WRITERS);
    let script = |text: &str| Pgbench::running(catalogue, text);
    let batch = edit.repeat(usize::try_from(BATCH)?);
    Ok(vec![
        manner("as it is: a flush under the lock each", false, Pgbench::edits(catalogue, WRITERS)?, 1),
        manner("eight edits by one commit", false, script(&format!("BEGIN;\n{batch}COMMIT;\n"))?, BATCH),
        manner(
            "visible before it is flushed, flushed together afterwards",
            false,
            script(&format!(
                "BEGIN;\nSET LOCAL synchronous_commit = off;\n{edit}COMMIT;\n\
                 SELECT pg_logical_emit_message(true, 'aisle', '');\n"
            ))?,
            1,
        ),
        manner("without the lock", true, script(&format!("BEGIN;\n{edit}COMMIT;\n"))?, 1),
    ])
}

/// The function that draws positions.
fn definition(connection: &mut aisle::store::Connection) -> Outcome<String> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        text: String,
    }
    let query = diesel::sql_query("SELECT pg_get_functiondef('catalog.stamp()'::regprocedure) AS text");
    let row: Row = diesel::RunQueryDsl::get_result(query, connection)?;
    Ok(row.text)
}
