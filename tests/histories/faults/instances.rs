//! Instances that end, stop and join.

use rustix::process::Signal;

use super::Fault;
use crate::{dice::Dice, world::World};

/// Killed without any chance to clean up.
#[derive(Debug, Default)]
pub(super) struct Kill(Option<usize>);

impl Fault for Kill {
    fn inject(&mut self, world: &mut World, dice: &mut Dice) -> Result<(), String> {
        let instance = world.hold_to_end(dice);
        self.0 = Some(instance);
        if let Some(server) = world.take(instance) {
            server.kill();
        }
        Ok(())
    }

    fn heal(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        serve_again(self.0.take(), world)
    }
}

fn serve_again(instance: Option<usize>, world: &mut World) -> Result<(), String> {
    let Some(instance) = instance else { return Ok(()) };
    world.release(instance);
    world.serve(instance)
}

/// Asked to end.
#[derive(Debug, Default)]
pub(super) struct Term(Option<usize>);

impl Fault for Term {
    fn inject(&mut self, world: &mut World, dice: &mut Dice) -> Result<(), String> {
        let instance = world.hold_to_end(dice);
        self.0 = Some(instance);
        if let Some(Err(error)) = world.take(instance).map(crate::server::Server::stop) {
            world.troubles.push(format!("instance {instance}: {error}"));
        }
        Ok(())
    }

    fn heal(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        serve_again(self.0.take(), world)
    }
}

/// Stopped in the middle of whatever it does; it goes on as if no time had passed.
#[derive(Debug, Default)]
pub(super) struct Stop(Option<usize>);

impl Fault for Stop {
    fn inject(&mut self, world: &mut World, dice: &mut Dice) -> Result<(), String> {
        let instance = world.hold(dice);
        self.0 = Some(instance);
        world.signal(instance, Signal::STOP);
        Ok(())
    }

    fn heal(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        if let Some(instance) = self.0.take() {
            world.release(instance);
            world.signal(instance, Signal::CONT);
        }
        Ok(())
    }
}

/// One more instance, for a while.
#[derive(Debug, Default)]
pub(super) struct Join;

impl Fault for Join {
    fn inject(&mut self, world: &mut World, _dice: &mut Dice) -> Result<(), String> {
        world.serve(world.stage.instances())
    }

    fn heal(&mut self, world: &mut World, dice: &mut Dice) -> Result<(), String> {
        let joined = world.stage.instances();
        world.withdraw(joined);
        match world.take(joined) {
            Some(server) if dice.roll(2) == 0 => server.kill(),
            Some(server) => {
                if let Err(error) = server.stop() {
                    world.troubles.push(format!("instance {joined}: {error}"));
                }
            }
            None => {}
        }
        Ok(())
    }
}
