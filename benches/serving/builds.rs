//! What the choices of the release build are worth: other builds and numbers of workers against the first build, the program
//! as it comes.

use std::path::Path;

use tokio::runtime::Builder;

use crate::{
    Extent,
    contest::{Contestant, Turns, hold},
    load::{Load, Order, Request},
    site,
    support::{
        instance::Instance,
        outcome::Outcome,
        sample::Sample,
        servers::{Catalogue, Servers},
        table::Table,
    },
};

/// A build of the program, `NAME=PATH` on the command line.
#[derive(Debug)]
pub(crate) struct Build {
    name: String,
    path: String,
}

/// One of those that are compared.
struct Entrant {
    name: String,
    instance: Instance,
}

impl Build {
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let (name, path) = text.split_once('=').ok_or("--build needs NAME=PATH")?;
        if !Path::new(path).is_file() {
            return Err(format!("no program at {path}").into());
        }
        Ok(Self { name: name.to_owned(), path: path.to_owned() })
    }
}

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent, builds: &[Build]) -> Outcome<()> {
    let (products, rounds, turns) = extent.of((10_000, 3, 12), (1_000, 1, 4));
    let catalogue = site::catalogue(servers, "builds", products)?;
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let kinds = kinds(&catalogue, builds, extent)?;
    let mut ratios: Vec<(String, Vec<Vec<f64>>)> = Vec::new();
    for round in 0..rounds {
        eprintln!("builds: round {}", round + 1);
        let entrants = entrants(&catalogue, builds)?;
        ratios.resize_with(entrants.len(), || (String::new(), vec![Vec::new(); kinds.len()]));
        for (place, (_, requests, each)) in kinds.iter().enumerate() {
            let contestant = |entrant| contestant(&runtime, entrant, requests);
            let mut contestants = entrants.iter().map(contestant).collect::<Outcome<Vec<_>>>()?;
            let scores = hold(&runtime, &mut contestants, Turns { turns, each: *each })?;
            for (number, (entrant, (name, ratios))) in entrants.iter().zip(&mut ratios).enumerate() {
                name.clone_from(&entrant.name);
                if let Some(ratios) = ratios.get_mut(place) {
                    ratios.push(scores.cpu_ratio(number, 0).median());
                }
            }
        }
    }
    let columns: Vec<&str> =
        std::iter::once("CPU to the first build").chain(kinds.iter().map(|(name, ..)| *name)).collect();
    let mut table = Table::new("What the build is worth", &columns);
    table.note(format!(
        "{rounds} rounds, each with new processes that take {turns} turns in changing order on 64 kept connections; ratios are taken \
         turn by turn, a round's value is their median."
    ));
    for (name, ratios) in ratios.into_iter().skip(1) {
        let samples =
            ratios.into_iter().map(|values| format!("{:.3}", values.into_iter().collect::<Sample>()));
        table.row(std::iter::once(name).chain(samples).collect::<Vec<_>>());
    }
    table.print();
    Ok(())
}

/// What is asked: its name, the requests, how many on each connection in a turn.
type Kind = (&'static str, Vec<Request>, usize);

fn kinds(catalogue: &Catalogue, builds: &[Build], extent: Extent) -> Outcome<Vec<Kind>> {
    let instance = serve(catalogue, &builds.first().ok_or("no build")?.path, "0")?;
    let requests = |answers: Vec<_>| answers.iter().map(Request::of).collect::<Outcome<Vec<_>>>();
    let (often, seldom) = extent.of((300, 80), (60, 20));
    Ok(vec![
        ("cached product", requests(site::answers(&instance, &site::products(catalogue), "")?)?, often),
        (
            "list of 20 cards",
            requests(site::answers(&instance, &site::lists(&instance, site::PAGES)?, "")?)?,
            seldom,
        ),
        (
            "batch of 20",
            requests(site::batch_answers(&instance, &site::batches(catalogue, site::PAGES))?)?,
            seldom,
        ),
    ])
}

/// The first build twice, then the others, then the first with other numbers of workers.
fn entrants(catalogue: &Catalogue, builds: &[Build]) -> Outcome<Vec<Entrant>> {
    let (first, others) = builds.split_first().ok_or("no build")?;
    let mut all = vec![(first.name.as_str(), first, "0"), ("the same again", first, "0")];
    all.extend(others.iter().map(|build| (build.name.as_str(), build, "0")));
    all.extend([("one worker", first, "1"), ("four workers", first, "4")]);
    let start = |(name, build, workers): (&str, &Build, &str)| {
        Ok(Entrant { name: name.to_owned(), instance: serve(catalogue, &build.path, workers)? })
    };
    all.into_iter().map(start).collect()
}

fn serve(catalogue: &Catalogue, program: &str, workers: &str) -> Outcome<Instance> {
    let variables = [("RUST_LOG", "info"), ("AISLE_CACHE_MB", "1024"), ("AISLE_WORKERS", workers)];
    catalogue.serve_by(program, None, &variables)
}

fn contestant<'a>(
    runtime: &tokio::runtime::Runtime,
    entrant: &'a Entrant,
    requests: &[Request],
) -> Outcome<Contestant<'a>> {
    let order = Order::uniform(requests.len());
    let load = Load::connect(runtime, &entrant.instance.authority, requests.to_vec(), order)?;
    Ok(Contestant { cpu: Box::new(|| entrant.instance.cpu()), load })
}
