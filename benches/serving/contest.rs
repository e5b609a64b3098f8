//! Servers under the same load in turns, in changing order, so that whatever else the machine does meets all alike.

use std::time::Duration;

use tokio::runtime::Runtime;

use crate::{
    load::{CONNECTIONS, Load},
    support::{outcome::Outcome, sample::Sample},
};

/// One of those that compete.
pub(crate) struct Contestant<'a> {
    /// Time it has spent on a core.
    pub(crate) cpu: Box<dyn Fn() -> Outcome<Duration> + 'a>,
    /// Its load.
    pub(crate) load: Load,
}

/// How long and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turns {
    /// Turns of each.
    pub(crate) turns: usize,
    /// Requests on each connection in a turn.
    pub(crate) each: usize,
}

/// What one server needed in one turn.
#[derive(Debug)]
struct Turn {
    /// Processor time per request, in microseconds.
    cpu: f64,
    /// Requests per second.
    rate: f64,
    /// Milliseconds of each.
    latencies: Vec<f64>,
}

/// Every turn of every contestant, in their order.
#[derive(Debug)]
pub(crate) struct Scores(Vec<Vec<Turn>>);

/// Runs them all.
pub(crate) fn hold(runtime: &Runtime, contestants: &mut [Contestant<'_>], turns: Turns) -> Outcome<Scores> {
    let requests = f64::from(u32::try_from(CONNECTIONS * turns.each)?);
    let count = contestants.len().max(1);
    let mut scores: Vec<Vec<Turn>> = contestants.iter().map(|_| Vec::new()).collect();
    for number in 0..turns.turns {
        for step in 0..contestants.len() {
            // There and back again, each time from another one on.
            let step = if number.is_multiple_of(2) { step } else { count - 1 - step };
            let place = (number / 2 + step) % count;
            let (Some(contestant), Some(scores)) = (contestants.get_mut(place), scores.get_mut(place)) else {
                continue;
            };
            contestant.load.freshen(runtime)?;
            let before = (contestant.cpu)()?;
            let lap = contestant.load.run(runtime, turns.each)?;
            let cpu = (contestant.cpu)()?.saturating_sub(before);
            scores.push(Turn {
                cpu: cpu.as_secs_f64() * 1e6 / requests,
                rate: lap.rate()?,
                latencies: lap.latencies,
            });
        }
    }
    Ok(Scores(scores))
}

impl Scores {
    /// Processor time per request of one, all turns.
    pub(crate) fn cpu(&self, place: usize) -> Sample {
        self.turns(place).map(|turn| turn.cpu).collect()
    }

    /// Requests per second of one, all turns.
    pub(crate) fn rate(&self, place: usize) -> Sample {
        self.turns(place).map(|turn| turn.rate).collect()
    }

    /// Milliseconds of each request of one, all turns.
    pub(crate) fn latencies(&self, place: usize) -> impl Iterator<Item = f64> + '_ {
        self.turns(place).flat_map(|turn| turn.latencies.iter().copied())
    }

    /// Processor time of one over that of another, turn by turn.
    pub(crate) fn cpu_ratio(&self, of: usize, to: usize) -> Sample {
        self.turns(of).zip(self.turns(to)).map(|(of, to)| of.cpu / to.cpu).collect()
    }

    /// Requests per second of one over those of another, turn by turn.
    pub(crate) fn rate_ratio(&self, of: usize, to: usize) -> Sample {
        self.turns(of).zip(self.turns(to)).map(|(of, to)| of.rate / to.rate).collect()
    }

    fn turns(&self, place: usize) -> impl Iterator<Item = &Turn> {
        self.0.get(place).into_iter().flatten()
    }
}
