//! Pages of product ids: keyset, each read as a stretch of one index.

use chrono::{DateTime, Utc};
use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::{
    HEAD, Snapshot,
    categories::{CATEGORY_ID, category_binds},
    products::{ProductRow, products},
};
use crate::{
    catalog::messages::{Cursor, ListQuery, Sort},
    store::{
        Connection,
        error::StoreError,
        statement::{Bind, Statement},
    },
};

/// A page of ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdPage {
    /// Products in order.
    pub ids: Vec<Uuid>,
    /// Where the next page starts; none on the last page.
    pub next: Option<Cursor>,
    /// The category listed, if one was asked for.
    pub category_id: Option<Uuid>,
}

type RowSql = (
    sql::BigInt,
    sql::Nullable<sql::Uuid>,
    sql::Nullable<sql::Uuid>,
    sql::Nullable<sql::Timestamptz>,
    sql::Nullable<sql::Text>,
);
type RowValues = (i64, Option<Uuid>, Option<Uuid>, Option<DateTime<Utc>>, Option<String>);

/// Rows read at most, in steps. The limit stands in the text: a plan for an unknown limit expects a tenth of the table and
/// may sort it, and a text per limit would fill the connection with plans.
const STEPS: [usize; 3] = [21, 51, 201];

/// Reads a page of ids of what the store shows: of the subtree of a category, named by id or slug, or of everything.
/// `None`: there is no such category.
pub fn list_ids(
    connection: &mut Connection,
    query: &ListQuery,
) -> Result<Snapshot<Option<IdPage>>, StoreError> {
    let limit = usize::from(query.limit).clamp(1, 200);
    let step = STEPS.into_iter().find(|step| *step > limit).unwrap_or(201);
    let mut binds = query.category.as_deref().map(category_binds).unwrap_or_default();
    let after = match &query.after {
        Some(after) => Some(bind_after(query.sort, after, &mut binds)?),
        None => None,
    };
    let rows = Statement::<RowSql>::new(text(query, after, step), binds).load::<RowValues>(connection)?;
    let head = rows.first().map_or(0, |row| row.0);
    let category_id = rows.first().and_then(|row| row.1);
    if query.category.is_some() && category_id.is_none() {
        return Ok(Snapshot { head, value: None });
    }
    let mut items: Vec<Cursor> = rows.into_iter().filter_map(|row| place(query.sort, row)).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let ids = items.iter().map(|item| item.id).collect();
    let next = if more { items.pop() } else { None };
    Ok(Snapshot { head, value: Some(IdPage { ids, next, category_id }) })
}

/// A page and its products, read together.
#[derive(Debug, Clone)]
pub struct ProductPage {
    /// The page.
    pub ids: IdPage,
    /// The products of the page that the store shows: all of them.
    pub products: Vec<(Uuid, ProductRow)>,
}

/// Reads a page of ids and its products in one snapshot. Two statements, so a transaction.
pub fn list_products(
    connection: &mut Connection,
    query: &ListQuery,
) -> Result<Snapshot<Option<ProductPage>>, StoreError> {
    connection.build_transaction().read_only().repeatable_read().run(|connection| {
        let Snapshot { head, value } = list_ids(connection, query)?;
        let Some(ids) = value else { return Ok(Snapshot { head, value: None }) };
        let products = products(connection, &ids.ids)?.value;
        Ok(Snapshot { head, value: Some(ProductPage { ids, products }) })
    })
}

fn place(sort: Sort, (_, _, id, published_at, title): RowValues) -> Option<Cursor> {
    let (id, published_at, title) = (id?, published_at?, title?);
    Some(match sort {
        Sort::Newest => Cursor { time_us: published_at.timestamp_micros(), title: "".into(), id },
        Sort::Title => Cursor { time_us: 0, title: title.into(), id },
    })
}

/// Adds the binds of the place to start after and gives the numbers of their places in the text.
fn bind_after<'a>(
    sort: Sort,
    after: &'a Cursor,
    binds: &mut Vec<Bind<'a>>,
) -> Result<(usize, usize), StoreError> {
    binds.push(match sort {
        Sort::Newest => Bind::Instant(
            DateTime::from_timestamp_micros(after.time_us)
                .ok_or_else(|| StoreError::invalid("#", "out_of_range", "a time that cannot be stored"))?,
        ),
        Sort::Title => Bind::Text(&after.title),
    });
    let value = binds.len();
    binds.push(Bind::Id(after.id));
    Ok((value, binds.len()))
}

fn text(query: &ListQuery, after: Option<(usize, usize)>, step: usize) -> String {
    let (table, id, scope) = match query.category {
        Some(_) => ("product_listing", "product_id", "category_id = c.id"),
        None => ("product", "id", "status = 'active' AND deleted_at IS NULL"),
    };
    let (key, direction, sign) = match query.sort {
        Sort::Newest => ("published_at", "DESC", "<"),
        Sort::Title => ("title COLLATE \"C\"", "ASC", ">"),
    };
    let start = after.map_or_else(String::new, |(value, after_id)| {
        format!("AND ({key}, {id}) {sign} (${value}, ${after_id})")
    });
    let category = match query.category {
        Some(_) => format!("LEFT JOIN category c ON c.id = {CATEGORY_ID}"),
        None => "CROSS JOIN (SELECT null::uuid AS id) c".to_owned(),
    };
    format!(
        "SELECT h.head, c.id, l.id, l.published_at, l.title FROM {HEAD} {category} \
         LEFT JOIN LATERAL (SELECT {id} AS id, published_at, title FROM {table} WHERE {scope} {start} \
         ORDER BY {key} {direction}, {id} {direction} LIMIT {step}) l ON true \
         ORDER BY l.{key} {direction}, l.id {direction}"
    )
}
