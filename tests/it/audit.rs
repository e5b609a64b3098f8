//! The audit log: each committed edit leaves one entry that tells who made it, and nothing else leaves any.

use std::collections::BTreeSet;

use aisle::store::{
    Connection,
    pruning::{Pruned, prune_audit_log},
};
use reqwest::{Method, blocking::Response};
use serde_json::{Value, json};

use crate::{
    catalogue::{create, number, psql, texts},
    support::{
        self,
        app::{App, TOKEN},
        process::aisle,
        redis::shared_redis,
        waiting::{PATIENCE, wait_until},
    },
};

const ENTRIES: &str = "SELECT count(*) AS number FROM audit_entry";

/// Somebody with a stored token, and what they edited.
struct Editor<'a> {
    app: &'a App,
    conn: Connection,
    id: String,
    secret: String,
    /// Methods and path templates of their edits.
    made: BTreeSet<(String, String)>,
}

impl<'a> Editor<'a> {
    fn new(app: &'a App) -> Self {
        let body = json!({"name": "an editor", "scope": "manage"});
        let token: Value = app.admin_json(Method::POST, "/v1/admin/tokens", &body).json().unwrap();
        let text = |name: &str| token[name].as_str().unwrap().to_owned();
        let conn = app.database.as_ref().expect("its own").connect();
        Self { app, conn, id: text("id"), secret: text("secret"), made: BTreeSet::new() }
    }

    fn send(&self, method: Method, path: &str, body: &Value) -> Response {
        let request = self.app.request(method, path).bearer_auth(&self.secret);
        request.header("if-match", "*").json(body).send().expect("an answer")
    }

