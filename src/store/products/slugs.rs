//! URL names of products: claimed, retired, taken over.

use diesel::{RunQueryDsl, sql_types as sql};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    domain::slug::{SLUG_LENGTH_MAX, slugify},
    limits::SLUG_TRIES,
    store::{
        Connection,
        error::StoreError,
        statement::{Bind, Statement},
    },
};

/// The slug of a name before collisions are looked at, with room for a number. A name without any letter or digit gives
/// one made from its hash: the same each time, so that importing it again finds it again.
pub(in crate::store) fn base(name: &str) -> String {
    let slug = slugify(name);
    let short: String = slug.chars().take(SLUG_LENGTH_MAX - 8).collect();
    let short = short.trim_end_matches('-');
    if !short.is_empty() {
        return short.to_owned();
    }
    let digest = Sha256::digest(name.as_bytes());
    let first = digest.iter().take(6).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("item-{first:012x}")
}

/// Gives a product its slug: the one asked for, else the one it has (`current`), else one derived from the title.
/// The slug it had is retired. Gives whether anything was written.
pub(super) fn claim(
    connection: &mut Connection,
    product_id: Uuid,
    wanted: Option<&str>,
    current: Option<&str>,
    title: &str,
) -> Result<bool, StoreError> {
    match (wanted, current) {
        (Some(wanted), current) if Some(wanted) != current => {
            take(connection, product_id, wanted)?;
            Ok(true)
        }
        (None, None) => {
            derive(connection, product_id, &base(title))?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// A slug that was asked for is the current one of another product.
pub(super) fn taken() -> StoreError {
    StoreError::Duplicate { pointer: "#/slug".to_owned(), detail: "belongs to another product".to_owned() }
}

/// Makes `slug` the product's current one: a new one, one it had before, or one that another product has retired.
fn take(connection: &mut Connection, product_id: Uuid, slug: &str) -> Result<(), StoreError> {
    type Owner = (sql::Uuid, sql::Bool);
    let owner = Statement::<Owner>::new(
        "SELECT product_id, is_current FROM slug WHERE slug = $1 FOR UPDATE",
        [Bind::Text(slug)],
    )
    .load::<(Uuid, bool)>(connection)?
    .into_iter()
    .next();
    if owner.is_some_and(|(owner, is_current)| is_current && owner != product_id) {
        return Err(taken());
    }
    // First: a product has one current slug at every moment.
    Statement::<sql::Text>::new(
        "UPDATE slug SET is_current = false WHERE product_id = $1 AND is_current AND slug <> $2",
        [Bind::Id(product_id), Bind::Text(slug)],
    )
    .execute(connection)?;
    let text = match owner {
        Some(_) => "UPDATE slug SET product_id = $2, is_current = true WHERE slug = $1",
        None => "INSERT INTO slug (slug, product_id) VALUES ($1, $2)",
    };
    Statement::<sql::Text>::new(text, [Bind::Text(slug), Bind::Id(product_id)]).execute(connection)?;
    Ok(())
}

/// Takes the first free of `base`, `base-2`, `base-3`, …; of two that want the same one at once the second takes the next.
fn derive(connection: &mut Connection, product_id: Uuid, base: &str) -> Result<(), StoreError> {
    let insert = |slug: &str, connection: &mut Connection| {
        Statement::<sql::Text>::new(
            "INSERT INTO slug (slug, product_id) VALUES ($1, $2) ON CONFLICT (slug) DO NOTHING",
            [Bind::Text(slug), Bind::Id(product_id)],
        )
        .execute(connection)
    };
    if insert(base, connection)? == 1 {
        return Ok(());
    }
    for _ in 0..SLUG_TRIES {
        let free = Statement::<sql::Text>::new(
            "SELECT $1 || '-' || n FROM generate_series(2, 10000) AS n \
              WHERE NOT EXISTS (SELECT FROM slug s WHERE s.slug = $1 || '-' || n) LIMIT 1",
            [Bind::Text(base)],
        )
        .load::<String>(connection)?;
        let Some(free) = free.into_iter().next() else { break };
        if insert(&free, connection)? == 1 {
            return Ok(());
        }
    }
    if insert(&product_id.to_string(), connection)? == 1 { Ok(()) } else { Err(StoreError::Collision) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_slug() {
        assert_eq!(base("Floor Lamp"), "floor-lamp");
        assert_eq!(base("***"), base("***"));
        assert!(base("***").starts_with("item-"));
        assert!(base(&"long ".repeat(100)).len() <= SLUG_LENGTH_MAX - 8);
    }
}
