//! What the handlers of one HTTP worker share: settings, and headers made once. The catalogue's handle stands beside it.

use std::{cell::RefCell, fmt, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{HttpRequest, http::header::HeaderValue, web::Data};

use super::{problem::Problem, rate_limit::RateLimits};
use crate::{
    catalog::{Catalog, edits::SecretHash, messages::ViewKey},
    domain::{locale::Locale, money::Currency, token},
    limiting::Limits,
    settings::ServeSettings,
    supervision::Draining,
    telemetry::metrics::Metrics,
};

/// Seconds for which a cache may go on serving an expired answer while the server cannot be reached.
const STALE_IF_ERROR: u32 = 86_400;

/// Seconds for which a cache may keep that nothing is there: long enough to spare the server a crowd that follows a dead
/// link, short enough that a scan over made-up names leaves a cache to what exists, and that a new product is seen where
/// nobody purges.
const ABSENT_AGE_MAX: u32 = 60;

/// Caches may keep an answer and must ask each time whether it is still right.
const MUST_REVALIDATE: &str = "public, no-cache";

/// What HTTP needs of the settings. The admin token is kept as its hash only.
#[derive(Clone)]
pub struct HttpSettings {
    currency: Currency,
    locales: Vec<Locale>,
    max_age: u32,
    admin_token: Option<SecretHash>,
    access_log: bool,
    draining: Draining,
    search_age: Duration,
    admin_address: Option<SocketAddr>,
    trusted_proxies: u8,
    limits: Option<RateLimits>,
}

impl HttpSettings {
    /// Takes what HTTP needs, the sign that the process is about to stop, and the listener that the admin API has for itself.
    pub fn new(settings: &ServeSettings, draining: &Draining, admin_address: Option<SocketAddr>) -> Self {
        Self {
            admin_address,
            currency: settings.currency,
            locales: settings.locales.clone(),
            max_age: settings.max_age,
            admin_token: settings.admin_token.as_deref().map(token::hash),
            access_log: settings.access_log,
            draining: draining.clone(),
            search_age: Duration::from_secs(settings.search_age.into()),
            trusted_proxies: settings.trusted_proxies,
            limits: None,
        }
    }

    /// Limits the rate of requests.
    #[must_use]
    pub fn with_limits(mut self, limits: Option<Arc<Limits>>) -> Self {
        self.limits = limits.map(|limits| RateLimits::new(limits, self.trusted_proxies));
        self
    }
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSettings")
            .field("currency", &self.currency)
            .field("locales", &self.locales)
            .field("max_age", &self.max_age)
            .field("access_log", &self.access_log)
            .finish_non_exhaustive()
    }
}

/// Shared by the handlers of one HTTP worker. Made on the worker's thread and kept there.
#[derive(Debug)]
pub(super) struct State {
    /// What is counted.
    pub(super) metrics: Arc<Metrics>,
    /// Whether every request is logged.
    pub(super) access_log: bool,
    /// Whether the process is about to stop.
    pub(super) draining: Draining,
    /// The only listener of the admin API and the metrics, if they have one.
    pub(super) admin_address: Option<SocketAddr>,
    /// How old a search may be where the client takes an old one.
    pub(super) search_age: Duration,
    /// Languages served; the first is the default.
    pub(super) locales: Vec<Locale>,
    /// View of a request that asks for none.
    pub(super) default_view: ViewKey,
    /// Headers of store answers.
    pub(super) headers: StoreHeaders,
    /// Hash of the admin token of the settings.
    pub(super) admin_token: Option<SecretHash>,
    /// Balancers in front, which tell whose requests they pass on.
    pub(super) trusted_proxies: u8,
    /// Rate limits, if there are any.
    pub(super) limits: Option<RateLimits>,
}

impl State {
    /// Makes the state of one worker.
    pub(super) fn new(settings: &HttpSettings, metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            access_log: settings.access_log,
            draining: settings.draining.clone(),
            admin_address: settings.admin_address,
            search_age: settings.search_age,
            locales: settings.locales.clone(),
            default_view: ViewKey { currency: settings.currency, locale: 0 },
            headers: StoreHeaders::new(settings),
            admin_token: settings.admin_token,
            trusted_proxies: settings.trusted_proxies,
            limits: settings.limits.clone(),
        }
    }
}

/// The worker's way to the actors.
pub(super) fn catalog(request: &HttpRequest) -> Result<&Catalog, Problem> {
    let catalog = request.app_data::<Data<Catalog>>();
    catalog.map(Data::get_ref).ok_or_else(|| Problem::internal("the worker has no catalogue"))
}

/// Header values of store answers, made once: an answer only counts references up.
#[derive(Debug)]
pub(super) struct StoreHeaders {
    cache_control: HeaderValue,
    /// The same where nothing is there, if that may be kept at all.
    pub(super) absent_cache_control: HeaderValue,
    pub(super) content_languages: Vec<HeaderValue>,
    /// Whether caches may keep answers without asking, and so need keys to purge them by.
    pub(super) surrogate_keys: bool,
    position: RefCell<(i64, HeaderValue)>,
}

impl StoreHeaders {
    fn new(settings: &HttpSettings) -> Self {
        let age = settings.max_age;
        let cache_control = if age == 0 {
            MUST_REVALIDATE.to_owned()
        } else {
            format!("public, max-age={age}, stale-while-revalidate={age}, stale-if-error={STALE_IF_ERROR}")
        };
        let language = |tag: &Locale| HeaderValue::from_str(tag.as_str()).ok();
        Self {
            cache_control: HeaderValue::try_from(cache_control)
                .unwrap_or(HeaderValue::from_static(MUST_REVALIDATE)),
            absent_cache_control: HeaderValue::try_from(format!(
                "public, max-age={}",
                age.min(ABSENT_AGE_MAX)
            ))
            .unwrap_or(HeaderValue::from_static(MUST_REVALIDATE)),
            content_languages: settings.locales.iter().filter_map(language).collect(),
            surrogate_keys: age > 0,
            position: RefCell::new((0, HeaderValue::from(0))),
        }
    }

    /// How long an answer may be kept. One that nobody vouches for may lack a change for which caches were purged already, so
    /// it must be asked for again.
    pub(super) fn cache_control(&self, is_verified: bool) -> HeaderValue {
        if is_verified { self.cache_control.clone() } else { HeaderValue::from_static(MUST_REVALIDATE) }
    }

    /// The value for a log position. Positions move with edits only, so the last one mostly fits again.
    pub(super) fn position(&self, position: i64) -> HeaderValue {
        let mut last = self.position.borrow_mut();
        if last.0 != position {
            *last = (position, HeaderValue::from(position));
        }
        last.1.clone()
    }
}