    /// Makes an edit and checks what it leaves: exactly one entry, with the edit's name and all of its origin.
    fn edit(
        &mut self,
        method: &Method,
        template: &str,
        places: &[&str],
        body: &Value,
        action: &str,
    ) -> Value {
        let mut path = String::new();
        let mut places = places.iter().copied();
        for (n, piece) in template.split(['{', '}']).enumerate() {
            path.push_str(if n % 2 == 1 { places.next().expect("a value for each place") } else { piece });
        }
        let path = format!("/v1/admin/{path}");
        let before = number(&mut self.conn, ENTRIES);
        let answer = self.send(method.clone(), &path, body);
        let (status, request) = (answer.status(), answer.headers()["x-request-id"].clone());
        let text = answer.text().expect("a body");
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        assert_eq!(number(&mut self.conn, ENTRIES) - before, 1, "{method} {path}");
        let left = texts(
            &mut self.conn,
            "SELECT concat_ws(' ', actor, token_id, action, method, path, request_id, address) AS text \
               FROM audit_entry ORDER BY at DESC LIMIT 1",
        );
        let request = request.to_str().expect("text");
        let expected = format!("an editor {} {action} {method} {path} {request} 127.0.0.1", self.id);
        assert_eq!(left, [expected]);
        self.made.insert((method.as_str().to_lowercase(), format!("/v1/admin/{template}")));
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// All edits of a noun that lives at one path.
    fn live(&mut self, collection: &str, noun: &str, draft: &Value, patch: &Value) {
        let one = format!("{collection}/{{id}}");
        let made = self.edit(&Method::POST, collection, &[], draft, &format!("create_{noun}"));
        let id = made["id"].as_str().expect("an id");
        self.edit(&Method::PUT, &one, &[id], draft, &format!("replace_{noun}"));
        self.edit(&Method::PATCH, &one, &[id], patch, &format!("patch_{noun}"));
        self.edit(&Method::DELETE, &one, &[id], &json!({}), &format!("delete_{noun}"));
    }
}

fn lamp(title: &str) -> Value {
    json!({"title": title, "variants": [{"sku": title, "prices": [{"currency": "USD", "amount": 6999}]}]})
}

#[test]
fn every_edit_leaves_exactly_one_entry() {
    let app = App::start();
    let mut editor = Editor::new(&app);
    editor.live("categories", "category", &json!({"name": "Lamps"}), &json!({"position": 3}));
    editor.live("brands", "brand", &json!({"name": "Lumen"}), &json!({"name": "Lux"}));
    let kind = json!({"code": "lamp", "name": "Lamp"});
    editor.live("product-types", "product_type", &kind, &json!({"name": "Light"}));
    let watts = json!({"code": "watts", "label": "Watts"});
    editor.live("attributes", "attribute_definition", &watts, &json!({"label": "Power"}));
    let words = json!({"words": ["sofa", "couch"]});
    editor.live("synonyms", "synonym_set", &words, &json!({"words": ["sofa", "settee"]}));

    let nothing = json!({});
    let made = editor.edit(&Method::POST, "products", &[], &lamp("Lamp"), "create_product");
    let product = made["id"].as_str().unwrap();
    let variant = made["variants"][0]["id"].as_str().unwrap();
    let (stock, price) = ("variants/{id}/stock/{location}", "variants/{id}/prices/{currency}");
    editor.edit(&Method::PATCH, "variants/{id}", &[variant], &json!({"barcode": "1"}), "patch_variant");
    editor.edit(&Method::PUT, price, &[variant, "EUR"], &json!({"amount": 5}), "set_price");
    editor.edit(&Method::DELETE, price, &[variant, "EUR"], &nothing, "remove_price");
    editor.edit(&Method::PUT, stock, &[variant, "shelf"], &json!({"quantity": 3}), "change_stock");
    let adjust = format!("{stock}/adjust");
    editor.edit(&Method::POST, &adjust, &[variant, "shelf"], &json!({"by": -1}), "change_stock");
    editor.edit(&Method::PATCH, "products/{id}", &[product], &json!({"title": "Desk"}), "patch_product");
    editor.edit(&Method::PUT, "products/{id}", &[product], &lamp("Wall"), "replace_product");
    editor.edit(&Method::DELETE, "products/{id}", &[product], &nothing, "delete_product");
    editor.edit(&Method::POST, "products/{id}/restore", &[product], &nothing, "restore_product");

    let token = json!({"name": "another", "scope": "read"});
    let made = editor.edit(&Method::POST, "tokens", &[], &token, "create_token");
    let token = made["id"].as_str().unwrap();
    editor.edit(&Method::DELETE, "tokens/{id}", &[token], &nothing, "revoke_token");
    let before = number(&mut editor.conn, ENTRIES);
    let path = format!("/v1/admin/tokens/{token}");
    assert_eq!(editor.send(Method::DELETE, &path, &nothing).status(), 204);
    assert_eq!(number(&mut editor.conn, ENTRIES), before, "what wrote nothing leaves nothing");

    let document = app.get_json("/openapi.json");
    let mut all = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods =
            item.as_object().unwrap().keys().filter(|method| !["get", "head"].contains(&method.as_str()));
        all.extend(methods.map(|method| (method.clone(), path.clone())));
    }
    all.retain(|(_, path)| path.starts_with("/v1/admin/"));
    assert_eq!(editor.made, all, "an edit that this test does not know");
}

