//! The cache in Redis, shared by all instances: stamped, encoded once, never trusted without the fence.
//!
//! It may lose, delay or give back any old entry: a stale one is refused by its stamp, a broken one is a miss. One
//! connection per fill actor, multiplexed. A lost or silent connection opens the breaker; a probe in the background closes
//! it, so no request waits for a Redis that is known to be away. A Redis that refuses a command (full, read-only, a key of
//! another type) is there: the refusal is a miss, and everything else goes on.

use std::{
    cell::Cell,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use redis::{
    Client, RedisError, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    breaker::Breaker,
    entry::{Encoded, Entry, Value},
};
use crate::{
    catalog::messages::Coding,
    coherence::{Era, Stamp},
    domain::dependency::Dependency,
    limits::{REDIS_BREAKER_OPEN, REDIS_REFUSALS_APART, REDIS_TIMEOUT, SHARED_ABSENT_TTL, SHARED_TTL},
    telemetry::metrics::Metrics,
};

/// Version of the stored form. Part of every key: instances of different releases do not read each other's entries.
const FORMAT: u8 = 2;

/// Stores an entry unless a newer one is there. Saves churn only; correctness does not need it.
/// The first eight bytes are the stamp, big endian and never negative, so they compare as text. What is no text at all
/// (somebody else's) is replaced.
const SET_IF_NEWER: &str = r"
local stored = redis.pcall('GETRANGE', KEYS[1], 0, 7)
if type(stored) ~= 'string' or stored == '' or stored <= string.sub(ARGV[1], 1, 8) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 0";

/// One actor's way to the shared cache. Stays on the thread it was made on.
#[derive(Clone)]
pub struct SharedCache {
    inner: Rc<Inner>,
}

struct Inner {
    connection: ConnectionManager,
    prefix: String,
    breaker: Breaker,
    script: Script,
    metrics: Arc<Metrics>,
    /// When Redis last refused a command, until that is over.
    refused_at: Cell<Option<Instant>>,
}

impl std::fmt::Debug for SharedCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedCache").field("prefix", &self.inner.prefix).finish_non_exhaustive()
    }
}

impl SharedCache {
    /// Prepares a connection that is made on first use. Needs a running arbiter. `catalogue` keeps the entries of
    /// several catalogues in one Redis apart.
    pub fn new(url: &str, catalogue: Uuid, metrics: Arc<Metrics>) -> Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_max_delay(REDIS_TIMEOUT)
            .set_response_timeout(Some(REDIS_TIMEOUT))
            .set_connection_timeout(Some(REDIS_TIMEOUT));
        let connection = ConnectionManager::new_lazy_with_config(Client::open(url)?, config)?;
        Ok(Self {
            inner: Rc::new(Inner {
                connection,
                prefix: format!("aisle:{FORMAT}:{}:", catalogue.simple()),
                breaker: Breaker::default(),
                script: Script::new(SET_IF_NEWER),
                metrics,
                refused_at: Cell::new(None),
            }),
        })
    }

    /// Whether Redis is believed to answer.
    pub fn is_available(&self) -> bool {
        self.inner.breaker.allows()
    }

    /// The stored entry of `key`, current or not; `None` also when Redis fails.
    pub async fn get(&self, era: Era, key: &str) -> Option<Entry> {
        let name = self.name(era, key)?;
        let stored: Option<Vec<u8>> = self
            .bounded(|mut connection| async move {
                redis::cmd("GET").arg(name).query_async(&mut connection).await
            })
            .await?;
        decode(&stored?, era.ordinal)
    }

    /// Stores an entry unless a newer one is there. Failures are swallowed: it is a cache.
    pub async fn set(&self, era: Era, key: &str, entry: &Entry) {
        let (Some(bytes), Some(name)) = (encode(entry), self.name(era, key)) else { return };
        let inner = Rc::clone(&self.inner);
        let life = if matches!(entry.value, Value::Absent) { SHARED_ABSENT_TTL } else { SHARED_TTL };
        let ttl_ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
        let _done: Option<i64> = self
            .bounded(|mut connection| async move {
                inner.script.key(name).arg(bytes).arg(ttl_ms).invoke_async(&mut connection).await
            })
            .await;
    }

    /// Publishes a message to the other instances.
    pub async fn publish(&self, channel: &str, message: Vec<u8>) {
        let channel = channel.to_owned();
        let receivers: Option<i64> = self
            .bounded(|mut connection| async move {
                redis::cmd("PUBLISH").arg(channel).arg(message).query_async(&mut connection).await
            })
            .await;
        if receivers.is_some() {
            self.inner.metrics.redis.published.inc();
        }
    }

    /// Asks Redis whether it is there, whatever the breaker believes; the round trip's time.
    pub async fn ping(&self) -> Option<Duration> {
        let start = Instant::now();
        probe(&self.inner).await.then(|| start.elapsed())
    }

    /// Positions of another era mean something else, so every era has names of its own.
    fn name(&self, era: Era, key: &str) -> Option<String> {
        Some(format!("{}{}:{key}", self.inner.prefix, era.id?.simple()))
    }

    async fn bounded<T, F>(&self, command: impl FnOnce(ConnectionManager) -> F) -> Option<T>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        if !self.inner.breaker.allows() {
            return None;
        }
        let outcome = tokio::time::timeout(REDIS_TIMEOUT, command(self.inner.connection.clone())).await;
        let why = match outcome {
            Ok(Ok(reply)) => {
                self.inner.taken();
                return Some(reply);
            }
            Ok(Err(error)) if is_refusal(&error) => {
                self.inner.refused(&error);
                return None;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_elapsed) => "timed out".to_owned(),
        };
        self.inner.metrics.cache.shared_errors.inc();
        if self.inner.breaker.trip() {
            self.inner.metrics.redis.breaker_opened.inc();
            self.inner.metrics.redis.breaker_open.inc();
            log::warn!("redis away, going on without it reason={why}");
            let inner = Rc::clone(&self.inner);
            actix_rt::spawn(async move { probe_until_back(&inner).await });
        }
        None
    }
}

