//! The shape of the source: who may know whom, how long things may get, which words stay out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Longest source file, in lines.
const FILE_LINES_MAX: usize = 400;

/// What each layer may name of the crate. `application` and `cli` wire everything.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("domain", &["domain", "limits"]),
    ("store", &["store", "domain", "limits", "catalog::messages"]),
    ("cache", &["cache", "domain", "limits", "coherence", "telemetry", "catalog::messages"]),
    (
        "coherence",
        &[
            "coherence",
            "cache",
            "store",
            "domain",
            "limits",
            "supervision",
            "telemetry",
            "catalog::CatalogError",
        ],
    ),
    ("dump", &["dump"]),
    ("search", &["search", "domain", "dump", "limits"]),
    ("listing", &["listing", "search", "domain", "dump", "limits"]),
    ("limiting", &["limiting", "cache", "limits", "settings", "supervision", "telemetry"]),
    ("supervision", &["supervision", "telemetry", "limits", "catalog::CatalogError"]),
    ("telemetry", &["telemetry", "limits"]),
    (
        "catalog",
        &[
            "catalog",
            "coherence",
            "cache",
            "store",
            "domain",
            "limits",
            "dump",
            "listing",
            "settings",
            "supervision",
            "telemetry",
        ],
    ),
    ("http", &["http", "catalog", "domain", "limiting", "limits", "settings", "supervision", "telemetry"]),
    ("import", &["import", "store", "domain", "limits"]),
    ("embedded", &["embedded", "limits"]),
];

/// Words that must not appear in a layer: connections are owned elsewhere.
const MUST_NOT_SAY: &[(&str, &[&str])] = &[
    ("http", &["diesel::", "r2d2", "redis::", "PgConnection", "sql_query"]),
    (
        "domain",
        &[
            "diesel::",
            "redis::",
            "actix",
            "std::fs",
            "std::net",
            "SystemTime::now",
            "Utc::now",
            "Instant::now",
        ],
    ),
    ("catalog", &["diesel::", "r2d2::", "redis::", "sql_query"]),
    ("coherence", &["diesel::", "r2d2::", "redis::", "sql_query"]),
    ("limiting", &["diesel::", "r2d2::", "redis::", "sql_query"]),
    ("supervision", &["diesel::", "redis::", "crate::store"]),
    ("store", &["redis::", "actix"]),
    ("cache", &["diesel::", "sql_query"]),
];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, into: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                into.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 50, "the source was found");
    found
}

fn layer(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("inside src");
    let first = inside.components().next().expect("a component").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Code without comments and without the tests at the end of a file.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Paths named as `crate::…`, groups in braces opened one level.
fn named(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, _) in code.match_indices("crate::") {
        let rest = code.get(index + "crate::".len()..).unwrap_or_default();
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for letter in group.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.push(std::mem::take(&mut item).trim().to_owned());
                        continue;
                    }
                    _ => {}
                }
                item.push(letter);
            }
            found.push(item.trim().to_owned());
        } else {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, ':' | '_')).collect());
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn layers_name_only_what_is_below_them() {
    let allowed: BTreeMap<_, _> = MAY_NAME.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(may) = allowed.get(layer(&path).as_str()) else { continue };
        for name in named(&code(&text)) {
            let fits = |may: &str| name == may || name.starts_with(&format!("{may}::"));
            if !may.iter().any(|may| fits(may)) {
                wrong.push(format!("{}: crate::{name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn connections_stay_where_they_are_owned() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let code = code(&text);
        for (_, words) in MUST_NOT_SAY.iter().filter(|(of, _)| *of == layer(&path)) {
            wrong.extend(
                words
                    .iter()
                    .filter(|word| code.contains(**word))
                    .map(|word| format!("{}: {word}", path.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_stay_readable() {
    let generated = |path: &Path| path.ends_with("store/schema.rs");
    let long: Vec<_> = sources()
        .into_iter()
        .filter(|(path, text)| !generated(path) && text.lines().count() > FILE_LINES_MAX)
        .map(|(path, text)| format!("{}: {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn nothing_is_left_undone() {
    let words = ["todo!(", "unimplemented!(", "FIXME", "TODO"];
    let wrong: Vec<_> = sources()
        .into_iter()
        .flat_map(|(path, text)| {
            words
                .iter()
                .filter(|word| text.contains(**word))
                .map(|word| format!("{}: {word}", path.display()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
