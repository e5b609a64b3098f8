//! Redis, which may lose, keep, or give back anything.

use std::time::{Duration, Instant};

use redis::{Commands, Connection, RedisResult};

use super::Fault;
use crate::{
    dice::Dice,
    support::redis::OwnRedis,
    world::{World, pause},
};

/// Instances store an entry within this time.
const ENTRIES_WITHIN: Duration = Duration::from_secs(20);

/// Entries saved at one time.
const ENTRIES_MAX: usize = 500;

fn server(world: &mut World) -> Result<&mut OwnRedis, String> {
    world.redis.as_mut().ok_or_else(|| "there is no Redis".to_owned())
}

/// Ends it; it comes back empty.
#[derive(Debug)]
pub(super) struct Kill;

impl Fault for Kill {
    fn inject(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        server(world).map(OwnRedis::stop)
    }

    fn heal(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        server(world).map(OwnRedis::start)
    }
}

/// Stops its process.
#[derive(Debug)]
pub(super) struct Pause;

impl Fault for Pause {
    fn inject(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        server(world).map(OwnRedis::pause)
    }

    fn heal(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        server(world).map(OwnRedis::resume)
    }
}

/// Empties it.
#[derive(Debug)]
pub(super) struct Flush;

impl Fault for Flush {
    fn inject(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        server(world).map(|redis| redis.flush())
    }

    fn heal(&mut self, _world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        Ok(())
    }
}

/// What a key held, as DUMP says it.
type Entry = (Vec<u8>, Vec<u8>);

/// Saves what it holds, and puts any earlier state back over newer entries, as a failover to a late replica does.
#[derive(Debug, Default)]
pub(super) struct Old {
    saved: Vec<Vec<Entry>>,
}

impl Fault for Old {
    fn inject(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        // On a busy machine instances give up on Redis for a second now and then.
        let deadline = Instant::now() + ENTRIES_WITHIN;
        while Instant::now() < deadline {
            let saved = save(&mut server(world)?.connect()).map_err(|error| format!("DUMP: {error}"))?;
            if !saved.is_empty() {
                self.saved.push(saved);
                return Ok(());
            }
            pause(Duration::from_millis(50));
        }
        Err("Redis holds no entry that could be given back later".to_owned())
    }

    fn heal(&mut self, world: &mut World, dice: &mut Dice) -> Result<(), String> {
        let mut connection = server(world)?.connect();
        let Some(saved) = self.saved.get(dice.roll(self.saved.len())) else { return Ok(()) };
        for (key, value) in saved {
            let mut restore = redis::cmd("RESTORE");
            restore.arg(key).arg(0).arg(value).arg("REPLACE");
            restore.exec(&mut connection).map_err(|error| format!("RESTORE: {error}"))?;
        }
        Ok(())
    }
}

fn save(connection: &mut Connection) -> RedisResult<Vec<Entry>> {
    let keys: Vec<Vec<u8>> = connection.scan::<Vec<u8>>()?.take(ENTRIES_MAX).collect::<RedisResult<_>>()?;
    let mut saved = Vec::new();
    for key in keys {
        // Gone meanwhile: nothing to save.
        if let Some(value) = redis::cmd("DUMP").arg(&key).query::<Option<Vec<u8>>>(connection)? {
            saved.push((key, value));
        }
    }
    Ok(saved)
}
