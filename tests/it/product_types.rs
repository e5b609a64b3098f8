//! Product types: what they refuse, what they leave alone, and who learns of a change.

use aisle::{
    domain::dependency::Dependency,
    import::{
        catalogue::StoredCatalogue,
        jsonl::JsonLines,
        problem::Problem,
        report::{Observer, Report},
        run::run,
    },
};
use reqwest::{Method, blocking::Response};
use serde_json::{Value, json};

use crate::{
    catalogue::{events, last_deps, psql},
    support::{
        app::App,
        redis::shared_redis,
        waiting::{PATIENCE, wait_until},
    },
};

fn post(app: &App, path: &str, body: &Value) -> Value {
    let answer = app.admin(Method::POST, path).json(body).send().expect("an answer");
    let status = answer.status();
    let answer: Value = answer.json().expect("JSON");
    assert_eq!(status, 201, "{path} {body}: {answer}");
    answer
}

fn place(noun: &str, made: &Value) -> String {
    format!("/v1/admin/{noun}/{}", made["id"].as_str().expect("an id"))
}

fn tag(answer: &Response) -> String {
    answer.headers()["etag"].to_str().expect("text").to_owned()
}

/// The places and rules of a refusal.
fn faults(answer: Response) -> Vec<(String, String)> {
    let status = answer.status();
    let problem: Value = answer.json().expect("JSON");
    assert_eq!((status.as_u16(), &problem["code"]), (422, &json!("invalid")), "{problem}");
    places(&problem["errors"])
}

fn places(errors: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    errors
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| (text(&error["pointer"]), text(&error["rule"])))
        .collect()
}

fn expected(places: &[(&str, &str)]) -> Vec<(String, String)> {
    places.iter().map(|(pointer, rule)| ((*pointer).to_owned(), (*rule).to_owned())).collect()
}

/// The definitions of a lamp and its type; gives the type.
fn lamp_type(app: &App) -> Value {
    for definition in [
        json!({"code": "colour", "label": "Colour", "kind": "enum", "values": ["red", "blue"], "facet": true}),
        json!({"code": "watts", "label": "Power", "kind": "number", "filterable": true}),
        json!({"code": "since", "label": "Since", "kind": "date"}),
        json!({"code": "size", "label": "Size", "kind": "text", "variant_level": true}),
    ] {
        post(app, "/v1/admin/attributes", &definition);
    }
    let draft = json!({"code": "Lamp", "name": "Lamps", "attributes": ["colour", "watts", "since", "size"]});
    post(app, "/v1/admin/product-types", &draft)
}

