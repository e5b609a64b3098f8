-- Versions: every change in a product or any of its parts raises the product's version once per transaction and names in
-- the log what it can have changed; a statement that changes nothing does neither.
--
-- Statement triggers compare transition tables by EXCEPT ALL, never by a join of the two: their plans are cached, they
-- have no statistics, and a plan made while both were empty keeps a nested loop that never ends on 100,000 rows.
-- For the same reason the functions below that look up rows by ids join nothing with the ids: they ask one table at a time
-- with `= ANY (ids)` and forbid sequential scans. Such a plan is right for one row and for a million, whatever the tables
-- held when it was made.

-- Keeps the bookkeeping columns of product, brand and category: whole-row comparison, so a new column needs no change here.
CREATE FUNCTION catalog.raise_version() RETURNS trigger
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

CREATE FUNCTION catalog.start_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.touched_xid := pg_current_xact_id();
  RETURN NEW;
END $$;

CREATE FUNCTION catalog.publish() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status = 'active' AND NEW.published_at IS NULL THEN NEW.published_at := now(); END IF;
  RETURN NEW;
END $$;

-- Row triggers of one kind run in the order of their names.
CREATE TRIGGER a_publish BEFORE INSERT OR UPDATE ON product FOR EACH ROW EXECUTE FUNCTION catalog.publish();
CREATE TRIGGER b_version BEFORE UPDATE ON product FOR EACH ROW EXECUTE FUNCTION catalog.raise_version();
CREATE TRIGGER b_version BEFORE UPDATE ON brand FOR EACH ROW EXECUTE FUNCTION catalog.raise_version();
CREATE TRIGGER b_version BEFORE UPDATE ON category FOR EACH ROW EXECUTE FUNCTION catalog.raise_version();
CREATE TRIGGER b_version_start BEFORE INSERT ON product FOR EACH ROW EXECUTE FUNCTION catalog.start_version();
CREATE TRIGGER b_version_start BEFORE INSERT ON brand FOR EACH ROW EXECUTE FUNCTION catalog.start_version();
CREATE TRIGGER b_version_start BEFORE INSERT ON category FOR EACH ROW EXECUTE FUNCTION catalog.start_version();

-- SET CONSTRAINTS ALL IMMEDIATE stamps and builds documents in the middle of a transaction; what the transaction changes
-- after that keeps the version, so the documents built too early must go.
CREATE FUNCTION catalog.spoil_documents(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  IF EXISTS (SELECT FROM public.catalog_event WHERE xid = pg_current_xact_id() AND pos IS NOT NULL) THEN
    DELETE FROM public.product_document WHERE product_id = ANY (ids);
  END IF;
END $$;

-- Raises the version of products whose parts changed: in the order of their ids, so that two edits cannot deadlock here.
-- The row lock it takes also puts concurrent edits of one product in order (see catalog.refresh_documents).
CREATE FUNCTION catalog.touch(ids uuid[]) RETURNS void
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

-- The categories these products are in, and all categories above them.
CREATE FUNCTION catalog.categories_of(ids uuid[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
  direct uuid[];
BEGIN
  SELECT array_agg(DISTINCT category_id) INTO direct FROM public.product_category WHERE product_id = ANY (ids);
  RETURN catalog.with_above(direct);
END $$;

CREATE FUNCTION catalog.with_above(categories uuid[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN (SELECT array_agg(DISTINCT above)
    FROM public.category c CROSS JOIN LATERAL unnest(c.lineage) AS above WHERE c.id = ANY (categories));
END $$;

-- The slugs that name these products.
CREATE FUNCTION catalog.slug_deps(ids uuid[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN catalog.deps('slug', (SELECT array_agg(slug) FROM public.slug WHERE product_id = ANY (ids)));
END $$;

-- The SKUs that name these products.
CREATE FUNCTION catalog.sku_deps(ids uuid[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN catalog.deps('sku', (SELECT array_agg(sku) FROM public.variant WHERE product_id = ANY (ids) AND sku IS NOT NULL));
END $$;

-- Brings the narrow rows that category pages read in line with these products and their categories.
-- Callers hold the locks of the products or of the categories; the share lock on the categories orders this against a
-- move of a category, which changes what is above it.
CREATE FUNCTION catalog.sync_listing(ids uuid[]) RETURNS void
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

-- Product rows themselves. `changed` had their version raised by this statement, `moved` start, stop or change their place
-- in lists, `shown` appear or disappear, which changes what their slugs and SKUs lead to.
CREATE FUNCTION catalog.product_changed() RETURNS trigger
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

CREATE TRIGGER log_insert AFTER INSERT ON product REFERENCING NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.product_changed();
CREATE TRIGGER log_update AFTER UPDATE ON product REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.product_changed();
CREATE TRIGGER log_delete AFTER DELETE ON product REFERENCING OLD TABLE AS before_rows
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.product_changed();
