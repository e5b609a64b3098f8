//! The files of `deploy/` fit the program that they are for.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::support::{app::App, balancer::is_there};

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names of metrics in a text, as the server tells them: those of a histogram's parts are the histogram's.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let ours = ["aisle_", "http_requests_", "http_request_", "process_"];
    let named = words.filter(|word| ours.iter().any(|prefix| word.starts_with(prefix)));
    named.map(|word| word.trim_end_matches("_bucket").to_owned()).collect()
}

#[test]
fn alerts_and_dashboard_name_metrics_that_exist() {
    let app = App::start();
    app.get("/v1/store/products");
    let text = app.get("/metrics").text().expect("metrics");
    let told = |name: &str| text.contains(&format!("# TYPE {name} "));
    for source in ["prometheus/alerts.yaml", "grafana/aisle.json"] {
        let named = metrics_in(&file(source));
        assert!(named.len() > 8, "{source} names metrics");
        let unknown: Vec<String> = named.into_iter().filter(|name| !told(name)).collect();
        assert_eq!(unknown, [""; 0], "{source}");
    }
}

#[test]
fn prometheus_accepts_the_alerts() {
    if !is_there("promtool") {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/alerts.yaml");
    let checked = Command::new("promtool").args(["check", "rules"]).arg(path).output().expect("promtool");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// The help of the commands that files of `deploy/` run.
fn help() -> String {
    let of = |command: &str| {
        let help =
            Command::new(env!("CARGO_BIN_EXE_aisle")).args([command, "--help"]).output().expect("the help");
        String::from_utf8(help.stdout).expect("text")
    };
    of("serve") + &of("purge")
}

/// Every setting that a file of `deploy/` gives is one of the program's.
#[test]
fn files_give_settings_that_exist() {
    let help = help();
    let files = [
        "Dockerfile",
        "compose.yaml",
        "kubernetes/aisle.yaml",
        "systemd/aisle@.service",
        "systemd/aisle-purge.service",
        "systemd/aisle.env.example",
        "varnish/default.vcl",
    ];
    for source in files {
        let text = file(source);
        let words = text.split(|character: char| !character.is_ascii_uppercase() && character != '_');
        let settings: BTreeSet<&str> = words.filter(|word| word.starts_with("AISLE_")).collect();
        assert!(!settings.is_empty(), "{source} gives settings");
        let unknown: Vec<&str> = settings.into_iter().filter(|name| !help.contains(name)).collect();
        assert_eq!(unknown, [""; 0], "{source}");
    }
}