#[test]
fn attributes_of_a_defined_type_are_checked_on_every_write() {
    let app = App::start();
    let lamp = lamp_type(&app);
    let bad =
        json!({"colour": ["red", "green"], "watts": "9", "since": "2026-02-30", "size": "L", "free": 1});
    let variants = json!([{"sku": "A", "options": {"Cord": "1 m"}, "attributes": {"size": "L"}},
        {"sku": "B", "options": {"Cord": "2 m"}, "attributes": {"size": 5, "watts": 9}}]);
    let draft = json!({"title": "Lamp", "product_type": "Lamp", "attributes": bad, "variants": variants});
    let wrong = expected(&[
        ("#/attributes/colour/1", "not_one_of"),
        ("#/attributes/watts", "wrong_kind"),
        ("#/attributes/since", "wrong_kind"),
        ("#/attributes/size", "wrong_level"),
        ("#/variants/1/attributes/size", "wrong_kind"),
        ("#/variants/1/attributes/watts", "wrong_level"),
    ]);
    let refused = |draft: &Value| faults(app.admin_json(Method::POST, "/v1/admin/products", draft));
    assert_eq!(refused(&draft), wrong);

    // Another type, or none, is as free as ever; the name is taken letter for letter.
    for product_type in [json!("lamp"), json!("Chair"), Value::Null] {
        let mut free = draft.clone();
        free["product_type"] = product_type;
        free["variants"][0]["sku"] = Value::Null;
        free["variants"][1]["sku"] = Value::Null;
        app.create_product(&free);
    }

    let good = json!({"colour": "red", "watts": 9, "since": "2026-02-28", "free": [ "x" ]});
    let made = app.create_product(&json!({
        "title": "Lamp", "product_type": "Lamp", "attributes": good, "variants": [{"sku": "A", "attributes": {"size": "L"}}]
    }));
    let (product, variant) = (place("products", &made), place("variants", &made["variants"][0]));
    let patch = json!({"attributes": {"watts": true}});
    let watts = expected(&[("#/attributes/watts", "wrong_kind")]);
    assert_eq!(faults(app.admin_json(Method::PATCH, &product, &patch)), watts);
    let patch = json!({"attributes": {"size": 7}});
    let size = expected(&[("#/attributes/size", "wrong_kind")]);
    assert_eq!(faults(app.admin_json(Method::PATCH, &variant, &patch)), size, "the place is in the variant");
    let shown = app.get_json(&format!("/v1/store/products/{}", made["id"].as_str().expect("an id")));
    assert_eq!(
        (&shown["product_type"], &shown["attributes"]),
        (&json!("Lamp"), &good),
        "the shape is the old one"
    );

    // Strict: what is not the type's is refused, where it is new.
    let strict = app.admin_json(Method::PATCH, &place("product-types", &lamp), &json!({"strict": true}));
    assert_eq!(strict.status(), 200);
    let patch = json!({"attributes": {"other/~": 1}});
    let other = expected(&[("#/attributes/other~1~0", "unknown_attribute")]);
    assert_eq!(faults(app.admin_json(Method::PATCH, &product, &patch)), other);
    assert_eq!(app.admin_json(Method::PATCH, &product, &json!({"attributes": {"watts": 10}})).status(), 200);
}

#[test]
fn a_changed_definition_leaves_products_alone_and_tells_which_do_not_fit() {
    let app = App::start();
    let database = app.database.as_ref().expect("its own");
    let mut conn = database.connect();
    let made: Vec<Value> = (0..4)
        .map(|number| {
            app.create_product(&json!({
                "title": format!("Lamp {number}"), "product_type": "Lamp",
                "attributes": {"watts": if number == 3 { json!(9) } else { json!("nine") }},
                "variants": [{"sku": format!("L-{number}"), "attributes": {"size": number}}]
            }))
        })
        .collect();
    app.admin(Method::DELETE, &place("products", &made[1]))
        .header("if-match", "*")
        .send()
        .expect("an answer");
    let before = events(&mut conn);
    let lamp = lamp_type(&app);
    assert_eq!(events(&mut conn) - before, 5, "four definitions and a type, and no product");
    let path = |rest: &str| format!("{}/misfits{rest}", place("product-types", &lamp));
    let misfits = |rest: &str| {
        app.admin(Method::GET, &path(rest)).send().expect("an answer").json::<Value>().expect("JSON")
    };

    let found = misfits("?limit=2");
    assert_eq!(
        (&found["examined"], &found["misfits"], &found["next_after"]),
        (&json!(3), &json!(3), &Value::Null)
    );
    let items = found["items"].as_array().expect("items");
    assert_eq!(items.iter().map(|item| &item["id"]).collect::<Vec<_>>(), [&made[0]["id"], &made[2]["id"]]);
    let both =
        expected(&[("#/attributes/watts", "wrong_kind"), ("#/variants/0/attributes/size", "wrong_kind")]);
    assert_eq!(places(&items[0]["errors"]), both);
    let after = misfits(&format!("?after={}", made[2]["id"].as_str().expect("an id")));
    assert_eq!((&after["examined"], &after["items"][0]["id"]), (&json!(1), &made[3]["id"]));
    let size = expected(&[("#/variants/0/attributes/size", "wrong_kind")]);
    assert_eq!(places(&after["items"][0]["errors"]), size);

    // What has nothing to do with the misfit goes through, as does the whole product sent back; a change of it does not.
    let product = place("products", &made[0]);
    assert_eq!(app.admin_json(Method::PATCH, &product, &json!({"title": "New"})).status(), 200);
    let whole: Value = app.admin(Method::GET, &product).send().expect("an answer").json().expect("JSON");
    assert_eq!(app.admin_json(Method::PUT, &product, &whole).status(), 200);
    let watts = expected(&[("#/attributes/watts", "wrong_kind")]);
    let refused = app.admin_json(Method::PATCH, &product, &json!({"attributes": {"watts": "ten"}}));
    assert_eq!(faults(refused), watts);
    // Leaving the type and coming back is a write of all values.
    assert_eq!(app.admin_json(Method::PATCH, &product, &json!({"product_type": "Other"})).status(), 200);
    assert_eq!(faults(app.admin_json(Method::PATCH, &product, &json!({"product_type": "Lamp"}))), both);
    let mended = json!({"product_type": "Lamp", "attributes": {"watts": 9}, "variants": []});
    assert_eq!(app.admin_json(Method::PATCH, &product, &mended).status(), 200);
    assert_eq!(misfits("")["misfits"], 2);
    // Without the type they are free again.
    let gone = app.admin(Method::DELETE, &place("product-types", &lamp)).header("if-match", "*").send();
    assert_eq!(gone.expect("an answer").status(), 204);
    let back = app.admin_json(Method::PATCH, &product, &json!({"attributes": {"watts": "ten"}}));
    assert_eq!(back.status(), 200);
}

