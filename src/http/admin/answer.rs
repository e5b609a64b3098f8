//! Answers of the admin API: the object, its version, and the log position of the edit.

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    catalog::{
        edits::{
            AdminAttributeDefinition, AdminBrand, AdminCategory, AdminProduct, AdminProductType,
            AdminSynonymSet, AdminVariant,
        },
        handle::Acknowledged,
    },
    http::{conditional::version_etag, problem::Problem},
};

static CATALOG_POSITION: HeaderName = HeaderName::from_static("catalog-position");

/// An object that has a version.
pub(super) trait Versioned: Serialize {
    /// The version shown.
    fn version(&self) -> i64;
}

/// One that has an id of its own.
pub(super) trait Identified: Versioned {
    /// Its id.
    fn id(&self) -> Uuid;
}

macro_rules! versioned {
    ($($object:ty),*) => {
        $(impl Versioned for $object {
            fn version(&self) -> i64 {
                self.version
            }
        })*
    };
}

macro_rules! identified {
    ($($object:ty),*) => {
        $(impl Identified for $object {
            fn id(&self) -> Uuid {
                self.id
            }
        })*
    };
}

identified!(AdminCategory, AdminBrand, AdminProductType, AdminAttributeDefinition, AdminSynonymSet);

versioned!(
    AdminProduct,
    AdminVariant,
    AdminCategory,
    AdminBrand,
    AdminProductType,
    AdminAttributeDefinition,
    AdminSynonymSet
);

/// An object as it is.
pub(super) fn shown<T: Versioned>(object: &T) -> Result<HttpResponse, Problem> {
    json(HttpResponse::Ok().insert_header((header::ETAG, version_etag(object.version()))), object)
}

/// Anything without a version.
pub(super) fn plain<T: Serialize>(object: &T) -> Result<HttpResponse, Problem> {
    json(&mut HttpResponse::Ok(), object)
}

/// An object after an edit.
pub(super) fn edited<T: Versioned>(edit: &Acknowledged<T>) -> Result<HttpResponse, Problem> {
    let mut answer = acknowledged(StatusCode::OK, edit);
    json(answer.insert_header((header::ETAG, version_etag(edit.reply.version()))), &edit.reply)
}

/// A new object and its address.
pub(super) fn created<T: Versioned>(
    edit: &Acknowledged<T>,
    collection: &str,
    id: Uuid,
) -> Result<HttpResponse, Problem> {
    let mut answer = acknowledged(StatusCode::CREATED, edit);
    answer.insert_header((header::ETAG, version_etag(edit.reply.version())));
    json(answer.insert_header((header::LOCATION, format!("{collection}/{id}"))), &edit.reply)
}

/// Something new without a version, and its address.
pub(super) fn created_plain<T: Serialize>(location: String, object: &T) -> Result<HttpResponse, Problem> {
    json(HttpResponse::Created().insert_header((header::LOCATION, location)), object)
}

/// An object that went to the bin, from which its version can be restored.
pub(super) fn binned<T: Versioned>(edit: &Acknowledged<T>) -> HttpResponse {
    acknowledged(StatusCode::NO_CONTENT, edit)
        .insert_header((header::ETAG, version_etag(edit.reply.version())))
        .finish()
}

/// An object that is gone.
pub(super) fn gone<T>(edit: &Acknowledged<T>) -> HttpResponse {
    acknowledged(StatusCode::NO_CONTENT, edit).finish()
}

fn acknowledged<T>(status: StatusCode, edit: &Acknowledged<T>) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    if let Some(position) = edit.position {
        answer.insert_header((CATALOG_POSITION.clone(), HeaderValue::from(position)));
    }
    answer
}

fn json<T: Serialize>(answer: &mut HttpResponseBuilder, object: &T) -> Result<HttpResponse, Problem> {
    let body = serde_json::to_vec(object).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(answer
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .body(body))
}