impl Inner {
    /// Counts a refused command, and tells the first of several.
    fn refused(&self, error: &RedisError) {
        self.metrics.cache.shared_errors.inc();
        if self.refused_at.replace(Some(Instant::now())).is_none() {
            log::warn!("redis refuses commands, which are misses reason={error}");
        }
    }

    /// A command was taken: tells when none has been refused for a while.
    fn taken(&self) {
        if self.refused_at.get().is_some_and(|at| at.elapsed() > REDIS_REFUSALS_APART) {
            self.refused_at.set(None);
            log::info!("redis refuses no commands any more");
        }
    }
}

/// What a server answers that serves nobody for now: it loads its data, lost its master or its cluster, runs somebody's
/// script, or wants a password.
const AWAY: [&str; 5] = ["LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "NOAUTH"];

/// Whether the server answered and would not do this command, as opposed to being away.
fn is_refusal(error: &RedisError) -> bool {
    error.code().is_some_and(|code| !AWAY.contains(&code))
}

async fn probe(inner: &Inner) -> bool {
    let mut connection = inner.connection.clone();
    let command = redis::cmd("PING");
    let answer = tokio::time::timeout(REDIS_TIMEOUT, command.query_async::<String>(&mut connection));
    matches!(answer.await, Ok(Ok(_)))
}

async fn probe_until_back(inner: &Inner) {
    loop {
        tokio::time::sleep(REDIS_BREAKER_OPEN).await;
        if probe(inner).await {
            inner.breaker.close();
            inner.metrics.redis.breaker_open.dec();
            log::info!("redis is back");
            return;
        }
    }
}

/// The stored form after the eight bytes of the stamp.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    dependencies: Vec<i64>,
    #[serde(borrow)]
    value: StoredValue<'a>,
}

#[derive(Serialize, Deserialize)]
enum StoredValue<'a> {
    Product {
        #[serde(borrow)]
        body: StoredBody<'a>,
        #[serde(with = "serde_bytes", borrow)]
        card: &'a [u8],
    },
    Body(#[serde(borrow)] StoredBody<'a>),
    Names(Uuid),
    Moved(&'a str),
    Absent,
}

#[derive(Serialize, Deserialize)]
struct StoredBody<'a> {
    tag: &'a str,
    #[serde(with = "serde_bytes", borrow)]
    identity: &'a [u8],
    #[serde(borrow)]
    gzip: Option<&'a serde_bytes::Bytes>,
    #[serde(borrow)]
    brotli: Option<&'a serde_bytes::Bytes>,
    #[serde(borrow)]
    zstd: Option<&'a serde_bytes::Bytes>,
}

impl<'a> StoredBody<'a> {
    fn of(body: &'a Encoded) -> Self {
        let made = |wanted: Coding| {
            let found = body.made().find(|(coding, _)| *coding == wanted);
            found.map(|(_, bytes)| serde_bytes::Bytes::new(bytes))
        };
        Self {
            tag: body.tag(),
            identity: body.identity(),
            gzip: made(Coding::Gzip),
            brotli: made(Coding::Brotli),
            zstd: made(Coding::Zstd),
        }
    }

