//! A Redis that dies and is replaced by its replica, with the files of `deploy/redis` as they are but for the addresses.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{
    app::App,
    balancer::{free_port, is_installed},
    database,
    redis::connect,
    waiting::{PATIENCE, wait_until},
};

/// A primary, its replica, three Sentinels, and the HAProxy that leads to the primary; killed with the value.
struct Group {
    /// What instances are given.
    url: String,
    replica: String,
    primary: Child,
    _others: Vec<Ended>,
    _folder: TempDir,
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        drop(self.primary.kill());
        drop(self.primary.wait());
    }
}

fn spawn(program: &str, arguments: &[&str], port: u16) -> Child {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]).args(arguments);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let child = child.unwrap_or_else(|error| panic!("{program}: {error}"));
    wait_until(PATIENCE, "a port that listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    child
}

/// A file of `deploy/redis` with other ports, in a folder of its own.
fn file(name: &str, folder: &Path, ports: &[(&str, u16)]) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/redis").join(name);
    let text = fs::read_to_string(source).expect("the file of deploy");
    let text = ports.iter().fold(text, |text, (from, to)| text.replace(from, &to.to_string()));
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join(name), text).expect("a file of its own");
    folder.join(name).to_str().expect("a path that is text").to_owned()
}

impl Group {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("aisle-failover-").tempdir().expect("a folder");
        let (primary_port, replica_port, entry) = (free_port(), free_port(), free_port());
        let addresses = [("6379", primary_port), ("6378", replica_port), ("6380", entry)];
        let server = |name: &str, port: u16, more: &[&str]| {
            let own = folder.path().join(name);
            let file = file("redis.conf", &own, &[("6379", port)]);
            let dir = own.to_str().expect("a path that is text").to_owned();
            spawn("redis-server", &[&[file.as_str(), "--dir", &dir], more].concat(), port)
        };
        let primary = server("primary", primary_port, &[]);
        let of = ["--replicaof", "127.0.0.1", &primary_port.to_string()];
        let mut others = vec![Ended(server("replica", replica_port, &of))];
        let replica = format!("redis://127.0.0.1:{replica_port}");
        wait_until(PATIENCE, "a replica in step", || info(&replica).contains("master_link_status:up"));
        for number in 0..3 {
            let (own, port) = (folder.path().join(format!("sentinel-{number}")), free_port());
            let file = file("sentinel.conf", &own, &[("26379", port), ("6379", primary_port)]);
            others.push(Ended(spawn("redis-server", &[&file, "--sentinel"], port)));
            let sentinel = format!("redis://127.0.0.1:{port}");
            wait_until(PATIENCE, "a Sentinel that knows the replica", || {
                let known =
                    redis::cmd("SENTINEL").arg("replicas").arg("aisle").query(&mut connect(&sentinel));
                known.is_ok_and(|replicas: Vec<redis::Value>| !replicas.is_empty())
            });
        }
        let balancer = file("haproxy.cfg", &folder.path().join("haproxy"), &addresses);
        others.push(Ended(spawn("haproxy", &["-db", "-f", &balancer], entry)));
        let url = format!("redis://127.0.0.1:{entry}");
        Self { url, replica, primary, _others: others, _folder: folder }
    }

    fn is_promoted(&self) -> bool {
        info(&self.replica).contains("role:master")
    }
}

fn info(url: &str) -> String {
    redis::cmd("INFO").arg("replication").query(&mut connect(url)).expect("its state")
}

/// Every edit is seen at once on the other instance, before, during and after; afterwards by messages again.
#[test]
fn a_redis_that_is_replaced_costs_speed_for_a_moment_and_nothing_else() {
    if !is_installed("haproxy") || !is_installed("redis-server") {
        return;
    }
    let mut group = Group::start();
    let database = database();
    let join = || App::join(&database.url, Some(&group.url), |_| ());
    let (editor, reader) = (join(), join());
    let made = editor.create_product(&json!({"title": "Lamp"}));
    let id = made["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/store/products/{id}");
    let mut round = 0;
    // Whether the edit came by a message.
    let mut edit = || {
        round += 1;
        let heard = reader.shared.metrics.redis.received.get();
        editor.patch_product(&id, &json!({"title": format!("Lamp {round}")}));
        assert_eq!(reader.get_json(&path)["title"], format!("Lamp {round}"));
        reader.shared.metrics.redis.received.get() > heard
    };
    wait_until(PATIENCE, "messages", &mut edit);
    group.primary.kill().expect("kill");
    wait_until(PATIENCE, "the replica as primary", || {
        edit();
        group.is_promoted()
    });
    wait_until(PATIENCE, "messages by the other Redis", &mut edit);
}