struct Nobody;

impl Observer for Nobody {
    fn problem(&mut self, _problem: &Problem) {}

    fn progress(&mut self, _position: u64, _report: &Report) {}
}

#[test]
fn imports_are_checked_line_by_line() {
    let app = App::start();
    lamp_type(&app);
    let mut conn = app.database.as_ref().expect("its own").connect();
    let content = "{\"title\":\"A\",\"product_type\":\"Lamp\",\"attributes\":{\"watts\":9}}\n\
        {\"title\":\"B\",\"product_type\":\"Lamp\",\"attributes\":{\"watts\":\"9\",\"colour\":\"pink\"}}\n\
        {\"title\":\"C\",\"product_type\":\"Other\",\"attributes\":{\"watts\":\"9\"}}\n";
    let mut source = JsonLines::new(content.as_bytes());
    let report = run(&mut source, &mut StoredCatalogue::new(&mut conn), false, &mut Nobody).unwrap();
    assert_eq!((report.created, report.failed), (2, 1));
    let words: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    let expected = [
        "line 2, #/attributes/watts: must be a number",
        "line 2, #/attributes/colour: must be one of `red`, `blue`",
    ];
    assert_eq!(words, expected);
}

#[test]
fn types_and_definitions_are_edited_like_brands() {
    let app = App::start();
    let mut conn = app.database.as_ref().expect("its own").connect();
    let lamp = lamp_type(&app);
    let list = |noun: &str| {
        let answer = app.admin(Method::GET, &format!("/v1/admin/{noun}")).send().expect("an answer");
        answer.json::<Value>().expect("JSON")["items"].as_array().expect("items").clone()
    };
    assert_eq!((list("attributes").len(), list("product-types").len()), (4, 1));
    let colour = list("attributes").into_iter().find(|one| one["code"] == "colour").expect("the colour");
    let send = |method: Method, path: &str, version: &str, body: &Value| {
        app.admin(method, path).header("if-match", version).json(body).send().expect("an answer")
    };
    for (path, draft, change) in [
        (place("attributes", &colour), &colour, json!({"values": ["red", "blue", "green"]})),
        (place("product-types", &lamp), &lamp, json!({"attributes": ["watts", "colour"]})),
    ] {
        let read = app.admin(Method::GET, &path).send().expect("an answer");
        let first = tag(&read);
        assert_eq!(first, "\"v1\"");
        let before = events(&mut conn);
        let again = send(Method::PUT, &path, &first, draft);
        assert_eq!(
            (again.status().as_u16(), tag(&again)),
            (200, first.clone()),
            "a no-op, and an answer sent back"
        );
        assert!(!again.headers().contains_key("catalog-position"));
        let patched = send(Method::PATCH, &path, &first, &change);
        assert_eq!((patched.status().as_u16(), tag(&patched)), (200, "\"v2\"".to_owned()));
        assert!(patched.headers().contains_key("catalog-position"));
        assert_eq!(events(&mut conn) - before, 1);
        assert_eq!(last_deps(&mut conn), [Dependency::attribute_list().0]);
        let body: Value = patched.json().expect("JSON");
        for (name, value) in change.as_object().expect("an object") {
            assert_eq!(body[name], *value);
        }
        assert_eq!(send(Method::PATCH, &path, &first, &change).status(), 412);
        let unconditional = app.admin(Method::PATCH, &path).json(&change).send().expect("an answer");
        assert_eq!(unconditional.status(), 428);
        let code = expected(&[("#/code", "read_only")]);
        assert_eq!(faults(send(Method::PATCH, &path, "*", &json!({"code": "other"}))), code);
    }
    let in_use = app.admin(Method::DELETE, &place("attributes", &colour)).header("if-match", "*").send();
    assert_eq!(faults(in_use.expect("an answer")), expected(&[("#", "in_use")]));
}

