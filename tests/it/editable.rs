//! What any way of writing has stored, a patch can change: the rules of one are the rules of all.

use diesel::connection::SimpleConnection;
use reqwest::{Method, blocking::Response};
use serde_json::{Value, json};

use crate::support::app::App;

fn create(app: &App, draft: &Value) -> Response {
    app.admin_json(Method::POST, "/v1/admin/products", draft)
}

fn patch(app: &App, product: &Value, patch: &Value) -> Response {
    let path = format!("/v1/admin/products/{}", product["id"].as_str().expect("an id"));
    app.admin_json(Method::PATCH, &path, patch)
}

/// Pointer and words of every broken rule.
fn refused(answer: Response) -> Vec<(String, String)> {
    let status = answer.status();
    let problem: Value = answer.json().expect("JSON");
    assert_eq!(status, 422, "{problem}");
    let text = |error: &Value, name: &str| error[name].as_str().expect("text").to_owned();
    let errors = problem["errors"].as_array().expect("errors").iter();
    errors.map(|error| (text(error, "pointer"), text(error, "detail"))).collect()
}

fn pointers(answer: Response) -> Vec<String> {
    refused(answer).into_iter().map(|(pointer, _)| pointer).collect()
}

#[test]
fn stock_is_kept_at_no_more_locations_than_a_document_may_list() {
    let app = App::start();
    let stock: Vec<Value> =
        (0..100).map(|number| json!({"location": format!("l-{number}"), "quantity": 1})).collect();
    let product = app.create_product(&json!({"title": "Lamp", "variants": [{"stock": stock}]}));
    let path = format!("/v1/admin/variants/{}/stock", product["variants"][0]["id"].as_str().expect("an id"));
    let put =
        |location: &str| app.admin_json(Method::PUT, &format!("{path}/{location}"), &json!({"quantity": 5}));
    let adjusted = app.admin_json(Method::POST, &format!("{path}/another/adjust"), &json!({"by": 1}));
    for answer in [put("another"), adjusted] {
        let all = refused(answer);
        assert_eq!(all, [("#".to_owned(), "a variant has stock at no more than 100 locations".to_owned())]);
    }
    assert_eq!(put("l-7").status(), 200, "one that it has");
    assert_eq!(patch(&app, &product, &json!({"title": "New"})).status(), 200);
}

#[test]
fn options_that_differ_only_in_case_are_refused_and_values_taken() {
    let app = App::start();
    let twice = json!({"title": "Shirt", "variants": [{"options": {"Size": "S", "size": "M"}}]});
    assert_eq!(pointers(create(&app, &twice)), ["#/variants/0/options/size"]);
    let mut shirt =
        json!({"title": "Shirt", "variants": [{"options": {"Size": "s"}}, {"options": {"Size": "S"}}]});
    let made = app.create_product(&shirt);
    assert_eq!(patch(&app, &made, &json!({"title": "Blouse"})).status(), 200);
    let variant = format!("/v1/admin/variants/{}", made["variants"][0]["id"].as_str().expect("an id"));
    let options = json!({"options": {"Size": "M", "SIZE": "L"}});
    assert_eq!(pointers(app.admin_json(Method::PATCH, &variant, &options)), ["#/options/SIZE"]);

    let values: Vec<String> = (0..249).map(|number| number.to_string()).collect();
    shirt["options"] = json!([{"name": "Size", "values": values}]);
    assert_eq!(pointers(create(&app, &shirt)), ["#/options/0/values"], "251 with those of the variants");
}

#[test]
fn what_was_stored_by_hand_and_breaks_a_rule_is_named_with_its_place() {
    let app = App::start();
    let product =
        app.create_product(&json!({"title": "Shirt", "variants": [{"sku": "S", "options": {"Size": "S"}}]}));
    app.database
        .as_ref()
        .expect("its own")
        .connect()
        .batch_execute(
            "INSERT INTO location (code) SELECT 'l-' || n FROM generate_series(1, 101) n; \
             INSERT INTO stock_level SELECT v.id, l.id, 1 FROM variant v, location l; \
             INSERT INTO product_option (product_id, name, position) SELECT id, 'size', 1 FROM product; \
             INSERT INTO option_value (option_id, value) SELECT id, 'M' FROM product_option WHERE name = 'size'; \
             INSERT INTO variant_option_value SELECT v.id, o.option_id, o.id FROM variant v, option_value o \
              WHERE o.value = 'M'",
        )
        .expect("by hand");
    let all = refused(patch(&app, &product, &json!({"title": "New"})));
    let expected = [
        ("#/variants/0/options/size", "must be unique without regard to case and surrounding white space"),
        ("#/variants/0/stock", "must have at most 100 items, has 101"),
        ("#/options/1/name", "must be unique among the options without regard to case"),
    ];
    assert_eq!(all, expected.map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned())));
    let mended = json!({
        "options": [{"name": "Size", "values": ["S"]}],
        "variants": [{"sku": "S", "options": {"Size": "S"}, "stock": 3}]
    });
    assert_eq!(patch(&app, &product, &mended).status(), 200, "and the places can be mended");
}

