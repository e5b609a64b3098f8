//! Edits of everything that the admin API knows.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::Stage;

impl Stage<'_> {
    /// Sends an edit for any version and reads what it answers.
    fn send(&self, method: &Method, path: &str, body: &Value) -> Value {
        let answer = self.app.admin_json(method.clone(), &format!("/v1/admin/{path}"), body);
        let status = answer.status();
        let text = answer.text().expect("a body");
        assert!(status.is_success(), "{method} {path} {body}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn read(&self, path: &str) -> Value {
        let answer = self.app.admin(Method::GET, &format!("/v1/admin/{path}")).send().expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().expect("JSON")
    }

    /// Creates, reads, lists, replaces and patches one of these; gives its path.
    fn live(&self, noun: &str, draft: &Value, patch: &Value) -> String {
        let made = self.send(&Method::POST, noun, draft);
        let path = format!("{noun}/{}", id(&made));
        self.read(&path);
        self.read(noun);
        self.send(&Method::PUT, &path, draft);
        self.send(&Method::PATCH, &path, patch);
        path
    }

    fn delete(&self, path: &str) {
        self.send(&Method::DELETE, path, &json!({}));
    }
}

#[track_caller]
fn id(made: &Value) -> &str {
    made["id"].as_str().expect("an id")
}