    fn load(&self) -> Encoded {
        let mut body = Encoded::with_tag(self.tag, Bytes::copy_from_slice(self.identity));
        let variants = [(Coding::Gzip, self.gzip), (Coding::Brotli, self.brotli), (Coding::Zstd, self.zstd)];
        for (coding, bytes) in variants {
            if let Some(bytes) = bytes {
                body.adopt(coding, Bytes::copy_from_slice(bytes));
            }
        }
        body
    }
}

fn encode(entry: &Entry) -> Option<Vec<u8>> {
    let value = match &entry.value {
        Value::Product { body, card } => StoredValue::Product { body: StoredBody::of(body), card },
        Value::Body(body) => StoredValue::Body(StoredBody::of(body)),
        Value::Names(id) => StoredValue::Names(*id),
        Value::Moved(slug) => StoredValue::Moved(slug),
        // Made faster than fetched.
        Value::Ids(_) => return None,
        Value::Absent => StoredValue::Absent,
    };
    let dependencies = entry.dependencies.iter().map(|dependency| dependency.0).collect();
    let stamp = u64::try_from(entry.stamp.position).ok()?.to_be_bytes().to_vec();
    postcard::to_extend(&Stored { dependencies, value }, stamp).ok()
}

fn decode(bytes: &[u8], era: u32) -> Option<Entry> {
    let (stamp, rest) = bytes.split_first_chunk::<8>()?;
    let stored: Stored<'_> = postcard::from_bytes(rest).ok()?;
    let value = match stored.value {
        StoredValue::Product { body, card } => {
            Value::Product { body: body.load(), card: Bytes::copy_from_slice(card) }
        }
        StoredValue::Body(body) => Value::Body(body.load()),
        StoredValue::Names(id) => Value::Names(id),
        StoredValue::Moved(slug) => Value::Moved(slug.into()),
        StoredValue::Absent => Value::Absent,
    };
    let stamp = Stamp { era, position: i64::try_from(u64::from_be_bytes(*stamp)).ok()? };
    Some(Entry::new(stamp, stored.dependencies.into_iter().map(Dependency).collect::<Box<[_]>>(), value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_survive_the_round_trip() {
        let body = Encoded::new(3, &b"{\"title\":\"lamp\"}".repeat(40)).with(Coding::Brotli);
        let value = Value::Product { body, card: Bytes::from_static(b"{}") };
        let entry = Entry::new(Stamp { era: 3, position: 42 }, [Dependency(1), Dependency(-2)], value);
        let back = decode(&encode(&entry).unwrap(), 3).unwrap();
        assert_eq!((back.stamp, &back.dependencies), (entry.stamp, &entry.dependencies));
        let (Value::Product { body: before, .. }, Value::Product { body: after, card }) =
            (&entry.value, &back.value)
        else {
            panic!("another kind of value");
        };
        assert_eq!(&card[..], b"{}");
        for coding in [Coding::Identity, Coding::Brotli] {
            let (before, after) = (before.body(coding).unwrap(), after.body(coding).unwrap());
            assert_eq!((before.bytes, before.etag), (after.bytes, after.etag));
        }
        assert!(after.body(Coding::Gzip).is_none());
    }

    #[test]
    fn a_refusal_is_no_absence() {
        let said = |reply: &str| {
            redis::parse_redis_value(format!("-{reply}\r\n").as_bytes())
                .and_then(redis::Value::extract_error)
                .unwrap_err()
        };
        for reply in [
            "OOM command not allowed when used memory > 'maxmemory'.",
            "READONLY You can't write against a read only replica.",
            "NOPERM this user has no permissions to run the 'evalsha' command",
            "WRONGTYPE Operation against a key holding the wrong kind of value",
            "MISCONF Redis is configured to save RDB snapshots",
            "ERR unknown command",
        ] {
            assert!(is_refusal(&said(reply)), "{reply}");
        }
        for reply in ["LOADING Redis is loading the dataset in memory", "MASTERDOWN Link with MASTER is down"]
        {
            assert!(!is_refusal(&said(reply)), "{reply}");
        }
        for reply in
            ["CLUSTERDOWN Hash slot not served", "BUSY Redis is busy", "NOAUTH Authentication required."]
        {
            assert!(!is_refusal(&said(reply)), "{reply}");
        }
        assert!(!is_refusal(&std::io::Error::from(std::io::ErrorKind::BrokenPipe).into()));
        assert!(!is_refusal(&(redis::ErrorKind::AuthenticationFailed, "wrong password").into()));
    }

    proptest! {
        /// Whatever bytes Redis gives back, reading them never panics.
        #[test]
        fn hostile_bytes_are_a_miss(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _entry = decode(&bytes, 0);
        }
    }
}
