//! Categories and lists, as the store reads them and as editors change them.

use std::thread;

use aisle::{
    domain::{
        dependency::Dependency,
        list::{Filter, ListQuery, Place, SortKey, Start},
    },
    store::{
        Connection, Precondition,
        brands::{self, BrandDraft},
        categories::{self, CategoryDraft},
        edit as transaction,
        error::StoreError,
        products, reads,
    },
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    catalogue::{create, edit, events, last_deps, number, psql, texts},
    support,
};

fn category(conn: &mut Connection, name: &str, parent_id: Option<Uuid>) -> categories::AdminCategory {
    let draft = CategoryDraft { name: name.to_owned(), parent_id, ..CategoryDraft::default() };
    edit(conn, |conn| categories::create(conn, &draft)).0
}

fn newest_of(category: Option<&str>, limit: u16, start: Start) -> ListQuery {
    let filter = Filter { category: category.map(Into::into), ..Filter::default() };
    ListQuery { filter, limit, start, ..ListQuery::default() }
}

/// Everything, as the database lists it while the index is read.
fn all(conn: &mut Connection, category: Option<&str>, limit: u16) -> Vec<Uuid> {
    let mut ids = Vec::new();
    let mut start = Start::Beginning;
    loop {
        let query = newest_of(category, limit, start);
        let page = reads::list_ids(conn, &query).unwrap().value.expect("a known category");
        assert!(page.ids.len() <= usize::from(limit));
        ids.extend(page.ids);
        match page.last.filter(|_| page.has_next) {
            Some(last) => start = Start::After(last),
            None => return ids,
        }
    }
}

#[test]
fn pages_list_a_subtree_once_in_order() {
    let db = support::database();
    let mut conn = db.connect();
    let home = category(&mut conn, "Home", None);
    let lamps = category(&mut conn, "Lamps", Some(home.id));
    let floor = category(&mut conn, "Floor", Some(lamps.id));
    let mut made = Vec::new();
    for n in 0..23 {
        let title = format!("Lamp {}", (n * 7) % 23);
        let place = [vec![lamps.id, floor.id], vec![floor.id], vec![home.id]][n % 3].clone();
        made.push(create(&mut conn, &json!({"title": title, "category_ids": place})));
    }
    create(&mut conn, &json!({"title": "Draft", "status": "draft", "category_ids": [lamps.id]}));
    create(&mut conn, &json!({"title": "Elsewhere"}));
    let newest = |keep: &dyn Fn(usize) -> bool| -> Vec<Uuid> {
        (0..23).rev().filter(|n| keep(*n)).map(|n| made[n].id).collect()
    };
    for limit in [1, 4, 23, 200] {
        assert_eq!(all(&mut conn, Some("home"), limit), newest(&|_| true));
        assert_eq!(all(&mut conn, Some(&lamps.id.to_string()), limit), newest(&|n| n % 3 < 2));
        assert_eq!(all(&mut conn, None, limit)[1..], newest(&|_| true));
    }
    let unknown = newest_of(Some("unknown"), 5, Start::Beginning);
    let answer = reads::list_ids(&mut conn, &unknown).unwrap();
    assert!(answer.value.is_none() && answer.head > 0, "absence has a position too");

    // Moving a category takes its products along; the log names the lists they leave and join.
    let garden = category(&mut conn, "Garden", None);
    let draft = CategoryDraft { parent_id: Some(garden.id), ..lamps.draft.clone() };
    edit(&mut conn, |conn| categories::replace(conn, lamps.id, Precondition::Exists, &draft));
    let deps = last_deps(&mut conn);
    for id in [home.id, garden.id, lamps.id, floor.id] {
        assert!(deps.contains(&Dependency::listing(&id).0));
    }
    assert!(
        deps.contains(&Dependency::category(&floor.id).0) && deps.contains(&Dependency::category_tree().0)
    );
    assert_eq!(all(&mut conn, Some("garden"), 9), newest(&|n| n % 3 < 2));
    assert_eq!(all(&mut conn, Some("home"), 9), newest(&|n| n % 3 == 2));
    assert_eq!(
        reads::category(&mut conn, "floor").unwrap().value.unwrap().category.path,
        "garden/lamps/floor"
    );
    edit(&mut conn, |conn| products::delete(conn, made[0].id, Precondition::Exists));
    assert_eq!(all(&mut conn, Some("garden"), 9), newest(&|n| n > 0 && n % 3 < 2));
}

