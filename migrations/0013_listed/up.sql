-- Lists: an event names the products whose place in any list it can have changed, so that instances keep an index of them
-- in step with the log; and what can change any filtered list has a dependency of its own, `goods`.

-- Products that lists must read anew; NULL: many.
ALTER TABLE catalog_event ADD COLUMN listed uuid[] DEFAULT '{}';

-- Notes what this transaction changed. `stale` are the products whose documents must be rebuilt, `moved` those that lists
-- must read anew; NULL means many.
CREATE FUNCTION catalog.record(changed bigint[], stale uuid[], moved uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF changed IS NULL OR changed = '{}' THEN RETURN; END IF;
  IF 0 = ANY (changed) OR cardinality(changed) > 8192 THEN changed := '{0}'; END IF;
  IF cardinality(stale) > 200 THEN stale := NULL; END IF;
  IF cardinality(moved) > 5000 THEN moved := NULL; END IF;
  -- Transaction ids are unique in one cluster only. A row of this id that an earlier transaction wrote came with a
  -- restored dump; merging into it would hide this change behind an old position.
  DELETE FROM public.catalog_event AS e WHERE e.xid = pg_current_xact_id() AND e.at <> now();
  INSERT INTO public.catalog_event AS e (deps, products, listed) VALUES (changed, stale, moved)
  ON CONFLICT (xid) DO UPDATE SET
    deps = CASE
      WHEN e.deps = '{0}' OR excluded.deps = '{0}' THEN '{0}'
      ELSE (SELECT CASE WHEN count(DISTINCT dep) > 8192 THEN '{0}' ELSE array_agg(DISTINCT dep) END
              FROM unnest(e.deps || excluded.deps) AS dep) END,
    products = CASE
      WHEN e.products IS NULL OR excluded.products IS NULL THEN NULL
      ELSE (SELECT CASE WHEN count(DISTINCT id) > 200 THEN NULL ELSE coalesce(array_agg(DISTINCT id), '{}') END
              FROM unnest(e.products || excluded.products) AS id) END,
    listed = CASE
      WHEN e.listed IS NULL OR excluded.listed IS NULL THEN NULL
      ELSE (SELECT CASE WHEN count(DISTINCT id) > 5000 THEN NULL ELSE coalesce(array_agg(DISTINCT id), '{}') END
              FROM unnest(e.listed || excluded.listed) AS id) END
  WHERE NOT ((e.deps = '{0}' OR e.deps @> excluded.deps)
         AND (e.products IS NULL OR e.products @> excluded.products)
         AND (e.listed IS NULL OR e.listed @> excluded.listed));
END $$;

CREATE OR REPLACE FUNCTION catalog.record(changed bigint[], stale uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF changed <> '{}' AND (stale IS NULL OR stale <> '{}') THEN changed := changed || catalog.dep('goods', ''); END IF;
  PERFORM catalog.record(changed, stale, stale);
END $$;

-- A move changes what is above its products; of these nothing else changes.
CREATE OR REPLACE FUNCTION catalog.category_changed() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  ids uuid[];
  moved uuid[];
  listings uuid[];
  listed uuid[];
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
      SELECT array_agg(DISTINCT product_id) INTO listed FROM public.product_category WHERE category_id = ANY (moved);
      PERFORM catalog.sync_listing(listed);
      IF listed IS NOT NULL THEN PERFORM catalog.record(ARRAY[catalog.dep('goods', '')], '{}', listed); END IF;
    END IF;
    -- The row trigger places the children anew, and this trigger theirs.
    IF EXISTS (SELECT FROM public.category WHERE parent_id = ANY (moved)) THEN
      UPDATE public.category SET parent_id = parent_id WHERE parent_id = ANY (moved);
    END IF;
  END IF;
  RETURN NULL;
END $$;

-- What lists know of products: one row each for those of `ids` that the store shows. One look-up by index per table and
-- product, whatever plan was cached.
CREATE FUNCTION catalog.listed(ids uuid[]) RETURNS TABLE (
  id uuid, published_us bigint, title text, description text, product_type text, brand_id uuid, attributes text,
  categories uuid[], places uuid[], positions integer[], tags text[], variants text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  RETURN QUERY SELECT p.id, (extract(epoch FROM p.published_at) * 1000000)::bigint, p.title, p.description,
      coalesce(p.product_type, ''), p.brand_id, p.attributes::text,
      ARRAY(SELECT l.category_id FROM public.product_listing l WHERE l.product_id = p.id),
      ARRAY(SELECT c.category_id FROM public.product_category c WHERE c.product_id = p.id ORDER BY c.category_id),
      ARRAY(SELECT c.position FROM public.product_category c WHERE c.product_id = p.id ORDER BY c.category_id),
      ARRAY(SELECT t.name FROM public.product_tag pt JOIN public.tag t ON t.id = pt.tag_id WHERE pt.product_id = p.id),
      (SELECT coalesce(json_agg(json_build_array(v.sku, v.barcode, v.title, v.availability <> 'out_of_stock', v.attributes,
          (SELECT string_agg(ov.value, ' ') FROM public.variant_option_value vov
             JOIN public.option_value ov ON ov.id = vov.value_id WHERE vov.variant_id = v.id),
          (SELECT coalesce(json_agg(json_build_array(x.currency, x.amount)), '[]')
             FROM public.price x WHERE x.variant_id = v.id))), '[]')
         FROM public.variant v WHERE v.product_id = p.id)::text
    FROM public.product p WHERE p.id = ANY (listed.ids) AND p.status = 'active' AND p.deleted_at IS NULL;
END $$;
