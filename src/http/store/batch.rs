//! Many products in one request.

use std::{collections::BTreeMap, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{Data, Payload},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    answer::{batch_headers, min_position, not_acceptable},
    shapes::{BatchAnswer as BatchShape, BatchRequest, ViewParameters},
    view::only_view,
};
use crate::{
    catalog::batch::{Batch, Name, Names, Part, Product},
    domain::invalid::Invalid,
    http::{
        body, negotiate,
        problem::Problem,
        state::{State, catalog},
    },
    limits::{BATCH_MAX, NAME_LENGTH_MAX},
};

/// Get many products
///
/// Exactly one of `ids`, `slugs` and `skus`, at most 200 entries, answered in their order. An entry is a name, or an object with
/// the name and what the client has: `version`, or `etag` of an earlier answer. What it still has is answered as `unchanged`,
/// without a body. A version counts changes of the product itself; the `etag` tells also when a brand or category that the
/// product embeds was renamed.
#[utoipa::path(
    post,
    path = "/v1/store/products:batch-get",
    operation_id = "batch_get_store_products",
    tag = "store",
    params(ViewParameters),
    request_body(content = BatchRequest, example = json!({"slugs": ["floor-lamp", {"slug": "desk-lamp", "version": 7}]})),
    responses((status = 200, description = "One item for each entry, in their order", body = BatchShape<'_>))
)]
pub(in crate::http) async fn get(
    request: HttpRequest,
    state: Data<State>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    if !negotiate::codings(request.headers()).is_some_and(|acceptable| acceptable.identity) {
        return Err(not_acceptable());
    }
    let view = only_view(&request, &state)?;
    let min_position = min_position(request.headers())?;
    let asked = read(&body::document(&request, payload).await?).map_err(Problem::invalid)?;
    let batch = Batch { names: Arc::clone(&asked.names), view: view.key, min_position };
    let answer = catalog(&request)?.get_many(batch).await?;
    let body = compose(&asked, &answer.parts)?;
    let mut response = HttpResponse::with_body(StatusCode::OK, body).map_into_boxed_body();
    let headers = response.headers_mut();
    batch_headers(headers, &state, view, answer.source, answer.position);
    if let Some(age) = answer.unverified {
        headers.insert(header::AGE, HeaderValue::from(age.as_secs().saturating_add(1)));
        super::answer::label_unverified(headers);
    }
    Ok(response)
}

/// A request that was read.
#[derive(Debug)]
struct Asked {
    kind: &'static str,
    names: Arc<Names>,
    /// What the client has, by place.
    known: BTreeMap<usize, Known>,
}

/// What a client has of an entry.
#[derive(Debug, Default, PartialEq)]
struct Known {
    version: Option<i64>,
    /// Without quotes and what the content coding adds.
    tag: Option<String>,
}

/// Lists and what their entries are called.
const LISTS: [(&str, &str); 3] = [("ids", "id"), ("slugs", "slug"), ("skus", "sku")];

