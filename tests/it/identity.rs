//! Whose entries are whose: copies of a database that share a Redis must not read each other's.

use std::{fs::OpenOptions, io::Write, time::Duration};

use aisle::{
    embedded::{Options, Services},
    store::{
        events,
        members::{self, Joined},
        pool,
    },
};
use diesel::connection::SimpleConnection;
use uuid::Uuid;

use crate::support::{
    database,
    database::{connect, number},
    process::open_folder,
    waiting::{PATIENCE, wait_until},
};

fn identity(url: &str) -> Uuid {
    events::catalog_identity(&mut connect(url)).expect("an identity")
}

fn join(url: &str) -> Joined {
    members::join(&mut connect(url), Uuid::now_v7(), "", Duration::from_secs(2)).expect("a member")
}

#[test]
fn a_promoted_copy_is_in_another_era() {
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("data");
    let options = Options { data_dir: folder.clone(), durable: true, redis: false };
    let start = || Services::start(&options).unwrap_or_else(|error| panic!("{error}"));
    let services = start();
    pool::migrate(services.database_url()).expect("migrate");
    let (name, before) = (identity(services.database_url()), join(services.database_url()));
    assert_eq!(before.age, None, "the first era is as old as the catalogue");
    services.stop();
    let services = start();
    assert_eq!(join(services.database_url()), before, "a restart changes nothing");
    services.stop();

    // Recovered as a restored backup or a standby is, up to the end of its log: that is a promotion.
    let cluster = folder.join("postgres");
    let mut settings =
        OpenOptions::new().append(true).open(cluster.join("postgresql.auto.conf")).expect("a file");
    writeln!(settings, "restore_command = 'false'").expect("write");
    std::fs::write(cluster.join("recovery.signal"), "").expect("write");
    let services = start();
    let in_recovery = "SELECT pg_is_in_recovery()::int AS number";
    wait_until(PATIENCE, "the promotion", || number(&mut connect(services.database_url()), in_recovery) == 0);
    let timeline = "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS number";
    assert_eq!(number(&mut connect(services.database_url()), timeline), 2, "it was promoted");
    let after = join(services.database_url());
    assert_ne!(after.era, before.era);
    assert!(after.age.is_some_and(|age| age < PATIENCE));
    assert_eq!(join(services.database_url()).era, after.era, "one name for all that join");
    assert_eq!(identity(services.database_url()), name, "it is the same catalogue");
}

#[test]
fn an_ordinary_user_and_one_who_may_ask_nothing_have_a_name_too() {
    let database = database();
    let mut connection = database.connect();
    let role = format!("aisle_it_{}", Uuid::new_v4().simple());
    connection
        .batch_execute(&format!(
            "CREATE ROLE {role}; GRANT SELECT ON catalog_identity TO {role}; SET ROLE {role}"
        ))
        .expect("a role");
    let ordinary = events::catalog_identity(&mut connection);
    connection
        .batch_execute(&format!(
            "RESET ROLE; REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; \
             REVOKE EXECUTE ON FUNCTION pg_control_checkpoint() FROM PUBLIC; \
             REVOKE EXECUTE ON FUNCTION pg_walfile_name(pg_lsn) FROM PUBLIC; SET ROLE {role}"
        ))
        .expect("revoke");
    let [first, second] = [(); 2].map(|()| events::catalog_identity(&mut connection));
    connection.batch_execute(&format!("RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")).expect("drop");
    assert_eq!(ordinary.expect("an identity"), identity(&database.url), "the same for every user");
    assert_eq!(first.expect("an identity"), second.expect("an identity"));
}
