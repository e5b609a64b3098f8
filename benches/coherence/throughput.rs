//! Part 2c: edits per second of several writers.

use std::{
    thread,
    time::{Duration, Instant},
};

use aisle::store::Connection;
use uuid::Uuid;

use crate::{
    Extent, direct,
    instance::Instance,
    outcome::{Outcome, joined},
    sample::Sample,
    servers::{Catalogue, settle},
    table::Table,
};

/// Writers at a time, each on a product of its own.
const WRITERS: usize = 8;

/// What the writers reached, fleet by fleet.
#[derive(Debug)]
pub(crate) struct Throughput {
    rounds: usize,
    window: Duration,
    table: Table,
}

impl Throughput {
    /// Nothing measured yet.
    pub(crate) fn new(extent: Extent) -> Self {
        let (rounds, seconds) = extent.of((3, 2), (1, 1));
        let mut table = Table::new(
            format!("2c. Edits per second of {WRITERS} writers"),
            &[
                "instances",
                "edits through",
                "edits/s (min–max)",
                "control: same statements, 8 direct connections",
                "ratio",
            ],
        );
        table.note(format!("{rounds} windows of {seconds} s each, API and control in turn."));
        Self { rounds, window: Duration::from_secs(seconds), table }
    }

    /// Writers on the first instance, and on all of them in turn.
    pub(crate) fn measure(&mut self, catalogue: &Catalogue, fleet: &[Instance], name: &str) -> Outcome<()> {
        let mut ways = vec![("instance 1", fleet.get(..1).unwrap_or_default())];
        if fleet.len() > 1 {
            ways.push(("all instances", fleet));
        }
        let mut connection = direct::muted(catalogue)?;
        for (way, instances) in ways {
            eprintln!("edits: {name}, {WRITERS} writers through {way}");
            let (mut api, mut control) = (Vec::new(), Vec::new());
            for _ in 0..self.rounds {
                settle(&mut connection)?;
                api.push(self.through(catalogue, instances)?);
                settle(&mut connection)?;
                control.push(self.directly(catalogue)?);
            }
            let ratio: Sample = api.iter().zip(&control).map(|(api, control)| api / control).collect();
            let rates = |values: Vec<f64>| format!("{:.0}", values.into_iter().collect::<Sample>());
            self.table.row([name.to_owned(), way.to_owned(), rates(api), rates(control), ratio.to_string()]);
        }
        Ok(())
    }

    /// Writes what was measured.
    pub(crate) fn print(&self) {
        self.table.print();
    }

    fn through(&self, catalogue: &Catalogue, instances: &[Instance]) -> Outcome<f64> {
        let mut writers = Vec::new();
        for number in 0..WRITERS {
            let place = number.checked_rem(instances.len()).ok_or("an empty fleet")?;
            let mut client = instances.get(place).ok_or("no such instance")?.client()?;
            writers.push(move |id: Uuid, title: &str| client.patch_title(id, title).map(drop));
        }
        self.rate(catalogue, writers)
    }

    fn directly(&self, catalogue: &Catalogue) -> Outcome<f64> {
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            let mut connection: Connection = direct::muted(catalogue)?;
            writers.push(move |id: Uuid, title: &str| direct::same(&mut connection, id, title).map(drop));
        }
        self.rate(catalogue, writers)
    }

    fn rate<W>(&self, catalogue: &Catalogue, writers: Vec<W>) -> Outcome<f64>
    where
        W: FnMut(Uuid, &str) -> Outcome<()> + Send,
    {
        let began = Instant::now();
        let until = began + self.window;
        let write = |number: usize, mut edit: W| {
            let id = catalogue.product(number)?;
            let mut count = 0_u32;
            while Instant::now() < until {
                count += 1;
                edit(id, &format!("Written {count} by {number} at {:?}", began.elapsed()))?;
            }
            Ok(count)
        };
        let write = &write;
        let counts = thread::scope(|scope| {
            let spawn = |(number, edit)| scope.spawn(move || write(number, edit));
            let threads: Vec<_> = writers.into_iter().enumerate().map(spawn).collect();
            threads.into_iter().map(joined).collect::<Outcome<Vec<u32>>>()
        })?;
        Ok(f64::from(counts.iter().sum::<u32>()) / began.elapsed().as_secs_f64())
    }
}
