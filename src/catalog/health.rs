//! State of what the process depends on, looked at for every `/readyz`.

use std::time::{Duration, Instant};

use super::{edits::Query, error::CatalogError, fill::PingShared, handle::Shared, loads::Run, messages::Key};
use crate::{
    coherence::Moment,
    store::{Connection, error::StoreError, events},
};

/// Longest a readiness check waits for one dependency.
const PATIENCE: Duration = Duration::from_secs(1);

/// State of the process' dependencies.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct Health {
    /// Whether requests should be sent here.
    pub ready: bool,
    /// Each dependency.
    pub checks: Vec<Check>,
}

/// State of one dependency.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct Check {
    /// `postgres`, `redis`, `store_actors`, `admin_actors`, `list_actors`, `lease`, `lists`; while the process is about to stop, `draining`.
    pub name: &'static str,
    /// Whether it works.
    pub ok: bool,
    /// Whether the process can answer correctly without it.
    pub required: bool,
    /// Round trip in milliseconds, where one was made.
    pub latency_ms: Option<u64>,
    /// What is wrong, or a remark.
    pub detail: Option<String>,
}

/// The log's last position, as a sign of life of Postgres.
struct Head;

impl Query for Head {
    type Reply = i64;
    const NAME: &'static str = "head";

    fn run(&self, connection: &mut Connection) -> Result<i64, StoreError> {
        events::head(connection)
    }
}

/// Asks every dependency.
pub(super) async fn examine(shared: &Shared) -> Health {
    let (postgres, redis) = futures_util::join!(postgres(shared), redis(shared));
    let store_actors = pool("store_actors", shared.store.alive(), shared.store.threads());
    let admin_actors = pool("admin_actors", shared.admin.alive(), shared.admin.threads());
    let list_actors = pool("list_actors", shared.list_actors.alive(), shared.list_actors.threads());
    let mut checks = vec![postgres, store_actors, admin_actors, list_actors, lease(shared), lists(shared)];
    checks.extend(redis);
    checks.extend(draining(shared));
    let escalating = shared.restarts.exceeded().is_some();
    let ready = !escalating && checks.iter().all(|check| check.ok || !check.required);
    Health { ready, checks }
}

async fn postgres(shared: &Shared) -> Check {
    let start = Instant::now();
    // By an admin actor: misses that wait for a slow network say nothing of whether Postgres is there.
    let head = tokio::time::timeout(PATIENCE, shared.admin.ask(Run(Head))).await;
    let latency_ms = Some(milliseconds(start.elapsed()));
    let (ok, detail) = match head {
        Ok(Ok(head)) => {
            let applied = shared.reader.coherence.gate().applied();
            (true, Some(format!("log position {head}, applied {applied}")))
        }
        // Refused before it was asked: busy is not broken, and taking busy instances out would drown the rest.
        Ok(Err(CatalogError::Overloaded)) => (true, Some("not asked: admin actors are busy".to_owned())),
        Ok(Err(error)) => (false, Some(error.to_string())),
        Err(_elapsed) => (false, Some("no answer within a second".to_owned())),
    };
    Check { name: "postgres", ok, required: true, latency_ms, detail }
}

async fn redis(shared: &Shared) -> Option<Check> {
    let ping = async {
        let waiting = shared.fillers.ask(&Key::Tree, PingShared).await;
        match waiting {
            Ok(None) => None,
            Ok(Some(pong)) => Some(pong.await.ok().flatten()),
            Err(_) => Some(None),
        }
    };
    let took = tokio::time::timeout(PATIENCE, ping).await.unwrap_or(Some(None))?;
    let detail = took.is_none().then(|| "no answer; reads go to postgres".to_owned());
    let latency_ms = took.map(milliseconds);
    Some(Check { name: "redis", ok: took.is_some(), required: false, latency_ms, detail })
}

fn pool(name: &'static str, alive: usize, threads: usize) -> Check {
    let detail = Some(format!("{alive} of {threads} threads alive"));
    Check { name, ok: alive > 0, required: true, latency_ms: None, detail }
}

fn lease(shared: &Shared) -> Check {
    let (coherence, now) = (&shared.reader.coherence, Moment::now());
    let gate = coherence.gate();
    let settling = coherence.settling(now);
    let ok = gate.is_leased(now) && settling.is_zero();
    let detail = Some(if !settling.is_zero() {
        // Whatever is read before waits for that long, and mostly in vain.
        format!("leases of the database's former history may be alive for {} ms", milliseconds(settling))
    } else if ok {
        let left = milliseconds(gate.deadline().since(now));
        format!("for {left} ms, {} members, stable up to {}", coherence.members(), gate.stable())
    } else {
        "none: answers cannot be vouched for".to_owned()
    });
    Check { name: "lease", ok, required: true, latency_ms: None, detail }
}

fn lists(shared: &Shared) -> Check {
    let position = shared.lists.position(shared.reader.coherence.gate().era());
    let detail = match position {
        Some(position) => format!("{} products at log position {position}", shared.lists.len()),
        None => "being read: until then only plain lists are answered".to_owned(),
    };
    Check { name: "lists", ok: position.is_some(), required: true, latency_ms: None, detail: Some(detail) }
}

/// Only there while it says no.
fn draining(shared: &Shared) -> Option<Check> {
    let detail = Some("about to stop: what still comes is answered, send requests elsewhere".to_owned());
    let check = Check { name: "draining", ok: false, required: true, latency_ms: None, detail };
    shared.draining.has_begun().then_some(check)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
