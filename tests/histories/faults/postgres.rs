//! Postgres and its sessions.

use std::time::Duration;

use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::Fault;
use crate::{
    dice::Dice,
    world::{World, pause},
};

/// Ends the server and starts it again.
#[derive(Debug)]
pub(super) struct Restart {
    pub(super) crash: bool,
}

impl Fault for Restart {
    fn inject(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        world.postgres.end(self.crash)
    }

    fn heal(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        world.postgres.start_again()
    }
}

/// Terminates sessions of the instances: about half of them, or those that follow the log.
#[derive(Debug)]
pub(super) struct Terminate {
    pub(super) listeners: bool,
}

/// Times in a row, so that new sessions are hit as well.
const TIMES: u32 = 3;

/// The last statement of a session tells a follower of the log from one that serves requests.
const LISTENERS: &str = "query ~* '(^listen|catalog_event|catalog_member|catalog\\.(renew|pull|follow))'";

impl Fault for Terminate {
    fn inject(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        #[derive(QueryableByName)]
        struct Terminated {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            count: i64,
        }
        let which = if self.listeners { LISTENERS } else { "random() < 0.5" };
        let statement = format!(
            "SELECT count(pg_terminate_backend(pid)) AS count FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'aisle' AND {which}"
        );
        let mut connection = world.connect()?;
        let mut count = 0;
        for _ in 0..TIMES {
            let terminated = sql_query(&statement).get_result::<Terminated>(&mut connection);
            count += terminated.map_err(|error| format!("terminate: {error}"))?.count;
            pause(Duration::from_millis(60));
        }
        if count > 0 { Ok(()) } else { Err("no session was there to be terminated".to_owned()) }
    }

    fn heal(&mut self, _world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        Ok(())
    }
}
