//! Product types: what they refuse, what they leave alone, and who learns of a change.

mod editing;
mod store;

use aisle::import::{
    catalogue::StoredCatalogue,
    jsonl::JsonLines,
    problem::Problem,
    report::{Observer, Report},
    run::run,
};
use reqwest::{Method, blocking::Response};
use serde_json::{Value, json};

use crate::{catalogue::events, support::app::App};

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