/// Each page is a stretch of an index, each read a look-up: no plan may read a whole table of products or sort a category.
/// The statements are those that the reads left prepared, planned without knowing their binds.
#[test]
fn plans_of_reads_use_indexes() {
    let db = support::database();
    let mut conn = aisle::store::pool::connect(&db.url).unwrap();
    let home = category(&mut conn, "Home", None);
    psql(
        &mut conn,
        &format!(
            "INSERT INTO product (title, published_at) SELECT 'Lamp ' || n, now() - n * interval '1s' FROM generate_series(1, 5000) n; \
             INSERT INTO slug (slug, product_id) SELECT id::text, id FROM product; \
             INSERT INTO variant (sku, product_id) SELECT id::text, id FROM product; \
             INSERT INTO product_category SELECT id, '{}' FROM product",
            home.id
        ),
    );
    psql(
        &mut conn,
        "DO $$ DECLARE one uuid; BEGIN FOR one IN SELECT id FROM product LIMIT 500 LOOP \
           UPDATE product SET seo_title = 'x' WHERE id = one; COMMIT; \
         END LOOP; END $$",
    );
    psql(&mut conn, "ANALYZE");
    let id = Uuid::now_v7();
    for category in [None, Some("home")] {
        let place = Place { key: SortKey::Time(1_700_000_000_000_000), id };
        for start in [Start::Beginning, Start::After(place)] {
            reads::list_ids(&mut conn, &newest_of(category, 200, start)).unwrap();
        }
    }
    reads::changes(&mut conn, 5).unwrap();
    reads::product(&mut conn, id).unwrap();
    reads::products(&mut conn, &[id]).unwrap();
    reads::by_slug(&mut conn, "lamp").unwrap();
    reads::by_sku(&mut conn, "lamp").unwrap();
    reads::by_slugs(&mut conn, &["lamp".to_owned()]).unwrap();
    reads::by_skus(&mut conn, &["lamp".to_owned()]).unwrap();
    aisle::store::events::pull(&mut conn, 5, 10).unwrap();
    let executes = texts(
        &mut conn,
        "SELECT 'EXPLAIN EXECUTE ' || quote_ident(name) || coalesce('(' || \
           array_to_string(ARRAY(SELECT 'NULL' FROM unnest(parameter_types)), ',') || ')', '') AS text \
           FROM pg_prepared_statements WHERE statement LIKE '%catalog_event%' AND statement NOT LIKE '%pg_prepared%'",
    );
    assert!(executes.len() >= 13, "the reads were found");
    let planned_anew =
        "SELECT sum(custom_plans)::bigint AS number FROM pg_prepared_statements WHERE from_sql IS FALSE";
    assert_eq!(number(&mut conn, planned_anew), 0, "plans are made once, for any binds");
    for execute in executes {
        let plan = texts_of_explain(&mut conn, &execute.replace("()", ""));
        for table in ["product", "product_listing", "product_document", "slug", "variant", "catalog_event"] {
            assert!(!plan.contains(&format!("Seq Scan on {table} ")), "{plan}");
        }
        // A page may be put in order; what it is cut from may not.
        let below_limit = plan.lines().skip_while(|line| !line.contains("Limit  (")).collect::<Vec<_>>();
        assert!(!below_limit.iter().any(|line| line.contains("Sort  (")), "{plan}");
    }
}

