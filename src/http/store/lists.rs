//! Pages of products: keyset cursors only, so that a page costs the same wherever it is.

use actix_web::{HttpRequest, HttpResponse, web::Data};

use super::{
    answer::{SurrogateKey, answer},
    shapes::{ListParameters, ProductPage, ViewParameters},
    view,
};
use crate::{
    catalog::{
        cursor,
        messages::{Key, ListQuery, Sort},
    },
    http::{parameters::Query, problem::Problem, state::State},
    limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX},
};

/// List products
///
/// One page in the order asked for. `next_cursor` of the answer, repeated in `Link`, leads to the next page; it belongs to this
/// category and order. An unknown parameter is an error, so that a mistyped filter does not list everything.
#[utoipa::path(
    get,
    path = "/v1/store/products",
    operation_id = "list_store_products",
    tag = "store",
    params(ListParameters, ViewParameters),
    responses((status = 200, description = "A page of products", body = ProductPage<'_>,
        headers(("Link" = Option<String>, description = "The next page, `rel=\"next\"`; absent on the last one (RFC 8288)"))))
)]
pub(in crate::http) async fn products(
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let mut query = Query::parse(request.query_string());
    let view = view::take(&request, &state, &mut query);
    let list = read(&mut query);
    query.finish()?;
    let category = list.category.clone().unwrap_or_default();
    let key = Key::Page(Box::new(list), view.key);
    answer(&request, &state, key, view, SurrogateKey("listing", &category)).await
}

fn read(query: &mut Query<'_>) -> ListQuery {
    let category = query.text("category").map(|text| Box::from(&*text));
    let sort = query.read("sort", "unknown_order", "newest or title", |text| match text {
        "newest" => Some(Sort::Newest),
        "title" => Some(Sort::Title),
        _ => None,
    });
    let sort = sort.unwrap_or(Sort::Newest);
    let limit = query.number("limit", 1..=PAGE_SIZE_MAX, PAGE_SIZE_DEFAULT);
    let detail = "a next_cursor of this category and order";
    let after = query
        .read("cursor", "bad_cursor", detail, |token| cursor::place(category.as_deref(), sort, token).ok());
    ListQuery { category, sort, limit, after }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::catalog::messages::Cursor;

    #[test]
    fn reads_a_page_and_its_cursor() {
        let mut query = Query::parse("category=lamps&sort=title&limit=7");
        let list = read(&mut query);
        assert_eq!((list.category.as_deref(), list.sort, list.limit), (Some("lamps"), Sort::Title, 7));
        let end = Cursor { time_us: 0, title: "Lamp & co".into(), id: Uuid::from_u128(7) };
        let token = cursor::token(&list, end.clone());
        let text = format!("sort=title&cursor={token}&category=lamps");
        let mut query = Query::parse(&text);
        assert_eq!(read(&mut query).after, Some(end));
        query.finish().unwrap();
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let list = ListQuery { category: None, sort: Sort::Newest, limit: 20, after: None };
        let token = cursor::token(&list, Cursor { time_us: 1, title: "".into(), id: Uuid::nil() });
        for text in [
            format!("category=lamps&cursor={token}"),
            format!("sort=title&cursor={token}"),
            "cursor=x".into(),
        ] {
            let mut query = Query::parse(&text);
            read(&mut query);
            let problem = query.finish().unwrap_err();
            assert_eq!(problem.errors()[0].parameter.as_deref(), Some("cursor"), "{text}");
        }
    }
}
