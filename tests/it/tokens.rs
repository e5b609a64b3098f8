//! Tokens: what each scope may do, when a revocation works, when a token was used last.

use aisle::store::Connection;
use chrono::{DateTime, Utc};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use reqwest::{Method, blocking::Response};
use serde_json::{Value, json};

use crate::{
    catalogue::{events, number, psql, texts},
    support::{
        self,
        app::App,
        redis::shared_redis,
        waiting::{PATIENCE, wait_for, wait_until},
    },
};

/// From the least.
const SCOPES: [&str; 3] = ["read", "write", "manage"];

fn make(app: &App, scope: &str) -> Value {
    let body = json!({"name": format!("may {scope}"), "scope": scope});
    let answer = app.admin_json(Method::POST, "/v1/admin/tokens", &body);
    assert_eq!(answer.status(), 201);
    answer.json().expect("JSON")
}

fn secret(token: &Value) -> &str {
    token["secret"].as_str().expect("text")
}

fn get(app: &App, token: &Value, path: &str) -> Response {
    app.request(Method::GET, path).bearer_auth(secret(token)).send().expect("an answer")
}

fn revoke(app: &App, token: &Value) {
    let path = format!("/v1/admin/tokens/{}", token["id"].as_str().expect("an id"));
    assert_eq!(app.admin(Method::DELETE, &path).send().expect("an answer").status(), 204);
}

/// What the list says of a token.
fn listed(app: &App, token: &Value) -> Value {
    let list: Value = app.admin(Method::GET, "/v1/admin/tokens").send().unwrap().json().expect("JSON");
    let items = list["items"].as_array().expect("items");
    items.iter().find(|item| item["id"] == token["id"]).expect("in the list").clone()
}

