//! Pages of products: keyset cursors only, so that a page costs the same wherever it is.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web::Data};

use super::{
    answer::answer_within,
    filters,
    shapes::{ListParameters, ProductPage, ViewParameters},
    surrogate::SurrogateKey,
    view,
};
use crate::{
    catalog::{cursor, messages::Key},
    domain::{
        list::{Facet, ListQuery, Sort, Start},
        money::Currency,
    },
    http::{parameters::Query, problem::Problem, state::State},
    limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX},
};

/// List products
///
/// One page of the products that match all filters given, each with any one of its values, in the order asked for. `next_cursor`
/// and `previous_cursor` of the answer, repeated in `Link`, lead to the pages around it; they belong to these filters and this
/// order. `facets` counts, for each value, the products that match all filters but the facet's own. An unknown parameter is an
/// error, so that a mistyped filter does not list everything. `freshness=bounded` takes a search from the cache whose choice and
/// order of products may be some seconds old, while all that is said of each is current; one that may be is labelled
/// `detail=unverified` and has an `Age`.
#[utoipa::path(
    get,
    path = "/v1/store/products",
    operation_id = "list_store_products",
    tag = "store",
    params(ListParameters, ViewParameters),
    responses((status = 200, description = "A page of products", body = ProductPage<'_>,
        headers(("Link" = Option<String>, description = "The pages around it, `rel=\"next\"` and `rel=\"prev\"`, where there are any (RFC 8288)"))))
)]
pub(in crate::http) async fn products(
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let mut query = Query::parse(request.query_string());
    let view = view::take(&request, &state, &mut query);
    let list = read(&mut query, view.key.currency);
    let has_text = list.filter.text.is_some();
    let bounded = query.read("freshness", "unknown_freshness", "bounded, of a search", |text| {
        (text == "bounded" && has_text).then_some(state.search_age)
    });
    query.finish()?;
    let category = list.filter.category.clone().unwrap_or_default();
    let key = Key::Page(Arc::new(list), view.key);
    answer_within(&request, &state, key, view, SurrogateKey("listing", &category), bounded).await
}

fn read(query: &mut Query<'_>, currency: Currency) -> ListQuery {
    let filter = filters::read(query);
    let sort =
        query.read("sort", "unknown_order", "newest, price, -price, title, position or relevance", |text| {
            match text {
                "newest" => Some(Sort::Newest),
                "price" => Some(Sort::Price),
                "-price" => Some(Sort::PriceDescending),
                "title" => Some(Sort::Title),
                "position" => Some(Sort::Position),
                "relevance" => Some(Sort::Relevance),
                _ => None,
            }
        });
    let sort = sort.unwrap_or(if filter.text.is_some() { Sort::Relevance } else { Sort::Newest });
    let facets = filters::facets(query);
    let has_total = query.read("include", "unknown_part", "total", |text| (text == "total").then_some(()));
    let asks_for_prices = filter.price_min.is_some()
        || filter.price_max.is_some()
        || matches!(sort, Sort::Price | Sort::PriceDescending)
        || facets.contains(&Facet::Price);
    let mut list = ListQuery {
        filter,
        currency: asks_for_prices.then_some(currency),
        sort,
        facets,
        has_total: has_total.is_some(),
        limit: query.number("limit", 1..=PAGE_SIZE_MAX, PAGE_SIZE_DEFAULT),
        start: Start::Beginning,
    };
    let detail = "a next_cursor or previous_cursor of these filters and this order";
    let start = query.read("cursor", "bad_cursor", detail, |token| cursor::start(&list, token).ok());
    list.start = start.unwrap_or_default();
    list
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::list::{Place, SortKey};

    fn list(text: &str) -> Result<ListQuery, Problem> {
        let mut query = Query::parse(text);
        let list = read(&mut query, Currency::parse("USD").expect("a currency"));
        query.finish().map(|()| list)
    }

    #[test]
    fn reads_a_page_and_its_cursor() {
        let asked = list("category=lamps&sort=title&limit=7").unwrap();
        let category = asked.filter.category.as_deref();
        assert_eq!((category, asked.sort, asked.limit), (Some("lamps"), Sort::Title, 7));
        assert_eq!(asked.currency, None, "one page for all currencies");
        let end = Start::After(Place { key: SortKey::Title("Lamp & co".into()), id: Uuid::from_u128(7) });
        let token = cursor::token(&asked, &end);
        let next = list(&format!("sort=title&cursor={token}&category=lamps")).unwrap();
        assert_eq!(next.start, end);
    }

    #[test]
    fn what_is_searched_for_comes_by_relevance() {
        assert_eq!(list("q=lamp").unwrap().sort, Sort::Relevance);
        assert_eq!(list("q=lamp&sort=newest").unwrap().sort, Sort::Newest);
        assert!(list("facets=price").unwrap().currency.is_some());
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let all = list("").unwrap();
        let end = Start::After(Place { key: SortKey::Time(1), id: Uuid::nil() });
        let token = cursor::token(&all, &end);
        assert_eq!(list(&format!("cursor={token}&limit=3&include=total")).unwrap().start, end);
        for text in [
            format!("category=lamps&cursor={token}"),
            format!("brand=acme&cursor={token}"),
            format!("sort=title&cursor={token}"),
            "cursor=x".into(),
        ] {
            let problem = list(&text).unwrap_err();
            assert_eq!(problem.errors()[0].parameter.as_deref(), Some("cursor"), "{text}");
        }
    }

    fn query() -> impl Strategy<Value = String> {
        let names = vec![
            "category",
            "brand",
            "tag",
            "price_min",
            "price_max",
            "in_stock",
            "q",
            "sort",
            "facets",
            "include",
            "limit",
            "cursor",
            "attr.",
            "attr.size",
            "freshness",
            "utm_source",
            "",
            "%00",
        ];
        let values = prop_oneof![
            prop::sample::select(vec![
                "true",
                "title",
                "-price",
                "brand,price",
                "7",
                "total",
                "%ff",
                "%00",
                "+"
            ])
            .prop_map(str::to_owned),
            "[a-z0-9%+&=,.-]{0,12}",
            "\\PC{0,8}",
        ];
        let pair = (prop::sample::select(names), values).prop_map(|(name, value)| format!("{name}={value}"));
        prop::collection::vec(pair, 0..8).prop_map(|pairs| pairs.join("&"))
    }

    proptest! {
        /// Whatever is asked, it is a list whose own cursor it takes, or every wrong parameter is named.
        #[test]
        fn hostile_queries_are_lists_or_named(text in query()) {
            match list(&text) {
                Ok(found) => {
                    let end = Start::After(Place { key: SortKey::Time(1), id: Uuid::nil() });
                    let token = cursor::token(&found, &end);
                    prop_assert_eq!(cursor::start(&found, &token), Ok(end));
                }
                Err(problem) => {
                    prop_assert!(problem.errors().iter().all(|fault| fault.parameter.is_some()));
                    prop_assert!(!problem.errors().is_empty());
                }
            }
        }
    }
}