fn read(document: &Value) -> Result<Asked, Vec<Invalid>> {
    let one = |pointer: &str, rule, detail: &str| Err(vec![Invalid::new(pointer, rule, detail)]);
    let Some(object) = document.as_object() else { return one("#", "wrong_type", "must be an object") };
    let mut given = LISTS.into_iter().filter(|(list, _)| object.get(*list).is_some_and(|v| !v.is_null()));
    let (Some((list, kind)), None) = (given.next(), given.next()) else {
        return one("#", "one_of", "must have exactly one of `ids`, `slugs` and `skus`");
    };
    let mut wrong: Vec<Invalid> = Vec::new();
    unknown_fields(object, &LISTS.map(|(list, _)| list), "#", &mut wrong);
    let pointer = format!("#/{list}");
    let Some(entries) = object.get(list).and_then(Value::as_array) else {
        return one(&pointer, "wrong_type", "must be a list");
    };
    if entries.len() > BATCH_MAX {
        return one(&pointer, "too_many", &format!("must have at most {BATCH_MAX} entries"));
    }
    let mut texts = Vec::with_capacity(entries.len());
    let mut ids = Vec::new();
    let mut known = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        let (name, place) = match entry {
            Value::Object(fields) => {
                unknown_fields(fields, &[kind, "version", "etag"], &pointer, &mut wrong);
                known.insert(index, known_of(fields, &pointer, &mut wrong));
                (fields.get(kind).unwrap_or(&Value::Null), format!("{pointer}/{kind}"))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                (entry, pointer)
            }
        };
        match name.as_str() {
            None => wrong.push(Invalid::new(place, "wrong_type", format!("must be a text: the {kind}"))),
            Some(text) if kind == "id" => match Uuid::try_parse(text) {
                Ok(id) => ids.push(id),
                Err(_) => wrong.push(Invalid::new(place, "not_uuid", "must be a UUID")),
            },
            Some(text) if text.is_empty() || text.chars().any(char::is_control) => {
                wrong.push(Invalid::new(place, "not_text", "must be a text without control characters"));
            }
            Some(text) if text.chars().count() > NAME_LENGTH_MAX => {
                let detail = format!("must have at most {NAME_LENGTH_MAX} characters");
                wrong.push(Invalid::new(place, "too_long", detail));
            }
            Some(text) => texts.push(text.to_owned()),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let names = match kind {
        "id" => Names::Ids(ids),
        "slug" => Names::Slugs(texts),
        _ => Names::Skus(texts),
    };
    Ok(Asked { kind, names: Arc::new(names), known })
}

fn unknown_fields(object: &Map<String, Value>, known: &[&str], pointer: &str, wrong: &mut Vec<Invalid>) {
    // A few are enough to see what is wrong.
    for name in object.keys().filter(|name| !known.contains(&name.as_str())).take(20) {
        let mut pointer = pointer.to_owned();
        crate::domain::invalid::push_token(&mut pointer, &name.chars().take(64).collect::<String>());
        wrong.push(Invalid::new(pointer, "unknown_field", "there is no such field"));
    }
}

fn known_of(fields: &Map<String, Value>, pointer: &str, wrong: &mut Vec<Invalid>) -> Known {
    let given = |name: &str| fields.get(name).filter(|value| !value.is_null());
    let version = given("version").and_then(|value| {
        let version = value.as_i64();
        if version.is_none() {
            wrong.push(Invalid::new(format!("{pointer}/version"), "wrong_type", "must be a whole number"));
        }
        version
    });
    let tag = given("etag").and_then(|value| {
        let tag = value.as_str();
        if tag.is_none() {
            wrong.push(Invalid::new(format!("{pointer}/etag"), "wrong_type", "must be a text"));
        }
        tag.map(bare)
    });
    Known { version, tag }
}

/// An entity tag without quotes and what the content coding of a single answer adds.
fn bare(tag: &str) -> String {
    let tag = tag.trim_matches('"');
    let coded = ["-gz", "-br", "-zs"].into_iter().find_map(|suffix| tag.strip_suffix(suffix));
    coded.unwrap_or(tag).to_owned()
}

impl Known {
    /// Whether a client that has this need not be told of the product. Where it names both, the tag decides.
    fn is(&self, product: Product<'_>) -> bool {
        match &self.tag {
            Some(known) => known == product.etag.trim_matches('"'),
            None => self.version == Some(product.version),
        }
    }
}

/// The answer: the products' bytes as they are cached, each among the fields that speak of it.
fn compose(asked: &Asked, parts: &[Part]) -> Result<Vec<u8>, Problem> {
    let bytes =
        parts.iter().map(|part| part.product().map_or(0, |product| product.body.len()) + FIELDS_BYTES);
    let mut json = Vec::with_capacity(bytes.sum::<usize>() + FIELDS_BYTES);
    json.extend_from_slice(b"{\"items\":[");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        let (product, known) = (part.product(), asked.known.get(&index));
        let is_unchanged = product.is_some_and(|product| known.is_some_and(|known| known.is(product)));
        let item = Item { kind: asked.kind, name: asked.names.name(index), part, product, is_unchanged };
        serde_json::to_writer(&mut json, &item).map_err(|error| Problem::internal(error.to_string()))?;
        if let Some(product) = product
            && !is_unchanged
        {
            json.pop();
            json.extend_from_slice(b",\"product\":");
            json.extend_from_slice(product.body);
            json.push(b'}');
        }
    }
    json.extend_from_slice(b"]}");
    Ok(json)
}

/// What stands around a product, about.
const FIELDS_BYTES: usize = 192;

/// The fields of an item, without the product.
struct Item<'a> {
    kind: &'static str,
    name: Name<'a>,
    part: &'a Part,
    product: Option<Product<'a>>,
    is_unchanged: bool,
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry(self.kind, &self.name)?;
        if let Some(Product { version, etag, .. }) = self.product {
            fields.serialize_entry("status", if self.is_unchanged { "unchanged" } else { "found" })?;
            fields.serialize_entry("version", &version)?;
            fields.serialize_entry("etag", etag)?;
        } else if let Part::Moved(slug) = self.part {
            fields.serialize_entry("status", "moved")?;
            fields.serialize_entry("moved_to", &**slug)?;
        } else {
            fields.serialize_entry("status", "absent")?;
        }
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_malformed_entry_is_named() {
        let document = json!({"ids": ["x", 5, {"id": "y", "version": "7", "colour": 1}, {"version": 1}]});
        let wrong = read(&document).unwrap_err();
        let places: Vec<_> = wrong.iter().map(|one| one.pointer.as_str()).collect();
        let expected =
            ["#/ids/0", "#/ids/1", "#/ids/2/colour", "#/ids/2/version", "#/ids/2/id", "#/ids/3/id"];
        assert_eq!(places, expected);
    }

    #[test]
    fn tags_are_known_in_every_form() {
        for tag in ["v7-ab", "\"v7-ab\"", "\"v7-ab-gz\"", "v7-ab-br"] {
            assert_eq!(bare(tag), "v7-ab");
        }
        let body = bytes::Bytes::new();
        let of = |etag| Product { version: 7, etag, body: &body };
        let (same, other) = (of("\"v7-ab\""), of("\"v7-cd\""));
        let known = Known { version: Some(7), tag: Some("v7-ab".to_owned()) };
        assert!(known.is(same) && !known.is(other));
        assert!(Known { version: Some(7), tag: None }.is(other));
        assert!(!Known::default().is(other));
    }

    proptest! {
        #[test]
        fn hostile_batches_name_their_places(text in r#"[\[\]{}:,"0-9]{0,8}|\{"(ids|slugs|skus|x)":\[("[a-f0-9-]{0,36}"|[0-9]|null|\{"(id|slug|version|etag|y)":("a"|7|null)\})?\]\}"#) {
            let Ok(document) = serde_json::from_str(&text) else { return Ok(()) };
            if let Err(wrong) = read(&document) {
                prop_assert!(!wrong.is_empty() && wrong.iter().all(|one| one.pointer.starts_with('#')));
            }
        }
    }
}
