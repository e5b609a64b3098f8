//! Answers from the local cache, against proxies that would be put in front of a slower server: nginx and Varnish.

use tokio::runtime::Builder;

use crate::{
    Extent,
    contest::{Contestant, Turns, hold},
    load::{Load, Order, Request},
    rival::{Rival, is_installed},
    site,
    support::{outcome::Outcome, servers::Servers, table::Table},
};

/// Measures and prints; what is not installed is left out, and said.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    let (products, turns, each) = extent.of((10_000, 18, 300), (1_000, 4, 60));
    let catalogue = site::catalogue(servers, "proxies", products)?;
    // Proxies may keep what has an age; what they are compared with is the instance as it comes.
    let origin = catalogue.serve(None, &[("AISLE_MAX_AGE", "3600")])?;
    let instance = catalogue.serve(None, &[("RUST_LOG", "info")])?;
    let answers = site::answers(&instance, &site::products(&catalogue), "")?;
    let requests = answers.iter().map(Request::of).collect::<Outcome<Vec<_>>>()?;
    let mut rivals = Vec::new();
    if is_installed("nginx") {
        rivals.push(("nginx, files", Rival::files(&answers)?));
        rivals.push(("nginx, proxy_cache", Rival::nginx_cache(&origin.authority)?));
    } else {
        eprintln!("left out: nginx is not installed");
    }
    if is_installed("varnishd") {
        rivals.push(("Varnish", Rival::varnish(&origin.authority)?));
    } else {
        eprintln!("left out: varnish is not installed");
    }
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let order = Order::uniform(requests.len());
    let connect = |authority: &str| Load::connect(&runtime, authority, requests.clone(), order.clone());
    let mut contestants =
        vec![Contestant { cpu: Box::new(|| instance.cpu()), load: connect(&instance.authority)? }];
    for (_, rival) in &rivals {
        contestants.push(Contestant { cpu: Box::new(|| rival.cpu()), load: connect(&rival.authority)? });
    }
    eprintln!("proxies");
    let scores = hold(&runtime, &mut contestants, Turns { turns, each })?;
    let columns =
        ["cached product", "µs of processor", "Aisle's CPU / its", "requests/s", "Aisle's requests/s / its"];
    let mut table = Table::new("Hits, against proxies", &columns);
    table.note(format!(
        "{turns} turns of each in changing order, 64 kept connections, {products} products of {} bytes on average, uniform choice; below 1 in the third column and \
         above 1 in the last Aisle is ahead. nginx and Varnish as packaged, with a worker per core; Varnish's pools as they come. \
         Processor time of all their processes.",
        requests.iter().map(Request::body_bytes).sum::<usize>() / requests.len().max(1)
    ));
    let names = std::iter::once("Aisle").chain(rivals.iter().map(|(name, _)| *name));
    for (place, name) in names.enumerate() {
        table.row([
            name.to_owned(),
            format!("{:.1}", scores.cpu(place)),
            format!("{:.2}", scores.cpu_ratio(0, place)),
            format!("{:.0}", scores.rate(place)),
            format!("{:.2}", scores.rate_ratio(0, place)),
        ]);
    }
    table.print();
    Ok(())
}
