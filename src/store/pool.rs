//! Connections: a pool that connects when asked, and the migrations.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use diesel::{
    Connection as _, PgConnection, RunQueryDsl, connection::SimpleConnection, r2d2::R2D2Connection,
    sql_types as sql,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use uuid::Uuid;

use super::{
    Connection,
    era::ExpectedEra,
    error::StoreError,
    statement::{Bind, Statement},
};
use crate::limits;

/// A bounded pool of connections. Cheap to clone.
#[derive(Clone)]
pub struct Pool(r2d2::Pool<Manager>);

/// A connection on loan from the pool.
pub type PooledConnection = r2d2::PooledConnection<Manager>;

/// How many connections a pool has, and how many of them are not in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// Open connections.
    pub open: u32,
    /// Open connections that nobody uses.
    pub idle: u32,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.state()).finish()
    }
}

impl Pool {
    /// Makes a pool of at most `size` connections, all of the era expected at the time. Connects to nothing yet, so it
    /// cannot fail.
    pub fn new(url: &str, size: u32, expected: ExpectedEra) -> Self {
        let pool = r2d2::Pool::builder()
            .max_size(size.max(1))
            .min_idle(Some(0))
            // Costs a look at the socket, no round trip: see `Manager::is_valid`.
            .test_on_check_out(true)
            .connection_timeout(limits::CHECKOUT_TIMEOUT)
            .build_unchecked(Manager { url: url.to_owned(), expected });
        Self(pool)
    }

    /// Borrows a connection, waiting at most [`limits::CHECKOUT_TIMEOUT`].
    pub fn get(&self) -> Result<PooledConnection, StoreError> {
        self.0.get().map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// Borrows a connection that has just answered; dead ones are thrown away on the way.
    pub fn get_live(&self) -> Result<PooledConnection, StoreError> {
        let mut idle = self.state().idle;
        loop {
            let mut connection = self.get()?;
            match connection.ping() {
                Ok(()) => return Ok(connection),
                Err(_dead) if idle > 0 => idle -= 1,
                Err(error) => return Err(StoreError::Unavailable(error.to_string())),
            }
        }
    }

    /// Counts connections.
    pub fn state(&self) -> PoolState {
        let state = self.0.state();
        PoolState { open: state.connections, idle: state.idle_connections }
    }
}

/// Opens connections for the pool.
#[derive(Clone)]
pub struct Manager {
    url: String,
    expected: ExpectedEra,
}

/// A pooled connection, and the era it leads to.
pub struct Session {
    connection: Connection,
    era: Option<Uuid>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("era", &self.era).finish_non_exhaustive()
    }
}

impl Deref for Session {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Manager") // the URL may hold a password
    }
}

/// Why a connection could not be opened or used again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConnectionFailed(String);

impl r2d2::ManageConnection for Manager {
    type Connection = Session;
    type Error = ConnectionFailed;

    fn connect(&self) -> Result<Session, ConnectionFailed> {
        let failed = |error: StoreError| ConnectionFailed(error.to_string());
        let mut connection = connect(&self.url).map_err(failed)?;
        if self.expected.is_any() {
            return Ok(Session { connection, era: None });
        }
        let era = self.expected.verify(&mut connection).map_err(failed)?;
        Ok(Session { connection, era })
    }

    fn is_valid(&self, session: &mut Session) -> Result<(), ConnectionFailed> {
        if is_closed(&mut session.connection) {
            return Err(ConnectionFailed("closed by the server".to_owned()));
        }
        if !self.expected.admits(session.era) {
            return Err(ConnectionFailed("of a history that has ended".to_owned()));
        }
        Ok(())
    }

    /// Also after a panic inside a transaction: Diesel then finds it still open.
    fn has_broken(&self, session: &mut Session) -> bool {
        let connection = &mut session.connection;
        std::thread::panicking() || connection.is_broken() || is_closed(connection)
    }
}

/// Whether the server has closed the connection: reads what has arrived, without waiting and without asking anything.
/// So after a restart of the database no request meets a dead connection of the pool.
fn is_closed(connection: &mut Connection) -> bool {
    // Twice: the first look may find the server's last words, only the second the end.
    (0..2).any(|_| connection.notifications_iter().any(|notification| notification.is_err()))
}

/// How soon a silent network is noticed, in libpq's words: its own defaults and the system's wait for minutes or hours.
/// And where reads may go: to the primary only, since a replica shows commits late and in another order.
const PATIENCE: [(&str, &str); 6] = [
    ("connect_timeout", "2"),
    ("keepalives_idle", "2"),
    ("keepalives_interval", "1"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "4000"),
    ("target_session_attrs", "read-write"),
];

/// The address with [`PATIENCE`] where it does not say otherwise. In both of libpq's forms, URL and `key=value` pairs.
fn impatient(url: &str) -> String {
    let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
    PATIENCE.iter().filter(|(name, _)| !url.contains(name)).fold(url.to_owned(), |address, (name, value)| {
        let separator = match (is_url, address.contains('?')) {
            (true, true) => '&',
            (true, false) => '?',
            (false, _) => ' ',
        };
        format!("{address}{separator}{name}={value}")
    })
}