fn texts_of_explain(conn: &mut Connection, statement: &str) -> String {
    use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
        line: String,
    }
    let lines: Vec<Line> = sql_query(statement).load(conn).unwrap();
    lines.into_iter().map(|line| line.line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_category_cannot_be_below_itself() {
    let db = support::database();
    let mut conn = db.connect();
    let top = category(&mut conn, "A", None);
    let middle = category(&mut conn, "B", Some(top.id));
    let bottom = category(&mut conn, "C", Some(middle.id));
    let draft = CategoryDraft { parent_id: Some(bottom.id), ..top.draft.clone() };
    let error = transaction::transaction(&mut conn, |conn| {
        categories::replace(conn, top.id, Precondition::Exists, &draft)
    });
    let Err(StoreError::Invalid(wrong)) = error else { panic!("{error:?}") };
    assert_eq!((wrong[0].pointer.as_str(), wrong[0].rule), ("#/parent_id", "cycle"));
    for statement in [
        format!("UPDATE category SET parent_id = id WHERE id = '{}'", top.id),
        format!(
            "UPDATE category SET parent_id = CASE id WHEN '{}' THEN '{}'::uuid ELSE '{}'::uuid END WHERE id IN ('{0}', '{1}')",
            top.id, bottom.id, middle.id
        ),
    ] {
        diesel::connection::SimpleConnection::batch_execute(&mut conn, &statement).expect_err("a cycle");
    }
    // Two moves that are each fine, at the same time.
    let (left, right) = (category(&mut conn, "X", None), category(&mut conn, "Y", None));
    let attempts: Vec<_> = [(left.id, right.id), (right.id, left.id)]
        .into_iter()
        .map(|(id, parent)| {
            let mut conn = db.connect();
            thread::spawn(move || {
                let patch = json!({"parent_id": parent});
                transaction::transaction(&mut conn, |conn| {
                    categories::patch(conn, id, Precondition::Exists, &patch)
                })
                .is_ok()
            })
        })
        .collect();
    let moved: Vec<bool> = attempts.into_iter().map(|one| one.join().unwrap()).collect();
    assert_eq!(moved.iter().filter(|moved| **moved).count(), 1, "one of them is refused");
    assert_eq!(
        number(
            &mut conn,
            "SELECT count(*) AS number FROM category WHERE id = ANY (lineage[1:cardinality(lineage) - 1])"
        ),
        0
    );
}

#[test]
fn brands_and_categories_are_versioned_and_kept_while_in_use() {
    let db = support::database();
    let mut conn = db.connect();
    let lamp = create(&mut conn, &json!({"title": "Lamp", "brand": "Acme", "categories": ["Home > Lamps"]}));
    let brand = lamp.draft.brand_id.unwrap();
    let used = transaction::transaction(&mut conn, |conn| brands::delete(conn, brand, Precondition::Exists));
    assert!(matches!(used, Err(StoreError::Invalid(wrong)) if wrong[0].rule == "in_use"));
    let used = transaction::transaction(&mut conn, |conn| {
        categories::delete(conn, lamp.draft.category_ids[0], Precondition::Exists)
    });
    assert!(matches!(used, Err(StoreError::Invalid(wrong)) if wrong[0].rule == "in_use"));

    let (renamed, event) = edit(&mut conn, |conn| {
        brands::patch(conn, brand, Precondition::Version(1), &json!({"name": "Apex"}))
    });
    assert_eq!((renamed.version, renamed.draft.slug.as_deref()), (2, Some("acme")));
    let mut deps = event.unwrap().deps;
    let mut expected = vec![Dependency::brand(&brand).0, Dependency::brand_list().0];
    deps.sort_unstable();
    expected.sort_unstable();
    assert_eq!(deps, expected, "one event for all its products");
    let row = reads::product(&mut conn, lamp.id).unwrap().value.unwrap();
    assert_eq!((row.version, row.brand.unwrap().name.as_str()), (1, "Apex"), "joined when read");
    let (_, event) =
        edit(&mut conn, |conn| brands::replace(conn, brand, Precondition::Version(2), &renamed.draft));
    assert!(event.is_none());
    let stale = transaction::transaction(&mut conn, |conn| {
        brands::patch(conn, brand, Precondition::Version(1), &json!({"name": "Z"}))
    });
    assert!(matches!(stale, Err(StoreError::VersionConflict { current: 2 })));
    let draft = BrandDraft { name: " ".to_owned(), slug: Some("A b".to_owned()), ..BrandDraft::default() };
    let bad = transaction::transaction(&mut conn, |conn| brands::create(conn, &draft));
    assert!(matches!(bad, Err(StoreError::Invalid(wrong)) if wrong.len() == 2));
    let other =
        BrandDraft { name: "Other".to_owned(), slug: Some("acme".to_owned()), ..BrandDraft::default() };
    let taken = transaction::transaction(&mut conn, |conn| brands::create(conn, &other));
    assert!(matches!(taken, Err(StoreError::Duplicate { pointer, .. }) if pointer == "#/slug"));
    let before = events(&mut conn);
    let (found, _) = edit(&mut conn, |conn| {
        let draft = crate::catalogue::draft(
            &json!({"title": "Two", "brand": "APEX", "categories": ["home > LAMPS"]}),
        );
        products::create(conn, &draft, aisle::store::MissingNames::Refuse)
    });
    assert_eq!((found.draft.brand_id, found.draft.category_ids), (Some(brand), lamp.draft.category_ids));
    assert_eq!(events(&mut conn), before + 1);
    assert_eq!(texts(&mut conn, "SELECT path AS text FROM category ORDER BY path"), ["home", "home/lamps"]);
}
