//! The body of a page: the cards as they are cached, and what stands beside them.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use super::{cursor, messages::Cursors};
use crate::{
    cache::{Encoded, Entry, Value},
    domain::{
        list::{ListPage, ListQuery, Start},
        list_body::Beside,
    },
};

/// Composes the body of a page.
pub(super) fn compose(query: &ListQuery, page: &ListPage, cards: &HashMap<Uuid, Arc<Entry>>) -> Encoded {
    let token = |start: Start| -> Arc<str> { cursor::token(query, &start).into() };
    let cursors = Cursors {
        next: page.last.clone().filter(|_| page.has_next).map(|last| token(Start::After(last))),
        previous: page.first.clone().filter(|_| page.has_previous).map(|first| token(Start::Before(first))),
    };
    let listed = page.ids.iter().filter_map(|id| match &cards.get(id)?.value {
        Value::Product { card, .. } => Some(card),
        Value::Body(_) | Value::Names(_) | Value::Moved(_) | Value::Ids(_) | Value::Absent => None,
    });
    let mut json = b"{\"items\":[".to_vec();
    for (index, card) in listed.enumerate() {
        if index > 0 {
            json.push(b',');
        }
        json.extend_from_slice(card);
    }
    json.extend_from_slice(b"],");
    let beside = Beside::new(page, cursors.next.as_deref(), cursors.previous.as_deref());
    // Serialising plain values into memory cannot fail. Its brace was opened above.
    json.extend(serde_json::to_vec(&beside).unwrap_or_default().into_iter().skip(1));
    Encoded::new(0, &json).among(cursors)
}
