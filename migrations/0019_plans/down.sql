DO $$
DECLARE
  planned regprocedure;
BEGIN
  FOREACH planned IN ARRAY ARRAY[
    'catalog.build_documents(uuid[])', 'catalog.refresh_documents(uuid[])', 'catalog.spoil_documents(uuid[])',
    'catalog.listed(uuid[])', 'catalog.sync_listing(uuid[])', 'catalog.categories_of(uuid[])', 'catalog.with_above(uuid[])',
    'catalog.deps(text, text[])', 'catalog.slug_deps(uuid[])', 'catalog.sku_deps(uuid[])',
    'catalog.record(bigint[], uuid[])', 'catalog.record(bigint[], uuid[], uuid[])',
    'catalog.touch(uuid[])', 'catalog.touch_products_of_variants(uuid[])', 'catalog.touch_products_of_options(uuid[])',
    'catalog.lock_products(uuid[])', 'catalog.lock_tags(uuid[])'
  ] LOOP
    EXECUTE format('ALTER FUNCTION %s RESET plan_cache_mode', planned);
  END LOOP;
END $$;
