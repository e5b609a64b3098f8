//! What leads to a product: slugs, current and retired, and SKUs.

use aisle::store::{
    Connection, MissingNames, Precondition, edit as transaction,
    error::StoreError,
    products::{self, Upserted},
    reads,
    tokens::{self, Scope},
    variants,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    catalogue::{create, draft, edit, events},
    support,
};

fn rename(conn: &mut Connection, id: Uuid, slug: &str) -> Result<products::AdminProduct, StoreError> {
    let patch = json!({"slug": slug});
    transaction::transaction(conn, |conn| products::patch(conn, id, Precondition::Exists, &patch))
        .map(|done| done.0)
}

fn target(conn: &mut Connection, slug: &str) -> Option<(Uuid, String, bool)> {
    let found = reads::by_slug(conn, slug).unwrap().value;
    found.map(|target| (target.product_id, target.current_slug, target.is_current))
}

#[test]
fn slugs_are_derived_retired_and_taken_over() {
    let db = support::database();
    let mut conn = db.connect();
    let ids: Vec<Uuid> = (0..3).map(|_| create(&mut conn, &json!({"title": "Floor Lamp"})).id).collect();
    assert_eq!(target(&mut conn, "floor-lamp-3"), Some((ids[2], "floor-lamp-3".to_owned(), true)));
    rename(&mut conn, ids[0], "lamp").unwrap();
    assert_eq!(target(&mut conn, "floor-lamp"), Some((ids[0], "lamp".to_owned(), false)), "retired leads on");
    rename(&mut conn, ids[0], "floor-lamp").unwrap();
    assert_eq!(
        target(&mut conn, "floor-lamp"),
        Some((ids[0], "floor-lamp".to_owned(), true)),
        "one's own comes back"
    );
    assert_eq!(target(&mut conn, "lamp"), Some((ids[0], "floor-lamp".to_owned(), false)));
    rename(&mut conn, ids[1], "lamp").unwrap();
    assert_eq!(
        target(&mut conn, "lamp"),
        Some((ids[1], "lamp".to_owned(), true)),
        "another's retired one is free"
    );
    let taken = rename(&mut conn, ids[2], "lamp");
    assert!(matches!(taken, Err(StoreError::Duplicate { pointer, .. }) if pointer == "#/slug"));
    create(&mut conn, &json!({"title": "Floor Lamp 2"}));
    assert_eq!(
        target(&mut conn, "floor-lamp-2-2").map(|t| t.2),
        Some(true),
        "a derived one never takes a retired one"
    );
    let star = create(&mut conn, &json!({"title": "***"}));
    assert!(star.draft.slug.unwrap().starts_with("item-"));

    edit(&mut conn, |conn| products::delete(conn, ids[1], Precondition::Exists));
    assert_eq!(target(&mut conn, "lamp"), None);
    let reserved = rename(&mut conn, ids[2], "lamp");
    assert!(matches!(reserved, Err(StoreError::Duplicate { .. })), "a deleted product keeps its slug");
    edit(&mut conn, |conn| products::restore(conn, ids[1], Precondition::Exists));
    assert_eq!(target(&mut conn, "lamp").map(|t| t.0), Some(ids[1]));
}

#[test]
fn skus_are_unique_over_products_and_can_be_exchanged_within_one() {
    let db = support::database();
    let mut conn = db.connect();
    let two = |a: &str, b: &str| {
        json!({"title": "Lamp", "slug": "lamp", "variants": [
            {"sku": a, "options": {"Size": "S"}}, {"sku": b, "options": {"Size": "M"}}]})
    };
    let lamp = create(&mut conn, &two("A", "B"));
    let other = json!({"title": "Other", "variants": [
        {"sku": "X", "options": {"Size": "S"}}, {"sku": "B", "options": {"Size": "M"}}]});
    let taken = transaction::transaction(&mut conn, |conn| {
        products::create(conn, &draft(&other), MissingNames::Refuse)
    });
    assert!(matches!(taken, Err(StoreError::Duplicate { pointer, .. }) if pointer == "#/variants/1/sku"));
    assert_eq!(reads::by_sku(&mut conn, "X").unwrap().value, None, "nothing half-written");
    assert_eq!(reads::by_sku(&mut conn, "B").unwrap().value, Some(lamp.id));

    let mut exchanged = draft(&two("B", "A"));
    for (variant, stored) in exchanged.variants.iter_mut().zip(&lamp.draft.variants) {
        variant.id = stored.id;
    }
    let (after, _) = edit(&mut conn, |conn| {
        products::replace(conn, lamp.id, Precondition::Version(1), &exchanged, MissingNames::Refuse)
    });
    assert_eq!(after.draft.variants[0].id, lamp.draft.variants[0].id);
    assert_eq!(after.draft.variants[0].sku.as_deref(), Some("B"));

    let id = after.draft.variants[0].id.unwrap();
    let stranger = json!({"variants": [{"id": Uuid::nil(), "options": {"Size": "S"}}]});
    let unknown = transaction::transaction(&mut conn, |conn| {
        products::patch(conn, lamp.id, Precondition::Exists, &stranger)
    });
    assert!(matches!(unknown, Err(StoreError::Invalid(wrong)) if wrong[0].pointer == "#/variants/0/id"));
    let (variant, event) = edit(&mut conn, |conn| {
        variants::patch(
            conn,
            id,
            Precondition::Version(2),
            &json!({"barcode": "123", "prices": [{"currency": "EUR", "amount": 9}]}),
        )
    });
    assert_eq!((variant.version, variant.draft.barcode.as_deref(), event.is_some()), (3, Some("123"), true));
    let bad = transaction::transaction(&mut conn, |conn| {
        variants::patch(conn, id, Precondition::Exists, &json!({"sku": "A"}))
    });
    assert!(
        matches!(&bad, Err(StoreError::Invalid(wrong)) if wrong.iter().all(|one| !one.pointer.starts_with("#/variants/0"))),
        "{bad:?}"
    );
    let price = aisle::domain::draft::PriceDraft {
        currency: aisle::domain::money::Currency::parse("EUR").unwrap(),
        amount: 10,
        compare_at: None,
    };
    let (variant, event) =
        edit(&mut conn, |conn| variants::set_price(conn, id, Precondition::Version(3), &price));
    assert_eq!((variant.version, event.is_some()), (4, true));
    let (_, event) = edit(&mut conn, |conn| variants::set_price(conn, id, Precondition::Version(4), &price));
    assert!(event.is_none());
    let (variant, _) =
        edit(&mut conn, |conn| variants::remove_price(conn, id, Precondition::Version(4), "eur"));
    assert_eq!((variant.version, variant.draft.prices.len()), (5, 0));
    edit(&mut conn, |conn| products::delete(conn, lamp.id, Precondition::Exists));
    assert!(matches!(variants::get(&mut conn, id), Err(StoreError::NotFound)));
}

