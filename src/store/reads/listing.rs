//! Pages of product ids, newest first: keyset, each read as a stretch of one index. For instances whose own index of lists
//! is not read yet, and for whoever checks that.

use chrono::{DateTime, Utc};
use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::{
    HEAD, Snapshot,
    categories::{CATEGORY_ID, category_binds},
};
use crate::{
    domain::list::{ListPage, ListQuery, Place, Sort, SortKey, Start},
    store::{
        Connection,
        error::StoreError,
        statement::{Bind, Statement},
    },
};

type RowSql =
    (sql::BigInt, sql::Nullable<sql::Uuid>, sql::Nullable<sql::Uuid>, sql::Nullable<sql::Timestamptz>);
type RowValues = (i64, Option<Uuid>, Option<Uuid>, Option<DateTime<Utc>>);

/// Rows read at most, in steps. The limit stands in the text: a plan for an unknown limit expects a tenth of the table and
/// may sort it, and a text per limit would fill the connection with plans.
const STEPS: [usize; 3] = [21, 51, 201];

/// What [`list_ids`] can read: the newest of a category or of everything, forwards.
pub fn is_plain(query: &ListQuery) -> bool {
    query.sort == Sort::Newest
        && !query.filter.narrows()
        && query.facets.is_empty()
        && !query.has_total
        && !matches!(query.start, Start::Before(_))
}

/// Reads a page of ids of what the store shows, if it is a plain one: of the subtree of a category, named by id or slug, or of
/// everything. The page is `None` when there is no such category.
pub fn list_ids(
    connection: &mut Connection,
    query: &ListQuery,
) -> Result<Snapshot<Option<ListPage>>, StoreError> {
    if !is_plain(query) {
        return Err(StoreError::Unavailable("lists are being read".to_owned()));
    }
    let limit = usize::from(query.limit).clamp(1, 200);
    let step = STEPS.into_iter().find(|step| *step > limit).unwrap_or(201);
    let category = query.filter.category.as_deref();
    let mut binds = category.map(category_binds).unwrap_or_default();
    let after = match &query.start {
        Start::After(place) => Some(bind_after(place, &mut binds)?),
        Start::Beginning | Start::Before(_) => None,
    };
    let text = text(category.is_some(), after, step);
    let rows = Statement::<RowSql>::new(text, binds).load::<RowValues>(connection)?;
    let head = rows.first().map_or(0, |row| row.0);
    let category_id = rows.first().and_then(|row| row.1);
    if category.is_some() && category_id.is_none() {
        return Ok(Snapshot { head, value: None });
    }
    let mut places: Vec<Place> = rows.into_iter().filter_map(place).collect();
    let has_next = places.len() > limit;
    places.truncate(limit);
    let page = ListPage {
        ids: places.iter().map(|place| place.id).collect(),
        first: places.first().cloned(),
        last: places.pop(),
        has_previous: after.is_some(),
        has_next,
        category: category_id,
        ..ListPage::default()
    };
    Ok(Snapshot { head, value: Some(page) })
}

fn place((_, _, id, published_at): RowValues) -> Option<Place> {
    Some(Place { id: id?, key: SortKey::Time(published_at?.timestamp_micros()) })
}

/// Adds the binds of the place to start after and gives the numbers of their places in the text.
fn bind_after(after: &Place, binds: &mut Vec<Bind<'_>>) -> Result<(usize, usize), StoreError> {
    let wrong = || StoreError::invalid("#", "out_of_range", "a place that no product of this list can have");
    let SortKey::Time(time_us) = after.key else { return Err(wrong()) };
    binds.push(Bind::Instant(DateTime::from_timestamp_micros(time_us).ok_or_else(wrong)?));
    let value = binds.len();
    binds.push(Bind::Id(after.id));
    Ok((value, binds.len()))
}

fn text(has_category: bool, after: Option<(usize, usize)>, step: usize) -> String {
    let (table, id, scope) = if has_category {
        ("product_listing", "product_id", "category_id = c.id")
    } else {
        ("product", "id", "status = 'active' AND deleted_at IS NULL")
    };
    let start = after.map_or_else(String::new, |(value, after_id)| {
        format!("AND (published_at, {id}) < (${value}, ${after_id})")
    });
    let category = if has_category {
        format!("LEFT JOIN category c ON c.id = {CATEGORY_ID}")
    } else {
        "CROSS JOIN (SELECT null::uuid AS id) c".to_owned()
    };
    format!(
        "SELECT h.head, c.id, l.id, l.published_at FROM {HEAD} {category} \
         LEFT JOIN LATERAL (SELECT {id} AS id, published_at FROM {table} WHERE {scope} {start} \
         ORDER BY published_at DESC, {id} DESC LIMIT {step}) l ON true \
         ORDER BY l.published_at DESC, l.id DESC"
    )
}
