//! What a hit costs where the catalogue is large and what is asked for is not.

use crate::{
    Side,
    support::{
        outcome::Outcome,
        process::cpu,
        sample::Sample,
        table::{Table, verdict},
    },
};

/// Products that are asked for; a few of the thousand that were imported are not in the store.
const PRODUCTS: u32 = 900;

/// How often both are measured in turn, the first only to warm up.
const ROUNDS: usize = 12;

/// Requests of a turn.
const REQUESTS: usize = 20_000;

/// Times a hit on the large catalogue may cost of one on the small.
const BOUND: f64 = 1.05;

/// Asks both for the products that were imported and not copied, the same on both sides, and prints the CPU time of a hit.
pub(crate) fn measure(few: &mut Side, many: &mut Side) -> Outcome<()> {
    let ids = "SELECT id::text AS text FROM product WHERE status = 'active' AND deleted_at IS NULL \
               AND external_id NOT LIKE '%-%-%' ORDER BY external_id LIMIT ";
    let paths = |side: &Side| -> Outcome<Vec<String>> {
        let ids = side.catalogue.texts(&format!("{ids}{PRODUCTS}"))?;
        Ok(ids.into_iter().map(|id| format!("/v1/store/products/{id}")).collect())
    };
    let (of_few, of_many) = (paths(few)?, paths(many)?);
    let (mut small, mut large, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Who comes first changes.
        let (one, other) = if round % 2 == 0 {
            let one = turn(few, &of_few)?;
            (one, turn(many, &of_many)?)
        } else {
            let other = turn(many, &of_many)?;
            (turn(few, &of_few)?, other)
        };
        if round > 0 {
            small.push(one);
            large.push(other);
            ratios.push(other / one);
        }
    }
    let sample = |values: Vec<f64>| values.into_iter().collect::<Sample>();
    let ratios = sample(ratios);
    let mut table = Table::new(
        format!("A hit, {PRODUCTS} products asked for in turn"),
        &["CPU µs, few", "CPU µs, many", "times", "bound"],
    );
    table.row([
        format!("{:.1}", sample(small)),
        format!("{:.1}", sample(large)),
        format!("{ratios}"),
        verdict(ratios.median(), BOUND, "times"),
    ]);
    table.print();
    Ok(())
}

/// Processor time of a request, in microseconds.
fn turn(side: &mut Side, paths: &[String]) -> Outcome<f64> {
    side.client.freshen()?;
    let before = cpu(side.instance.pid())?;
    for path in paths.iter().cycle().take(REQUESTS) {
        side.client.get(path)?;
    }
    let spent = cpu(side.instance.pid())?.saturating_sub(before);
    Ok(spent.as_secs_f64() * 1e6 / f64::from(u32::try_from(REQUESTS)?))
}
