//! `aisle serve`: everything a server needs, in order: its databases, the schema, a token, a catalogue, the application.

use std::time::Duration;

use actix_rt::System;
use chrono::Utc;
use clap::Args;

use super::{
    demo,
    error::CliError,
    open_files, output,
    services::{self, Opened},
    signals::{Signals, Stopping},
    token,
};
use crate::{
    application::{Application, Backends},
    settings::ServeSettings,
    store::{
        pool, products,
        tokens::{self, Scope},
    },
    supervision::supervisor::EXIT_RESTART_STORM,
};

/// Name of the token that the first start makes.
const FIRST_TOKEN: &str = "first start";

/// Serve the catalogue until told to stop
///
/// Starts a private Postgres and Redis unless `DATABASE_URL` names a database, brings the schema up to date, and prints an
/// admin token once, at the first start. Says `listening on http://…` on standard output when it is ready. Ctrl-C or SIGTERM
/// finishes accepted requests and stops what it started.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    settings: ServeSettings,

    /// Before serving, put so many made-up products into a catalogue that has none
    #[arg(long, value_name = "PRODUCTS", default_value_t = 0, env = "AISLE_DEMO", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    demo: u32,
}

impl Serve {
    pub(super) fn run(mut self) -> Result<(), CliError> {
        open_files::raise_limit();
        let Opened { backends, private } =
            services::own(&self.settings.services, Duration::from_secs(self.settings.start_timeout.into()))?;
        if private.is_some() {
            let own = || self.settings.services.data_dir.join("snapshots");
            self.settings.snapshot_dir = self.settings.snapshot_dir.take().or_else(|| Some(own()));
        }
        if backends.redis_url.is_none() && private.is_none() {
            log::info!("no REDIS_URL: no shared cache, everything else works");
        }
        if self.demo > 0 {
            sample_catalogue(&backends, self.demo)?;
        }
        let token = first_token(&self.settings, &backends)?;
        let code = serve(&self.settings, &backends, token.as_deref())?;
        if let Some(private) = private {
            log::info!("stopping the private servers");
            private.stop();
        }
        log::info!("stopped");
        match code {
            0 => Ok(()),
            EXIT_RESTART_STORM => Err(CliError::RestartStorm),
            other => Err(CliError::Failed(format!("the actor system ended with code {other}"))),
        }
    }
}

/// Makes an admin token if there is no other way in: none given by the settings, none that works in the database.
fn first_token(settings: &ServeSettings, backends: &Backends) -> Result<Option<String>, CliError> {
    if settings.admin_token.is_some() {
        return Ok(None);
    }
    let mut connection = pool::connect(&backends.database_url)?;
    let now = Utc::now();
    if tokens::list(&mut connection)?.iter().any(|known| token::works(known, now)) {
        return Ok(None);
    }
    token::issue(&mut connection, FIRST_TOKEN, Scope::Manage, None).map(|(_, text)| Some(text))
}

/// Fills a catalogue that has no product, not even a deleted one: one that somebody emptied stays as it is.
fn sample_catalogue(backends: &Backends, products: u32) -> Result<(), CliError> {
    let mut connection = pool::connect_for_bulk(&backends.database_url)?;
    for deleted in [false, true] {
        if !products::list(&mut connection, None, 1, deleted)?.items.is_empty() {
            return Ok(());
        }
    }
    log::info!("making {products} sample products");
    let report = demo::load(&mut connection, products, demo::SEED)?;
    log::info!("made {} sample products", report.created);
    Ok(())
}

/// Runs the application until it is stopped; the exit code of its system.
fn serve(settings: &ServeSettings, backends: &Backends, token: Option<&str>) -> Result<i32, CliError> {
    let system = System::new();
    system.block_on(async {
        let signals = Signals::catch().map_err(CliError::io("catch signals"))?;
        let mut application = Application::start(settings, backends)?;
        let scheme = application.scheme();
        let url = |address| format!("{scheme}://{address}");
        introduce(&url(application.address()), application.admin_address().map(url).as_deref(), token)?;
        let stopping = Stopping {
            server: application.handle(),
            doors: application.take_doors(),
            draining: application.shared().draining.clone(),
            drain: Duration::from_secs(u64::from(settings.drain_seconds)),
        };
        actix_rt::spawn(signals.stop(stopping));
        actix_rt::spawn(async {
            let code = match application.run().await {
                Ok(()) => 0,
                Err(error) => {
                    log::error!("the HTTP server failed: {error}");
                    1
                }
            };
            System::current().stop_with_code(code);
        });
        Ok::<(), CliError>(())
    })?;
    system.run_with_code().map_err(CliError::io("run the actor system"))
}

/// Says where to look; the last line is the one scripts wait for.
fn introduce(url: &str, admin: Option<&str>, token: Option<&str>) -> Result<(), CliError> {
    output::line(format_args!("storefront  {url}/v1/store/products?limit=5"))?;
    output::line(format_args!("API viewer  {url}/docs"))?;
    output::line(format_args!("health      {url}/readyz"))?;
    output::line(format_args!("metrics     {}/metrics", admin.unwrap_or(url)))?;
    if let Some(admin) = admin {
        output::line(format_args!("admin API   {admin}/v1/admin"))?;
    }
    match token {
        Some(token) => output::line(format_args!("admin token {token}  (made now, shown only this once)"))?,
        None => output::line("admin token as given or made before; another: aisle token create --name NAME")?,
    }
    output::line(format_args!("listening on {url}"))
}
