//! What a cached product holds, and whether the cache keeps to its bound.

use crate::{
    Extent, site,
    support::{
        instance::Instance,
        outcome::Outcome,
        process::resident_kilobytes,
        servers::{Catalogue, Servers},
        table::{Table, verdict},
    },
};

/// The bound of what a product may take: so many times its bytes, and so many more.
const RATIO_MAX: f64 = 1.05;
const MORE_MAX: f64 = 200.0;

/// MiB of a cache that cannot hold everything.
const SMALL: u32 = 16;

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    // Many: memory comes from the system in pieces of up to 2 MiB.
    let products = extent.of(20_000, 2_000);
    let half = products / 2;
    eprintln!("memory");
    let catalogue = site::catalogue(servers, "memory", products)?;
    let targets = site::products(&catalogue);
    let columns = ["what is cached", "bytes held per product", "memory per product", "bound", ""];
    let mut table = Table::new("Memory of cached products", &columns);
    table.note(format!(
        "Growth of the resident memory of an instance while {half} products come into its cache that has as many already. Held are the \
         answer in each coding asked for, and the card that lists show."
    ));
    for (what, codings) in [("plain", &[""][..]), ("plain, gzip, br", &["", "gzip", "br"][..])] {
        let instance = catalogue.serve(None, &[("AISLE_CACHE_MB", "1024")])?;
        let (first, second) = targets.split_at(half);
        fill(&instance, first, codings)?;
        let before = resident_kilobytes(instance.pid())?;
        let bytes = fill(&instance, second, codings)? + site::card_bytes(&instance, half)?;
        let grown = (resident_kilobytes(instance.pid())?.saturating_sub(before)) * 1024;
        let each = |bytes: u64| {
            Ok::<_, crate::support::outcome::Failure>(
                f64::from(u32::try_from(bytes)?) / f64::from(u32::try_from(half)?),
            )
        };
        let (held, taken) = (each(u64::try_from(bytes)?)?, each(grown)?);
        let bound = held * RATIO_MAX + MORE_MAX;
        table.row([
            what.to_owned(),
            format!("{held:.0}"),
            format!("{taken:.0}"),
            format!("{bound:.0}"),
            verdict(taken, bound.round(), "bytes"),
        ]);
    }
    table.print();
    bounded(&catalogue, &targets)
}

/// Gets products into the cache; bytes of their answers.
fn fill(instance: &Instance, targets: &[String], codings: &[&str]) -> Outcome<usize> {
    let mut bytes = 0;
    for coding in codings {
        for answer in site::answers(instance, targets, coding)? {
            bytes += answer.body()?.len();
        }
    }
    Ok(bytes)
}

/// Memory of an instance that has answered often and holds one product.
fn warm(instance: &Instance, targets: &[String]) -> Outcome<u64> {
    let one = targets.get(..1).ok_or("no products")?;
    for _ in targets {
        site::answers(instance, one, "")?;
    }
    resident_kilobytes(instance.pid())
}

/// A cache that is too small for everything, gone through three times.
fn bounded(catalogue: &Catalogue, targets: &[String]) -> Outcome<()> {
    let instance = catalogue.serve(None, &[("AISLE_CACHE_MB", &SMALL.to_string())])?;
    let before = warm(&instance, targets)?;
    let mut client = instance.client()?;
    let mut most = 0.0_f64;
    for target in targets.iter().cycle().take(targets.len() * 3) {
        client.get(target)?;
    }
    most = most.max(instance.metric("aisle_local_cache_bytes")?);
    let grown =
        f64::from(u32::try_from(resident_kilobytes(instance.pid())?.saturating_sub(before))?) / 1024.0;
    let mib = most / f64::from(1 << 20);
    println!(
        "\nA cache of {SMALL} MiB, everything read three times: {mib:.1} MiB held by its own reckoning, resident memory grown by {grown:.1} MiB."
    );
    Ok(())
}