#[test]
fn what_is_no_type_or_definition_is_refused_with_its_places() {
    let app = App::start();
    lamp_type(&app);
    let create = |noun: &str, body: &Value| {
        app.admin(Method::POST, &format!("/v1/admin/{noun}")).json(body).send().expect("an answer")
    };
    assert_eq!(create("attributes", &json!({"code": "colour", "label": "Again"})).status(), 409);
    assert_eq!(create("product-types", &json!({"code": "Lamp", "name": "Again"})).status(), 409);
    let wrong = json!({"code": " ", "kind": "colour", "values": ["a", 5], "facet": "yes", "extra": 1});
    let places = expected(&[
        ("#/code", "required"),
        ("#/label", "required"),
        ("#/kind", "not_one_of"),
        ("#/values/1", "wrong_type"),
        ("#/facet", "wrong_type"),
        ("#/extra", "unknown_field"),
    ]);
    assert_eq!(faults(create("attributes", &wrong)), places);
    let values = |draft: &Value| faults(create("attributes", draft));
    let empty = json!({"code": "a", "label": "A", "kind": "enum"});
    assert_eq!(values(&empty), expected(&[("#/values", "required")]));
    let same = json!({"code": "a", "label": "A", "kind": "enum", "values": ["x", " x "]});
    assert_eq!(values(&same), expected(&[("#/values/1", "duplicate")]));
    let odd = json!({"code": "a", "label": "A", "kind": "date", "values": ["x"]});
    assert_eq!(values(&odd), expected(&[("#/values", "not_allowed")]));
    let many: Vec<String> = (0..=500).map(|number| number.to_string()).collect();
    let many = json!({"code": "a", "label": "A", "kind": "enum", "values": many});
    assert_eq!(values(&many), expected(&[("#/values", "too_many")]));
    let unknown = json!({"code": "a", "name": "A", "attributes": ["watts", "nothing", "none"]});
    let places = expected(&[("#/attributes/1", "unknown"), ("#/attributes/2", "unknown")]);
    assert_eq!(faults(create("product-types", &unknown)), places);
    let types = app.admin(Method::GET, "/v1/admin/product-types").send().expect("an answer");
    let types: Value = types.json().expect("JSON");
    assert_eq!(types["items"].as_array().expect("items").len(), 1, "nothing was half made");
}

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
