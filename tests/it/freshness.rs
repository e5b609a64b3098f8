//! A warm instance answers what one without caches answers, after every kind of change that a table knows.
//!
//! The dependencies that entries list and those that triggers raise are written in two languages; this holds them together.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    app::App,
    database,
    waiting::{PATIENCE, wait_until},
};

/// Every change that a shopper can notice, one table after the other. Each must change at least one answer.
const VISIBLE: &[&str] = &[
    "UPDATE product SET title = 'Desk lamp' WHERE external_id = 'lamp'",
    "UPDATE product SET description = 'Bright' WHERE external_id = 'lamp'",
    "UPDATE product SET attributes = '{\"watts\": 9}' WHERE external_id = 'lamp'",
    "UPDATE product SET seo_title = 'Lamps!' WHERE external_id = 'lamp'",
    "UPDATE product SET published_at = published_at - interval '1 year' WHERE external_id = 'chair'",
    "UPDATE product SET brand_id = NULL WHERE external_id = 'lamp'",
    "UPDATE product SET brand_id = (SELECT id FROM brand WHERE slug = 'acme') WHERE external_id = 'lamp'",
    "UPDATE product SET status = 'archived' WHERE external_id = 'lamp'",
    "UPDATE product SET status = 'active' WHERE external_id = 'lamp'",
    "UPDATE product SET deleted_at = now() WHERE external_id = 'lamp'",
    "UPDATE product SET deleted_at = NULL WHERE external_id = 'lamp'",
    "UPDATE brand SET name = 'Ajax' WHERE slug = 'acme'",
    "UPDATE brand SET slug = 'ajax' WHERE slug = 'acme'",
    "INSERT INTO brand (slug, name) VALUES ('new', 'New')",
    "DELETE FROM brand WHERE slug = 'new'",
    "INSERT INTO attribute_definition (code, label, facet) VALUES ('watts', 'Watts', true), ('size', 'Size', false)",
    "UPDATE attribute_definition SET filterable = true WHERE code = 'size'",
    "UPDATE attribute_definition SET kind = 'enum', enum_values = ARRAY['S', 'M'] WHERE code = 'size'",
    "DELETE FROM attribute_definition WHERE code = 'watts'",
    "TRUNCATE attribute_definition CASCADE",
    "UPDATE category SET name = 'House' WHERE slug = 'home'",
    "UPDATE category SET slug = 'house' WHERE slug = 'home'",
    "UPDATE category SET slug = 'home' WHERE slug = 'house'",
    "UPDATE category SET description = 'Light' WHERE slug = 'lamps'",
    "UPDATE category SET parent_id = NULL WHERE slug = 'lamps'",
    "UPDATE category SET parent_id = (SELECT id FROM category WHERE slug = 'home') WHERE slug = 'lamps'",
    "INSERT INTO category (slug, name) VALUES ('garden', 'Garden')",
    "UPDATE category SET position = -1 WHERE slug = 'garden'",
    "DELETE FROM category WHERE slug = 'garden'",
    "DELETE FROM product_category WHERE product_id = (SELECT id FROM product WHERE external_id = 'lamp')",
    "INSERT INTO product_category SELECT p.id, c.id, 0 FROM product p, category c
      WHERE p.external_id = 'lamp' AND c.slug = 'lamps'",
    "UPDATE product_category SET category_id = (SELECT id FROM category WHERE slug = 'home')
      WHERE product_id = (SELECT id FROM product WHERE external_id = 'lamp')",
    "UPDATE tag SET name = 'Glowing' WHERE name = 'bright'",
    "INSERT INTO tag (name) VALUES ('fresh');
     INSERT INTO product_tag SELECT p.id, t.id, 5 FROM product p, tag t WHERE p.external_id = 'lamp' AND t.name = 'fresh'",
    "UPDATE product_tag SET position = 9 - position",
    "DELETE FROM tag WHERE name = 'fresh'",
    "INSERT INTO product_translation (product_id, locale, title) SELECT id, 'en', 'Lamp (en)' FROM product WHERE external_id = 'lamp'",
    "UPDATE product_translation SET title = 'Lamp (English)'",
    "DELETE FROM product_translation",
    "UPDATE slug SET is_current = false WHERE slug = 'lamp';
     INSERT INTO slug (slug, product_id) SELECT 'desk-lamp', id FROM product WHERE external_id = 'lamp'",
    "UPDATE slug SET product_id = (SELECT id FROM product WHERE external_id = 'chair') WHERE slug = 'lamp'",
    "DELETE FROM slug WHERE slug = 'lamp'",
    "UPDATE slug SET slug = 'lamp' WHERE slug = 'desk-lamp'",
    "UPDATE variant SET sku = 'L-9' WHERE sku = 'L-1'",
    "UPDATE variant SET barcode = '4006381333931' WHERE sku = 'L-9'",
    "UPDATE variant SET title = 'The red one' WHERE sku = 'L-9'",
    "UPDATE variant SET weight_grams = 70 WHERE sku = 'L-9'",
    "UPDATE variant SET position = 1 - position WHERE sku IN ('L-9', 'L-2')",
    "UPDATE product_option SET name = 'Farbe' WHERE name = 'Colour'",
    "UPDATE option_value SET value = 'crimson' WHERE value = 'red'",
    "UPDATE option_value SET position = 7 WHERE value = 'crimson'",
    "INSERT INTO option_value (option_id, value, position) SELECT id, 'green', 3 FROM product_option WHERE name = 'Farbe'",
    "UPDATE variant_option_value SET value_id = (SELECT id FROM option_value WHERE value = 'green')
      WHERE variant_id = (SELECT id FROM variant WHERE sku = 'L-2')",
    "UPDATE price SET amount = 1234 WHERE variant_id = (SELECT id FROM variant WHERE sku = 'L-9')",
    "UPDATE price SET compare_at = 5678 WHERE variant_id = (SELECT id FROM variant WHERE sku = 'L-9')",
    "INSERT INTO price (variant_id, currency, amount) SELECT id, 'EUR', 99 FROM variant WHERE sku = 'L-9'",
    "DELETE FROM price WHERE currency = 'EUR'",
    "UPDATE media SET alt = 'A lamp'",
    "INSERT INTO media (product_id, url, position) SELECT id, 'https://x.example/2.jpg', -1 FROM product WHERE external_id = 'lamp'",
    "INSERT INTO variant_media SELECT v.id, m.id, 0 FROM variant v, media m WHERE v.sku = 'L-2' AND m.position = -1",
    "DELETE FROM variant_media",
    "DELETE FROM media",
    "INSERT INTO location (code) VALUES ('store');
     UPDATE variant SET track_inventory = true WHERE sku = 'L-9'",
    "INSERT INTO stock_level SELECT v.id, l.id, 3 FROM variant v, location l WHERE v.sku = 'L-9' AND l.code = 'store'",
    "UPDATE stock_level SET quantity = 100",
    "UPDATE variant SET low_stock_threshold = 200 WHERE sku = 'L-9'",
    "UPDATE stock_level SET quantity = -1",
    "UPDATE variant SET allow_backorder = true WHERE sku = 'L-9'",
    "UPDATE variant SET track_inventory = false WHERE sku = 'L-9'",
    "DELETE FROM variant WHERE sku = 'L-2'",
    "TRUNCATE price",
    "DELETE FROM product WHERE external_id = 'lamp'",
    "TRUNCATE product CASCADE",
];

