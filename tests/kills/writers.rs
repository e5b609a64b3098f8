//! Editors that remember what was acknowledged, and what they have sent.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::check::Product;

/// Admin token of the server.
pub(crate) const TOKEN: &str = "kills-token-0123456789";

/// One editor and its product.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Id of the product.
    pub(crate) id: String,
    client: Client,
    number: usize,
    /// The last edit sent.
    sent: i64,
    /// Edits acknowledged, with the positions they were told.
    acknowledged: Vec<(i64, i64)>,
    /// Events of the product that were there at the last look.
    events: usize,
}

/// An edit of several rows: all of them say its number.
fn document(writer: usize, edit: i64) -> Value {
    json!({
        "title": format!("Edit {edit}"), "description": format!("Edit {edit}"),
        "variants": [{
            "sku": format!("KILLED-{writer}"), "stock": edit, "prices": [{"currency": "USD", "amount": edit}]
        }]
    })
}

impl Writer {
    /// Makes the product, as edit 1.
    pub(crate) fn new(url: &str, number: usize) -> Self {
        let client = Client::new();
        let made =
            client.post(format!("{url}/v1/admin/products")).bearer_auth(TOKEN).json(&document(number, 1));
        let answer = made.send().expect("an answer");
        assert_eq!(answer.status(), 201);
        let position = position(&answer).expect("a position");
        let made: Value = answer.json().expect("JSON");
        let id = made["id"].as_str().expect("an id").to_owned();
        Self { id, client, number, sent: 1, acknowledged: vec![(1, position)], events: 0 }
    }

    /// Edits acknowledged so far.
    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// Edits until an edit fails, which it does when the server is gone.
    fn edit(&mut self, url: &str, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Acquire) {
            self.sent += 1;
            let patch = self.client.patch(format!("{url}/v1/admin/products/{}", self.id)).bearer_auth(TOKEN);
            let patch = patch.header("if-match", "*").json(&document(self.number, self.sent));
            let Ok(answer) = patch.send() else { return };
            if answer.status() != 200 {
                return;
            }
            let Some(position) = position(&answer) else { return };
            self.acknowledged.push((self.sent, position));
        }
    }

    /// Holds what is found against what was sent and acknowledged, and goes on from there.
    pub(crate) fn judge(&mut self, found: &Product) -> Result<(), String> {
        let (last, _) = *self.acknowledged.last().ok_or("nothing acknowledged")?;
        let wrong =
            |what: &str| Err(format!("{what}: acknowledged {last}, sent {}, found {found:?}", self.sent));
        let numbers = [found.description, found.stock, found.price];
        if numbers.iter().any(|number| *number != found.title) {
            return wrong("half an edit");
        }
        if found.title != last && found.title != self.sent {
            return wrong("an edit is lost, or nobody sent it");
        }
        if let Some((edit, position)) =
            self.acknowledged.iter().find(|(_, position)| !found.events.contains(position))
        {
            return wrong(&format!("the event of edit {edit} at {position} is lost"));
        }
        // Each edit that is there has made one version and one event; one more than acknowledged where the last was not told.
        let since: Vec<i64> = found.events.iter().skip(self.events).copied().collect();
        let unique: std::collections::BTreeSet<i64> = found.events.iter().copied().collect();
        let edits = i64::try_from(found.events.len()).map_err(|error| error.to_string())?;
        if unique.len() != found.events.len() || edits != found.version {
            return wrong(&format!("events since the last kill {since:?} do not fit the version"));
        }
        self.events = found.events.len();
        if found.title != last {
            let position = found.events.last().copied().ok_or("no event")?;
            self.acknowledged.push((found.title, position));
        }
        self.sent = found.title;
        Ok(())
    }
}

/// Position of the edit's event.
fn position(answer: &reqwest::blocking::Response) -> Option<i64> {
    answer.headers().get("catalog-position")?.to_str().ok()?.parse().ok()
}

/// Lets all edit for a while, then does something that ends it.
pub(crate) fn edit_until(url: &str, writers: &mut [Writer], time: Duration, end: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    let until = Instant::now() + time;
    thread::scope(|scope| {
        for writer in writers.iter_mut() {
            let is_over = &is_over;
            scope.spawn(move || writer.edit(url, is_over));
        }
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            thread::park_timeout(left);
        }
        end();
        is_over.store(true, Ordering::Release);
    });
}
