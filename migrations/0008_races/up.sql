-- Edits that race, and rows restored from another cluster: what each trigger must wait for, and why that is enough.
--
-- Throughout: a lock taken by a trigger is held until its transaction ends, and in READ COMMITTED (the default, which the
-- server uses) the next statement of a function sees what was committed while it waited. So of two transactions that meet
-- at a lock, the second sees all rows of the first, and its event and its documents cover the combination.

-- Touched in this transaction: `touched_xid` is its id and `updated_at` its start. The id alone is not enough: a dump
-- restored into another cluster brings ids that come round again there, and an edit in a transaction of such an id would
-- pass for one already noted. A start to the microsecond together with the id does not come again.
CREATE OR REPLACE FUNCTION catalog.raise_version() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  noted boolean := OLD.touched_xid = pg_current_xact_id() AND OLD.updated_at = now();
  touched boolean := NEW.touched_xid = pg_current_xact_id() AND NEW.updated_at = now();
BEGIN
  NEW.version := OLD.version;
  NEW.updated_at := OLD.updated_at;
  NEW.touched_xid := OLD.touched_xid;
  IF (touched OR NEW *<> OLD) AND NOT noted THEN
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
    NEW.touched_xid := pg_current_xact_id();
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION catalog.start_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  NEW.touched_xid := pg_current_xact_id();
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION catalog.spoil_documents(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  IF EXISTS (SELECT FROM public.catalog_event WHERE xid = pg_current_xact_id() AND at = now() AND pos IS NOT NULL) THEN
    DELETE FROM public.product_document WHERE product_id = ANY (ids);
  END IF;
END $$;

CREATE OR REPLACE FUNCTION catalog.touch(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  fresh uuid[];
BEGIN
  IF ids IS NULL THEN RETURN; END IF;
  SELECT array_agg(p.id) INTO fresh FROM (
    SELECT id FROM public.product WHERE id = ANY (ids) AND (touched_xid <> pg_current_xact_id() OR updated_at <> now())
     ORDER BY id FOR NO KEY UPDATE) p;
  IF fresh IS NOT NULL THEN
    UPDATE public.product SET touched_xid = pg_current_xact_id(), updated_at = now() WHERE id = ANY (fresh);
  END IF;
  PERFORM catalog.spoil_documents(ids);
END $$;

CREATE OR REPLACE FUNCTION catalog.product_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  changed uuid[];
  moved uuid[];
  shown uuid[];
  deps bigint[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(id), array_agg(id) FILTER (WHERE status = 'active' AND deleted_at IS NULL)
      INTO changed, moved FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(id), array_agg(id) FILTER (WHERE status = 'active' AND deleted_at IS NULL)
      INTO changed, moved FROM before_rows;
  ELSE
    SELECT array_agg(id) INTO changed
      FROM (SELECT id, version FROM after_rows EXCEPT ALL SELECT id, version FROM before_rows) d;
    IF changed IS NULL AND NOT EXISTS (
      SELECT FROM after_rows WHERE touched_xid = pg_current_xact_id() AND updated_at = now()) THEN
      RETURN NULL;
    END IF;
    SELECT array_agg(DISTINCT id) INTO moved FROM (
      (SELECT id, published_at, title FROM after_rows WHERE status = 'active' AND deleted_at IS NULL
       EXCEPT ALL SELECT id, published_at, title FROM before_rows WHERE status = 'active' AND deleted_at IS NULL)
      UNION ALL
      (SELECT id, published_at, title FROM before_rows WHERE status = 'active' AND deleted_at IS NULL
       EXCEPT ALL SELECT id, published_at, title FROM after_rows WHERE status = 'active' AND deleted_at IS NULL)) d;
    IF moved IS NOT NULL THEN
      SELECT array_agg(id) INTO shown FROM (
        (SELECT id FROM after_rows WHERE status = 'active' AND deleted_at IS NULL
         EXCEPT ALL SELECT id FROM before_rows WHERE status = 'active' AND deleted_at IS NULL)
        UNION ALL
        (SELECT id FROM before_rows WHERE status = 'active' AND deleted_at IS NULL
         EXCEPT ALL SELECT id FROM after_rows WHERE status = 'active' AND deleted_at IS NULL)) d;
      PERFORM catalog.sync_listing(moved);
      deps := catalog.deps('listing', catalog.categories_of(moved)::text[])
        || catalog.slug_deps(shown) || catalog.sku_deps(shown);
    END IF;
  END IF;
  IF moved IS NOT NULL THEN deps := deps || catalog.dep('listing', '*'); END IF;
  PERFORM catalog.record(deps || catalog.deps('product', changed::text[]), coalesce(changed, '{}'));
  -- A second change in one transaction keeps the version; a document stamped in between would be outdated.
  IF TG_OP = 'UPDATE' THEN
    PERFORM catalog.spoil_documents((SELECT array_agg(id) FROM after_rows
      WHERE touched_xid = pg_current_xact_id() AND updated_at = now()));
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION catalog.truncated() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM catalog.record('{0}', NULL);
  IF TG_TABLE_NAME NOT IN ('product', 'brand', 'category', 'stock_level') THEN
    UPDATE public.product SET touched_xid = pg_current_xact_id(), updated_at = now()
     WHERE touched_xid <> pg_current_xact_id() OR updated_at <> now();
    PERFORM catalog.spoil_documents((SELECT array_agg(id) FROM public.product));
  END IF;
  IF TG_TABLE_NAME IN ('product_category', 'category') THEN DELETE FROM public.product_listing; END IF;
  IF TG_TABLE_NAME = 'stock_level' THEN
    UPDATE public.variant SET availability = '' WHERE track_inventory; -- the trigger on variant computes the right one
  END IF;
  RETURN NULL;
END $$;

-- A product's document holds the names of its tags. Who renames a tag touches the products that have it, but sees none
-- that got it in a transaction under way; so who gives a tag shares a lock on it with others who do, and waits for a
-- rename or makes it wait. In the order of the ids, and before the product is touched, as a rename does it. (An edit that
-- has locked its product before can still collide with a rename of several tags; the database ends one of the two.)
CREATE FUNCTION catalog.lock_tags(tags uuid[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  PERFORM FROM public.tag WHERE id = ANY (tags) ORDER BY id FOR SHARE;
END $$;

CREATE OR REPLACE FUNCTION catalog.product_part_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  ids uuid[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(DISTINCT product_id) INTO ids FROM after_rows;
    IF TG_TABLE_NAME = 'product_tag' THEN
      PERFORM catalog.lock_tags((SELECT array_agg(DISTINCT tag_id) FROM after_rows));
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(DISTINCT product_id) INTO ids FROM before_rows;
  ELSE
    SELECT array_agg(DISTINCT product_id) INTO ids FROM (
      (TABLE after_rows EXCEPT ALL TABLE before_rows) UNION ALL (TABLE before_rows EXCEPT ALL TABLE after_rows)) d;
    IF TG_TABLE_NAME = 'product_tag' THEN
      PERFORM catalog.lock_tags((SELECT array_agg(DISTINCT tag_id) FROM (
        SELECT product_id, tag_id FROM after_rows EXCEPT ALL SELECT product_id, tag_id FROM before_rows) d));
    END IF;
  END IF;
  PERFORM catalog.touch(ids);
  RETURN NULL;
END $$;

-- Who shows or hides a product names in the log the slugs it sees, so none may be added meanwhile: a retired slug, which
-- touches nothing, locks the product it leads to. (Where a slug leads no longer needs no lock: this event names it, and
-- what becomes of the product it left changes nothing for it.)
CREATE FUNCTION catalog.lock_products(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  PERFORM FROM public.product WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;
END $$;

CREATE OR REPLACE FUNCTION catalog.slug_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  ids uuid[];
  led_to uuid[];
  slugs text[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(DISTINCT product_id) FILTER (WHERE is_current), array_agg(DISTINCT product_id), array_agg(slug)
      INTO ids, led_to, slugs FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(product_id) FILTER (WHERE is_current), array_agg(slug) INTO ids, slugs FROM before_rows;
  ELSE
    SELECT array_agg(DISTINCT product_id) FILTER (WHERE is_current), array_agg(DISTINCT slug) INTO ids, slugs FROM (
      (SELECT slug, product_id, is_current FROM after_rows EXCEPT ALL SELECT slug, product_id, is_current FROM before_rows)
      UNION ALL
      (SELECT slug, product_id, is_current FROM before_rows EXCEPT ALL SELECT slug, product_id, is_current FROM after_rows)) d;
    SELECT array_agg(DISTINCT product_id) INTO led_to FROM (
      SELECT slug, product_id FROM after_rows EXCEPT ALL SELECT slug, product_id FROM before_rows) d;
  END IF;
  PERFORM catalog.lock_products(led_to);
  PERFORM catalog.touch(ids);
  -- A retired slug answers with the current one, so all names of a product change with it.
  PERFORM catalog.record(catalog.deps('slug', slugs) || catalog.slug_deps(ids), '{}');
  RETURN NULL;
END $$;

-- A part is looked up by its variant or option, which statements may move to another product. Who moves one touches the
-- old product and the new one, so with the lock of the product found first, looking again tells whether that was all:
-- a move not seen then comes later, and its transaction builds the document anew.
CREATE FUNCTION catalog.touch_products_of_variants(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  touched uuid[] := '{}';
  found_now uuid[];
BEGIN
  LOOP
    SELECT array_agg(product_id) INTO found_now FROM (
      SELECT product_id FROM public.variant WHERE id = ANY (ids) EXCEPT SELECT unnest(touched)) d;
    EXIT WHEN found_now IS NULL;
    PERFORM catalog.touch(found_now);
    touched := touched || found_now;
  END LOOP;
END $$;

CREATE FUNCTION catalog.touch_products_of_options(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  touched uuid[] := '{}';
  found_now uuid[];
BEGIN
  LOOP
    SELECT array_agg(product_id) INTO found_now FROM (
      SELECT product_id FROM public.product_option WHERE id = ANY (ids) EXCEPT SELECT unnest(touched)) d;
    EXIT WHEN found_now IS NULL;
    PERFORM catalog.touch(found_now);
    touched := touched || found_now;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION catalog.variant_part_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  ids uuid[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(DISTINCT variant_id) INTO ids FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(DISTINCT variant_id) INTO ids FROM before_rows;
  ELSE
    SELECT array_agg(DISTINCT variant_id) INTO ids FROM (
      (TABLE after_rows EXCEPT ALL TABLE before_rows) UNION ALL (TABLE before_rows EXCEPT ALL TABLE after_rows)) d;
  END IF;
  IF ids IS NOT NULL THEN PERFORM catalog.touch_products_of_variants(ids); END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION catalog.option_value_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  ids uuid[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(DISTINCT option_id) INTO ids FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(DISTINCT option_id) INTO ids FROM before_rows;
  ELSE
    SELECT array_agg(DISTINCT option_id) INTO ids FROM (
      (TABLE after_rows EXCEPT ALL TABLE before_rows) UNION ALL (TABLE before_rows EXCEPT ALL TABLE after_rows)) d;
  END IF;
  IF ids IS NOT NULL THEN PERFORM catalog.touch_products_of_options(ids); END IF;
  RETURN NULL;
END $$;

-- Places: which products stand in which lists depends on a product's categories and on what is above these. Lock 4203
-- orders the two: who changes a category that is there has it alone, who brings products' rows in line shares it.
--
-- Before, the rows of the categories were locked in its stead, those a product is in. That missed the ones it had left: a
-- product taken out of a category that was being moved stayed in the lists above the new place, and its event did not name
-- them. And it made cycles that no order of rows could prevent: a move goes down the tree while an import meets categories
-- in the order of its file, and a move met the products, by the foreign key of their rows in lists, that an import had
-- changed. So this foreign key goes: who removes a product removes it from its categories, and with that from the lists.
--
-- The order of locks, for all: 4202 (names and the tree), products by id, 4203; who changes a category has no product's
-- lock and asks for 4203 before it changes a row. Who has products' locks must not wait for 4202 (see `store::named`).
CREATE OR REPLACE FUNCTION catalog.lock_tree() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(4202);
  -- A new category has no products, and one that can go has none.
  IF TG_OP = 'UPDATE' THEN PERFORM pg_advisory_xact_lock(4203); END IF;
  RETURN NULL;
END $$;

ALTER TABLE product_listing DROP CONSTRAINT product_listing_product_fkey;

-- Brings the narrow rows that category pages read in line with these products and their categories. Callers that change a
-- product have its lock; the categories hold still.
CREATE OR REPLACE FUNCTION catalog.sync_listing(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  IF ids IS NULL THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock_shared(4203);
  -- ARRAY(...) is evaluated per row, by index: no join whose order a plan could get wrong.
  DELETE FROM public.product_listing l WHERE l.product_id = ANY (ids) AND (
    l.category_id <> ALL (ARRAY(
      SELECT unnest((SELECT c.lineage FROM public.category c WHERE c.id = pc.category_id))
        FROM public.product_category pc WHERE pc.product_id = l.product_id))
    OR (SELECT p.status <> 'active' OR p.deleted_at IS NOT NULL FROM public.product p WHERE p.id = l.product_id));
  INSERT INTO public.product_listing AS l (product_id, category_id, published_at, title)
  SELECT DISTINCT p.id, above, p.published_at, p.title FROM public.product p CROSS JOIN LATERAL unnest(ARRAY(
      SELECT unnest((SELECT c.lineage FROM public.category c WHERE c.id = pc.category_id))
        FROM public.product_category pc WHERE pc.product_id = p.id)) AS above
   WHERE p.id = ANY (ids) AND p.status = 'active' AND p.deleted_at IS NULL
  ON CONFLICT (product_id, category_id) DO UPDATE SET published_at = excluded.published_at, title = excluded.title
   WHERE (l.published_at, l.title) IS DISTINCT FROM (excluded.published_at, excluded.title);
END $$;
