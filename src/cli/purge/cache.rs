//! One cache: what it is yet to be told, and the thread that tells it.

use std::{
    io, mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use ureq::{
    Agent,
    http::{Request, StatusCode},
};

use super::{
    Alive,
    again::Again,
    changes::{Changes, News},
};
use crate::{
    cli::plain_http,
    limits::{PURGE_AGAIN_AFTER, PURGE_AGAIN_APART, PURGE_INTERVAL, PURGE_TIMEOUT},
    supervision::Backoff,
};

/// News on its way to one cache. What comes while it is busy or away is told together, so it never piles up.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    untold: Mutex<Option<News>>,
    bell: Condvar,
}

impl Mailbox {
    /// Adds news, in the order of the log.
    pub(super) fn put(&self, news: News) {
        let mut untold = self.lock();
        match &mut *untold {
            Some(earlier) => earlier.merge(news),
            None => *untold = Some(news),
        }
        drop(untold);
        self.bell.notify_one();
    }

    /// Takes what has come, waiting for it until `deadline`.
    fn take(&self, deadline: Instant) -> Option<News> {
        let wait = deadline.saturating_duration_since(Instant::now());
        let waited = self.bell.wait_timeout_while(self.lock(), wait, |untold| untold.is_none());
        let (mut untold, _is_over) = waited.unwrap_or_else(PoisonError::into_inner);
        untold.take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<News>> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the thread of a cache.
pub(super) fn start(url: &str, alive: Alive) -> io::Result<Arc<Mailbox>> {
    let mailbox = Arc::new(Mailbox::default());
    let mut purger = Purger {
        url: url.to_owned(),
        agent: plain_http::agent(PURGE_TIMEOUT),
        mailbox: Arc::clone(&mailbox),
        again: Again::new(PURGE_AGAIN_AFTER, PURGE_AGAIN_APART),
        backoff: Backoff::default(),
        owed: Changes::default(),
        position: 0,
        is_away: false,
        assured_at: None,
    };
    thread::Builder::new().name("purger".to_owned()).spawn(move || {
        let _alive = alive;
        loop {
            purger.step();
        }
    })?;
    Ok(mailbox)
}

/// What the thread of a cache knows.
struct Purger {
    url: String,
    agent: Agent,
    mailbox: Arc<Mailbox>,
    again: Again,
    backoff: Backoff,
    /// Taken and not told yet.
    owed: Changes,
    /// Where the log had come to.
    position: i64,
    /// Whether it did not do as it was told the last time.
    is_away: bool,
    /// When it was told last that it lacks nothing.
    assured_at: Option<Instant>,
}

impl Purger {
    /// Waits for something to tell, and tells it.
    fn step(&mut self) {
        let now = Instant::now();
        let deadline =
            if self.owed.is_none() { self.again.due().unwrap_or(now + PURGE_INTERVAL) } else { now };
        let news = self.mailbox.take(deadline);
        if let Err(reason) = self.tell(news) {
            if !self.is_away {
                log::warn!("a cache cannot be purged cache={} reason={reason}", self.url);
            }
            self.is_away = true;
            // What it was told is unknown, and who answered meanwhile.
            self.owed = Changes::everything(self.position);
            pause(self.backoff.failed());
        } else if mem::take(&mut self.is_away) {
            log::info!("a cache is back, everything in it was purged cache={}", self.url);
            self.backoff.succeeded();
        }
    }

    fn tell(&mut self, news: Option<News>) -> Result<(), String> {
        let as_of = news.as_ref().map(|news| news.as_of);
        if let Some(News { changes, .. }) = news {
            self.position = changes.position();
            self.owed.merge(changes);
        }
        if !self.owed.is_none() {
            self.purge(&self.owed)?;
            log::debug!("purged cache={} position={}", self.url, self.position);
            self.again.note(mem::take(&mut self.owed), Instant::now());
        }
        while let Some(changes) = self.again.take(Instant::now()) {
            self.purge(&changes)?;
        }
        if let Some(as_of) = as_of
            && self.assured_at.is_none_or(|at| at.elapsed() >= PURGE_INTERVAL / 2)
        {
            self.assure(as_of)?;
            self.assured_at = Some(Instant::now());
        }
        Ok(())
    }

    fn purge(&self, changes: &Changes) -> Result<(), String> {
        changes.keys().iter().try_for_each(|keys| self.send("xkey-purge", keys))
    }

    /// Says that it lacks nothing that was committed before this moment.
    fn assure(&self, as_of: Instant) -> Result<(), String> {
        self.send("purged-age", &format!("{:.3}", as_of.elapsed().as_secs_f64()))
    }

    fn send(&self, name: &str, value: &str) -> Result<(), String> {
        let request = Request::builder().method("PURGE").uri(&self.url);
        let request = request.header("catalog-position", self.position).header(name, value).body(());
        let request = request.map_err(|error| error.to_string())?;
        let mut answer = self.agent.run(request).map_err(|error| error.to_string())?;
        // Read to its end, or the connection cannot be used again.
        answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        match answer.status() {
            StatusCode::OK => Ok(()),
            other => Err(format!("it answers {other}")),
        }
    }
}

/// Waits; what comes meanwhile stays in the mailbox.
fn pause(wait: Duration) {
    let until = Instant::now() + wait;
    while Instant::now() < until {
        thread::park_timeout(until.saturating_duration_since(Instant::now()));
    }
}
