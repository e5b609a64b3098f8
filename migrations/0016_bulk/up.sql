-- Many products at once: what was done row by row is done for all rows of a statement, and nothing is written twice.
--
-- A thousand new products spent most of their time in two places: documents were built by two functions per product, and
-- stock that arrived after its variants wrote every one of them again.

-- The same numbers as catalog.dep(), without a call for each key.
CREATE OR REPLACE FUNCTION catalog.deps(kind text, keys text[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF cardinality(keys) > 8192 THEN RETURN '{0}'; END IF;
  RETURN (SELECT coalesce(array_agg(
      ('x' || encode(substr(sha256(convert_to(deps.kind || ':' || key, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint), '{}')
    FROM unnest(keys) AS key);
END $$;

-- Documents of products: all languages, all currencies, brand and categories left out (they are joined when read, so that
-- renaming one touches one row). Every array is ordered, so that equal products give equal bytes. One statement for all of
-- them: starting one costs more than building a document. One look-up by index per table and product, whatever plan was cached.
CREATE FUNCTION catalog.build_documents(ids uuid[]) RETURNS TABLE (product uuid, at_version bigint, body text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET random_page_cost = 1.1 SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  RETURN QUERY SELECT p.id, p.version, json_build_object(
      'id', p.id, 'version', p.version, 'status', p.status,
      'slug', coalesce((SELECT s.slug FROM public.slug s WHERE s.product_id = p.id AND s.is_current), ''),
      'title', p.title, 'description', p.description, 'product_type', p.product_type,
      'tags', (SELECT coalesce(json_agg(t.name ORDER BY pt.position, t.name COLLATE "C"), '[]')
          FROM public.product_tag pt JOIN public.tag t ON t.id = pt.tag_id WHERE pt.product_id = p.id),
      'attributes', p.attributes,
      'options', (SELECT coalesce(json_agg(json_build_object('name', o.name, 'values',
            (SELECT coalesce(json_agg(v.value ORDER BY v.position, v.id), '[]')
               FROM public.option_value v WHERE v.option_id = o.id)) ORDER BY o.position, o.id), '[]')
          FROM public.product_option o WHERE o.product_id = p.id),
      'variants', (SELECT coalesce(json_agg(json_build_object(
            'id', v.id, 'sku', v.sku, 'barcode', v.barcode,
            'title', coalesce(v.title, o.title, p.title),
            'options', coalesce(o.options, '{}'),
            'prices', (SELECT coalesce(json_agg(json_build_object(
                  'currency', x.currency, 'amount', x.amount, 'compare_at', x.compare_at)
                  ORDER BY x.currency COLLATE "C"), '[]')
                FROM public.price x WHERE x.variant_id = v.id),
            'availability', v.availability, 'attributes', v.attributes, 'weight_grams', v.weight_grams,
            'media', (SELECT coalesce(json_agg(m.media_id ORDER BY m.position, m.media_id), '[]')
                FROM public.variant_media m WHERE m.variant_id = v.id)
          ) ORDER BY v.position, v.id), '[]')
          FROM public.variant v
          CROSS JOIN LATERAL (
            SELECT json_object_agg(po.name, ov.value ORDER BY po.position, po.id) AS options,
                   string_agg(ov.value, ' / ' ORDER BY po.position, po.id) AS title
              FROM public.variant_option_value vov
              JOIN public.product_option po ON po.id = vov.option_id
              JOIN public.option_value ov ON ov.id = vov.value_id
             WHERE vov.variant_id = v.id) o
         WHERE v.product_id = p.id),
      'media', (SELECT coalesce(json_agg(json_build_object('id', m.id, 'url', m.url, 'alt', m.alt,
            'width', m.width, 'height', m.height, 'kind', m.kind) ORDER BY m.position, m.id), '[]')
          FROM public.media m WHERE m.product_id = p.id),
      'seo', json_build_object('title', p.seo_title, 'description', p.seo_description),
      'translations', (SELECT coalesce(json_object_agg(t.locale, json_build_object('title', t.title,
            'description', t.description, 'seo_title', t.seo_title, 'seo_description', t.seo_description)
            ORDER BY t.locale COLLATE "C"), '{}')
          FROM public.product_translation t WHERE t.product_id = p.id),
      'published_at', catalog.instant(p.published_at), 'created_at', catalog.instant(p.created_at),
      'updated_at', catalog.instant(p.updated_at))::text
    FROM public.product p WHERE p.id = ANY (ids);
END $$;

-- The document of a product; NULL when there is no such product.
CREATE OR REPLACE FUNCTION catalog.build_document(product_id uuid) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET random_page_cost = 1.1 AS $$
BEGIN
  RETURN (SELECT d.body FROM catalog.build_documents(ARRAY[product_id]) d);
END $$;
DROP FUNCTION catalog.build_variants(uuid, text);

CREATE OR REPLACE FUNCTION catalog.refresh_documents(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  shown uuid[];
  hidden uuid[];
BEGIN
  IF ids IS NULL OR ids = '{}' THEN RETURN; END IF;
  SELECT array_agg(p.id) FILTER (WHERE p.status = 'active' AND p.deleted_at IS NULL),
         array_agg(p.id) FILTER (WHERE p.status <> 'active' OR p.deleted_at IS NOT NULL)
    INTO shown, hidden FROM public.product p WHERE p.id = ANY (ids);
  IF shown IS NOT NULL THEN
    INSERT INTO public.product_document AS d (product_id, version, body)
    SELECT b.product, b.at_version, b.body FROM catalog.build_documents(shown) b
    ON CONFLICT (product_id) DO UPDATE SET version = excluded.version, body = excluded.body;
  END IF;
  IF hidden IS NOT NULL THEN
    DELETE FROM public.product_document WHERE product_id = ANY (hidden);
  END IF;
END $$;

-- Stock may come before its variants, which then are written once, with their band. Only an import asks for that; nothing is
-- deferred unless asked, and it checks at once what it has deferred, so that nothing runs behind the stamp.
ALTER TABLE stock_level ALTER CONSTRAINT stock_level_variant_fkey DEFERRABLE INITIALLY IMMEDIATE;

-- The band is computed from variables: with a query for its argument the function would be called instead of inlined.
CREATE OR REPLACE FUNCTION catalog.set_availability() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  in_stock bigint := 0;
BEGIN
  IF TG_OP = 'INSERT' OR
     (NEW.track_inventory, NEW.allow_backorder, NEW.low_stock_threshold, NEW.availability, NEW.id)
     <> (OLD.track_inventory, OLD.allow_backorder, OLD.low_stock_threshold, OLD.availability, OLD.id) THEN
    IF NEW.track_inventory THEN
      SELECT coalesce(sum(quantity), 0) INTO in_stock FROM public.stock_level WHERE variant_id = NEW.id;
    END IF;
    NEW.availability := catalog.band(NEW.track_inventory, NEW.allow_backorder, NEW.low_stock_threshold, in_stock);
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION catalog.stock_changed() RETURNS trigger
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
  IF ids IS NULL THEN RETURN NULL; END IF;
  -- Locked before summing: two sales at two locations must not each miss the other.
  PERFORM FROM public.variant v WHERE v.id = ANY (ids) ORDER BY v.id FOR NO KEY UPDATE;
  -- Not yet there: it will take its band from this stock.
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT array_agg(v.id) INTO ids FROM public.variant v CROSS JOIN LATERAL (
      SELECT coalesce(sum(s.quantity), 0) AS quantity FROM public.stock_level s WHERE s.variant_id = v.id) stock
   WHERE v.id = ANY (ids)
     AND v.availability <> catalog.band(v.track_inventory, v.allow_backorder, v.low_stock_threshold, stock.quantity);
  IF ids IS NOT NULL THEN
    UPDATE public.variant SET availability = '' WHERE id = ANY (ids); -- the row trigger computes the right one
  END IF;
  RETURN NULL;
END $$;

-- What is above the categories of a product is made unique per product, not by sorting all rows of all of them.
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
  SELECT p.id, above, p.published_at, p.title FROM public.product p CROSS JOIN LATERAL unnest(ARRAY(
      SELECT DISTINCT unnest((SELECT c.lineage FROM public.category c WHERE c.id = pc.category_id))
        FROM public.product_category pc WHERE pc.product_id = p.id)) AS above
   WHERE p.id = ANY (ids) AND p.status = 'active' AND p.deleted_at IS NULL
  ON CONFLICT (product_id, category_id) DO UPDATE SET published_at = excluded.published_at, title = excluded.title
   WHERE (l.published_at, l.title) IS DISTINCT FROM (excluded.published_at, excluded.title);
END $$;

-- Parts of a product that this transaction has touched already need no second look.
CREATE OR REPLACE FUNCTION catalog.touch_products_of_variants(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  touched uuid[] := '{}';
  found_now uuid[];
BEGIN
  LOOP
    SELECT array_agg(product_id) INTO found_now FROM (
      SELECT product_id FROM public.variant WHERE id = ANY (ids) EXCEPT SELECT unnest(touched)) d;
    EXIT WHEN found_now IS NULL;
    -- Products that this transaction had touched before it looked cannot have lost or got a variant since.
    IF NOT EXISTS (SELECT FROM public.product
        WHERE id = ANY (found_now) AND (touched_xid <> pg_current_xact_id() OR updated_at <> now())) THEN
      PERFORM catalog.spoil_documents(found_now);
      EXIT;
    END IF;
    PERFORM catalog.touch(found_now);
    touched := touched || found_now;
  END LOOP;
END $$;
