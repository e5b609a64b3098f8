//! The command line: one command serves, scripts can rely on what it prints and how it exits.

use std::{path::Path, process::Output};

use serde_json::Value;

use crate::{
    catalogue::number,
    support::{
        app::App,
        chaos::Relay,
        database,
        process::{Instance, aisle, open_folder},
        waiting::{PATIENCE, wait_for},
    },
};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    aisle().args(arguments).env("AISLE_DATA_DIR", folder).output().unwrap()
}

fn standard_output(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn serve(folder: &Path) -> Instance {
    Instance::serve(&[("AISLE_DATA_DIR", folder.to_str().unwrap())])
}

fn printed_token(instance: &Instance) -> Option<String> {
    instance.output().iter().find_map(|line| {
        Some(line.strip_prefix("admin token ")?.split_whitespace().next()?.to_owned())
            .filter(|token| token.starts_with("aisle_"))
    })
}

fn status_with(instance: &Instance, token: &str) -> u16 {
    status_of(instance, "brands", token)
}

fn status_of(instance: &Instance, noun: &str, token: &str) -> u16 {
    let client = reqwest::blocking::Client::new();
    let request = client.get(format!("{}/v1/admin/{noun}", instance.url)).bearer_auth(token);
    request.send().unwrap().status().as_u16()
}

#[test]
fn one_command_serves_and_ends_in_order() {
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("data");
    let mut instance = serve(&folder);
    let token = printed_token(&instance).expect("the first start prints a token");
    assert_eq!(status_of(&instance, "tokens", &token), 200, "it can make others");
    assert!(instance.stop_and_wait().success());
    assert!(!folder.join("postgres/postmaster.pid").exists(), "its database has been stopped");

    let instance = serve(&folder);
    assert_eq!(printed_token(&instance), None, "the second start has nothing to tell");
    assert_eq!(status_with(&instance, &token), 200);
}

#[test]
fn a_killed_server_is_followed_by_a_working_one() {
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("data");
    let mut instance = serve(&folder);
    let token = printed_token(&instance).unwrap();
    instance.kill9();
    let instance = serve(&folder);
    assert_eq!(status_with(&instance, &token), 200);
}

#[test]
fn a_folder_in_use_has_an_exit_code_of_its_own() {
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("data");
    let instance = serve(&folder);
    let refused = run(&folder, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status.code(), Some(3));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains(&format!("in use by process {}", instance.pid())), "{said}");
}

#[test]
fn tokens_are_made_listed_and_revoked_beside_a_running_server() {
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("data");
    let instance = serve(&folder);
    let created = run(&folder, &["token", "create", "--name", "robot", "--expires-days", "7", "--json"]);
    let created: Value = serde_json::from_str(&standard_output(&created)).unwrap();
    let (id, token) = (created["id"].as_str().unwrap(), created["token"].as_str().unwrap());
    assert_eq!((&created["name"], &created["scope"]), (&"robot".into(), &"write".into()));
    assert_eq!(status_with(&instance, token), 200);
    assert_eq!(status_of(&instance, "tokens", token), 403);
    let manager = run(&folder, &["token", "create", "--name", "manager", "--scope", "manage"]);
    assert_eq!(status_of(&instance, "tokens", standard_output(&manager).trim()), 200);

    let last_use = || -> Option<String> {
        let listed = standard_output(&run(&folder, &["token", "list", "--json"]));
        let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
        let robot = listed.into_iter().find(|token| token["name"] == "robot").unwrap();
        robot["last_used_at"].as_str().map(str::to_owned)
    };
    let last_use = wait_for(PATIENCE, "the note of a use", last_use);
    let listed = standard_output(&run(&folder, &["token", "list"]));
    let minute: String = last_use.replace('T', " ").chars().take(16).collect();
    assert!(listed.contains(&minute), "{listed}");
    assert!(listed.lines().any(|line| line.contains(id) && line.contains("works")), "{listed}");
    let secret = token.rsplit_once(&id.replace('-', "")).unwrap().1;
    assert!(!listed.contains(secret), "secrets are shown once");

    standard_output(&run(&folder, &["token", "revoke", id]));
    assert_eq!(status_with(&instance, token), 401);
}

#[test]
fn an_unreachable_database_has_an_exit_code_of_its_own() {
    let Some(parent) = open_folder() else { return };
    let unreachable = ["migrate", "--database-url", "postgres://nobody@127.0.0.1:1/nothing"];
    assert_eq!(run(parent.path(), &unreachable).status.code(), Some(5));
}

