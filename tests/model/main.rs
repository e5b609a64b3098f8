//! The protocol of coherence under a model checker.
//!
//! What is explored is [`aisle::coherence::core::Core`] and [`aisle::coherence::gate::Gate`] as they run in production; the
//! model adds what surrounds them: the database's log and member rows, two instances with clocks, caches and flights,
//! clients that read and write. Every hop is a step of its own that may come at any time: an instance that takes no step
//! while clocks tick is stopped, a message whose step never comes is lost. Operations begin as late and end as early as the
//! steps allow, so the intervals that are judged are the shortest the server could show.
//!
//! `cargo test --test model` explores small configurations and shows that every seeded mistake is caught. `-- --large`
//! explores larger ones (built with `--release`), and words are names of configurations: `-- --large E H2`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test with a table of its own: it prints, and says by its exit code whether all held"
)]

mod catalogue;
mod config;
mod coverage;
mod database;
mod driver;
mod instance;
mod mistakes;
mod reads;
mod run;
mod state;
mod writes;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return;
    }
    let is_large = arguments.iter().any(|argument| argument == "--large");
    let named: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| !argument.starts_with('-')).collect();
    let chosen = if is_large { catalogue::large() } else { catalogue::small() };
    let runs = chosen.into_iter().filter(|config| named.is_empty() || named.contains(&config.id));
    let failed: Vec<&str> = runs.filter(|config| !run::explore(config)).map(|config| config.id).collect();
    if !failed.is_empty() {
        println!("not as expected: {}", failed.join(" "));
        std::process::exit(1);
    }
}
