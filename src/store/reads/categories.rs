//! The category tree and the brands, as the store shows them.

use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::{HEAD, Snapshot};
use crate::{
    domain::{category::StoreCategory, document::BrandReference},
    store::{
        Connection,
        error::StoreError,
        statement::{Bind, Statement},
    },
};

/// One category and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryRow {
    /// Version of the category's own row.
    pub version: i64,
    /// The category.
    pub category: StoreCategory,
}

type CategorySql = (
    sql::BigInt,
    sql::Nullable<sql::Uuid>,
    sql::Nullable<sql::Uuid>,
    sql::Nullable<sql::Text>,
    sql::Nullable<sql::Text>,
    sql::Nullable<sql::Text>,
    sql::Nullable<sql::Text>,
    sql::Nullable<sql::BigInt>,
);
type CategoryValues = (
    i64,
    Option<Uuid>,
    Option<Uuid>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
);

const COLUMNS: &str = "h.head, c.id, c.parent_id, c.slug, c.name, c.description, c.path, c.version";

fn category_row(row: CategoryValues) -> Option<CategoryRow> {
    let (_, id, parent_id, slug, name, description, path, version) = row;
    let category = StoreCategory {
        id: id?,
        slug: slug?,
        name: name?,
        description: description?,
        parent_id,
        path: path?,
    };
    Some(CategoryRow { version: version?, category })
}

/// Reads all categories: parents before children, siblings by position, then name.
pub fn category_tree(connection: &mut Connection) -> Result<Snapshot<Vec<StoreCategory>>, StoreError> {
    let text = format!(
        "SELECT {COLUMNS} FROM {HEAD} LEFT JOIN category c ON true \
         ORDER BY cardinality(c.lineage), c.position, c.name COLLATE \"C\", c.id"
    );
    let rows = Statement::<CategorySql>::new(text, []).load::<CategoryValues>(connection)?;
    let head = rows.first().map_or(0, |row| row.0);
    Ok(Snapshot { head, value: rows.into_iter().filter_map(category_row).map(|row| row.category).collect() })
}

/// Reads one category by id or, where no category has that id, by slug.
pub fn category(
    connection: &mut Connection,
    id_or_slug: &str,
) -> Result<Snapshot<Option<CategoryRow>>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM {HEAD} LEFT JOIN category c ON c.id = {CATEGORY_ID}");
    let row = Statement::<CategorySql>::new(text, category_binds(id_or_slug))
        .get_result::<CategoryValues>(connection)?;
    Ok(Snapshot { head: row.0, value: category_row(row) })
}

/// The id of the category that `$1` (id) or `$2` (slug) names.
pub(super) const CATEGORY_ID: &str =
    "coalesce((SELECT id FROM category WHERE id = $1), (SELECT id FROM category WHERE slug = $2))";

pub(super) fn category_binds(id_or_slug: &str) -> Vec<Bind<'_>> {
    vec![Bind::OptionalId(Uuid::try_parse(id_or_slug).ok()), Bind::Text(id_or_slug)]
}

/// Reads all brands by name.
pub fn brands(connection: &mut Connection) -> Result<Snapshot<Vec<BrandReference>>, StoreError> {
    type Row = (sql::BigInt, sql::Nullable<sql::Uuid>, sql::Nullable<sql::Text>, sql::Nullable<sql::Text>);
    type Values = (i64, Option<Uuid>, Option<String>, Option<String>);
    let text = format!(
        "SELECT h.head, b.id, b.slug, b.name FROM {HEAD} LEFT JOIN brand b ON true \
         ORDER BY b.name COLLATE \"C\", b.id"
    );
    let rows = Statement::<Row>::new(text, []).load::<Values>(connection)?;
    let head = rows.first().map_or(0, |row| row.0);
    let brand = |(_, id, slug, name): Values| Some(BrandReference { id: id?, slug: slug?, name: name? });
    Ok(Snapshot { head, value: rows.into_iter().filter_map(brand).collect() })
}
