//! Explores one configuration and tells what came of it.

use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model};

use crate::{config::Config, coverage};

const THREADS: usize = 2;

/// Explores; whether the outcome is the expected one.
pub(crate) fn explore(config: &Config) -> bool {
    coverage::reset();
    let limit = Duration::from_secs(config.seconds);
    let checker =
        config.clone().checker().threads(THREADS).timeout(limit).finish_when(HasDiscoveries::AnyFailures);
    let began = Instant::now();
    // Breadth first finds the shortest way to a mistake's harm; depth first needs less memory where there is none.
    if config.is_broad || !config.mistakes.is_empty() {
        report(config, &checker.spawn_bfs().join(), began)
    } else {
        report(config, &checker.spawn_dfs().join(), began)
    }
}

fn report(config: &Config, checker: &impl Checker<Config>, began: Instant) -> bool {
    let elapsed = began.elapsed();
    let found = checker.discoveries();
    let is_cut_off = found.is_empty() && elapsed >= Duration::from_secs(config.seconds);
    let extent = if !found.is_empty() {
        "until found"
    } else if is_cut_off && config.is_broad {
        "cut off, short runs first"
    } else if is_cut_off {
        "cut off"
    } else {
        "exhaustive"
    };
    println!(
        "{:<4} {:<64} {:>9} states, depth {:>2}, {:>5.1} s, {extent}",
        config.id,
        config.what,
        checker.unique_state_count(),
        checker.max_depth(),
        elapsed.as_secs_f64(),
    );
    for (property, path) in &found {
        let steps = path.clone().into_actions();
        let told: Vec<String> = steps.iter().map(|step| format!("{step:?}")).collect();
        println!("     violates \"{property}\" in {} steps: {}", steps.len(), told.join(" "));
    }
    println!("     {}", coverage::summary());
    let missed = coverage::missed(config.covers);
    if !missed.is_empty() {
        println!("     NOT SHOWN, never taken: {}", missed.join(", "));
    }
    let is_mistaken = !config.mistakes.is_empty();
    if is_mistaken == found.is_empty() {
        println!("     {}", if is_mistaken { "NOT CAUGHT" } else { "VIOLATED" });
    }
    is_mistaken != found.is_empty() && missed.is_empty()
}
