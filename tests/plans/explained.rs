//! What the server said of its executions: one entry per statement, with the most that any execution did.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

/// Executions of a statement that are read in any case.
const FIRST: u32 = 10;

/// What an execution of a statement did, or the most that several did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Execution {
    /// Pages of tables and indexes looked at. What functions read is counted with their own statements: the first call of a
    /// session looks at a thousand pages of the system catalogue.
    pub(crate) buffers: u64,
    /// Rows that scans gave or threw away.
    pub(crate) rows: u64,
    /// Rows that scans gave, threw away or looked for in vain.
    pub(crate) looks: u64,
    /// Rows read and thrown away.
    pub(crate) removed: u64,
    /// Rows put in order.
    pub(crate) sorted: u64,
    /// Tables read as a whole, with the rows read.
    pub(crate) whole: BTreeMap<String, u64>,
    /// Indexes used.
    pub(crate) indexes: BTreeSet<String>,
    /// The plan of the execution that looked at the most pages.
    pub(crate) plan: String,
}

impl Execution {
    fn of(plan: &Value) -> Self {
        let mut execution = Self::default();
        execution.add(plan);
        execution.plan = serde_json::to_string_pretty(plan).expect("a plan");
        execution
    }

    fn add(&mut self, node: &Value) {
        let loops = number(node, "Actual Loops");
        let removed: u64 =
            ["Rows Removed by Filter", "Rows Removed by Index Recheck", "Rows Removed by Join Filter"]
                .iter()
                .map(|kind| number(node, kind) * loops)
                .sum();
        let rows = number(node, "Actual Rows") * loops + removed;
        self.removed += removed;
        let relation = node["Relation Name"].as_str();
        let index = node["Index Name"].as_str();
        // What a heap gives for a bitmap its indexes have counted.
        let counts = if node["Node Type"] == "Bitmap Heap Scan" { removed } else { rows };
        let below = node["Plans"].as_array().map_or(&[][..], Vec::as_slice);
        if relation.or(index).is_some() {
            self.buffers += pages(node).saturating_sub(below.iter().map(pages).sum());
            if node["Node Type"] != "ModifyTable" {
                self.rows += counts;
                self.looks += counts.max(loops);
            }
        }
        self.indexes.extend(index.map(str::to_owned));
        if node["Node Type"] == "Seq Scan" {
            *self.whole.entry(relation.unwrap_or_default().to_owned()).or_default() += rows;
        }
        if matches!(node["Node Type"].as_str(), Some("Sort" | "Incremental Sort")) {
            self.sorted += below
                .iter()
                .map(|node| number(node, "Actual Rows") * number(node, "Actual Loops"))
                .sum::<u64>();
        }
        for node in below {
            self.add(node);
        }
    }

    fn merge(&mut self, other: Self) {
        if other.buffers > self.buffers || self.plan.is_empty() {
            self.plan = other.plan;
        }
        self.buffers = self.buffers.max(other.buffers);
        self.rows = self.rows.max(other.rows);
        self.looks = self.looks.max(other.looks);
        self.removed = self.removed.max(other.removed);
        self.sorted = self.sorted.max(other.sorted);
        self.indexes.extend(other.indexes);
        for (table, rows) in other.whole {
            let most = self.whole.entry(table).or_default();
            *most = rows.max(*most);
        }
    }
}

/// Pages that a node and all below it looked at.
fn pages(node: &Value) -> u64 {
    number(node, "Shared Hit Blocks") + number(node, "Shared Read Blocks")
}

fn number(node: &Value, name: &str) -> u64 {
    node[name].as_f64().unwrap_or_default() as u64
}

/// Everything that was executed on a catalogue, by how it was planned and its text.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// The most that executions of a statement did.
    pub(crate) done: BTreeMap<(&'static str, String), Execution>,
    /// Executions of each text that were read, and the most pages that one of them looked at.
    known: HashMap<(&'static str, String), (u32, u64)>,
}

impl Work {
    /// Reads a piece of the server's log.
    pub(crate) fn read(&mut self, log: &str, mode: &'static str) {
        let mut lines = log.lines().peekable();
        while let Some(line) = lines.next() {
            if !line.contains("LOG:  duration: ") || !line.ends_with(" plan:") {
                continue;
            }
            let mut json = String::new();
            while let Some(more) = lines.next_if(|line| line.starts_with('\t')) {
                json.push_str(more);
            }
            if !self.is_news(&json, mode) {
                continue;
            }
            let explained: Value =
                serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
            let text = normal(explained["Query Text"].as_str().expect("a text"));
            let execution = Execution::of(&explained["Plan"]);
            self.done.entry((mode, text)).or_default().merge(execution);
        }
    }

    /// Whether an explanation is worth reading: one of the first of its statement, or the most expensive so far. There are
    /// hundreds of thousands, and most say the same.
    fn is_news(&mut self, json: &str, mode: &'static str) -> bool {
        let after = |name: &str| json.split_once(name).map_or("", |(_, rest)| rest);
        let pages = |name: &str| -> u64 {
            after(name)
                .split([',', '\n', ' ', '}'])
                .next()
                .and_then(|pages| pages.parse().ok())
                .unwrap_or_default()
        };
        // The first are those of the plan as a whole.
        let pages = pages("\"Shared Hit Blocks\": ") + pages("\"Shared Read Blocks\": ");
        let text = after("\"Query Text\": ")
            .split("\"Query Parameters\": ")
            .next()
            .and_then(|text| text.split("\"Plan\": ").next())
            .unwrap_or_default();
        let (read, most) = self.known.entry((mode, text.to_owned())).or_default();
        if *read >= FIRST && pages <= *most {
            return false;
        }
        *read += 1;
        *most = pages.max(*most);
        true
    }

    /// How many different statements there are.
    pub(crate) fn statements(&self) -> usize {
        self.done.keys().map(|(_, text)| text).collect::<BTreeSet<_>>().len()
    }
}

/// The text without line breaks, and the same for any number of rows inserted.
fn normal(text: &str) -> String {
    let mut plain = String::new();
    for line in text.lines() {
        plain.push_str(line.split(" -- ").next().unwrap_or_default());
        plain.push(' ');
    }
    let mut plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(start) = plain.find(" VALUES ($1").or_else(|| plain.find(" VALUES (DEFAULT")) {
        let rest = &plain[start..];
        let end = [" ON CONFLICT", " RETURNING"].iter().filter_map(|word| rest.find(word)).min();
        let tail = end.map(|end| rest[end..].to_owned()).unwrap_or_default();
        plain = format!("{} VALUES (…){tail}", &plain[..start]);
    }
    plain
}
