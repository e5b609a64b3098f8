//! Types and definitions as editors see and change them.

use aisle::domain::dependency::Dependency;
use reqwest::Method;
use serde_json::{Value, json};

use super::{expected, faults, lamp_type, place, tag};
use crate::{
    catalogue::{events, last_deps},
    support::app::App,
};

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
