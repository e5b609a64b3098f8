//! Turns the first Ctrl-C or SIGTERM into an orderly stop and the second into a hasty one.

use std::{io, time::Duration};

use actix_web::dev::ServerHandle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{closing::Doors, supervision::Draining};

/// The signals that end a server.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Starts catching them; needs a running runtime.
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The next one; whether it is SIGTERM.
    pub(super) async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => false,
            _ = self.terminate.recv() => true,
        }
    }

    /// Stops the server when told to. From then on every answer closes its connection, so that clients who keep theirs do not
    /// hold the stop up. SIGTERM comes from whoever sends requests elsewhere, so after it the server drains first.
    pub(super) async fn stop(mut self, stopping: Stopping) {
        let is_term = self.next().await;
        let Stopping { server, doors, draining, drain } = stopping;
        draining.begin();
        if is_term && !drain.is_zero() {
            log::info!("draining for {} s (a second signal stops at once)", drain.as_secs());
            tokio::select! {
                () = tokio::time::sleep(drain) => {}
                _ = self.next() => return stop_at_once(&server),
            }
        }
        log::info!("stopping: finishing accepted requests (a second signal stops at once)");
        if let Some(doors) = doors {
            doors.close().await;
        }
        // The server itself does the work; the future only tells when it is done.
        drop(server.stop(true));
        self.next().await;
        stop_at_once(&server);
    }
}

/// What is stopped, in this order.
#[derive(Debug)]
pub(super) struct Stopping {
    /// Tells clients to go elsewhere.
    pub(super) draining: Draining,
    /// How long everything is answered all the same.
    pub(super) drain: Duration,
    /// Lets nobody in any more.
    pub(super) doors: Option<Doors>,
    /// Finishes what was accepted.
    pub(super) server: ServerHandle,
}

fn stop_at_once(server: &ServerHandle) {
    log::info!("stopping at once");
    drop(server.stop(false));
}
