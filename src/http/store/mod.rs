//! The store API: public reads, answered with bytes that are ready to send.

mod answer;
pub(super) mod attributes;
pub(super) mod batch;
pub(super) mod brands;
pub(super) mod categories;
mod filters;
pub(super) mod lists;
pub(super) mod products;
pub(super) mod shapes;
pub(super) mod suggestions;
mod surrogate;
mod view;

use super::route::Routes;

/// Declares the routes; the product by id first, since it is asked for most and routes are tried in order.
pub(super) fn declare(routes: &mut Routes<'_>) {
    routes.at("/v1/store/products/{id}", |at| at.get(products::by_id));
    routes.at("/v1/store/products/by-slug/{slug}", |at| at.get(products::by_slug));
    routes.at("/v1/store/products/by-sku/{sku}", |at| at.get(products::by_sku));
    routes.at("/v1/store/products:batch-get", |at| at.post(batch::get));
    routes.at("/v1/store/products", |at| at.get(lists::products));
    routes.at("/v1/store/search/suggest", |at| at.get(suggestions::suggest));
    routes.at("/v1/store/categories", |at| at.get(categories::tree));
    routes.at("/v1/store/categories/{category}", |at| at.get(categories::one));
    routes.at("/v1/store/brands", |at| at.get(brands::all));
    routes.at("/v1/store/attributes", |at| at.get(attributes::all));
}
