//! Sets of synonyms: normalised, bounded, and every change known to all.

use aisle::{
    domain::dependency::Dependency,
    store::{events as log, reads},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    catalogue::{events, last_deps, number, psql},
    support::{self, app::App},
};

const PATH: &str = "/v1/admin/synonyms";

fn post(app: &App, body: &Value) -> (u16, Value) {
    let answer = app.admin(Method::POST, PATH).json(body).send().expect("an answer");
    (answer.status().as_u16(), answer.json().expect("JSON"))
}

#[test]
fn sets_are_edited_like_brands() {
    let app = App::start();
    let mut conn = app.database.as_ref().expect("its own").connect();
    let (status, made) = post(&app, &json!({"words": [" Sofa", "couch", "COUCH", "love   seat"]}));
    assert_eq!((status, &made["words"]), (201, &json!(["sofa", "couch", "love seat"])));
    assert_eq!(last_deps(&mut conn), [Dependency::synonyms().0]);
    let path = format!("{PATH}/{}", made["id"].as_str().expect("an id"));
    let send = |method: Method, version: &str, body: &Value| {
        app.admin(method, &path).header("if-match", version).json(body).send().expect("an answer")
    };
    let before = events(&mut conn);
    let same = send(Method::PUT, "\"v1\"", &json!({"words": ["SOFA", "couch", "Love seat"]}));
    assert_eq!((same.status().as_u16(), &same.headers()["etag"]), (200, &"\"v1\"".parse().expect("a value")));
    assert_eq!(events(&mut conn), before, "a no-op raises nothing");
    let patched = send(Method::PATCH, "\"v1\"", &json!({"words": ["sofa", "settee"]}));
    assert_eq!(
        (patched.status().as_u16(), &patched.headers()["etag"]),
        (200, &"\"v2\"".parse().expect("a value"))
    );
    assert_eq!(events(&mut conn), before + 1);
    assert_eq!(last_deps(&mut conn), [Dependency::synonyms().0]);
    assert_eq!(send(Method::PUT, "\"v1\"", &json!({"words": ["a", "b"]})).status(), 412);
    assert_eq!(app.admin(Method::PATCH, &path).json(&json!({})).send().expect("an answer").status(), 428);
    let list = app.admin(Method::GET, PATH).send().expect("an answer").json::<Value>().expect("JSON");
    assert_eq!(list["items"][0]["words"], json!(["sofa", "settee"]));
    let one = app.admin(Method::GET, &path).send().expect("an answer").json::<Value>().expect("JSON");
    assert_eq!(list["items"], json!([one]));
    assert_eq!(
        app.admin(Method::DELETE, &path).header("if-match", "\"v2\"").send().expect("an answer").status(),
        204
    );
    assert_eq!(app.admin(Method::GET, &path).send().expect("an answer").status(), 404);
    assert_eq!(last_deps(&mut conn), [Dependency::synonyms().0]);
}

#[test]
fn what_is_no_set_is_refused_with_its_places() {
    let app = App::start();
    let long = "x".repeat(101);
    let many: Vec<String> = (0..21).map(|number| number.to_string()).collect();
    for (words, pointer, rule) in [
        (json!(null), "#/words", "required"),
        (json!("sofa"), "#/words", "wrong_type"),
        (json!([]), "#/words", "too_few"),
        (json!(["sofa", " SOFA "]), "#/words", "too_few"),
        (json!(["sofa", "couch", " "]), "#/words/2", "required"),
        (json!(["sofa", "couch", 5]), "#/words/2", "wrong_type"),
        (json!(["sofa", long]), "#/words/1", "too_long"),
        (json!(["sofa", "a\u{1}"]), "#/words/1", "control_character"),
        (json!(many), "#/words", "too_many"),
    ] {
        let (status, problem) = post(&app, &json!({"words": words}));
        let fault = &problem["errors"][0];
        assert_eq!(
            (status, &fault["pointer"], &fault["rule"]),
            (422, &json!(pointer), &json!(rule)),
            "{words}"
        );
    }
    let mut conn = app.database.as_ref().expect("its own").connect();
    psql(
        &mut conn,
        "INSERT INTO synonym_set (words) SELECT ARRAY['a' || n, 'b' || n] FROM generate_series(1, 1000) n",
    );
    let (status, problem) = post(&app, &json!({"words": ["sofa", "couch"]}));
    assert_eq!((status, &problem["errors"][0]["rule"]), (422, &json!("too_many")), "{problem}");
    psql(&mut conn, "DELETE FROM synonym_set WHERE words[1] = 'a7'");
    // Of several at once only one finds room.
    let attempts: Vec<_> = std::thread::scope(|scope| {
        let attempts: Vec<_> = (0..4)
            .map(|n| {
                scope.spawn({
                    let app = &app;
                    move || post(app, &json!({"words": [format!("x{n}"), "y"]})).0
                })
            })
            .collect();
        attempts.into_iter().map(|one| one.join().expect("a thread")).collect()
    });
    assert_eq!(attempts.iter().filter(|status| **status == 201).count(), 1, "{attempts:?}");
    assert_eq!(number(&mut conn, "SELECT count(*) AS number FROM synonym_set"), 1000);
}

#[test]
fn every_change_by_sql_is_an_event_and_the_read_has_its_position() {
    let database = support::database();
    let mut conn = database.connect();
    let words = |conn: &mut aisle::store::Connection| {
        let read = reads::synonyms(conn).expect("the sets");
        assert_eq!(read.head, log::head(conn).expect("the head"));
        read.value.into_iter().map(|set| set.words.join(",")).collect::<Vec<_>>()
    };
    assert_eq!(words(&mut conn), Vec::<String>::new());
    for (statement, wanted, counts) in [
        ("INSERT INTO synonym_set (words) VALUES (ARRAY[' Sofa', 'couch', 'COUCH'])", "sofa,couch", true),
        ("UPDATE synonym_set SET words = words", "sofa,couch", false),
        ("UPDATE synonym_set SET words = ARRAY['sofa', 'settee']", "sofa,settee", true),
        ("DELETE FROM synonym_set WHERE words = ARRAY['x']", "sofa,settee", false),
        ("TRUNCATE synonym_set", "", true),
        ("INSERT INTO synonym_set (words) VALUES (ARRAY['a', 'b'])", "a,b", true),
        ("DELETE FROM synonym_set", "", true),
    ] {
        let before = events(&mut conn);
        psql(&mut conn, statement);
        assert_eq!(
            (words(&mut conn).join(";"), events(&mut conn) - before),
            (wanted.to_owned(), i64::from(counts)),
            "{statement}"
        );
        if counts {
            assert_eq!(last_deps(&mut conn), [Dependency::synonyms().0], "{statement}");
        }
    }
    for bad in ["ARRAY['one']", "'{}'", "ARRAY['a', NULL]"] {
        let statement = format!("INSERT INTO synonym_set (words) VALUES ({bad})");
        diesel::connection::SimpleConnection::batch_execute(&mut conn, &statement).expect_err(bad);
    }
}
