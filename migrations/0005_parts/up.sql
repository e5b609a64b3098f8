-- What a product is made of: every change of a part touches its product; slugs, SKUs, places in categories, tags and brands
-- also name in the log what they can have changed.

-- Parts that carry their product's id.
CREATE FUNCTION catalog.product_part_changed() RETURNS trigger
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

-- Parts that carry their variant's id.
CREATE FUNCTION catalog.variant_part_changed() RETURNS trigger
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

CREATE FUNCTION catalog.option_value_changed() RETURNS trigger
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

-- Variants: parts of a product, and a SKU is a name of it. Attributes are compared as text: 1.0 and 1.00 are equal
-- numbers that read differently.
CREATE FUNCTION catalog.variant_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  ids uuid[];
  skus text[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(DISTINCT product_id), array_agg(sku) FILTER (WHERE sku IS NOT NULL) INTO ids, skus FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(DISTINCT product_id), array_agg(sku) FILTER (WHERE sku IS NOT NULL) INTO ids, skus FROM before_rows;
  ELSE
    SELECT array_agg(DISTINCT product_id) INTO ids FROM (
      (SELECT *, attributes::text FROM after_rows EXCEPT ALL SELECT *, attributes::text FROM before_rows)
      UNION ALL
      (SELECT *, attributes::text FROM before_rows EXCEPT ALL SELECT *, attributes::text FROM after_rows)) d;
    IF ids IS NULL THEN RETURN NULL; END IF;
    SELECT array_agg(DISTINCT sku) INTO skus FROM (
      (SELECT product_id, id, sku FROM after_rows EXCEPT ALL SELECT product_id, id, sku FROM before_rows)
      UNION ALL
      (SELECT product_id, id, sku FROM before_rows EXCEPT ALL SELECT product_id, id, sku FROM after_rows)) d
     WHERE sku IS NOT NULL;
  END IF;
  PERFORM catalog.touch(ids);
  PERFORM catalog.record(catalog.deps('sku', skus), '{}');
  RETURN NULL;
END $$;

-- Slugs: the current one is part of its product, every one is a name.
CREATE FUNCTION catalog.slug_changed() RETURNS trigger
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

-- Which categories list a product.
CREATE FUNCTION catalog.product_category_changed() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  ids uuid[];
  categories uuid[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(DISTINCT product_id), array_agg(DISTINCT category_id) INTO ids, categories FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(DISTINCT product_id), array_agg(DISTINCT category_id) INTO ids, categories FROM before_rows;
  ELSE
    SELECT array_agg(DISTINCT product_id), array_agg(DISTINCT category_id) INTO ids, categories FROM (
      (TABLE after_rows EXCEPT ALL TABLE before_rows) UNION ALL (TABLE before_rows EXCEPT ALL TABLE after_rows)) d;
  END IF;
  IF ids IS NULL THEN RETURN NULL; END IF;
  PERFORM catalog.touch(ids); -- first: its lock puts concurrent changes of a product's places in order
  PERFORM catalog.sync_listing(ids);
  PERFORM catalog.record(catalog.deps('listing', catalog.with_above(categories)::text[]), '{}');
  RETURN NULL;
END $$;

-- Renaming a tag changes every product that has it.
CREATE FUNCTION catalog.tag_changed() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  tags uuid[];
BEGIN
  SELECT array_agg(id) INTO tags FROM (TABLE after_rows EXCEPT ALL TABLE before_rows) d;
  IF tags IS NOT NULL THEN
    PERFORM catalog.touch((SELECT array_agg(DISTINCT product_id) FROM public.product_tag WHERE tag_id = ANY (tags)));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER log_update AFTER UPDATE ON tag REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.tag_changed();

-- Brands are joined when a product is read, so one dependency covers all their products.
CREATE FUNCTION catalog.brand_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  ids uuid[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(id) INTO ids FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(id) INTO ids FROM before_rows;
  ELSE
    SELECT array_agg(id) INTO ids FROM (TABLE after_rows EXCEPT ALL TABLE before_rows) d;
  END IF;
  IF ids IS NOT NULL THEN
    PERFORM catalog.record(catalog.deps('brand', ids::text[]) || catalog.dep('brands', ''), '{}');
  END IF;
  RETURN NULL;
END $$;

-- TRUNCATE names no rows: everything is stale. What a product is made of may be gone, so all versions rise.
CREATE FUNCTION catalog.truncated() RETURNS trigger
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

DO $$
DECLARE
  target text;
  handler text;
BEGIN
  FOR target, handler IN VALUES
    ('product_translation', 'product_part_changed'), ('product_option', 'product_part_changed'),
    ('media', 'product_part_changed'), ('product_tag', 'product_part_changed'),
    ('price', 'variant_part_changed'), ('variant_option_value', 'variant_part_changed'),
    ('variant_media', 'variant_part_changed'), ('option_value', 'option_value_changed'),
    ('variant', 'variant_changed'), ('slug', 'slug_changed'), ('product_category', 'product_category_changed'),
    ('brand', 'brand_changed')
  LOOP
    EXECUTE format('CREATE TRIGGER log_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS after_rows
      FOR EACH STATEMENT EXECUTE FUNCTION catalog.%I()', target, handler);
    EXECUTE format('CREATE TRIGGER log_update AFTER UPDATE ON %I REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
      FOR EACH STATEMENT EXECUTE FUNCTION catalog.%I()', target, handler);
    EXECUTE format('CREATE TRIGGER log_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS before_rows
      FOR EACH STATEMENT EXECUTE FUNCTION catalog.%I()', target, handler);
  END LOOP;
  FOREACH target IN ARRAY ARRAY['product', 'brand', 'category', 'product_translation', 'slug', 'product_option',
    'option_value', 'variant', 'variant_option_value', 'price', 'media', 'variant_media', 'product_tag',
    'product_category', 'stock_level']
  LOOP
    EXECUTE format('CREATE TRIGGER log_truncate AFTER TRUNCATE ON %I
      FOR EACH STATEMENT EXECUTE FUNCTION catalog.truncated()', target);
  END LOOP;
END $$;
