//! Turns the first Ctrl-C or SIGTERM into an orderly stop and the second into a hasty one.

use std::io;

use actix_web::dev::ServerHandle;
use tokio::signal::unix::{Signal, SignalKind, signal};

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

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Stops the server when told to.
    pub(super) async fn stop(mut self, server: ServerHandle) {
        self.next().await;
        log::info!("stopping: finishing accepted requests (a second signal stops at once)");
        // The server itself does the work; the future only tells when it is done.
        drop(server.stop(true));
        self.next().await;
        log::info!("stopping at once");
        drop(server.stop(false));
    }
}