/// An edit reads again only what it wrote; whatever that is, its answer is the whole product as it now is.
#[test]
fn an_edit_is_answered_with_the_whole_product() {
    let app = App::start();
    let category = |name: &str| -> Value {
        let answer = app.admin_json(Method::POST, "/v1/admin/categories", &json!({"name": name}));
        answer.json::<Value>().expect("JSON")["id"].clone()
    };
    let variants = |amount: i64| {
        json!([
            {"sku": "L-M", "options": {"Size": "M"}, "stock": 9},
            {"sku": "L-S", "options": {"Size": "S"}, "media": ["https://example.com/3.jpg"],
             "prices": [{"currency": "USD", "amount": amount}, {"currency": "EUR", "amount": 4}]}
        ])
    };
    let categories = [category("Lamps"), category("Sale")];
    let made = app.create_product(&json!({
        "title": "Floor Lamp", "category_ids": categories, "tags": ["new", "Oak"],
        "options": [{"name": "Size", "values": ["S", "M"]}], "translations": {"de": {"title": "Stehlampe"}},
        "media": [{"url": "https://example.com/1.jpg"}, {"url": "https://example.com/2.jpg"}],
        "variants": [
            {"sku": "L-S", "options": {"Size": "S"}, "media": ["https://example.com/1.jpg"], "stock": 3,
             "prices": [{"currency": "USD", "amount": 1999}]},
            {"sku": "L-M", "options": {"Size": "M"}}
        ]
    }));
    let path = format!("/v1/admin/products/{}", made["id"].as_str().expect("an id"));
    for edit in [
        json!({"title": "Lamp", "status": "draft"}),
        json!({"slug": "another-name"}),
        json!({"tags": ["Oak", "b", "a"]}),
        json!({"category_ids": [categories[1]]}),
        json!({"translations": {"de": null, "fr": {"title": "Lampe"}}}),
        json!({"options": [{"name": "Size", "values": ["M", "S", "L"]}]}),
        json!({"media": [{"url": "https://example.com/3.jpg"}, {"url": "https://example.com/1.jpg"}]}),
        json!({"variants": variants(5)}),
        json!({"variants": variants(6)}),
        json!({"status": "active", "variants": [{"sku": "L-S", "options": {"Colour": "Oak"}}]}),
        json!({"media": [], "variants": [], "options": [], "tags": [], "category_ids": []}),
    ] {
        let answer = patch(&app, &made, &edit);
        assert_eq!(answer.status(), 200, "{edit}");
        let answered: Value = answer.json().expect("JSON");
        let read: Value = app.admin(Method::GET, &path).send().expect("an answer").json().expect("JSON");
        assert_eq!(answered, read, "{edit}");
    }
}

/// An edit asks only for the names that its product has not; both kinds mean what they always do.
#[test]
fn names_that_are_kept_and_new_ones_are_found_alike() {
    let app = App::start();
    let category = |name: &str| -> Value {
        let answer = app.admin_json(Method::POST, "/v1/admin/categories", &json!({"name": name}));
        answer.json::<Value>().expect("JSON")["id"].clone()
    };
    let categories = [category("Lamps"), category("Sale")];
    let made = app.create_product(&json!({
        "title": "Floor Lamp", "category_ids": [categories[0]], "tags": ["new", "Oak"],
        "variants": [{"sku": "L", "stock": [{"location": "berlin", "quantity": 1}]}]
    }));
    let stock = json!([{"location": "berlin", "quantity": 2}, {"location": "paris", "quantity": 3}]);
    let both = json!({
        "category_ids": [categories[1], categories[0]], "tags": ["OAK", "second", "new"],
        "variants": [{"sku": "L", "stock": stock}]
    });
    let answered: Value = patch(&app, &made, &both).json().expect("JSON");
    assert_eq!(answered["category_ids"], json!(categories));
    assert_eq!(answered["tags"], json!(["Oak", "second", "new"]), "in its order, under the tag's own name");
    assert_eq!(answered["variants"][0]["stock"], stock);
    let as_many = json!(["new", "third", "Oak"]);
    let answered: Value = patch(&app, &made, &json!({"tags": as_many})).json().expect("JSON");
    assert_eq!(answered["tags"], as_many);

    let unknown =
        json!({"category_ids": [categories[0], "01890000-0000-7000-8000-000000000000"], "title": "Other"});
    assert_eq!(pointers(patch(&app, &made, &unknown)), ["#/category_ids/1"]);
}

#[test]
fn every_field_of_a_product_is_set_and_emptied() {
    let app = App::start();
    let brand = app.admin_json(Method::POST, "/v1/admin/brands", &json!({"name": "Acme"}));
    let brand: Value = brand.json().expect("JSON");
    let made = app.create_product(&json!({"title": "Lamp"}));
    let fields = json!({
        "external_id": "e-1", "status": "archived", "title": "Floor Lamp", "description": "Stands.",
        "product_type": "lamp", "brand_id": brand["id"], "attributes": {"watts": 5},
        "seo": {"title": "A lamp", "description": "That stands."}
    });
    let set: Value = patch(&app, &made, &fields).json().expect("JSON");
    for (name, value) in fields.as_object().expect("an object") {
        assert_eq!(set[name], *value, "{name}");
    }
    let nothing = json!({
        "external_id": null, "description": null, "product_type": null, "brand_id": null, "attributes": null, "seo": null
    });
    let emptied: Value = patch(&app, &made, &nothing).json().expect("JSON");
    for pointer in
        ["/external_id", "/product_type", "/brand_id", "/attributes/watts", "/seo/title", "/seo/description"]
    {
        assert!(emptied.pointer(pointer).is_none_or(Value::is_null), "{pointer}: {emptied}");
    }
    assert_eq!(emptied["description"], "");
    assert_eq!((&emptied["title"], &emptied["status"]), (&set["title"], &set["status"]));
}