#[test]
fn each_scope_does_what_it_may_and_no_more() {
    let app = App::start();
    let tokens = SCOPES.map(|scope| make(&app, scope));
    let document = app.get_json("/openapi.json");
    let mut count = 0;
    for (template, item) in document["paths"].as_object().expect("paths") {
        if !template.starts_with("/v1/admin/") {
            continue;
        }
        // Nothing is there and nothing is sent: whoever may do it is refused for that.
        let path = template.replace("{id}", "01900000-0000-7000-8000-000000000001").replace(['{', '}'], "");
        for (method, operation) in item.as_object().expect("operations") {
            let is_managed = path.starts_with("/v1/admin/tokens") || path.starts_with("/v1/admin/audit-log");
            let reads = ["get", "head"].contains(&method.as_str());
            let needed = if is_managed { 2 } else { usize::from(!reads) };
            assert_eq!(operation["security"], json!([{"token": [SCOPES[needed]]}]), "{method} {template}");
            for (rank, token) in tokens.iter().enumerate() {
                let method: Method = method.to_uppercase().parse().expect("a method");
                let answer = app.request(method.clone(), &path).bearer_auth(secret(token)).send().unwrap();
                let what = format!("{method} {path} with {}", SCOPES[rank]);
                if rank >= needed {
                    assert!(
                        ![401, 403, 500].contains(&answer.status().as_u16()),
                        "{what}: {}",
                        answer.status()
                    );
                    continue;
                }
                assert_eq!(answer.status(), 403, "{what}");
                let challenge = answer.headers()["www-authenticate"].to_str().expect("text");
                let scope = SCOPES[needed];
                let expected =
                    format!(r#"Bearer realm="aisle", error="insufficient_scope", scope="{scope}""#);
                assert_eq!(challenge, expected, "{what}");
                assert!(operation["responses"]["403"].is_object(), "{what} is not described");
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count}");
}

#[test]
fn tokens_are_made_with_a_scope_and_an_end() {
    let app = App::start();
    let refused = |body: Value| {
        let answer = app.admin_json(Method::POST, "/v1/admin/tokens", &body);
        assert_eq!(answer.status(), 422);
        answer.json::<Value>().expect("JSON")["errors"][0]["pointer"].clone()
    };
    let late = json!({"name": "late", "scope": "read", "expires_at": "2020-01-01T00:00:00Z"});
    assert_eq!(refused(late), "#/expires_at");
    for scope in [json!("admin"), json!(""), json!("Manage"), Value::Null] {
        assert_eq!(refused(json!({"name": "a", "scope": scope})), "#/scope");
    }
    let reader = make(&app, "read");
    assert_eq!((&reader["scope"], &listed(&app, &reader)["scope"]), (&json!("read"), &json!("read")));
    let list = app.admin(Method::GET, "/v1/admin/tokens").send().unwrap().text().unwrap();
    assert!(!list.contains(secret(&reader).rsplit('_').next().unwrap()), "secrets are shown once");
    let tampered = json!({"secret": format!("{}x", secret(&reader))});
    assert_eq!(get(&app, &tampered, "/v1/admin/brands").status(), 401);
    assert_eq!(get(&app, &reader, "/v1/admin/brands").status(), 200);
}

#[test]
fn a_revocation_works_everywhere_at_once() {
    let first = App::start();
    let url = &first.database.as_ref().expect("its own").url;
    let second = App::join(url, Some(shared_redis()), |_| ());
    for (here, there) in [(&first, &second), (&second, &first)] {
        let token = make(here, "write");
        for app in [here, there] {
            assert_eq!(get(app, &token, "/v1/admin/brands").status(), 200);
        }
        revoke(here, &token);
        for app in [there, here] {
            let refused = get(app, &token, "/v1/admin/brands");
            assert_eq!(refused.status(), 401);
            let challenge = refused.headers()["www-authenticate"].to_str().expect("text");
            assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
        }
        assert!(listed(there, &token)["revoked_at"].is_string());
    }
}

#[test]
fn the_last_use_is_noted_beside_the_requests() {
    let first = App::start();
    let database = first.database.as_ref().expect("its own");
    let mut conn = database.connect();
    let (used, unused) = (make(&first, "read"), make(&first, "read"));
    assert_eq!(listed(&first, &used)["last_used_at"], Value::Null);
    let traces =
        |conn: &mut Connection| (events(conn), number(conn, "SELECT count(*) AS number FROM audit_entry"));
    let before = traces(&mut conn);
    let wrong = json!({"secret": format!("{}x", secret(&unused))});
    assert_eq!(get(&first, &wrong, "/v1/admin/brands").status(), 401);
    assert_eq!(get(&first, &used, "/v1/admin/brands").status(), 200);
    let time = |token: &Value, name: &str| token[name].as_str()?.parse::<DateTime<Utc>>().ok();
    let noted = |app: &App| wait_for(PATIENCE, "a note", || time(&listed(app, &used), "last_used_at"));
    assert!(noted(&first) >= time(&used, "created_at").expect("a time"));

    // Within the minute there is no second note, which would be a third message of a request.
    psql(&mut conn, "UPDATE api_token SET last_used_at = NULL");
    let messages = || first.shared.metrics.admin.duration.get_sample_count();
    let is_idle = || wait_until(PATIENCE, "no message", || first.shared.admin.in_flight() == 0);
    is_idle();
    let counted = messages();
    for _ in 0..5 {
        assert_eq!(get(&first, &used, "/v1/admin/brands").status(), 200);
    }
    is_idle();
    assert_eq!(messages(), counted + 10);
    // Another instance does not know of the first one's.
    let second = App::join(&database.url, Some(shared_redis()), |_| ());
    assert_eq!(get(&second, &used, "/v1/admin/brands").status(), 200);
    noted(&second);
    assert_eq!(listed(&first, &unused)["last_used_at"], Value::Null);
    let joins = number(&mut conn, "SELECT count(*) AS number FROM catalog_event WHERE kind = 'join'");
    assert_eq!(traces(&mut conn), (before.0 + joins - 1, before.1), "a use is no edit");
}

/// A note that cannot be written harms no request.
#[test]
fn requests_go_on_where_the_use_cannot_be_noted() {
    let app = App::start();
    let token = make(&app, "read");
    let mut holder = app.database.as_ref().expect("its own").connect();
    psql(&mut holder, "BEGIN; SELECT FROM api_token FOR UPDATE");
    for _ in 0..3 {
        assert_eq!(get(&app, &token, "/v1/admin/brands").status(), 200);
    }
    psql(&mut holder, "COMMIT");
    wait_until(PATIENCE, "the note", || listed(&app, &token)["last_used_at"].is_string());
}

#[test]
fn tokens_keep_what_they_could_before_there_were_three_scopes() {
    let db = support::empty_database();
    let mut conn = db.connect();
    let migrations = || FileBasedMigrations::find_migrations_directory().unwrap();
    let is_next = |conn: &mut Connection, version: &str| {
        let pending = conn.pending_migrations(migrations()).unwrap();
        pending.first().is_some_and(|next| next.name().to_string().starts_with(version))
    };
    while !is_next(&mut conn, "0018") {
        conn.run_next_migration(migrations()).unwrap();
    }
    for scope in ["read", "write"] {
        let insert = format!(
            "INSERT INTO api_token (name, scope, hash) VALUES ('{scope}', '{scope}', sha256('{scope}'))"
        );
        psql(&mut conn, &insert);
    }
    let scopes = |conn: &mut Connection| {
        texts(conn, "SELECT name || ' ' || scope AS text FROM api_token ORDER BY name")
    };
    conn.run_next_migration(migrations()).unwrap();
    let managers = texts(&mut conn, "SELECT name AS text FROM api_token WHERE manages");
    assert_eq!(managers, ["write"]);
    // Instances of the release before go on beside this one, and read the scope alone.
    assert_eq!(scopes(&mut conn), ["read read", "write write"]);
    psql(&mut conn, "INSERT INTO api_token (name, scope, hash) VALUES ('new', 'write', sha256('new'))");
    conn.revert_last_migration(migrations()).unwrap();
    assert_eq!(scopes(&mut conn), ["new write", "read read", "write write"]);
}