/// Opens a connection with the session settings of the catalogue. Only roles that the server lets choose get messages in English.
///
/// - Time-outs, one for locks too: the database bounds no COMMIT by the time of a statement, and ours waits for a lock. The
///   isolation level that edits need; commits that survive a crash, for what was acknowledged or read must not vanish; UTC; and
///   messages in English, by which errors are told apart.
/// - No JIT compilation, which costs more than any of our statements; index look-ups priced as memory reads, which they are in a
///   catalogue that fits; no parallel workers.
/// - No merge joins. Statements look up a few rows by their keys; a merge join hopes to stop early in the order of the keys, which
///   tells nothing, and was seen to read all tags for the three of a product.
/// - Plans that are made once, for any values. Else statements with an array are planned anew each time: a plan for one key
///   looks cheaper than one for any number of them, though both go the same way.
/// - Plans that use an index where there is one: a plan made while a table was empty must serve when it is not.
pub fn connect(url: &str) -> Result<Connection, StoreError> {
    let unavailable = |error: &dyn fmt::Display| StoreError::Unavailable(error.to_string());
    let mut connection = PgConnection::establish(&impatient(url)).map_err(|error| unavailable(&error))?;
    let milliseconds = limits::STATEMENT_TIMEOUT.as_millis();
    connection
        .batch_execute(&format!(
            "SET application_name = 'aisle'; SET timezone = 'UTC'; SET jit = off; SET random_page_cost = 1.1; \
             SET max_parallel_workers_per_gather = 0; SET enable_mergejoin = off; \
             SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
             SET statement_timeout = {milliseconds}; SET idle_in_transaction_session_timeout = {milliseconds}; \
             SET lock_timeout = {milliseconds}; \
             SET default_transaction_isolation = 'read committed'; \
             SELECT set_config('synchronous_commit', 'on', false) \
              WHERE current_setting('synchronous_commit') = 'off'; \
             DO $$ BEGIN PERFORM set_config('lc_messages', 'C', false); \
               EXCEPTION WHEN insufficient_privilege THEN NULL; END $$"
        ))
        .map_err(|error| unavailable(&error))?;
    Ok(connection)
}

/// The same where nobody waits for single statements: a machine that is busy for some seconds must not end them.
pub fn connect_patiently(url: &str) -> Result<Connection, StoreError> {
    let mut connection = connect(url)?;
    let milliseconds = limits::BULK_STATEMENT_TIMEOUT.as_millis();
    connection.batch_execute(&format!(
        "SET statement_timeout = {milliseconds}; SET idle_in_transaction_session_timeout = {milliseconds}; \
         SET lock_timeout = {milliseconds}"
    ))?;
    Ok(connection)
}

/// The same for what works through a whole file or catalogue: its joins may be of thousands of rows.
pub fn connect_for_bulk(url: &str) -> Result<Connection, StoreError> {
    let mut connection = connect_patiently(url)?;
    connection.batch_execute(
        "RESET max_parallel_workers_per_gather; RESET enable_mergejoin; RESET plan_cache_mode; RESET enable_seqscan",
    )?;
    Ok(connection)
}

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Held while migrations run: of several instances that start together one migrates, the others wait.
const MIGRATION_LOCK: i64 = 4200;

/// Brings the database up to date and gives the names of the migrations that were run.
pub fn migrate(url: &str) -> Result<Vec<String>, StoreError> {
    let mut connection = connect(url)?;
    connection.batch_execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")?;
    let lock = |text: &'static str| Statement::<sql::Bool>::new(text, [Bind::Integer(MIGRATION_LOCK)]);
    lock("SELECT pg_advisory_lock($1) IS NOT NULL").get_result::<bool>(&mut connection)?;
    let run = connection
        .run_pending_migrations(MIGRATIONS)
        .map(|versions| versions.iter().map(ToString::to_string).collect())
        .map_err(|error| StoreError::Internal(format!("migration failed: {error}")));
    lock("SELECT pg_advisory_unlock($1)").get_result::<bool>(&mut connection)?;
    run
}

/// The migrations that the database still lacks.
pub fn pending(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    connection
        .pending_migrations(MIGRATIONS)
        .map(|migrations| migrations.iter().map(|migration| migration.name().to_string()).collect())
        .map_err(|error| StoreError::Internal(format!("migrations cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_made_impatient_unless_they_say_otherwise() {
        assert!(
            impatient("postgres://h/db").starts_with("postgres://h/db?connect_timeout=2&keepalives_idle=2&")
        );
        assert!(impatient("postgres:///db?host=%2Frun").contains("%2Frun&connect_timeout=2&"));
        assert!(
            impatient("host=h dbname=db")
                .starts_with("host=h dbname=db connect_timeout=2 keepalives_idle=2 ")
        );
        let own = impatient("postgres://h/db?connect_timeout=9");
        assert!(own.contains("connect_timeout=9") && !own.contains("connect_timeout=2"));
    }
}
