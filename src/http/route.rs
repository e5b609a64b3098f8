//! How a route is declared: its path, its methods, and around them what every request gets.
//!
//! One wrapper per resource rather than one middleware around everything: the wrapper is made with its route's metric handles,
//! so that no request has to look up which route it took. It counts and times, turns every error into a problem document
//! (the framework's own too), catches panics so that a defect costs an answer and not a connection, and logs what failed or was
//! slow. There is no other middleware.

use std::{
    any::Any,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    rc::Rc,
    time::{Duration, Instant},
};

use actix_web::{
    Error, FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder,
    body::BoxBody,
    dev::{Service, ServiceRequest, ServiceResponse, fn_service},
    http::{
        ConnectionType, Method,
        header::{self, HeaderValue},
    },
    web::{self, ServiceConfig},
};
use futures_util::FutureExt;

use super::{
    authorization,
    problem::{Code, Problem, REQUEST_ID},
    rate_limit::RateLimits,
    request_id,
    state::State,
};
use crate::{
    limits::{SLOW_REQUEST, URI_BYTES_MAX},
    supervision::Draining,
    telemetry::metrics::RouteMetrics,
};

/// Paths that only token holders learn anything about.
const ADMIN_PREFIX: &str = "/v1/admin";

/// Paths of the store API, which count against the limit of an address, those that do not exist too.
const STORE_PREFIX: &str = "/v1/store/";

/// The route of every path that none is declared for.
const UNMATCHED: &str = "unmatched";

/// What a listener of their own hides from everybody else, beside the admin API.
const METRICS: &str = "/metrics";

/// Declares routes; each becomes one resource that knows all its methods.
pub(super) struct Routes<'a> {
    config: &'a mut ServiceConfig,
    state: &'a State,
    /// What was declared: path template and methods.
    pub(super) declared: Vec<(&'static str, Vec<Method>)>,
}

impl<'a> Routes<'a> {
    pub(super) fn new(config: &'a mut ServiceConfig, state: &'a State) -> Self {
        Self { config, state, declared: Vec::new() }
    }

    /// Declares the resource at a path.
    pub(super) fn at(&mut self, path: &'static str, methods: impl FnOnce(Methods) -> Methods) {
        let Methods { resource, declared } =
            methods(Methods { resource: web::resource(path), declared: Vec::new() });
        let allow = declared.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let allow = HeaderValue::try_from(allow).unwrap_or(HeaderValue::from_static(""));
        let route = Rc::new(self.route(path));
        let resource = resource
            .default_service(web::to(move |request: HttpRequest| refuse_method(request, allow.clone())))
            .wrap_fn(move |request, service| observe(Rc::clone(&route), request, service));
        self.config.service(resource);
        self.declared.push((path, declared));
    }

    /// Declares what happens to every other path.
    pub(super) fn otherwise(&mut self) {
        let route = Rc::new(self.route(UNMATCHED));
        let refuse = fn_service(|request: ServiceRequest| async move {
            let problem = refuse_path(request.request()).await;
            Ok::<_, Error>(request.error_response(problem))
        });
        self.config.default_service(fn_service(move |request| observe(Rc::clone(&route), request, &refuse)));
    }

    fn route(&self, template: &'static str) -> Route {
        let metrics = self.state.metrics.http.route(template);
        if let Err(error) = &metrics {
            log::error!("route is not measured route={template} error={error}");
        }
        Route {
            metrics: metrics.ok(),
            access_log: self.state.access_log,
            draining: self.state.draining.clone(),
            admin: template.starts_with(ADMIN_PREFIX),
            store: template.starts_with(STORE_PREFIX),
            limits: self.state.limits.clone().filter(|_| is_limited(template)),
            only_at: self
                .state
                .admin_address
                .filter(|_| template.starts_with(ADMIN_PREFIX) || template == METRICS),
        }
    }
}

/// The methods of one resource.
pub(super) struct Methods {
    resource: Resource,
    declared: Vec<Method>,
}

macro_rules! methods {
    ($($name:ident $method:ident)*) => {
        $(
            pub(super) fn $name<F, A>(self, handler: F) -> Self
            where
                F: Handler<A>,
                A: FromRequest + 'static,
                F::Output: Responder + 'static,
            {
                self.on(Method::$method, handler)
            }
        )*
    };
}

impl Methods {
    methods!(post POST put PUT patch PATCH delete DELETE);

    /// GET, and HEAD with the same handler: the server leaves out the body.
    pub(super) fn get<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::GET, handler.clone()).on(Method::HEAD, handler)
    }

    fn on<F, A>(mut self, method: Method, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.resource = self.resource.route(web::method(method.clone()).to(handler));
        self.declared.push(method);
        self
    }
}

/// What the wrapper of a resource knows.
struct Route {
    metrics: Option<RouteMetrics>,
    access_log: bool,
    admin: bool,
    store: bool,
    /// What its requests count against, if anything.
    limits: Option<RateLimits>,
    /// The only listener that knows it, if it has one.
    only_at: Option<SocketAddr>,
    draining: Draining,
}

impl Route {
    /// Refuses what no handler needs to see.
    fn admit(&self, request: &HttpRequest) -> Result<(), Problem> {
        if let Some(limits) = &self.limits
            && (self.store || request.path().starts_with(STORE_PREFIX))
        {
            limits.count_address(request)?;
        }
        if uri_length(request) > URI_BYTES_MAX {
            return Err(Problem::new(Code::UriTooLong, "path and query together are too long"));
        }
        if self.is_hidden_from(request) {
            return Err(Problem::not_found());
        }
        Ok(())
    }

