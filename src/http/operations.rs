//! What operators and their tools ask: is it alive, is it ready, what does it count, what do its problems mean.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::Data,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    problem::{Code, Problem},
    route::Routes,
    state::{State, catalog},
};
use crate::{
    catalog::{Catalog, health::Health},
    telemetry::metrics,
};

/// Declares the routes.
pub(super) fn declare(routes: &mut Routes<'_>) {
    routes.at("/livez", |at| at.get(live));
    routes.at("/readyz", |at| at.get(ready));
    routes.at("/metrics", |at| at.get(measured));
    routes.at("/problems/{code}", |at| at.get(explained));
}

/// Tell whether the process answers
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "get_liveness",
    tag = "operations",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain", example = "ok"))
)]
pub(super) async fn live() -> HttpResponse {
    text("text/plain; charset=utf-8", "ok")
}

/// Tell whether requests should be sent here, per dependency
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "get_readiness",
    tag = "operations",
    responses(
        (status = 200, description = "Ready", body = Health),
        (status = 503, description = "Not ready; `checks` says what is missing", body = Health)
    )
)]
pub(super) async fn ready(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let health = catalog(&request)?.health().await;
    let status = if health.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok(HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .json(health))
}

/// Get the metrics in the Prometheus text format
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "get_metrics",
    tag = "operations",
    responses((status = 200, description = "All metrics", body = String, content_type = "text/plain"))
)]
pub(super) async fn measured(state: Data<State>, catalog: Data<Catalog>) -> Result<HttpResponse, Problem> {
    catalog.observe();
    let mut body = Vec::new();
    state.metrics.encode(&mut body).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(text(metrics::CONTENT_TYPE, body))
}

/// A kind of problem, explained.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Explanation {
    /// Stable name.
    #[schema(example = "version_conflict")]
    code: &'static str,
    /// The kind in words.
    title: &'static str,
    /// Status of answers of this kind.
    status: u16,
    /// What it means and what a client can do.
    meaning: &'static str,
}

/// Explain a kind of problem: what `type` of a problem document leads to
#[utoipa::path(
    get,
    path = "/problems/{code}",
    operation_id = "get_problem",
    tag = "operations",
    params(("code" = String, Path, description = "`code` of a problem document", example = "version_conflict")),
    responses((status = 200, description = "The kind of problem", body = Explanation))
)]
pub(super) async fn explained(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let name = request.match_info().get("code").unwrap_or_default();
    let code = Code::ALL.iter().find(|code| code.name() == name).ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .json(Explanation {
            code: code.name(),
            title: code.title(),
            status: code.status().as_u16(),
            meaning: code.meaning(),
        }))
}

fn text(content_type: &'static str, body: impl actix_web::body::MessageBody + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static(content_type)))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .body(body)
}
