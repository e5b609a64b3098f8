//! The interface description (`OpenAPI` 3.1), generated from the handlers, and its viewer.
//!
//! A handler's annotation says what is its own. What many share — validators, problems, the token — is added in `common`, by
//! rules over paths and methods, so that no handler can forget it.

mod common;
mod schemas;

use std::sync::{Arc, LazyLock};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
    web::Bytes,
};
use utoipa::OpenApi;
use utoipa_swagger_ui::Config;

use self::common::Common;
use super::{
    admin, operations,
    problem::{Fault, Problem, ProblemDocument},
    route::Routes,
    store,
};

/// Where the description is.
const PATH: &str = "/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Aisle",
        description = "A product catalogue: a public store API for storefronts, and an admin API for editors.\n\n\
            Money is an integer of minor units with its currency and exponent. Times are UTC. Every error is a problem document \
            (RFC 9457); the `type` of one leads to its explanation.",
    ),
    paths(
        store::products::by_id,
        store::products::by_slug,
        store::products::by_sku,
        store::batch::get,
        store::lists::products,
        store::suggestions::suggest,
        store::categories::tree,
        store::categories::one,
        store::brands::all,
        store::attributes::all,
        admin::products::list,
        admin::products::create,
        admin::products::get,
        admin::products::replace,
        admin::products::patch,
        admin::products::delete,
        admin::products::restore,
        admin::variants::get,
        admin::variants::patch,
        admin::variants::set_price,
        admin::variants::remove_price,
        admin::stock::set,
        admin::stock::adjust,
        admin::categories::list,
        admin::categories::create,
        admin::categories::get,
        admin::categories::replace,
        admin::categories::patch,
        admin::categories::delete,
        admin::brands::list,
        admin::brands::create,
        admin::brands::get,
        admin::brands::replace,
        admin::brands::patch,
        admin::brands::delete,
        admin::product_types::list,
        admin::product_types::create,
        admin::product_types::get,
        admin::product_types::replace,
        admin::product_types::patch,
        admin::product_types::delete,
        admin::product_types::misfits,
        admin::attributes::list,
        admin::attributes::create,
        admin::attributes::get,
        admin::attributes::replace,
        admin::attributes::patch,
        admin::attributes::delete,
        admin::synonyms::list,
        admin::synonyms::create,
        admin::synonyms::get,
        admin::synonyms::replace,
        admin::synonyms::patch,
        admin::synonyms::delete,
        admin::tokens::list,
        admin::tokens::create,
        admin::tokens::revoke,
        admin::audit_log::list,
        operations::live,
        operations::ready,
        operations::measured,
        operations::explained,
        described,
    ),
    components(schemas(ProblemDocument<'_>, Fault)),
    tags(
        (name = "store", description = "Public reads. Answers are ready-to-send bytes, with validators and their origin."),
        (name = "products", description = "Products with all their parts."),
        (name = "variants", description = "Single variants, their prices and stock."),
        (name = "categories", description = "The category tree."),
        (name = "brands", description = "Brands."),
        (name = "product types", description = "Product types and the definitions of their attributes."),
        (name = "synonyms", description = "Words that searches take for each other."),
        (name = "tokens", description = "Admin tokens. Their scopes: `read`; `write` edits as well; `manage` makes, lists and revokes tokens as well, and reads the audit log."),
        (name = "audit log", description = "Who edited what."),
        (name = "operations", description = "For operators and their tools."),
    ),
    modifiers(&Common)
)]
struct Description;

static DESCRIPTION: LazyLock<Bytes> = LazyLock::new(|| {
    let text = Description::openapi().to_pretty_json();
    text.inspect_err(|error| log::error!("interface description cannot be written error={error}"))
        .map_or_else(|_logged| Bytes::new(), Bytes::from)
});

/// The description as JSON, written once.
pub fn description() -> Bytes {
    DESCRIPTION.clone()
}

