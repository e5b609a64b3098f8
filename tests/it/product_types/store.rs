//! What the store and other instances learn of types and definitions.

use aisle::domain::dependency::Dependency;
use reqwest::Method;
use serde_json::json;

use super::{lamp_type, place, post};
use crate::{
    catalogue::{events, last_deps, psql},
    support::{
        app::App,
        redis::shared_redis,
        waiting::{PATIENCE, wait_until},
    },
};

#[test]
fn the_store_lists_filters_and_facets_and_every_instance_learns_of_a_change() {
    let app = App::start();
    let database = app.database.as_ref().expect("its own");
    let other = App::join(&database.url, Some(shared_redis()), |_| ());
    let mut conn = database.connect();
    lamp_type(&app);
    let codes = |app: &App| -> Vec<String> {
        let items = app.get_json("/v1/store/attributes")["items"].clone();
        items
            .as_array()
            .expect("items")
            .iter()
            .map(|one| one["code"].as_str().expect("a code").to_owned())
            .collect()
    };
    let colour = json!({
        "code": "colour", "label": "Colour", "kind": "enum", "values": ["red", "blue"], "filterable": false, "facet": true,
        "variant_level": false
    });
    assert_eq!(app.get_json("/v1/store/attributes")["items"][0], colour);
    assert_eq!((codes(&app), codes(&other)), (codes(&other), vec!["colour".to_owned(), "watts".to_owned()]));
    let hit = other.get("/v1/store/attributes");
    assert_eq!(hit.headers()["cache-status"], "aisle; hit; detail=local");

    let made =
        post(&app, "/v1/admin/attributes", &json!({"code": "brightness", "label": "B", "filterable": true}));
    assert_eq!(codes(&other), ["brightness", "colour", "watts"], "at once, through the API");
    let gone = app.admin(Method::DELETE, &place("attributes", &made)).header("if-match", "*").send();
    assert_eq!(gone.expect("an answer").status(), 204);
    assert_eq!(codes(&other), ["colour", "watts"]);

    let changes: &[(&str, &[&str])] = &[
        (
            "UPDATE attribute_definition SET filterable = true WHERE code = 'since'",
            &["colour", "since", "watts"],
        ),
        ("UPDATE attribute_definition SET facet = false WHERE code = 'colour'", &["since", "watts"]),
        (
            "INSERT INTO attribute_definition (code, label, facet) VALUES ('a', 'A', true)",
            &["a", "since", "watts"],
        ),
        ("DELETE FROM attribute_definition WHERE code = 'a'", &["since", "watts"]),
        ("TRUNCATE attribute_definition CASCADE", &[]),
    ];
    for (statement, wanted) in changes {
        psql(&mut conn, statement);
        psql(&mut conn, "SELECT catalog.sync()");
        assert!(last_deps(&mut conn).contains(&Dependency::attribute_list().0), "{statement}");
        for app in [&app, &other] {
            let head = aisle::store::events::head(&mut conn).expect("the head");
            wait_until(PATIENCE, "the event", || app.shared.reader.coherence.gate().applied() >= head);
            assert_eq!(codes(app), *wanted, "{statement}");
        }
    }
}

#[test]
fn every_change_of_types_by_sql_is_an_event_and_a_version() {
    let database = crate::support::database();
    let mut conn = database.connect();
    psql(
        &mut conn,
        "INSERT INTO attribute_definition (code, label) VALUES ('a', 'A'), ('b', 'B'); \
         INSERT INTO product_type (code, name) VALUES ('t', 'T')",
    );
    let version = |conn: &mut aisle::store::Connection| {
        crate::catalogue::number(conn, "SELECT coalesce(max(version), 0) AS number FROM product_type")
    };
    for (statement, wanted, counts) in [
        ("UPDATE product_type SET name = name, version = 9", 1, false),
        ("UPDATE attribute_definition SET label = label", 1, false),
        ("UPDATE product_type SET name = 'Type'", 2, true),
        (
            "INSERT INTO product_type_attribute SELECT t.id, d.id, 0 FROM product_type t, attribute_definition d",
            3,
            true,
        ),
        ("UPDATE product_type_attribute SET position = position", 3, false),
        ("UPDATE product_type_attribute SET position = 5", 4, true),
        ("DELETE FROM product_type_attribute WHERE position = 7", 4, false),
        (
            "DELETE FROM product_type_attribute WHERE attribute_id = (SELECT id FROM attribute_definition WHERE code = 'a')",
            5,
            true,
        ),
        ("UPDATE attribute_definition SET label = 'Other' WHERE code = 'b'", 5, true),
        ("TRUNCATE product_type_attribute", 6, true),
        ("DELETE FROM product_type", 0, true),
    ] {
        let before = events(&mut conn);
        psql(&mut conn, statement);
        assert_eq!(
            (version(&mut conn), events(&mut conn) - before),
            (wanted, i64::from(counts)),
            "{statement}"
        );
        if counts {
            assert_eq!(last_deps(&mut conn), [Dependency::attribute_list().0], "{statement}");
        }
    }
}
