-- Stored documents: a product's store answer as one row, built once per product and transaction, before the commit lock.
-- A read uses it only where its version is the product's; everything else is built on demand. So a missing or outdated
-- document costs time, never a wrong answer.

CREATE TABLE product_document (
  product_id uuid CONSTRAINT product_document_pkey PRIMARY KEY
    CONSTRAINT product_document_product_fkey REFERENCES product ON DELETE CASCADE,
  version bigint NOT NULL,
  body text NOT NULL
) WITH (fillfactor = 85, toast_tuple_target = 4080);
-- Compressed and inline is the cheapest to read and to write; a server built without lz4 keeps its default.
DO $$ BEGIN
  ALTER TABLE product_document ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR syntax_error OR invalid_parameter_value THEN
  RAISE NOTICE 'no lz4 in this server: documents use the default compression';
END $$;

CREATE FUNCTION catalog.instant(at timestamptz) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
  SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- The variants of a product inside its document. Every array is ordered, so that equal products give equal bytes.
CREATE FUNCTION catalog.build_variants(product uuid, product_title text) RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE SET random_page_cost = 1.1 AS $$
BEGIN
  RETURN (SELECT coalesce(json_agg(json_build_object(
      'id', v.id, 'sku', v.sku, 'barcode', v.barcode,
      'title', coalesce(v.title, o.title, product_title),
      'options', coalesce(o.options, '{}'),
      'prices', (SELECT coalesce(json_agg(json_build_object(
            'currency', p.currency, 'amount', p.amount, 'compare_at', p.compare_at) ORDER BY p.currency COLLATE "C"), '[]')
          FROM public.price p WHERE p.variant_id = v.id),
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
   WHERE v.product_id = product);
END $$;

-- The document of a product: all languages, all currencies, brand and categories left out (they are joined when read,
-- so that renaming one touches one row). NULL when there is no such product.
CREATE FUNCTION catalog.build_document(product_id uuid) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET random_page_cost = 1.1 AS $$
BEGIN
  RETURN (SELECT json_build_object(
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
      'variants', catalog.build_variants(p.id, p.title),
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
    FROM public.product p WHERE p.id = build_document.product_id);
END $$;

-- Called at COMMIT with the products changed; NULL (many) leaves the documents outdated, to be built on demand.
-- Every child change has locked and touched its product before, so two transactions that change different children of
-- one product come here one after the other, and the second sees the first one's rows.
CREATE OR REPLACE FUNCTION catalog.refresh_documents(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  hidden uuid[];
BEGIN
  IF ids IS NULL OR ids = '{}' THEN RETURN; END IF;
  INSERT INTO public.product_document AS d (product_id, version, body)
  SELECT p.id, p.version, catalog.build_document(p.id) FROM public.product p
   WHERE p.id = ANY (ids) AND p.status = 'active' AND p.deleted_at IS NULL
  ON CONFLICT (product_id) DO UPDATE SET version = excluded.version, body = excluded.body;
  SELECT array_agg(p.id) INTO hidden FROM public.product p
   WHERE p.id = ANY (ids) AND (p.status <> 'active' OR p.deleted_at IS NOT NULL);
  IF hidden IS NOT NULL THEN
    DELETE FROM public.product_document WHERE product_id = ANY (hidden);
  END IF;
END $$;

-- Stores documents that are missing or outdated, for after bulk work: products with ids above `after`, at most `count`.
-- Gives the last id looked at, or NULL when done.
CREATE FUNCTION catalog.store_documents(after uuid, count integer) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
  ids uuid[];
BEGIN
  SELECT array_agg(id ORDER BY id) INTO ids FROM (
    SELECT id FROM public.product WHERE id > after AND status = 'active' AND deleted_at IS NULL ORDER BY id LIMIT count) p;
  IF ids IS NULL THEN RETURN NULL; END IF;
  -- Locked, so that no edit slips between the build and the store.
  PERFORM FROM public.product p WHERE p.id = ANY (ids) ORDER BY p.id FOR NO KEY UPDATE;
  PERFORM catalog.refresh_documents((SELECT array_agg(p.id) FROM public.product p
    WHERE p.id = ANY (ids) AND NOT EXISTS (
      SELECT FROM public.product_document d WHERE d.product_id = p.id AND d.version = p.version)));
  RETURN ids[cardinality(ids)];
END $$;

-- Everything changed: for what no trigger can see, such as files restored under the server.
CREATE FUNCTION catalog.flush() RETURNS void
LANGUAGE sql AS $$
  DELETE FROM public.product_document;
  SELECT catalog.record('{0}', NULL)
$$;

-- ALTER TABLE ... TYPE ... USING rewrites rows without firing triggers.
CREATE FUNCTION catalog.table_rewritten() RETURNS event_trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_class WHERE oid = pg_event_trigger_table_rewrite_oid()
              AND relnamespace = 'public'::regnamespace AND relname NOT IN ('catalog_event', 'product_document')) THEN
    PERFORM catalog.flush();
  END IF;
END $$;
DO $$ BEGIN
  CREATE EVENT TRIGGER catalog_table_rewritten ON table_rewrite EXECUTE FUNCTION catalog.table_rewritten();
  ALTER EVENT TRIGGER catalog_table_rewritten ENABLE ALWAYS;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'only a superuser may create event triggers: after DDL that rewrites a table, run SELECT catalog.flush()';
END $$;
