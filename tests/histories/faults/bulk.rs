//! Many products in few transactions, as a bulk load writes them.

use std::thread::{self, JoinHandle};

use diesel::connection::SimpleConnection;

use super::Fault;
use crate::{dice::Dice, world::World};

/// Products of one transaction.
const BATCH: u32 = 5_000;

/// Writes products by SQL, batch after batch, and changes all of them at the second call.
#[derive(Debug)]
pub(super) struct Bulk {
    products: u32,
    running: Option<JoinHandle<Result<u32, String>>>,
}

impl Bulk {
    pub(super) fn of(products: u32) -> Self {
        Self { products, running: None }
    }
}

impl Fault for Bulk {
    fn inject(&mut self, world: &mut World, dice: &mut Dice) -> Result<(), String> {
        let mut connection = world.connect()?;
        let (products, number) = (self.products, dice.roll(1_000_000));
        let load = move || {
            let mut written = 0;
            while written < products {
                let upto = products.min(written + BATCH);
                let statement = format!(
                    "INSERT INTO product AS p (external_id, title) \
                     SELECT 'bulk-' || n, 'Bulk {number} ' || n FROM generate_series({}, {upto}) n \
                     ON CONFLICT (external_id) DO UPDATE SET title = excluded.title",
                    written + 1
                );
                connection.batch_execute(&statement).map_err(|error| format!("after {written}: {error}"))?;
                written = upto;
            }
            Ok(written)
        };
        self.running = Some(thread::spawn(load));
        Ok(())
    }

    fn heal(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        let Some(running) = self.running.take() else { return Ok(()) };
        match running.join().map_err(|_panic| "the bulk load panicked")? {
            Ok(written) => world.notes.push(format!("{written} products written in bulk")),
            // Beside another fault it may lose its session.
            Err(error) if world.mixed => world.notes.push(format!("bulk load ended {error}")),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