/// Edits everything once.
pub(super) fn run(stage: &mut Stage<'_>) {
    let pass = stage.pass;
    let brand = stage.live(
        "brands",
        &json!({"name": format!("Brand {pass}")}),
        &json!({"name": format!("Mark {pass}")}),
    );
    let above = stage.live("categories", &json!({"name": format!("Above {pass}")}), &json!({"position": 3}));
    let place = |name: &str| json!({"name": format!("{name} {pass}"), "parent_id": above.split('/').nth(1)});
    let below = stage.live("categories", &place("Below"), &json!({"name": format!("Beneath {pass}")}));
    types(stage);
    let synonyms = stage.live(
        "synonyms",
        &json!({"words": [format!("lamp{pass}"), "light"]}),
        &json!({"words": [format!("lamp{pass}"), "lantern"]}),
    );
    stage.delete(&synonyms);
    let token = stage.send(&Method::POST, "tokens", &json!({"name": "plans", "scope": "read"}));
    stage.read("tokens");
    stage.delete(&format!("tokens/{}", id(&token)));
    audit_log(stage);
    products(stage, &brand, &below);
    existing(stage);
    // In use by what is in the bin, so refused: the look at what uses it is what counts.
    for used in [&brand, &below] {
        let answer = stage.app.admin_json(Method::DELETE, &format!("/v1/admin/{used}"), &json!({}));
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
    let unused = stage.send(&Method::POST, "brands", &json!({"name": format!("Unused {pass}")}));
    stage.delete(&format!("brands/{}", id(&unused)));
    let unused = stage.send(&Method::POST, "categories", &json!({"name": format!("Unused {pass}")}));
    stage.delete(&format!("categories/{}", id(&unused)));
    // A category moves with its products.
    stage.send(&Method::PATCH, &below, &json!({"parent_id": null}));
}

/// The newest entries and those after them, of everything and of a product.
fn audit_log(stage: &Stage<'_>) {
    let of_product = format!("limit=1&path=/v1/admin/products/{}", stage.ids[0]);
    for list in ["limit=200", &of_product] {
        let first = stage.read(&format!("audit-log?{list}"));
        let cursor = first["next_cursor"].as_str().expect("more entries");
        stage.read(&format!("audit-log?{list}&cursor={cursor}"));
    }
}

fn types(stage: &Stage<'_>) {
    let pass = stage.pass;
    let draft = json!({"code": format!("glow{pass}"), "label": "Glow", "kind": "text", "facet": true, "filterable": true});
    let attribute = stage.live("attributes", &draft, &json!({"label": "Shine"}));
    let draft = json!({"code": format!("kind{pass}"), "name": "Kind", "attributes": [format!("glow{pass}")]});
    let kind = stage.live("product-types", &draft, &json!({"attributes": []}));
    stage.delete(&kind);
    stage.delete(&attribute);
    if pass == 0 {
        stage.send(&Method::POST, "product-types", &json!({"code": "thing", "name": "Thing"}));
    }
    let all = stage.read("product-types");
    let thing = all["items"].as_array().expect("items").iter().find(|kind| kind["code"] == "thing");
    stage.read(&format!("product-types/{}/misfits", id(thing.expect("a thing"))));
}

/// A product as large as its parts need to be copied and not inserted one by one.
fn large(stage: &Stage<'_>, brand: &str, category: &str, round: usize) -> Value {
    let pass = stage.pass;
    let last = |path: &str| path.split('/').nth(1).expect("an id").to_owned();
    let other = ["EUR", "GBP"][round];
    let translations = json!({"de": {"title": "Plan"}, "fr": {"title": "Plan"}});
    let translations =
        if round == 0 { translations } else { json!({"fr": {"title": "Projet"}, "it": {"title": "Piano"}}) };
    let variants: Vec<Value> = (0..40)
        .map(|n| {
            json!({"sku": format!("P{pass}-{}", (n + round) % 40), "options": {"Size": format!("{n}"), "Hue": format!("{}", n % (5 + round))},
                   "stock": [{"location": "here", "quantity": n}, {"location": format!("there {round}"), "quantity": 1}],
                   "media": [format!("https://example.com/{n}.jpg")],
                   "prices": [{"currency": "USD", "amount": 100 + n}, {"currency": other, "amount": 90 + n}]})
        })
        .collect();
    let media: Vec<Value> = (0..40).map(|n| json!({"url": format!("https://example.com/{n}.jpg")})).collect();
    json!({
        "title": format!("Plan {pass}"), "external_id": format!("plan-{pass}"), "slug": format!("plan-{pass}-{round}"),
        "brand_id": last(brand), "category_ids": [last(category)], "product_type": "thing",
        "tags": [format!("tag {round}"), format!("tag {pass}"), "common"],
        "translations": translations,
        "variants": variants, "media": media
    })
}

fn products(stage: &Stage<'_>, brand: &str, category: &str) {
    let pass = stage.pass;
    let made = stage.send(&Method::POST, "products", &large(stage, brand, category, 0));
    let path = format!("products/{}", id(&made));
    stage.read(&path);
    stage.send(&Method::PUT, &path, &large(stage, brand, category, 1));
    stage.send(
        &Method::PATCH,
        &path,
        &json!({"title": format!("Plan {pass} again"), "slug": format!("again-{pass}")}),
    );
    stage.app.get(&format!("/v1/store/products/by-slug/plan-{pass}-0"));
    stage.send(&Method::PUT, &path, &json!({"title": "Bare", "brand_id": brand.split('/').nth(1), "category_ids": [category.split('/').nth(1)]}));
    // Slugs of the same title must be told apart; names may be given instead of ids.
    for _ in 0..2 {
        let draft = json!({"title": "Lamp of plans", "brand": format!("Mark {pass}"), "categories": [format!("Above {pass} > Beneath {pass}")]});
        stage.send(&Method::POST, "products", &draft);
    }
    stage.delete(&path);
    let after = stage.ids[100];
    for list in ["limit=200".to_owned(), format!("limit=200&after={after}"), "deleted=true".to_owned()] {
        stage.read(&format!("products?{list}"));
    }
    stage.send(&Method::POST, &format!("{path}/restore"), &json!({}));
    stage.delete(&path);
}

/// Single edits of products that came with the catalogue.
fn existing(stage: &Stage<'_>) {
    let pass = stage.pass;
    let read = |product| stage.read(&format!("products/{product}"));
    let with_variants =
        stage.ids[10 * (pass + 1)..].iter().map(read).filter(|read| !read["variants"][0].is_null());
    for read in with_variants.take(5) {
        let path = format!("products/{}", id(&read));
        stage.send(
            &Method::PATCH,
            &path,
            &json!({"description": format!("Planned {pass}"), "tags": ["common"]}),
        );
        let variant = format!("variants/{}", id(&read["variants"][0]));
        stage.read(&variant);
        stage.send(&Method::PATCH, &variant, &json!({"barcode": null, "allow_backorder": pass == 0}));
        stage.send(&Method::PUT, &format!("{variant}/prices/CHF"), &json!({"amount": 4200}));
        stage.send(&Method::DELETE, &format!("{variant}/prices/CHF"), &json!({}));
        stage.send(&Method::PUT, &format!("{variant}/stock/shelf"), &json!({"quantity": 3}));
        stage.send(&Method::POST, &format!("{variant}/stock/shelf/adjust"), &json!({"by": -3}));
    }
}
