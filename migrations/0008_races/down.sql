CREATE OR REPLACE FUNCTION catalog.raise_version() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  touched boolean := NEW.touched_xid = pg_current_xact_id() AND OLD.touched_xid <> NEW.touched_xid;
BEGIN
  NEW.version := OLD.version;
  NEW.updated_at := OLD.updated_at;
  NEW.touched_xid := OLD.touched_xid;
  IF (touched OR NEW *<> OLD) AND OLD.touched_xid <> pg_current_xact_id() THEN
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
    NEW.touched_xid := pg_current_xact_id();
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION catalog.start_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.touched_xid := pg_current_xact_id();
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION catalog.spoil_documents(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  IF EXISTS (SELECT FROM public.catalog_event WHERE xid = pg_current_xact_id() AND pos IS NOT NULL) THEN
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
    SELECT id FROM public.product WHERE id = ANY (ids) AND touched_xid <> pg_current_xact_id()
     ORDER BY id FOR NO KEY UPDATE) p;
  IF fresh IS NOT NULL THEN
    UPDATE public.product SET touched_xid = pg_current_xact_id() WHERE id = ANY (fresh);
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
    IF changed IS NULL AND NOT EXISTS (SELECT FROM after_rows WHERE touched_xid = pg_current_xact_id()) THEN
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
    PERFORM catalog.spoil_documents((SELECT array_agg(id) FROM after_rows WHERE touched_xid = pg_current_xact_id()));
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION catalog.truncated() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM catalog.record('{0}', NULL);
  IF TG_TABLE_NAME NOT IN ('product', 'brand', 'category', 'stock_level') THEN
    UPDATE public.product SET touched_xid = pg_current_xact_id() WHERE touched_xid <> pg_current_xact_id();
    PERFORM catalog.spoil_documents((SELECT array_agg(id) FROM public.product));
  END IF;
  IF TG_TABLE_NAME IN ('product_category', 'category') THEN DELETE FROM public.product_listing; END IF;
  IF TG_TABLE_NAME = 'stock_level' THEN
    UPDATE public.variant SET availability = '' WHERE track_inventory; -- the trigger on variant computes the right one
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION catalog.product_part_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  ids uuid[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(DISTINCT product_id) INTO ids FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(DISTINCT product_id) INTO ids FROM before_rows;
  ELSE
    SELECT array_agg(DISTINCT product_id) INTO ids FROM (
      (TABLE after_rows EXCEPT ALL TABLE before_rows) UNION ALL (TABLE before_rows EXCEPT ALL TABLE after_rows)) d;
  END IF;
  PERFORM catalog.touch(ids);
  RETURN NULL;
END $$;

DROP FUNCTION catalog.lock_tags(uuid[]);

CREATE OR REPLACE FUNCTION catalog.slug_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  ids uuid[];
  slugs text[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(product_id) FILTER (WHERE is_current), array_agg(slug) INTO ids, slugs FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(product_id) FILTER (WHERE is_current), array_agg(slug) INTO ids, slugs FROM before_rows;
  ELSE
    SELECT array_agg(DISTINCT product_id) FILTER (WHERE is_current), array_agg(DISTINCT slug) INTO ids, slugs FROM (
      (SELECT slug, product_id, is_current FROM after_rows EXCEPT ALL SELECT slug, product_id, is_current FROM before_rows)
      UNION ALL
      (SELECT slug, product_id, is_current FROM before_rows EXCEPT ALL SELECT slug, product_id, is_current FROM after_rows)) d;
  END IF;
  PERFORM catalog.touch(ids);
  -- A retired slug answers with the current one, so all names of a product change with it.
  PERFORM catalog.record(catalog.deps('slug', slugs) || catalog.slug_deps(ids), '{}');
  RETURN NULL;
END $$;

DROP FUNCTION catalog.lock_products(uuid[]);

CREATE OR REPLACE FUNCTION catalog.variant_part_changed() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off AS $$
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
  IF ids IS NOT NULL THEN
    SELECT array_agg(DISTINCT product_id) INTO ids FROM public.variant WHERE id = ANY (ids);
    PERFORM catalog.touch(ids);
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION catalog.option_value_changed() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off AS $$
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
  IF ids IS NOT NULL THEN
    SELECT array_agg(DISTINCT product_id) INTO ids FROM public.product_option WHERE id = ANY (ids);
    PERFORM catalog.touch(ids);
  END IF;
  RETURN NULL;
END $$;

DROP FUNCTION catalog.touch_products_of_options(uuid[]), catalog.touch_products_of_variants(uuid[]);

CREATE OR REPLACE FUNCTION catalog.sync_listing(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  direct uuid[];
BEGIN
  IF ids IS NULL THEN RETURN; END IF;
  SELECT array_agg(DISTINCT category_id) INTO direct FROM public.product_category WHERE product_id = ANY (ids);
  PERFORM FROM public.category WHERE id = ANY (direct) ORDER BY id FOR SHARE;
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

CREATE OR REPLACE FUNCTION catalog.lock_tree() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(4202);
  RETURN NULL;
END $$;

DELETE FROM product_listing l WHERE NOT EXISTS (SELECT FROM product p WHERE p.id = l.product_id);
ALTER TABLE product_listing ADD CONSTRAINT product_listing_product_fkey
  FOREIGN KEY (product_id) REFERENCES product ON DELETE CASCADE;