#[test]
fn an_import_finds_what_it_made() {
    let db = support::database();
    let mut conn = db.connect();
    let import = |conn: &mut Connection, document: Value| {
        edit(conn, |conn| products::upsert(conn, &draft(&document))).0
    };
    let Upserted::Created(id) =
        import(&mut conn, json!({"title": "Lamp", "brand": "Acme", "variants": [{"sku": "L"}]}))
    else {
        panic!("not new")
    };
    assert_eq!(
        import(&mut conn, json!({"title": "Lamp", "brand": "Acme", "variants": [{"sku": "L"}]})),
        Upserted::Unchanged(id)
    );
    assert_eq!(
        import(&mut conn, json!({"title": "Lamp", "external_id": "e", "slug": "lamp"})),
        Upserted::Updated(id)
    );
    assert_eq!(
        import(&mut conn, json!({"title": "Lamp", "slug": "lamp"})),
        Upserted::Unchanged(id),
        "the external id stays"
    );
    let other = import(&mut conn, json!({"title": "Lamp", "external_id": "f"}));
    assert!(matches!(other, Upserted::Created(new) if new != id), "another external id is another product");
    assert_eq!(import(&mut conn, json!({"title": "New title", "external_id": "e"})), Upserted::Updated(id));
    edit(&mut conn, |conn| products::delete(conn, id, Precondition::Exists));
    let before = events(&mut conn);
    assert_eq!(import(&mut conn, json!({"title": "New title", "external_id": "e"})), Upserted::Updated(id));
    assert_eq!(events(&mut conn), before + 1);
    assert!(reads::product(&mut conn, id).unwrap().value.is_some(), "brought back");
    let (page, bin) = (
        products::list(&mut conn, None, 1, false).unwrap(),
        products::list(&mut conn, None, 5, true).unwrap(),
    );
    assert_eq!((page.items.len(), bin.items.len()), (1, 0));
    let next = products::list(&mut conn, page.next_after, 1, false).unwrap();
    assert_eq!((next.items[0].id, next.next_after), (id, None));
}

#[test]
fn hostile_text_is_refused_with_its_reason() {
    let db = support::database();
    let mut conn = db.connect();
    for sku in ["\0", "a\0b"] {
        assert!(matches!(reads::by_sku(&mut conn, sku), Err(StoreError::Invalid(_))), "{sku:?}");
        assert!(matches!(reads::by_slug(&mut conn, sku), Err(StoreError::Invalid(_))));
        assert!(matches!(reads::category(&mut conn, sku), Err(StoreError::Invalid(_))));
    }
    assert!(reads::by_slug(&mut conn, "'; DROP TABLE product; --$1").unwrap().value.is_none());
}

#[test]
fn tokens_work_until_they_expire_or_are_revoked() {
    let db = support::database();
    let mut conn = db.connect();
    let token = tokens::create(&mut conn, "ci", Scope::Read, &[7; 32], None).unwrap();
    let (found, hash) = tokens::find(&mut conn, token.id).unwrap().expect("works");
    assert_eq!((found.name.as_str(), found.scope, hash), ("ci", Scope::Read, [7; 32]));
    let past = Some(chrono::Utc::now() - chrono::TimeDelta::seconds(1));
    let expired = tokens::create(&mut conn, "old", Scope::Write, &[8; 32], past).unwrap();
    assert!(tokens::find(&mut conn, expired.id).unwrap().is_none());
    let first = tokens::revoke(&mut conn, token.id).unwrap().revoked_at.expect("revoked");
    assert_eq!(tokens::revoke(&mut conn, token.id).unwrap().revoked_at, Some(first));
    assert!(tokens::find(&mut conn, token.id).unwrap().is_none());
    assert!(matches!(tokens::revoke(&mut conn, Uuid::nil()), Err(StoreError::NotFound)));
    assert_eq!(tokens::list(&mut conn).unwrap().len(), 2);
}
