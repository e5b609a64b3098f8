//! The README says what the program knows: every setting, every problem code.

use clap::{Args, Command};

use aisle::{http::problem::Code, settings::ServeSettings};

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_names_every_setting() {
    let command = ServeSettings::augment_args(Command::new("serve"));
    let missing: Vec<_> = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set())
        .flat_map(|argument| {
            let flag = argument.get_long().map(|long| format!("`--{long}`"));
            let variable = argument.get_env().map(|name| format!("`{}`", name.to_string_lossy()));
            flag.into_iter().chain(variable)
        })
        .filter(|name| !README.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_readme_names_every_problem() {
    let missing: Vec<_> = Code::ALL
        .iter()
        .map(|code| format!("`{}`", code.name()))
        .filter(|name| !README.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