    /// Whether the request came to a listener that does not know the route.
    fn is_hidden_from(&self, request: &HttpRequest) -> bool {
        self.only_at.is_some_and(|own| own != request.app_config().local_addr())
    }
}

/// Whether requests of a route may count against a limit. What operators and their tools ask never does.
fn is_limited(template: &str) -> bool {
    template.starts_with(STORE_PREFIX) || template.starts_with(ADMIN_PREFIX) || template == UNMATCHED
}

/// Counts a request as under way for as long as it lives; a client may go away at any point.
struct InFlight(Rc<Route>);

impl InFlight {
    fn new(route: Rc<Route>) -> Self {
        route.metrics.iter().for_each(RouteMetrics::begin);
        Self(route)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.metrics.iter().for_each(RouteMetrics::end);
    }
}

fn observe<S>(
    route: Rc<Route>,
    request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    let started = Instant::now();
    let in_flight = InFlight::new(route);
    let head = request.request().clone();
    let answer = in_flight.0.admit(&head).map(|()| service.call(request));
    async move {
        let route = &in_flight.0;
        let answered = match answer {
            Ok(future) => AssertUnwindSafe(future).catch_unwind().await,
            Err(problem) => Ok(Err(problem.into())),
        };
        let mut response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => ServiceResponse::from_err(error, head.clone()),
            Err(panic) => {
                route.metrics.iter().for_each(RouteMetrics::caught_panic);
                let cause = format!("handler panicked: {}", panic_message(panic.as_ref()));
                ServiceResponse::from_err(Problem::internal(cause), head.clone())
            }
        };
        let status = response.status();
        let elapsed = started.elapsed();
        let failed = status.is_client_error() || status.is_server_error();
        if failed || route.admin || route.access_log || elapsed > SLOW_REQUEST {
            response = finish(route, response, elapsed);
        }
        if route.limits.is_some() {
            RateLimits::label(&head, response.headers_mut());
        }
        if let Some(metrics) = &route.metrics {
            metrics.observe(head.method().as_str(), response.status().as_u16(), elapsed.as_secs_f64());
        }
        if route.draining.has_begun() {
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        }
        Ok(response)
    }
}

/// Everything that needs the request's id: problem documents, the admin API's header, log lines.
fn finish(route: &Route, response: ServiceResponse, elapsed: Duration) -> ServiceResponse {
    let id = request_id::of(response.request());
    let (request, response) = response.into_parts();
    let mut answer = match problem_of(&response) {
        Some(problem) => {
            log_problem(&request, &id, &problem);
            problem.respond(&id)
        }
        None => response,
    };
    if route.admin
        && let Ok(value) = HeaderValue::from_str(&id)
    {
        answer.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    let (method, path, status) = (request.method(), request.path(), answer.status().as_u16());
    let ms = elapsed.as_millis();
    if elapsed > SLOW_REQUEST {
        log::warn!("slow request method={method} path={path:?} status={status} ms={ms} request_id={id}");
    } else if route.access_log {
        log::info!("request method={method} path={path:?} status={status} ms={ms} request_id={id}");
    }
    ServiceResponse::new(request, answer)
}

/// The problem of a failed answer: a handler's, or one for what the framework refused. An answer that a handler wrote in full
/// stays as it is, whatever its status.
fn problem_of(response: &HttpResponse) -> Option<Problem> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    match response.error() {
        Some(error) => error.as_error::<Problem>().cloned(),
        None if response.headers().contains_key(header::CONTENT_TYPE) => return None,
        None => None,
    }
    .or_else(|| Some(Problem::new(Code::of_status(status), status.canonical_reason().unwrap_or("failed"))))
}

/// A defect is an error; a dependency that is away is a warning. Overload is counted and not logged: under it, a line per
/// refusal would be load of its own.
fn log_problem(request: &HttpRequest, id: &str, problem: &Problem) {
    let (method, path, code) = (request.method(), request.path(), problem.code());
    let level = if code == Code::Internal {
        log::Level::Error
    } else if matches!(code, Code::Unavailable | Code::DeadlineExceeded) {
        log::Level::Warn
    } else {
        log::Level::Debug
    };
    let cause = problem.cause().unwrap_or("-");
    log::log!(
        level,
        "request failed method={method} path={path:?} code={} request_id={id} cause={cause}",
        code.name()
    );
}

fn uri_length(request: &HttpRequest) -> usize {
    request.uri().path_and_query().map_or(0, |all| all.as_str().len())
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// A known path with a method it does not have. Token holders only learn so of the admin API.
async fn refuse_method(request: HttpRequest, allow: HeaderValue) -> Result<&'static str, Problem> {
    authorize_admin(&request).await?;
    Err(Problem::new(Code::MethodNotAllowed, "this path does not know the method")
        .with_header(header::ALLOW, allow))
}

async fn refuse_path(request: &HttpRequest) -> Problem {
    match authorize_admin(request).await {
        Ok(()) => Problem::not_found(),
        Err(problem) => problem,
    }
}

async fn authorize_admin(request: &HttpRequest) -> Result<(), Problem> {
    let path = request.path();
    let admin = path.strip_prefix(ADMIN_PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let state = request.app_data::<web::Data<State>>();
    let only_at = state.and_then(|state| state.admin_address);
    // Elsewhere the admin API is like any other path that does not exist.
    if admin && only_at.is_none_or(|own| own == request.app_config().local_addr()) {
        authorization::authorize(request).await?;
    }
    Ok(())
}
