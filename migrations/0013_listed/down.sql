DROP FUNCTION catalog.listed(uuid[]);

CREATE OR REPLACE FUNCTION catalog.category_changed() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  ids uuid[];
  moved uuid[];
  listings uuid[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(id), array_agg(id) INTO ids, listings FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(id) INTO ids FROM before_rows;
    SELECT array_agg(DISTINCT above) INTO listings FROM before_rows CROSS JOIN unnest(lineage) AS above;
  ELSE
    SELECT array_agg(id) INTO ids FROM (TABLE after_rows EXCEPT ALL TABLE before_rows) d;
    IF ids IS NULL THEN RETURN NULL; END IF;
    SELECT array_agg(DISTINCT id) INTO moved
      FROM (SELECT id, path, lineage FROM after_rows EXCEPT ALL SELECT id, path, lineage FROM before_rows) d;
    SELECT array_agg(DISTINCT above) INTO listings FROM (
      (SELECT id, lineage FROM after_rows EXCEPT ALL SELECT id, lineage FROM before_rows)
      UNION ALL
      (SELECT id, lineage FROM before_rows EXCEPT ALL SELECT id, lineage FROM after_rows)) d
      CROSS JOIN unnest(lineage) AS above;
  END IF;
  IF ids IS NULL THEN RETURN NULL; END IF;
  PERFORM catalog.record(catalog.deps('category', ids::text[]) || catalog.deps('listing', listings::text[])
    || catalog.dep('categories', ''), '{}');
  IF moved IS NOT NULL THEN
    IF listings IS NOT NULL THEN
      PERFORM catalog.sync_listing((SELECT array_agg(DISTINCT product_id) FROM public.product_category
        WHERE category_id = ANY (moved)));
    END IF;
    -- The row trigger places the children anew, and this trigger theirs.
    IF EXISTS (SELECT FROM public.category WHERE parent_id = ANY (moved)) THEN
      UPDATE public.category SET parent_id = parent_id WHERE parent_id = ANY (moved);
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION catalog.record(changed bigint[], stale uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF changed IS NULL OR changed = '{}' THEN RETURN; END IF;
  IF 0 = ANY (changed) OR cardinality(changed) > 8192 THEN changed := '{0}'; END IF;
  IF cardinality(stale) > 200 THEN stale := NULL; END IF;
  -- Transaction ids are unique in one cluster only. A row of this id that an earlier transaction wrote came with a
  -- restored dump; merging into it would hide this change behind an old position.
  DELETE FROM public.catalog_event AS e WHERE e.xid = pg_current_xact_id() AND e.at <> now();
  INSERT INTO public.catalog_event AS e (deps, products) VALUES (changed, stale)
  ON CONFLICT (xid) DO UPDATE SET
    deps = CASE
      WHEN e.deps = '{0}' OR excluded.deps = '{0}' THEN '{0}'
      ELSE (SELECT CASE WHEN count(DISTINCT dep) > 8192 THEN '{0}' ELSE array_agg(DISTINCT dep) END
              FROM unnest(e.deps || excluded.deps) AS dep) END,
    products = CASE
      WHEN e.products IS NULL OR excluded.products IS NULL THEN NULL
      ELSE (SELECT CASE WHEN count(DISTINCT id) > 200 THEN NULL ELSE coalesce(array_agg(DISTINCT id), '{}') END
              FROM unnest(e.products || excluded.products) AS id) END
  WHERE NOT ((e.deps = '{0}' OR e.deps @> excluded.deps)
         AND (e.products IS NULL OR e.products @> excluded.products));
END $$;

DROP FUNCTION catalog.record(bigint[], uuid[], uuid[]);
ALTER TABLE catalog_event DROP COLUMN listed;
