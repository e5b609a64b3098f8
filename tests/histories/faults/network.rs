//! Links between one instance and one server.

use super::Fault;
use crate::{dice::Dice, support::chaos::Relay, world::World};

/// What happens to the link.
#[derive(Debug, Clone, Copy)]
pub(super) enum Harm {
    Cut,
    Freeze,
    /// Every portion comes 5 to 100 ms later.
    Delay,
}

/// One instance's link to one server.
#[derive(Debug)]
pub(super) struct Broken {
    harm: Harm,
    /// To Redis, to Postgres, or to either.
    redis: Option<bool>,
    now: Option<(usize, bool)>,
}

impl Broken {
    pub(super) fn redis(harm: Harm) -> Self {
        Self { harm, redis: Some(true), now: None }
    }

    pub(super) fn postgres(harm: Harm) -> Self {
        Self { harm, redis: Some(false), now: None }
    }

    pub(super) fn any(harm: Harm) -> Self {
        Self { harm, redis: None, now: None }
    }
}

fn relay(world: &World, (instance, redis): (usize, bool)) -> Option<&Relay> {
    let links = &world.links[instance];
    if redis { links.redis.as_ref() } else { Some(&links.postgres) }
}

impl Fault for Broken {
    fn inject(&mut self, world: &mut World, dice: &mut Dice) -> Result<(), String> {
        let redis = self.redis.unwrap_or_else(|| world.redis.is_some() && dice.roll(2) == 0);
        let link = (world.hold(dice), redis);
        self.now = Some(link);
        let delay = 5 + 5 * u64::try_from(dice.roll(20)).expect("64 bits");
        let relay = relay(world, link).ok_or("there is no Redis")?;
        match self.harm {
            Harm::Cut => relay.cut(),
            Harm::Freeze => relay.freeze(),
            Harm::Delay => relay.delay(delay),
        }
        Ok(())
    }

    fn heal(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        if let Some(link) = self.now.take() {
            world.release(link.0);
            if let Some(relay) = relay(world, link) {
                relay.heal();
            }
        }
        Ok(())
    }
}
