//! Reads: those of the store, of checks, of the log and of members.

use std::time::Duration;

use aisle::{
    domain::list::{Filter, ListQuery, Place, SortKey, Start},
    limits::{AUDIT_PRUNE_BATCH, LOG_PRUNE_BATCH},
    store::{
        events, members,
        pruning::{self, Retention},
        reads, tokens,
    },
};
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::Stage;
use crate::{catalogue::number, support::waiting::wait_until};

/// How long the index of a million products may take to be read by a test build.
const INDEX: Duration = Duration::from_mins(15);

/// Keeps the audit log's entries of the products, and none of those before.
const AUDIT_KEPT: Duration = Duration::from_hours(30 * 24);

/// What an instance asks before its index of lists stands, what a check asks, what feeds the index.
pub(super) fn direct(stage: &mut Stage<'_>) {
    let connection = &mut stage.connection;
    let middle = number(
        connection,
        "SELECT (extract(epoch FROM published_at) * 1000000)::bigint AS number FROM product \
          WHERE id = (SELECT max(id::text)::uuid FROM (SELECT id FROM product ORDER BY id LIMIT 500) p)",
    );
    for category in [None, Some("everything"), Some("no-such-category")] {
        let place = Place { key: SortKey::Time(middle), id: Uuid::now_v7() };
        for start in [Start::Beginning, Start::After(place)] {
            let filter = Filter { category: category.map(Into::into), ..Filter::default() };
            let query = ListQuery { filter, limit: 200, start, ..ListQuery::default() };
            reads::list_ids(connection, &query).unwrap();
            reads::audit::page(connection, &query).unwrap();
        }
    }
    reads::products(connection, &stage.ids).unwrap();
    reads::by_slugs(connection, &stage.slugs).unwrap();
    reads::by_skus(connection, &stage.skus).unwrap();
    reads::listed(connection, &stage.ids).unwrap();
    for after in [Uuid::nil(), stage.ids[0]] {
        let end = reads::range_end(connection, after, 1000).unwrap().unwrap_or(Uuid::max());
        reads::listed_range(connection, after, end).unwrap();
    }
    let head = events::head(connection).unwrap();
    reads::changes(connection, head - 100).unwrap();
    events::pull(connection, head - 100, 256).unwrap();
    for id in &stage.ids[..3] {
        reads::product(connection, *id).unwrap();
        reads::audit::names(connection, *id).unwrap();
        reads::audit::product(connection, *id).unwrap();
    }
    reads::audit::sample(connection, 7, 100).unwrap();
    let token = tokens::list(connection).unwrap().pop().expect("a token");
    tokens::find(connection, token.id).unwrap();
    tokens::note_use(connection, token.id).unwrap();
}

/// What shoppers ask.
pub(super) fn over_http(stage: &Stage<'_>) {
    let app = stage.app;
    for id in &stage.ids[..5] {
        app.get_json(&format!("/v1/store/products/{id}"));
    }
    for slug in &stage.slugs[..5] {
        app.get_json(&format!("/v1/store/products/by-slug/{slug}"));
    }
    for sku in &stage.skus[..5] {
        app.get_json(&format!("/v1/store/products/by-sku/{sku}"));
    }
    for missing in ["by-slug/no-such-slug", "by-sku/no-such-sku"] {
        assert_eq!(app.get(&format!("/v1/store/products/{missing}")).status(), StatusCode::NOT_FOUND);
    }
    // Few, so that no deadline passes while everything is explained; `direct` asks for 200.
    let (ids, slugs, skus) = (&stage.ids[20..40], &stage.slugs[20..40], &stage.skus[20..40]);
    for body in [json!({"ids": ids}), json!({"slugs": slugs}), json!({"skus": skus})] {
        let answer = app.request(Method::POST, "/v1/store/products:batch-get").json(&body).send().unwrap();
        assert_eq!(answer.status(), 200);
    }
    for path in ["categories", "categories/everything", "brands", "attributes"] {
        app.get_json(&format!("/v1/store/{path}"));
    }
    if stage.reads_lists {
        lists(stage);
    }
}

/// Lists, once the index of them is read: they ask the database for the products of a page.
fn lists(stage: &Stage<'_>) {
    let app = stage.app;
    wait_until(INDEX, "the index of lists", || app.get("/readyz").status() == StatusCode::OK);
    for query in [
        "category=everything&limit=20&sort=price&currency=USD&facets=brand,category,price",
        "category=everything&attr.rare=yes&limit=20&sort=title",
        "q=lamp&limit=20&include=total",
    ] {
        let page = app.get_json(&format!("/v1/store/products?{query}"));
        assert!(page["items"].as_array().is_some_and(|items| !items.is_empty()), "{query}");
    }
    app.get_json("/v1/store/search/suggest?q=la");
}

/// What members ask of each other's rows.
pub(super) fn members(stage: &mut Stage<'_>) {
    let connection = &mut stage.connection;
    members::sync(connection).unwrap();
    members::list(connection).unwrap();
    let dead = Uuid::now_v7();
    members::join(connection, dead, "http://127.0.0.1:1", Duration::from_millis(200)).unwrap();
    members::acknowledge(connection, dead, 1).unwrap();
    members::leave(connection, dead).unwrap();
    members::join(connection, dead, "http://127.0.0.1:1", Duration::from_millis(200)).unwrap();
    assert!(members::eject(connection, dead, 0, Duration::from_secs(5)).unwrap());
    // An era that is none: the real one is to go on.
    members::end_era(connection, dead).unwrap();
    let keep =
        Retention { age: Duration::ZERO, positions_max: 200, positions_min: 100, batch: LOG_PRUNE_BATCH };
    pruning::prune(connection, keep).unwrap();
    pruning::prune_audit_log(connection, AUDIT_KEPT, AUDIT_PRUNE_BATCH).unwrap();
}