/// Declares the routes of the description and its viewer.
pub(super) fn declare(routes: &mut Routes<'_>) {
    routes.at(PATH, |at| at.get(described));
    routes.at("/docs", |at| at.get(to_viewer));
    routes.at("/docs/{file:.*}", |at| at.get(viewer));
}

/// Get the interface description
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "get_openapi",
    tag = "operations",
    responses((status = 200, description = "This document", body = Object))
)]
async fn described() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .body(description())
}

async fn to_viewer() -> HttpResponse {
    HttpResponse::MovedPermanently().insert_header((header::LOCATION, "/docs/")).finish()
}

/// The viewer's files are part of the program: it works without a network.
async fn viewer(request: HttpRequest) -> Result<HttpResponse, Problem> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from(PATH)));

    let file = request.match_info().get("file").unwrap_or_default();
    let file = utoipa_swagger_ui::serve(file, Arc::clone(&CONFIG))
        .map_err(|error| Problem::internal(error.to_string()))?
        .ok_or_else(Problem::not_found)?;
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CONTENT_TYPE, file.content_type))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .insert_header((header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")));
    if file.gzpipped {
        answer.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("gzip")));
    }
    Ok(answer.body(file.bytes.into_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::{super::problem::Code, *};

    fn document() -> Value {
        serde_json::from_slice(&description()).unwrap()
    }

    #[test]
    fn is_openapi_3_1_with_unique_operation_ids() {
        let document = document();
        assert_eq!(document["openapi"], "3.1.0");
        let mut ids = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap().to_owned();
                assert!(ids.insert(id), "{method} {path} repeats an operationId");
                assert!(operation["tags"][0].is_string(), "{method} {path} has no tag");
                assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            }
        }
    }

    #[test]
    fn describes_exactly_the_routes_there_are() {
        let mut described = BTreeMap::new();
        for (path, item) in document()["paths"].as_object().unwrap() {
            let methods: BTreeSet<_> = item.as_object().unwrap().keys().cloned().collect();
            described.insert(path.clone(), methods);
        }
        let mut declared = BTreeMap::new();
        for (path, methods) in super::super::tests::declared() {
            if !path.starts_with("/docs") {
                let methods = methods.iter().map(|method| method.as_str().to_ascii_lowercase()).collect();
                declared.insert(path.to_owned(), methods);
            }
        }
        assert_eq!(described, declared);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn check(value: &Value, document: &Value) {
            match value {
                Value::Object(fields) => {
                    if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                    }
                    fields.values().for_each(|field| check(field, document));
                }
                Value::Array(items) => items.iter().for_each(|item| check(item, document)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let document = document();
        check(&document, &document);
    }

    #[test]
    fn both_directions_have_schemas_of_their_own() {
        let document = document();
        let schemas = &document["components"]["schemas"];
        let sent = &schemas["ProductDraft"];
        assert_eq!(sent["required"], serde_json::json!(["title"]));
        assert_eq!(sent["additionalProperties"], false);
        assert_eq!(sent["properties"]["description"]["type"], serde_json::json!(["string", "null"]));
        let answered = &schemas["AdminProduct"];
        let variants = &answered["properties"]["variants"]["items"]["$ref"];
        assert_eq!(*variants, "#/components/schemas/VariantFields");
        assert_eq!(answered["properties"]["description"]["type"], "string");
        assert!(answered["required"].as_array().is_some_and(|required| required.contains(&"slug".into())));
        assert!(!schemas.to_string().contains("allOf"), "tools that refuse unknown fields cannot read it");
    }

    #[test]
    fn every_kind_of_problem_is_described() {
        let document = document();
        let responses = document["components"]["responses"].as_object().unwrap();
        for code in Code::ALL {
            let found = responses.values().any(|response| {
                let examples = &response["content"]["application/problem+json"]["examples"];
                examples.get(code.name()).is_some()
            });
            assert!(found, "{} is not described", code.name());
        }
    }
}
