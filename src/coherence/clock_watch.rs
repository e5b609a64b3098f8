//! Compares this machine's clock with the database's, to notice when either was set or the machine stood still.

use super::clock::Moment;
use crate::limits::CLOCK_JUMP_MAX;

/// What both clocks showed at the last renewal.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClockWatch {
    last: Option<Reading>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    sent: Moment,
    received: Moment,
    database_us: i64,
}

impl ClockWatch {
    /// Takes the database's clock as read between `sent` and `received`; whether one of the clocks has moved further than
    /// the other since the last reading, by more than the time the readings took and [`CLOCK_JUMP_MAX`].
    pub fn jumped(&mut self, sent: Moment, received: Moment, database_us: i64) -> bool {
        let reading = Reading { sent, received, database_us };
        let Some(last) = self.last.replace(reading) else { return false };
        let micros = |duration: std::time::Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let theirs = database_us.saturating_sub(last.database_us);
        // Between the end of the one reading and the start of the other at least, between start and end at most.
        let least = micros(sent.since(last.received));
        let most = micros(received.since(last.sent));
        let allowed = micros(CLOCK_JUMP_MAX);
        theirs < least.saturating_sub(allowed) || theirs > most.saturating_add(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Moment {
        Moment(milliseconds * 1_000_000)
    }

    #[test]
    fn only_a_jump_is_a_jump() {
        let mut watch = ClockWatch::default();
        assert!(!watch.jumped(at(0), at(1), 5_000_000));
        assert!(!watch.jumped(at(500), at(501), 5_500_000));
        // A slow answer says nothing: the clock may have been read at its start or at its end.
        assert!(!watch.jumped(at(1000), at(4000), 6_000_000));
        assert!(!watch.jumped(at(4500), at(4501), 9_500_000));
        // This machine stood still for ten seconds and its clock with it.
        assert!(watch.jumped(at(5000), at(5001), 20_000_000));
        assert!(!watch.jumped(at(5500), at(5501), 20_500_000));
        // The database's clock was set back.
        assert!(watch.jumped(at(6000), at(6001), 1_000_000));
    }
}
