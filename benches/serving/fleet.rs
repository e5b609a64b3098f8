//! Two instances behind HAProxy against one. Load, balancer and instances share the machine, so what two cores can show is
//! whether an instance costs more because it has company, not how much faster a fleet of machines is.

use std::time::Duration;

use tokio::runtime::Builder;

use crate::{
    Extent,
    contest::{Contestant, Turns, hold},
    load::{CONNECTIONS, Load, Order, Request},
    rival::{Rival, is_installed},
    site,
    support::{instance::Instance, outcome::Outcome, servers::Servers, table::Table},
};

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    if !is_installed("haproxy") {
        eprintln!("left out: haproxy is not installed");
        return Ok(());
    }
    let (products, turns, each) = extent.of((10_000, 16, 200), (1_000, 4, 40));
    let catalogue = site::catalogue(servers, "fleet", products)?;
    // A worker each, as if each had a core of its own.
    let serve = || catalogue.serve(Some(servers.redis()?), &[("AISLE_WORKERS", "1")]);
    let fleets = [vec![serve()?], vec![serve()?, serve()?]];
    // Each of them has everything cached, whichever it will be asked for.
    let mut answers = Vec::new();
    for instance in fleets.iter().flatten() {
        answers = site::answers(instance, &site::products(&catalogue), "")?;
    }
    let requests = answers.iter().map(Request::of).collect::<Outcome<Vec<_>>>()?;
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let order = Order::uniform(requests.len());
    let mut balancers = Vec::new();
    for fleet in &fleets {
        let origins: Vec<&str> = fleet.iter().map(|instance| instance.authority.as_str()).collect();
        balancers.push(Rival::haproxy(&origins)?);
    }
    let mut contestants = Vec::new();
    for (fleet, balancer) in fleets.iter().zip(&balancers) {
        // Twice as many connections would be needed to keep twice as many cores busy; these keep both of this machine so.
        let load = Load::connect(&runtime, &balancer.authority, requests.clone(), order.clone())?;
        contestants.push(Contestant { cpu: Box::new(|| cpu(fleet)), load });
    }
    eprintln!("fleet");
    let before = balancers.iter().map(Rival::cpu).collect::<Outcome<Vec<_>>>()?;
    let scores = hold(&runtime, &mut contestants, Turns { turns, each })?;
    let columns = [
        "cached product through HAProxy",
        "µs of processor, instances",
        "HAProxy",
        "to one instance",
        "requests/s",
        "to one instance",
    ];
    let mut table = Table::new("Two instances against one", &columns);
    table.note(format!(
        "{turns} turns of each in changing order, {CONNECTIONS} kept connections, a worker for each instance; one HAProxy for each fleet, the load on the same cores."
    ));
    let asked = f64::from(u32::try_from(CONNECTIONS * turns * each)?);
    for (place, (balancer, before)) in balancers.iter().zip(before).enumerate() {
        let spent = balancer.cpu()?.saturating_sub(before).as_secs_f64() * 1e6 / asked;
        table.row([
            format!("{} of them", place + 1),
            format!("{:.1}", scores.cpu(place)),
            format!("{spent:.1}"),
            format!("{:.3}", scores.cpu_ratio(place, 0)),
            format!("{:.0}", scores.rate(place)),
            format!("{:.2}", scores.rate_ratio(place, 0)),
        ]);
    }
    table.print();
    Ok(())
}

fn cpu(fleet: &[Instance]) -> Outcome<Duration> {
    fleet.iter().map(Instance::cpu).sum()
}