const PATHS: &[&str] = &[
    "/v1/store/products",
    "/v1/store/products?sort=title",
    "/v1/store/products?category=home",
    "/v1/store/products?category=lamps",
    "/v1/store/products?category=lamps&sort=title",
    "/v1/store/products?category=house",
    "/v1/store/products?currency=EUR",
    "/v1/store/products?category=home&facets=brand,category,price,attr.watts&include=total",
    "/v1/store/products?brand=acme&sort=price&facets=brand",
    "/v1/store/products?tag=glowing&facets=category",
    "/v1/store/products?tag=bright&sort=position&category=lamps",
    "/v1/store/products?price_max=150&sort=-price&facets=price",
    "/v1/store/products?in_stock=true&include=total",
    "/v1/store/products?attr.watts=9",
    "/v1/store/products?q=lamp",
    "/v1/store/products?q=acme+crimson&facets=brand",
    "/v1/store/products?q=4006381333931",
    "/v1/store/search/suggest?q=la",
    "/v1/store/search/suggest?q=ac",
    "/v1/store/products/by-slug/lamp",
    "/v1/store/products/by-slug/old-lamp",
    "/v1/store/products/by-slug/desk-lamp",
    "/v1/store/products/by-sku/L-1",
    "/v1/store/products/by-sku/L-2",
    "/v1/store/products/by-sku/L-9",
    "/v1/store/products/by-sku/L-9?currency=EUR",
    "/v1/store/categories",
    "/v1/store/categories/home",
    "/v1/store/categories/house",
    "/v1/store/categories/lamps",
    "/v1/store/categories/garden",
    "/v1/store/brands",
    "/v1/store/attributes",
];

