//! What many operations share, added by rules over paths and methods.

use std::collections::{BTreeMap, btree_map::Entry};

use serde_json::json;
use utoipa::{
    Modify,
    openapi::{
        Content, Header, HttpMethod, OpenApi, Ref, RefOr, Response, Schema,
        example::Example,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem},
        response::ResponseBuilder,
        schema::{ObjectBuilder, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::schemas;
use crate::http::problem::{Code, MEDIA_TYPE};

/// Name of the security scheme.
const TOKEN: &str = "token";

/// What the keys of an answer are.
const SURROGATE_KEY: &str = "Keys to purge by, separated by blanks; only with a maximum age. `aisle` is in every answer; a readable \
    name of what was asked for; then 16 hexadecimal digits for each thing that the answer depends on, or `aisle-any` where \
    these are more than 256. `aisle purge` purges by them";

/// What is allowed and what is left of it, where a rate limit is set.
const RATE_LIMIT: [(&str, &str); 2] = [
    ("RateLimit-Policy", "Requests that are allowed in a window, `q` in `w` seconds; only with a limit"),
    ("RateLimit", "How many are left, `r`, for `t` seconds; only with a limit"),
];

/// Adds it all.
#[derive(Debug)]
pub(super) struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut OpenApi) {
        document.info.license = None;
        let components = document.components.get_or_insert_default();
        components.responses.extend(problem_responses());
        schemas::complete(&mut components.schemas);
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An admin token: `aisle token create`, or the one of the settings"));
        components.security_schemes.insert(TOKEN.to_owned(), RefOr::T(SecurityScheme::Http(scheme.build())));
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                complete(path, &method, operation);
            }
            if let Some(get) = &item.get {
                item.head = Some(head_of(get));
            }
        }
    }
}

fn operations(item: &mut PathItem) -> Vec<(HttpMethod, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let all = [
        (HttpMethod::Get, get),
        (HttpMethod::Put, put),
        (HttpMethod::Post, post),
        (HttpMethod::Delete, delete),
        (HttpMethod::Patch, patch),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?))).collect()
}

fn complete(path: &str, method: &HttpMethod, operation: &mut Operation) {
    // 405 and 414 are answers of every path; 500 and 503 may be of any that does something.
    let mut codes = vec![Code::MethodNotAllowed, Code::UriTooLong, Code::Internal];
    if path.starts_with("/v1/store/") {
        codes.extend([Code::InvalidParameter, Code::NotAcceptable, Code::Overloaded]);
        if matches!(method, HttpMethod::Post) {
            store_batch(operation);
            codes.extend([Code::MalformedBody, Code::Invalid, Code::RequestTimeout, Code::BodyTooLarge]);
            codes.push(Code::UnsupportedMediaType);
        } else {
            store_read(operation);
        }
        if path.contains('{') || has_parameter(operation, "category") {
            codes.push(Code::NotFound);
        }
    } else if path.starts_with("/v1/admin/") {
        codes.extend([Code::InvalidParameter, Code::Unauthorized, Code::Overloaded]);
        admin(path, method, operation, &mut codes);
        if path.contains('{') {
            codes.push(Code::NotFound);
        }
    } else if path.contains('{') {
        codes.push(Code::NotFound);
    }
    if path.starts_with("/v1/") {
        codes.push(Code::RateLimited);
        for response in operation.responses.responses.values_mut() {
            let RefOr::T(response) = response else { continue };
            response.headers.extend(headers(&RATE_LIMIT));
        }
    }
    for code in codes {
        let status = code.status().as_u16().to_string();
        if let Entry::Vacant(place) = operation.responses.responses.entry(status) {
            place.insert(RefOr::Ref(Ref::from_response_name(response_name(code))));
        }
    }
}

/// What is asked for with a body: no cache keeps the answer, so it has no validators.
fn store_batch(operation: &mut Operation) {
    let parameters = operation.parameters.get_or_insert_default();
    parameters.extend(
        [
            ("Accept-Language", "Languages by preference; ignored when malformed"),
            ("Catalog-Min-Position", "A `Catalog-Position` that the answer must not be older than; 503 when it does not arrive in time"),
            ("X-Request-Id", "Id to name the request by in problems and logs"),
        ]
        .map(|(name, description)| RefOr::T(header_parameter(name, description))),
    );
    if let Some(RefOr::T(found)) = operation.responses.responses.get_mut("200") {
        found.headers.extend(headers(&[
            ("Content-Language", "Language of the texts"),
            ("Catalog-Position", "Log position that every item was read at, or later"),
            ("Cache-Status", "Where the answer came from (RFC 9211); it may be stale only where this says `detail=unverified`"),
            ("Age", "Seconds; only with `detail=unverified`"),
        ]));
    }
}

