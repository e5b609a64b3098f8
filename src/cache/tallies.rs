//! Counts that instances make together, in Redis: each tells its own, and hears what all have.
//!
//! An instance writes what it has counted whole, into a field of its own that only grows, and the sum of the fields is the
//! total. So it does no harm when something arrives twice or late, as after a time-out, and what Redis has forgotten is whole
//! again once it is told anew. A number that everybody adds to would have neither.

use std::time::Duration;

use redis::{Client, Connection, RedisError, Script};
use uuid::Uuid;

use crate::limits::REDIS_TIMEOUT;

/// Version of the stored form. Part of every key: instances of different releases do not add up each other's counts.
const FORMAT: u8 = 1;

/// For each key: raises the field of an instance (the first argument) to its count, and answers with the sum of all fields.
const TELL: &str = r"
local totals = {}
for i, key in ipairs(KEYS) do
  local own, life = ARGV[2 * i], ARGV[2 * i + 1]
  if tonumber(own) > tonumber(redis.call('HGET', key, ARGV[1]) or 0) then
    redis.call('HSET', key, ARGV[1], own)
    redis.call('EXPIRE', key, life)
  end
  totals[i] = 0
  for _, count in ipairs(redis.call('HVALS', key)) do totals[i] = totals[i] + tonumber(count) end
end
return totals";

/// One count of this instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// What is counted, in the words of whoever counts.
    pub name: String,
    /// What this instance has counted in all.
    pub own: u32,
    /// How long Redis keeps it after it was told last.
    pub life: Duration,
}

/// One instance's way to the counts. Blocks, for a bounded time: it belongs on a thread on which nobody else waits.
pub struct Tallies {
    client: Client,
    connection: Option<Connection>,
    script: Script,
    prefix: String,
    instance: Uuid,
}

impl std::fmt::Debug for Tallies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tallies").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Tallies {
    /// Prepares a connection that is made on first use, for the counts of `instance`.
    pub fn new(url: &str, catalogue: Uuid, instance: Uuid) -> Result<Self, RedisError> {
        let prefix = format!("aisle:{FORMAT}:{}:tally:", catalogue.simple());
        let client = Client::open(url)?;
        Ok(Self { client, connection: None, script: Script::new(TELL), prefix, instance })
    }

    /// Tells counts in one round trip; gives what all instances together have counted of each, in the same order.
    pub fn exchange(&mut self, tallies: &[Tally]) -> Result<Vec<u64>, RedisError> {
        let was_connected = self.connection.is_some();
        match self.attempt(tallies) {
            // A server closes connections that have been idle: that is no outage.
            Err(error) if was_connected && error.is_connection_dropped() => self.attempt(tallies),
            outcome => outcome,
        }
    }

    fn attempt(&mut self, tallies: &[Tally]) -> Result<Vec<u64>, RedisError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let mut told = self.script.arg(self.instance.as_bytes());
        for Tally { name, own, life } in tallies {
            told.key(format!("{}{name}", self.prefix)).arg(own).arg(life.as_secs());
        }
        let totals = told.invoke(&mut connection)?;
        // Only now: after an error it is unknown what is still to come on it.
        self.connection = Some(connection);
        Ok(totals)
    }

    fn connect(&self) -> Result<Connection, RedisError> {
        let connection = self.client.get_connection_with_timeout(REDIS_TIMEOUT)?;
        connection.set_read_timeout(Some(REDIS_TIMEOUT))?;
        connection.set_write_timeout(Some(REDIS_TIMEOUT))?;
        Ok(connection)
    }
}