/// Status, tag, place and body of every path.
fn answers(app: &App, paths: &[String]) -> Vec<String> {
    paths
        .iter()
        .map(|path| {
            let answer = app.get(path);
            let header = |name: &str| format!("{:?}", answer.headers().get(name));
            let seen = format!("{path} {} {} {}", answer.status(), header("etag"), header("location"));
            // A problem has an id of its own each time.
            if answer.status() == 200 { format!("{seen} {}", answer.text().expect("a body")) } else { seen }
        })
        .collect()
}

fn catalogue(app: &App) -> Vec<String> {
    let made = |path: &str, body: Value| {
        let answer = app.admin_json(Method::POST, path, &body);
        assert_eq!(answer.status(), 201, "{path}");
        answer.json::<Value>().expect("JSON")["id"].as_str().expect("an id").to_owned()
    };
    let brand = made("/v1/admin/brands", json!({"name": "Acme"}));
    let home = made("/v1/admin/categories", json!({"name": "Home"}));
    let lamps = made("/v1/admin/categories", json!({"name": "Lamps", "parent_id": home}));
    let lamp = made(
        "/v1/admin/products",
        json!({
            "external_id": "lamp", "title": "Old lamp", "brand_id": brand, "category_ids": [lamps],
            "tags": ["bright", "round"], "media": [{"url": "https://x.example/1.jpg"}],
            "variants": [
                {"sku": "L-1", "options": {"Colour": "red"}, "prices": [{"currency": "USD", "amount": 100}]},
                {"sku": "L-2", "options": {"Colour": "blue"}, "prices": [{"currency": "USD", "amount": 200}]}
            ]
        }),
    );
    app.patch_product(&lamp, &json!({"slug": "lamp"}));
    let chair = made(
        "/v1/admin/products",
        json!({"external_id": "chair", "title": "Chair", "category_ids": [home], "brand_id": brand}),
    );
    [lamp, chair].iter().map(|id| format!("/v1/store/products/{id}")).collect()
}

#[test]
fn no_change_in_any_table_is_missed() {
    let database = database();
    let warm = App::join(&database.url, None, |_| ());
    // Keeps nothing, so every answer is read from the tables.
    let bare = App::join(&database.url, None, |settings| settings.cache_mb = 0);
    let mut paths = catalogue(&warm);
    paths.extend(PATHS.iter().map(|path| (*path).to_owned()));
    let mut connection = database.connect();
    let mut before = answers(&bare, &paths);
    assert!(answers(&warm, &paths) == before, "two instances agree");
    for (number, statement) in VISIBLE.iter().enumerate() {
        connection.batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        let head = aisle::store::events::head(&mut connection).expect("the head");
        wait_until(PATIENCE, "the event", || {
            [&warm, &bare].iter().all(|app| app.shared.reader.coherence.gate().applied() >= head)
        });
        let now = answers(&bare, &paths);
        assert!(now != before, "this changes nothing, so it tests nothing: {statement}");
        for (warm, bare) in answers(&warm, &paths).iter().zip(&now) {
            assert_eq!(warm, bare, "stale after: {statement}");
        }
        if number % 8 == 7 || number + 1 == VISIBLE.len() {
            // Whose index of lists has followed nothing, but was read as it is now.
            let fresh = App::join(&database.url, None, |_| ());
            wait_until(PATIENCE, "its lists", || fresh.get("/readyz").status() == 200);
            assert_eq!(answers(&fresh, &paths), now, "followed wrongly after: {statement}");
        }
        before = now;
    }
}