fn store_read(operation: &mut Operation) {
    let parameters = operation.parameters.get_or_insert_default();
    parameters.extend(
        [
            ("If-None-Match", "`ETag` of an answer the client has; 304 when it is still right"),
            ("Accept-Encoding", "`br`, `zstd` and `gzip` are kept ready"),
            ("Accept-Language", "Languages by preference; ignored when malformed"),
            ("Catalog-Min-Position", "A `Catalog-Position` that the answer must not be older than; 503 when it does not arrive in time"),
            ("X-Request-Id", "Id to name the request by in problems and logs"),
        ]
        .map(|(name, description)| RefOr::T(header_parameter(name, description))),
    );
    let validators = [
        ("ETag", "Strong entity tag; differs by content coding, equal on every instance"),
        ("Cache-Control", "How long caches may keep the answer"),
        ("Vary", "The headers the answer depends on"),
        ("Content-Language", "Language of the texts"),
        ("Catalog-Position", "Log position the answer was read at"),
        (
            "Cache-Status",
            "Where the answer came from (RFC 9211); it may be stale only where this says `detail=unverified`",
        ),
        ("Age", "Seconds; only with `detail=unverified`: whatever was committed longer ago is in the answer"),
    ];
    let mut not_modified = ResponseBuilder::new().description("The client's answer is still right").build();
    not_modified.headers = headers(&validators);
    if let Some(RefOr::T(found)) = operation.responses.responses.get_mut("200") {
        found.headers.extend(headers(&validators));
        let coding = ("Content-Encoding", "Coding of the body; absent when it is sent as it is");
        let keys = ("Surrogate-Key", SURROGATE_KEY);
        found.headers.extend(headers(&[coding, keys]));
    }
    if let Some(RefOr::T(moved)) = operation.responses.responses.get_mut("301") {
        moved.headers.extend(headers(&[("Surrogate-Key", SURROGATE_KEY)]));
    }
    operation.responses.responses.insert("304".to_owned(), RefOr::T(not_modified));
}

/// Name of the scope that a token needs.
fn scope(path: &str, method: &HttpMethod) -> &'static str {
    let is_managed =
        ["/v1/admin/tokens", "/v1/admin/audit-log"].iter().any(|managed| path.starts_with(managed));
    if is_managed {
        "manage"
    } else if matches!(method, HttpMethod::Get) {
        "read"
    } else {
        "write"
    }
}

fn admin(path: &str, method: &HttpMethod, operation: &mut Operation, codes: &mut Vec<Code>) {
    let scope = scope(path, method);
    operation.security = Some(vec![SecurityRequirement::new(TOKEN, [scope])]);
    let description = "Id to name the request by in problems and logs";
    let parameters = operation.parameters.get_or_insert_default();
    parameters.push(RefOr::T(header_parameter("X-Request-Id", description)));
    let edits = !matches!(method, HttpMethod::Get);
    if scope != "read" {
        codes.push(Code::Forbidden);
    }
    if edits && operation.operation_id.as_deref() != Some("revoke_token") {
        codes.extend([Code::Duplicate, Code::Invalid]);
    }
    if operation.request_body.is_some() {
        codes.extend([Code::RequestTimeout, Code::BodyTooLarge, Code::UnsupportedMediaType]);
    }
    let versioned = has_parameter(operation, "If-Match");
    if versioned {
        codes.extend([Code::VersionConflict, Code::PreconditionRequired]);
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        response.headers.extend(headers(&[("X-Request-Id", "Id of the request")]));
        if edits {
            response.headers.extend(headers(&[("Catalog-Position", "Log position of the edit")]));
        }
        if versioned || operation.operation_id.as_deref().is_some_and(shows_version) {
            response.headers.extend(headers(&[("ETag", "Version of the object, for `If-Match`")]));
        }
        if status == "201" {
            response.headers.extend(headers(&[("Location", "Address of the new object")]));
        }
    }
}

fn shows_version(operation_id: &str) -> bool {
    let nouns =
        ["product", "variant", "category", "brand", "product_type", "attribute_definition", "synonym_set"];
    let verbs = ["get_", "create_"];
    let stock = ["set_stock", "adjust_stock"];
    stock.contains(&operation_id)
        || verbs.iter().any(|verb| operation_id.strip_prefix(verb).is_some_and(|noun| nouns.contains(&noun)))
}

