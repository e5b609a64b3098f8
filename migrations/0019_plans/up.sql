-- Functions that look up what stands in an array plan once per session. Postgres takes an array it does not know for ten elements,
-- so a plan for any array looks dearer than one for an edit's single product: it planned anew each time, and that
-- took longer than the rest of the edit. Their plans cannot differ: every table is entered by an index.
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
    EXECUTE format('ALTER FUNCTION %s SET plan_cache_mode = force_generic_plan', planned);
  END LOOP;
END $$;

-- Functions in SQL are planned anew with each statement that calls them, those in PL/pgSQL once per session. The era is asked
-- for with every look at the log.
CREATE OR REPLACE FUNCTION catalog.timeline() RETURNS text
LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8); END $$;
CREATE OR REPLACE FUNCTION catalog.era() RETURNS uuid
LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT id FROM public.catalog_era WHERE timeline = catalog.timeline()); END $$;
