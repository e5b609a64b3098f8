//! Stock levels: they move all day, so there is no `If-Match`; an adjustment composes with others.

use actix_web::{HttpRequest, HttpResponse, web::Payload};

use super::{
    answer::edited,
    fields::{Extent, Fields},
    shapes::{StockAdjustment, StockLevel},
};
use crate::{
    catalog::edits::{AdminVariant, ChangeStock, StockChange},
    http::{
        authorization::{Authorized, WriteScope},
        body,
        parameters::{path_id, path_text},
        problem::{Fault, Problem},
    },
    limits::{NAME_LENGTH_MAX, STOCK_MAX},
};

/// Set the units of a variant at a location
///
/// The location is made when missing, and stock is counted from then on.
#[utoipa::path(
    put,
    path = "/v1/admin/variants/{id}/stock/{location}",
    operation_id = "set_stock",
    tag = "variants",
    params(
        ("id" = uuid::Uuid, Path, description = "Id of the variant"),
        ("location" = String, Path, description = "Code of the location", example = "default", max_length = 255)
    ),
    request_body = StockLevel,
    responses((status = 200, description = "The variant after the edit", body = AdminVariant))
)]
pub(in crate::http) async fn set(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    change(&authorized, &request, payload, "quantity", StockChange::Set).await
}

/// Add units of a variant at a location, or take some away
///
/// Concurrent adjustments add up. Not idempotent: after an uncertain answer, read before repeating.
#[utoipa::path(
    post,
    path = "/v1/admin/variants/{id}/stock/{location}/adjust",
    operation_id = "adjust_stock",
    tag = "variants",
    params(
        ("id" = uuid::Uuid, Path, description = "Id of the variant"),
        ("location" = String, Path, description = "Code of the location", example = "default", max_length = 255)
    ),
    request_body = StockAdjustment,
    responses((status = 200, description = "The variant after the edit", body = AdminVariant))
)]
pub(in crate::http) async fn adjust(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    change(&authorized, &request, payload, "by", StockChange::Adjust).await
}

async fn change(
    authorized: &Authorized<WriteScope>,
    request: &HttpRequest,
    payload: Payload,
    field: &'static str,
    change: fn(i32) -> StockChange,
) -> Result<HttpResponse, Problem> {
    let id = path_id(request, "id")?;
    let location = path_location(request)?;
    let document = body::document(request, payload).await?;
    let mut fields = Fields::of(&document, Extent::Whole);
    let bound = i32::try_from(STOCK_MAX).unwrap_or(i32::MAX);
    let units = fields.integer(field, -bound..=bound);
    fields.require(field);
    fields.finish()?;
    edited(&authorized.edit(ChangeStock { id, location, change: change(units) }).await?)
}

fn path_location(request: &HttpRequest) -> Result<String, Problem> {
    let location = path_text(request, "location")?;
    if location.chars().count() > NAME_LENGTH_MAX || location.trim() != location {
        let detail = format!("at most {NAME_LENGTH_MAX} characters, without white space around them");
        return Err(Problem::parameters(vec![Fault::parameter("location", "not_a_code", detail)]));
    }
    Ok(location)
}