#[test]
fn what_fails_leaves_none() {
    let app = App::start();
    let mut editor = Editor::new(&app);
    let brand: Value =
        editor.send(Method::POST, "/v1/admin/brands", &json!({"name": "Lumen"})).json().unwrap();
    let mut draft = lamp("Lamp");
    draft["brand_id"] = brand["id"].clone();
    let product: Value = editor.send(Method::POST, "/v1/admin/products", &draft).json().unwrap();
    let product = format!("/v1/admin/products/{}", product["id"].as_str().unwrap());
    let brand = format!("/v1/admin/brands/{}", brand["id"].as_str().unwrap());
    let before = number(&mut editor.conn, ENTRIES);
    let stale = editor.app.request(Method::PATCH, &product).bearer_auth(&editor.secret);
    let stale = stale.header("if-match", "\"v999\"").json(&json!({"title": "Mine"})).send().unwrap();
    assert_eq!(stale.status(), 412);
    let missing = "/v1/admin/products/01900000-0000-7000-8000-000000000001";
    for (method, path, body, status) in [
        (Method::PATCH, product.as_str(), json!({"title": ""}), 422),
        (Method::PATCH, &product, json!({"brand_id": "01900000-0000-7000-8000-000000000001"}), 422),
        // Refused by the database, when the product has been written.
        (Method::POST, "/v1/admin/products", json!({"title": "Other", "slug": "lamp"}), 409),
        (Method::DELETE, &brand, json!({}), 422),
        (Method::DELETE, missing, json!({}), 404),
    ] {
        assert_eq!(editor.send(method, path, &body).status(), status, "{path} {body}");
    }
    // Fails after the entry is written, at the commit.
    psql(
        &mut editor.conn,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused at the commit'; END $$; \
         CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON brand DEFERRABLE INITIALLY DEFERRED \
           FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    assert_eq!(editor.send(Method::PATCH, &brand, &json!({"name": "Lux"})).status(), 500);
    assert_eq!(number(&mut editor.conn, ENTRIES), before);
    psql(&mut editor.conn, "DROP TRIGGER refuse ON brand");
    assert_eq!(editor.send(Method::PATCH, &brand, &json!({"name": "Lux"})).status(), 200);
    assert_eq!(number(&mut editor.conn, ENTRIES), before + 1);
}

#[test]
fn imports_and_sql_leave_none() {
    let db = support::database();
    let mut conn = db.connect();
    create(&mut conn, &lamp("Lamp"));
    psql(&mut conn, "UPDATE product SET title = 'Desk'");
    assert_eq!(number(&mut conn, ENTRIES), 0);
}

#[test]
fn commands_and_the_token_of_the_settings_are_named() {
    let app = App::start();
    let database = app.database.as_ref().expect("its own");
    let run = |arguments: &[&str]| {
        let output = aisle().args(arguments).env("DATABASE_URL", &database.url).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let created = run(&["token", "create", "--name", "robot", "--scope", "manage", "--json"]);
    let created: Value = serde_json::from_str(&created).unwrap();
    let id = created["id"].as_str().unwrap();
    run(&["token", "revoke", id]);
    let lamp =
        app.admin(Method::POST, "/v1/admin/products").header("x-request-id", "lamp-1").json(&lamp("Lamp"));
    assert_eq!(lamp.send().unwrap().status(), 201);
    let log = page(&app, "");
    let told = |index: usize, names: [&str; 5]| names.map(|name| log["items"][index][name].clone());
    let names = ["actor", "action", "method", "path", "request_id"];
    let path = "/v1/admin/products";
    let expected = [json!("settings"), json!("create_product"), json!("POST"), json!(path), json!("lamp-1")];
    assert_eq!(told(0, names), expected);
    let path = format!("/v1/admin/tokens/{id}");
    let expected = [json!("command"), json!("revoke_token"), Value::Null, json!(path), Value::Null];
    assert_eq!(told(1, names), expected);
    let expected =
        [json!("command"), json!("create_token"), Value::Null, json!("/v1/admin/tokens"), Value::Null];
    assert_eq!(told(2, names), expected);
    assert_eq!(log["items"].as_array().unwrap().len(), 3);
    assert!((0..3).all(|index| log["items"][index]["token_id"].is_null()));

    let mut conn = database.connect();
    let rows = texts(&mut conn, "SELECT string_agg(e::text, ' ') AS text FROM audit_entry e");
    let secret = created["token"].as_str().unwrap().rsplit('_').next().unwrap();
    let hash = texts(&mut conn, "SELECT encode(hash, 'hex') AS text FROM api_token");
    for secret in [secret, TOKEN, &hash[0]] {
        assert!(!rows[0].contains(secret), "{rows:?}");
    }
}

/// A page of the audit log.
fn page(app: &App, query: &str) -> Value {
    let answer = app.admin(Method::GET, &format!("/v1/admin/audit-log?{query}")).send().expect("an answer");
    assert_eq!(answer.status(), 200, "{query}");
    answer.json().expect("JSON")
}

/// Request ids of all entries, page by page.
fn walk(app: &App, query: &str, mut between: impl FnMut()) -> Vec<String> {
    let mut met = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = page(app, &format!("limit=2{query}{cursor}"));
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 2 && met.len() <= 50);
        met.extend(items.iter().map(|item| item["request_id"].as_str().expect("an id").to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { return met };
        cursor = format!("&cursor={next}");
        between();
    }
}

#[test]
fn pages_hold_every_entry_once_newest_first() {
    let app = App::start();
    let brand = |name: &str| {
        let request = app.admin(Method::POST, "/v1/admin/brands").header("x-request-id", name);
        assert_eq!(request.json(&json!({"name": name})).send().expect("an answer").status(), 201);
    };
    let names: Vec<String> = (0..7).map(|n| format!("brand-{n}")).collect();
    for name in &names {
        brand(name);
    }
    let newest_first: Vec<_> = names.iter().rev().cloned().collect();
    assert_eq!(walk(&app, "", || ()), newest_first);
    let mut count = 0;
    let later = || {
        count += 1;
        brand(&format!("later-{count}"));
    };
    assert_eq!(walk(&app, "", later), newest_first, "new entries come before, and move nothing");
    let mut conn = app.database.as_ref().expect("its own").connect();
    psql(&mut conn, "UPDATE audit_entry SET at = now()");
    let met = walk(&app, "", || ());
    assert_eq!(met.len(), 7 + count);
    assert_eq!(met.iter().collect::<BTreeSet<_>>().len(), met.len(), "of one moment too");
}

#[test]
fn entries_of_one_path_are_found_however_an_id_is_written() {
    let app = App::start();
    let path = |id: &str| format!("/v1/admin/products/{id}");
    let made = [0, 1, 2].map(|n| app.create_product(&lamp(&format!("Lamp {n}"))));
    let ids = made.each_ref().map(|made| made["id"].as_str().expect("an id"));
    let patch = |path: &str, name: &str| {
        let request = app.admin(Method::PATCH, path).header("if-match", "*").header("x-request-id", name);
        assert_eq!(request.json(&json!({"title": name})).send().expect("an answer").status(), 200);
    };
    for round in ["a", "b", "c"] {
        for id in ids {
            patch(&path(id), &format!("{round}-{id}"));
        }
    }
    let id = ids[1];
    let shouted = path(&id.to_uppercase());
    patch(&shouted, &format!("d-{id}"));
    let expected = ["d", "c", "b", "a"].map(|round| format!("{round}-{id}"));
    for path in [path(id), shouted, path(&id.replace('-', ""))] {
        assert_eq!(walk(&app, &format!("&path={path}"), || ()), expected, "{path}");
    }
    assert_eq!(page(&app, &format!("path={}", path("")))["items"], json!([]), "exactly this path");
    let first = page(&app, &format!("limit=1&path={}", path(id)));
    let cursor = first["next_cursor"].as_str().expect("a next page");
    let other = format!("path={}&cursor={cursor}", path(ids[0]));
    for query in [format!("cursor={cursor}"), other, "cursor=x".into()] {
        let refused =
            app.admin(Method::GET, &format!("/v1/admin/audit-log?{query}")).send().expect("an answer");
        assert_eq!(refused.status(), 400);
        assert_eq!(refused.json::<Value>().expect("JSON")["errors"][0]["parameter"], "cursor");
    }
}

/// An edit does not fail for a path that no index would take.
#[test]
fn long_paths_are_kept_and_found() {
    let app = App::start();
    let made = app.create_product(&lamp("Lamp"));
    let variant = made["variants"][0]["id"].as_str().expect("an id");
    let digits =
        |n: usize| (0..n).map(|i| char::from(b'a' + u8::try_from(i * i % 26).unwrap())).collect::<String>();
    // Letters of four bytes, each of them different from the ones before.
    let location: String = (0..255).map(|n| char::from_u32(0x2_0000 + n * 131).unwrap()).collect();
    for location in [location, digits(255)] {
        let path = format!("/v1/admin/variants/{variant}/stock/{location}");
        let set = app.admin(Method::PUT, &path).json(&json!({"quantity": 1})).send().expect("an answer");
        assert_eq!(set.status(), 200);
    }
    let path = format!("/v1/admin/variants/{variant}/stock/{}", digits(255));
    assert_eq!(page(&app, &format!("path={path}"))["items"][0]["path"], path);
}

/// Entries of so many days ago.
fn entries(conn: &mut Connection, days: &[u32]) {
    for days in days {
        psql(
            conn,
            &format!(
                "INSERT INTO audit_entry (id, at, actor, action, path, xid) \
                 VALUES (gen_random_uuid(), now() - interval '{days} days', 'old', 'create_brand', '/', '{days}')"
            ),
        );
    }
}

fn ages(conn: &mut Connection) -> Vec<String> {
    texts(conn, "SELECT xid::text AS text FROM audit_entry WHERE actor = 'old' ORDER BY at DESC")
}

#[test]
fn what_is_old_goes_in_batches() {
    const DAY: u64 = 24;
    let db = support::database();
    let (mut conn, mut other) = (db.connect(), db.connect());
    entries(&mut conn, &[1, 5, 3, 2, 4]);
    let mut prune =
        |batch| prune_audit_log(&mut conn, std::time::Duration::from_hours(DAY * 2 + 12), batch).unwrap();
    psql(&mut other, "BEGIN; SELECT pg_advisory_xact_lock(4205)");
    assert_eq!(prune(2), Pruned { rows: 0, has_more: false }, "another instance is at it");
    psql(&mut other, "COMMIT");
    assert_eq!(prune(2), Pruned { rows: 2, has_more: true });
    assert_eq!(ages(&mut other), ["1", "2", "3"], "the oldest first");
    assert_eq!(prune(2), Pruned { rows: 1, has_more: false });
    assert_eq!(prune(2), Pruned { rows: 0, has_more: false });
    assert_eq!(ages(&mut other), ["1", "2"]);
}

#[test]
fn instances_prune_what_the_settings_do_not_keep() {
    let db = support::database();
    let mut conn = db.connect();
    entries(&mut conn, &[1, 3, 200]);
    let age = "UPDATE catalog_event SET stamped_at = now() - interval '2 days'";
    for title in ["One", "Two"] {
        create(&mut conn, &json!({"title": title}));
    }
    // So that the log has something to prune as well: the audit log comes after it.
    psql(&mut conn, &format!("{age}; SELECT setval('catalog_pos', 20000)"));
    create(&mut conn, &json!({"title": "Three"}));
    let keeps = App::join(&db.url, Some(shared_redis()), |settings| settings.audit_retention_days = 0);
    wait_until(PATIENCE, "a round of pruning", || keeps.shared.metrics.log.pruned.get() > 0);
    drop(keeps);
    assert_eq!(ages(&mut conn), ["1", "3", "200"], "for ever");
    let usual = App::join(&db.url, Some(shared_redis()), |_| ());
    wait_until(PATIENCE, "the oldest pruned", || ages(&mut conn) == ["1", "3"]);
    drop(usual);
    let _short = App::join(&db.url, Some(shared_redis()), |settings| settings.audit_retention_days = 2);
    wait_until(PATIENCE, "more pruned", || ages(&mut conn) == ["1"]);
}
