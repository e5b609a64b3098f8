//! Single variants and their prices.

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use serde_json::Value;

use super::{
    answer::{edited, shown},
    shapes::{IfMatch, PriceEdit},
};
use crate::{
    catalog::edits::{AdminVariant, GetVariant, PatchVariant, RemovePrice, SetPrice},
    domain::{draft::PriceDraft, draft_reader, invalid::Invalid, money::Currency},
    http::{
        authorization::{Authorized, ReadScope, WriteScope},
        body,
        conditional::required_match,
        parameters::{path_id, path_text},
        problem::{Fault, Problem},
        state::catalog,
    },
};

/// Get a variant
#[utoipa::path(
    get,
    path = "/v1/admin/variants/{id}",
    operation_id = "get_variant",
    tag = "variants",
    params(("id" = uuid::Uuid, Path, description = "Id of the variant")),
    responses((status = 200, description = "The variant", body = AdminVariant))
)]
pub(in crate::http) async fn get(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = path_id(&request, "id")?;
    shown(&catalog(&request)?.query(GetVariant { id }).await?)
}

/// Change parts of a variant
///
/// A JSON Merge Patch (RFC 7396): null removes, lists are replaced whole. Version and `ETag` are the product's.
#[utoipa::path(
    patch,
    path = "/v1/admin/variants/{id}",
    operation_id = "patch_variant",
    tag = "variants",
    params(("id" = uuid::Uuid, Path, description = "Id of the variant"), IfMatch),
    request_body(content(
        (Object = "application/merge-patch+json", example = json!({"barcode": "4006381333931"})),
        (Object = "application/json", example = json!({"prices": [{"currency": "USD", "amount": 5999}]}))
    )),
    responses((status = 200, description = "The variant after the edit", body = AdminVariant))
)]
pub(in crate::http) async fn patch(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let id = path_id(&request, "id")?;
    let precondition = required_match(request.headers())?;
    let patch = body::patch(&request, payload).await?;
    edited(&authorized.edit(PatchVariant { id, precondition, patch }).await?)
}

/// Set a variant's price in a currency
#[utoipa::path(
    put,
    path = "/v1/admin/variants/{id}/prices/{currency}",
    operation_id = "set_price",
    tag = "variants",
    params(
        ("id" = uuid::Uuid, Path, description = "Id of the variant"),
        ("currency" = String, Path, description = "ISO 4217 code", example = "USD", pattern = "^[A-Za-z]{3}$"),
        IfMatch
    ),
    request_body = PriceEdit,
    responses((status = 200, description = "The variant after the edit", body = AdminVariant))
)]
pub(in crate::http) async fn set_price(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let id = path_id(&request, "id")?;
    let currency = path_currency(&request)?;
    let precondition = required_match(request.headers())?;
    let price = price(body::document(&request, payload).await?, currency)?;
    edited(&authorized.edit(SetPrice { id, precondition, price }).await?)
}

/// Remove a variant's price in a currency
#[utoipa::path(
    delete,
    path = "/v1/admin/variants/{id}/prices/{currency}",
    operation_id = "remove_price",
    tag = "variants",
    params(
        ("id" = uuid::Uuid, Path, description = "Id of the variant"),
        ("currency" = String, Path, description = "ISO 4217 code", example = "USD", pattern = "^[A-Za-z]{3}$"),
        IfMatch
    ),
    responses((status = 200, description = "The variant after the edit", body = AdminVariant))
)]
pub(in crate::http) async fn remove_price(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = path_id(&request, "id")?;
    let currency = path_currency(&request)?;
    let precondition = required_match(request.headers())?;
    edited(&authorized.edit(RemovePrice { id, precondition, currency }).await?)
}

fn path_currency(request: &HttpRequest) -> Result<Currency, Problem> {
    let code = path_text(request, "currency")?;
    Currency::parse(&code).ok_or_else(|| {
        let known = "an ISO 4217 code of a currency with a minor unit";
        Problem::parameters(vec![Fault::parameter("currency", "unknown_currency", known)])
    })
}

/// A price whose currency the path names; the body may repeat it.
fn price(mut document: Value, currency: Currency) -> Result<PriceDraft, Problem> {
    if let Some(object) = document.as_object_mut() {
        object.entry("currency").or_insert_with(|| Value::from(currency.code()));
    }
    let price = draft_reader::read_price(&document).map_err(Problem::invalid)?;
    if price.currency == currency {
        Ok(price)
    } else {
        Err(Problem::invalid(vec![Invalid::new("#/currency", "differs", "must be the currency of the path")]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_path_names_the_currency() {
        let usd = Currency::parse("USD").unwrap();
        let read = price(json!({"amount": 1999}), usd).unwrap();
        assert_eq!((read.currency, read.amount, read.compare_at), (usd, 1999, None));
        assert!(price(json!({"amount": 1999, "currency": "USD"}), usd).is_ok());
        let problem = price(json!({"amount": 1999, "currency": "EUR"}), usd).unwrap_err();
        assert_eq!(problem.errors()[0].pointer.as_deref(), Some("#/currency"));
        assert!(price(json!([]), usd).is_err());
    }
}