#[test]
fn wrong_usage_is_told() {
    let Some(parent) = open_folder() else { return };
    for wrong in
        [&["serv"][..], &["token", "create"], &["token", "create", "--name", " "], &["serve", "--port", "1"]]
    {
        assert_eq!(run(parent.path(), wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn the_first_start_makes_a_sample_catalogue_and_the_next_leaves_it() {
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("data");
    let folder_name = folder.to_str().unwrap();
    let created = |arguments: &[&str]| -> Value {
        serde_json::from_str(standard_output(&run(&folder, arguments)).trim()).unwrap()
    };
    for _ in 0..2 {
        let mut instance = Instance::serve_with(&["--demo", "12"], &[("AISLE_DATA_DIR", folder_name)]);
        assert!(instance.stop_and_wait().success());
    }
    let report = created(&["demo", "--products", "13", "--json"]);
    assert_eq!((&report["created"], &report["unchanged"]), (&1.into(), &12.into()));
}

#[test]
fn imports_report_to_scripts() {
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("data");
    let file = parent.path().join("products.jsonl");
    std::fs::write(&file, "{\"title\":\"Lamp\"}\n{\"titel\":1}\n").unwrap();
    let file = file.to_str().unwrap();
    let import = |arguments: &[&str]| run(&folder, &[&["import", "jsonl", file], arguments].concat());
    let dry = import(&["--dry-run"]);
    assert_eq!(dry.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(dry.stdout).unwrap(),
        "dry run, nothing was changed: 1 created, 0 updated, 0 unchanged, 1 failed, 0 warnings\n"
    );
    let told = String::from_utf8(dry.stderr).unwrap();
    assert!(told.contains("line 2, #/titel: is not a known field; did you mean `title`?"), "{told}");
    let report: Value = serde_json::from_slice(&import(&["--json"]).stdout).unwrap();
    assert_eq!((&report["created"], &report["failed"]), (&1.into(), &1.into()));
    assert_eq!(
        (&report["problems"][0]["line"], &report["problems"][0]["pointer"]),
        (&2.into(), &"#/titel".into())
    );
    let report: Value = serde_json::from_slice(&import(&["--json"]).stdout).unwrap();
    assert_eq!((&report["created"], &report["unchanged"]), (&0.into(), &1.into()));
    let missing = run(&folder, &["import", "shopify", "/no/such/file.csv"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("/no/such/file.csv: cannot read the file"));
}

#[test]
fn when_an_import_ends_every_instance_answers_what_it_brought() {
    let database = database();
    let (relay, url) = Relay::to_postgres(&database.url);
    let instance = App::join(&url, None, |_| ());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("products.jsonl");
    let ends_well = |arguments: &[&str]| {
        let output = aisle().args(arguments).env("DATABASE_URL", &database.url).output().unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
        standard_output(&output)
    };
    let lamp = |title: &str| {
        std::fs::write(&file, format!("{{\"title\":\"{title}\",\"slug\":\"lamp\"}}\n")).unwrap();
        ends_well(&["import", "jsonl", file.to_str().unwrap()]);
    };
    let by_slug = "/v1/store/products/by-slug/lamp";
    assert_eq!(instance.get(by_slug).status(), 404);
    // Slower to hear of an edit than a command needs to end.
    relay.delay(100);
    for title in ["Floor lamp", "Desk lamp"] {
        lamp(title);
        assert_eq!(instance.get_json(by_slug)["title"], title);
    }
    let listed = || instance.get_json("/v1/store/products")["items"].as_array().unwrap().len();
    assert_eq!(listed(), 1);
    ends_well(&["demo", "--products", "3"]);
    // Some of a sample are drafts.
    let shown =
        number(&mut database.connect(), "SELECT count(*) AS number FROM product WHERE status = 'active'");
    assert!(shown > 1, "{shown}");
    assert_eq!(i64::try_from(listed()).unwrap(), shown);
    // Imported all the same where nobody can be waited for.
    let broken = "ALTER FUNCTION catalog.sync() RENAME TO no_sync";
    diesel::connection::SimpleConnection::batch_execute(&mut database.connect(), broken).unwrap();
    let output =
        aisle().args(["demo", "--products", "4"]).env("DATABASE_URL", &database.url).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("warning: running instances may see it a few seconds later"), "{told}");
    assert!(standard_output(&output).starts_with("1 created"));
}

#[test]
fn an_empty_database_address_starts_no_private_one() {
    let folder = tempfile::tempdir().unwrap();
    let command = ["token", "list", "--data-dir", folder.path().to_str().unwrap()];
    let output = aisle().args(command).env("DATABASE_URL", "").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("--database-url"), "{told}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}
