//! The admin API: reads and edits for token holders.
//!
//! Handlers check the token, read the request, send one message and answer with what it replied. Every edit of a versioned
//! object needs `If-Match`; every answer carries the version it shows. Edits are made with the proof of authorization
//! ([`super::authorization::Authorized::edit`]), which names their origin.

mod answer;
pub(super) mod attributes;
pub(super) mod audit_log;
pub(super) mod brands;
pub(super) mod categories;
mod fields;
pub(super) mod product_types;
pub(super) mod products;
mod resource;
pub(super) mod shapes;
pub(super) mod stock;
pub(super) mod synonyms;
pub(super) mod tokens;
pub(super) mod variants;

use super::route::Routes;

/// Declares the routes.
pub(super) fn declare(routes: &mut Routes<'_>) {
    routes.at("/v1/admin/products", |at| at.get(products::list).post(products::create));
    routes.at("/v1/admin/products/{id}", |at| {
        at.get(products::get).put(products::replace).patch(products::patch).delete(products::delete)
    });
    routes.at("/v1/admin/products/{id}/restore", |at| at.post(products::restore));
    routes.at("/v1/admin/variants/{id}", |at| at.get(variants::get).patch(variants::patch));
    routes.at("/v1/admin/variants/{id}/prices/{currency}", |at| {
        at.put(variants::set_price).delete(variants::remove_price)
    });
    routes.at("/v1/admin/variants/{id}/stock/{location}", |at| at.put(stock::set));
    routes.at("/v1/admin/variants/{id}/stock/{location}/adjust", |at| at.post(stock::adjust));
    routes.at("/v1/admin/categories", |at| at.get(categories::list).post(categories::create));
    routes.at("/v1/admin/categories/{id}", |at| {
        at.get(categories::get).put(categories::replace).patch(categories::patch).delete(categories::delete)
    });
    routes.at("/v1/admin/brands", |at| at.get(brands::list).post(brands::create));
    routes.at("/v1/admin/brands/{id}", |at| {
        at.get(brands::get).put(brands::replace).patch(brands::patch).delete(brands::delete)
    });
    routes.at("/v1/admin/product-types", |at| at.get(product_types::list).post(product_types::create));
    routes.at("/v1/admin/product-types/{id}", |at| {
        at.get(product_types::get)
            .put(product_types::replace)
            .patch(product_types::patch)
            .delete(product_types::delete)
    });
    routes.at("/v1/admin/product-types/{id}/misfits", |at| at.get(product_types::misfits));
    routes.at("/v1/admin/attributes", |at| at.get(attributes::list).post(attributes::create));
    routes.at("/v1/admin/attributes/{id}", |at| {
        at.get(attributes::get).put(attributes::replace).patch(attributes::patch).delete(attributes::delete)
    });
    routes.at("/v1/admin/synonyms", |at| at.get(synonyms::list).post(synonyms::create));
    routes.at("/v1/admin/synonyms/{id}", |at| {
        at.get(synonyms::get).put(synonyms::replace).patch(synonyms::patch).delete(synonyms::delete)
    });
    routes.at("/v1/admin/tokens", |at| at.get(tokens::list).post(tokens::create));
    routes.at("/v1/admin/tokens/{id}", |at| at.delete(tokens::revoke));
    routes.at("/v1/admin/audit-log", |at| at.get(audit_log::list));
}