fn has_parameter(operation: &Operation, name: &str) -> bool {
    operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.name == name,
        RefOr::Ref(_) => false,
    })
}

/// HEAD is GET without a body.
fn head_of(get: &Operation) -> Operation {
    let mut head = get.clone();
    head.operation_id = get.operation_id.as_ref().map(|id| format!("{id}_head"));
    head.summary = get.summary.as_ref().map(|summary| format!("{summary}: headers only"));
    for response in head.responses.responses.values_mut() {
        match response {
            RefOr::T(response) => response.content.clear(),
            RefOr::Ref(reference) => reference.ref_location.push_str("Head"),
        }
    }
    head
}

fn header_parameter(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .description(Some(description))
        .schema(Some(text()))
        .build()
}

fn headers(described: &[(&str, &str)]) -> BTreeMap<String, RefOr<Header>> {
    let header = |(name, description): &(&str, &str)| {
        let mut header = Header::new(text());
        header.description = Some((*description).to_owned());
        ((*name).to_owned(), RefOr::T(header))
    };
    described.iter().map(header).collect()
}

fn text() -> Schema {
    Schema::Object(ObjectBuilder::new().schema_type(Type::String).build())
}

fn response_name(code: Code) -> String {
    format!("Problem{}", code.status().as_u16())
}

/// One response per status, with an example per kind of problem; and the same without a body, for HEAD.
fn problem_responses() -> BTreeMap<String, RefOr<Response>> {
    let mut responses = BTreeMap::new();
    for code in Code::ALL {
        let name = response_name(*code);
        let kinds: Vec<_> = Code::ALL.iter().filter(|other| other.status() == code.status()).collect();
        let titles: Vec<_> = kinds.iter().map(|kind| kind.title()).collect();
        let mut response = ResponseBuilder::new().description(titles.join("; or: ")).build();
        response.headers =
            headers(&[("X-Request-Id", "Id of the request, also in the document and the log")]);
        response.headers.extend(own_headers(*code));
        let mut bodiless = response.clone();
        bodiless.content.clear();
        responses.insert(format!("{name}Head"), RefOr::T(bodiless));
        let mut content = Content::new(Some(Ref::from_schema_name("Problem")));
        content.examples =
            kinds.iter().map(|kind| (kind.name().to_owned(), RefOr::T(example(**kind)))).collect();
        response.content.insert(MEDIA_TYPE.to_owned(), RefOr::T(content));
        responses.insert(name, RefOr::T(response));
    }
    responses
}

/// Headers of one kind of problem.
fn own_headers(code: Code) -> BTreeMap<String, RefOr<Header>> {
    const WHAT_IS_WRONG: (&str, &str) = ("WWW-Authenticate", "What is wrong with the token");
    let known = [
        (Code::NotFound, ("Catalog-Position", "Log position at which nothing was there; store API only")),
        (Code::NotFound, ("Cache-Status", "Where the answer came from (RFC 9211); store API only")),
        (Code::NotFound, ("Age", "Seconds; only with `detail=unverified`; store API only")),
        (
            Code::NotFound,
            ("Cache-Control", "`no-store`; with a maximum age the store's may be kept for a minute"),
        ),
        (Code::NotFound, ("Surrogate-Key", SURROGATE_KEY)),
        (Code::Unauthorized, WHAT_IS_WRONG),
        (Code::Forbidden, WHAT_IS_WRONG),
        (Code::MethodNotAllowed, ("Allow", "The methods of the path")),
        (Code::VersionConflict, ("ETag", "The version the object has")),
        (Code::UnsupportedMediaType, ("Accept-Patch", "The types a PATCH may have")),
    ];
    let retry = code.retry_after().map(|_seconds| ("Retry-After", "Seconds to wait"));
    let own = known.into_iter().filter(|(of, _)| *of == code).map(|(_, header)| header);
    let limit = RATE_LIMIT.into_iter().filter(|_| code == Code::RateLimited);
    headers(&own.chain(retry).chain(limit).collect::<Vec<_>>())
}

fn example(code: Code) -> Example {
    let mut example = Example::new();
    code.meaning().clone_into(&mut example.summary);
    example.value = Some(json!({
        "type": code.uri(),
        "code": code.name(),
        "title": code.title(),
        "status": code.status().as_u16(),
        "detail": code.meaning(),
        "request_id": "5f0c9a7e-1b",
    }));
    example
}
